"""Agents that count up objects of their own and now and then one that all share: contention in any measure.

Which steps touch the shared object is given step by step, or drawn with a probability; a step that does so at a lower
probability does at any higher one. Not among the workloads by name, because it is of numbers.
"""

from collections import Counter
from collections.abc import Generator, Mapping
from functools import partial

from coagent.judge import drawn
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

HOT = "hot"
"""The object that all share."""

Plan = tuple[tuple[bool, ...], ...]
"""For each agent and each of its steps: whether it touches the shared object."""

STORY = "{agents} agents count up objects step by step, {shared} of {steps} steps on one that they share."


def workload(plan: Plan, *, think_s: float) -> Workload:
    """The workload of a plan. A step is a read, and a write of one more than was read: two calls and two inferences.

    `think_s` are the seconds of every inference, the last message's too.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, len(plan) + 1))
    touched = {name: [HOT if hot else _own(name) for hot in steps] for name, steps in zip(names, plan, strict=True)}
    due = Counter(path for paths in touched.values() for path in paths)
    return Workload(
        name="contended",
        story=STORY.format(agents=len(plan), shared=due[HOT], steps=sum(due.values())),
        state=tuple((path, 0) for path in (HOT, *map(_own, names))),
        agents=tuple(
            Agent(name=name, program=partial(_count_up, touched[name]), think_s=think_s, finish_think_s=think_s)
            for name in names
        ),
        invariant=partial(all_counted, due),
    )


def drawn_plan(agents: int, steps: int, *, conflict: float, seed: int) -> Plan:
    """Each of `steps` steps of each agent touches the shared object with probability `conflict`, in [0, 1]."""
    return tuple(
        tuple(drawn("contended", (seed, agent, step)) < conflict for step in range(steps)) for agent in range(agents)
    )


def one_conflict(steps: int, *, seed: int) -> Plan:
    """Two agents, of whose steps one each, drawn anywhere, touches the shared object."""
    places = [int(drawn("one conflict", (seed, agent)) * steps) for agent in range(2)]
    return tuple(tuple(step == place for step in range(steps)) for place in places)


def uneven_plan(agents: int, *, conflict: float, seed: int) -> Plan:
    """Agents with as many steps as their place at launch, the longest launched first; touches drawn as above."""
    longest = drawn_plan(agents, agents, conflict=conflict, seed=seed)
    return tuple(steps[: agents - place] for place, steps in enumerate(longest))


def all_counted(due: Mapping[str, int], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every object has been counted up as often as there are steps that touch it."""
    return all(state.get(path) == times for path, times in due.items())


def _own(name: str) -> str:
    return f"own/{name}"


def _count_up(paths: list[str]) -> Generator[Intent, Result, Value]:
    """One agent: read each object in turn and write back one more. Reports the last number written."""
    number = None
    for path in paths:
        number = (yield Intent(call=Call("get", (("path", path),)))).value + 1
        yield Intent(call=Call("put", (("path", path), ("value", number))))
    return number
