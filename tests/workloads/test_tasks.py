"""Every cell tells a model in words what its scripted agents do: all of it, and nothing of the other agent."""

import re
from dataclasses import dataclass

import pytest

from coagent.live.agents.prompt import opening
from coagent.operation import Call, Result
from workloads import CELLS, workload

CASES = [(name, irrelevant) for name in CELLS for irrelevant in (False, True)]
COMPUTED = {("d2-total-of-rows", "put"), ("x3-scale-restore-vs-double", "scale")}
"""The calls for which agents work an integer out: a sum, a double."""

REVEALING = r"other agent|another agent|\bagents?\b|meanwhile|concurren|at the same time|\brace|conflict|somebody else"


@dataclass
class Cells:
    """State as tools see it."""

    held: dict

    def cell(self, path):
        return (self.held[path],) if path in self.held else ()

    def below(self, path):
        return iter(sorted(one for one in self.held if one.startswith(f"{path}/")))


def run_alone(agent, tools, cells):
    """Each call with the results that came before it, and last the report."""
    running, told, sent = agent.program(), [], None
    while True:
        try:
            call = running.send(sent).call
        except StopIteration as stop:
            yield stop.value, tuple(told)
            return
        yield call, tuple(told)
        sent, writes = tools[call.tool].exec(cells, dict(call.args))
        assert isinstance(sent, Result)
        told.append(sent.value)
        for path, cell in writes:
            cells.held.pop(path, None)
            if cell:
                cells.held[path] = cell[0]


def said(name, irrelevant):
    """(agent, what it says, what it was told before) for both agents of a cell, alone in either order."""
    cell = workload(name, irrelevant=irrelevant)
    for order in (cell.agents, cell.agents[::-1]):
        cells = Cells(dict(cell.state))
        for agent in order:
            for what, told in run_alone(agent, cell.tools, cells):
                yield agent, what, told


def leaves(found):
    match found:
        case tuple() | list():
            return [leaf for item in found for leaf in leaves(item)]
        case _:
            return [found]


def words(text):
    return re.findall(r"[^\W\d_]+", text)


def strange(agent, values, told, integers):
    """What of these values is neither in the task nor in what the agent was told; a number in a text may be new."""
    known = f"{agent.task} {' '.join(map(str, leaves(told)))}"
    texts = {word for value in leaves(values) if isinstance(value, str) for word in words(value)}
    numbers = {value for value in leaves(values) if type(value) is int} if integers else set()
    return sorted(texts - set(words(known))) + sorted(one for one in numbers if not re.search(rf"\b{one}\b", known))


@pytest.mark.parametrize(("name", "irrelevant"), CASES)
def test_a_task_holds_all_that_the_program_says_and_was_not_told(name, irrelevant):
    calls = 0
    for agent, what, told in said(name, irrelevant):
        is_call = isinstance(what, Call)
        values = tuple(value for _, value in what.args) if is_call else what
        calls += is_call
        integers = is_call and (name, what.tool) not in COMPUTED
        assert strange(agent, values, told, integers) == [], (agent.name, what)
    assert calls


@pytest.mark.parametrize(("name", "irrelevant"), CASES)
def test_a_task_names_every_path(name, irrelevant):
    for agent, what, told in said(name, irrelevant):
        path = dict(getattr(what, "args", ())).get("path")
        if path is None:
            continue
        named = [re.escape(one) for one in re.findall(r"[\w./-]*\w", agent.task)]
        # What is written in capitals stands for something else, all but in the names of three files.
        patterns = [re.sub(r"[A-Z]{2,}(?![A-Z]|\\\.md)", "[^/]+", one) for one in named]
        found = path.removeprefix("repo/") in leaves(told) and "below repo/" in agent.task
        assert found or any(re.fullmatch(one, path) for one in patterns), (agent.name, path)


@pytest.mark.parametrize(("name", "irrelevant"), CASES)
def test_a_task_says_what_to_report_and_nothing_of_the_other_agent(name, irrelevant):
    first, second = workload(name, irrelevant=irrelevant).agents
    for agent, other in ((first, second), (second, first)):
        assert opening(agent.name, agent.task)
        assert re.search(r"\b[Rr]eport (a|the|that|what|how|it|true|its)\b", agent.task) or "report it" in agent.task
        assert not re.search(REVEALING, agent.task)
        # The letter A may begin a sentence.
        assert not re.search(rf"\b{other.name}\b(?! [a-z]|' )", agent.task.replace("A WORD", ""))
        assert other.task not in agent.task and agent.task != other.task


@pytest.mark.parametrize("name", CELLS)
def test_only_the_first_agent_is_asked_for_the_irrelevant_write(name):
    plain, more = (workload(name, irrelevant=irrelevant).agents for irrelevant in (False, True))
    assert more[0].task.startswith(plain[0].task) and more[0].task != plain[0].task
    assert more[1].task == plain[1].task or name == "k2-canary-on-bad-image"
