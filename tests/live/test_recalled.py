"""Model-driven agents on virtual time: contended runs, contexts made again from records, and runs gone on with."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from checker.notified import check_history
from coagent import naming, running
from coagent.event import Finished
from coagent.history import plain
from coagent.live import virtual_clock
from coagent.live.agents.completion import Completion, Message, ToolCall
from coagent.live.agents.recalled import recalled
from coagent.live.agents.team import drive
from coagent.live.agents.worker import work
from coagent.live.journal import MemoryJournal
from coagent.live.opening import history_of, resumed, session
from coagent.live.running import LiveRun
from coagent.live.targets.memory import MemoryTarget
from coagent.protocols.naive import Naive
from coagent.protocols.run import Turn
from coagent.stepper import rerun
from tests.live.acting import Thinking
from tests.live.live_check import is_serial, judged
from workloads import CELLS

LIVE_ONLY = {"step", "intent"}


class Unhurried(MemoryTarget):
    """A target that takes its time over what a call looks at first."""

    def __init__(self, roots, state, tool_s):
        super().__init__(roots, state)
        self._tool_s = tool_s

    async def read(self, paths):
        await asyncio.sleep(self._tool_s)
        return await super().read(paths)


async def ended(live):
    await live.quiet()
    seats = live.ledger.seats.values()
    return LiveRun(
        history=await history_of(live),
        final_state=dict((await live.target.read(live.target.roots)).cells),
        reports={one.name: plain(one.report) for one in seats},
        gave_up=tuple(one.name for one in seats if one.gave_up),
    )


async def played(cell, engine, model):
    """The run, and the context of each agent at its end."""
    target = Unhurried([""], cell.state, cell.cost.tool_s)
    async with session(target, tools=cell.tools, protocol=engine, name=cell.name, whole=True) as live:
        handles = [await live.launch(one.name, rank) for rank, one in enumerate(cell.agents, 1)]
        plays = [work(agent, model, one.task) for agent, one in zip(handles, cell.agents, strict=True)]
        worked = await asyncio.gather(*plays)
        return await ended(live), {one.name: did.context for one, did in zip(cell.agents, worked, strict=True)}


@cache
def run(name, protocol):
    cell, engine = naming.target(name, None), naming.protocol(protocol)
    model = Thinking(workload=cell)
    found, contexts = virtual_clock.run(played(cell, engine, model))
    return cell, engine, found, contexts, model


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("serial", "2pl", "occ", "mtpo", "mtpo-reissue"))
def test_a_contended_run_of_models_ends_right_and_records_what_a_simulated_one_does(name, protocol):
    cell, engine, found, _, _ = run(name, protocol)
    verdict = judged(found, cell, engine)
    assert verdict.verdict == "ok", verdict.sentences()
    assert found.gave_up or cell.invariant is None or cell.invariant(found.final_state, found.reports)
    if engine.promises == "declared":
        assert is_serial(found, cell)
    simulated = running.run(cell, engine).outcome.history
    kinds, fields = kinds_of(found.history), {record["event"]: set(record) for record in simulated.records}
    assert kinds - LIVE_ONLY == set(fields), "the same kinds of records"
    for record in found.history.records:
        if record["event"] in fields and record["event"] not in ("hold", "invoke", "repair"):
            assert set(record) == fields[record["event"]]
    assert {**found.history.header, "models": 0}.keys() - {"models"} == simulated.header.keys()


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("2pl", "occ", "mtpo"))
def test_every_answer_is_counted_also_one_that_came_to_nothing(name, protocol):
    _, _, found, _, model = run(name, protocol)
    counted = sum(record["prompt_tokens"] + record["cached_tokens"] for record in found.history.of("inferred"))
    assert found.gave_up or counted == sum(10 * len(messages) for messages in model.asked)


GEO = "cluster/deployments/geo"


@dataclass
class Listed:
    """Says what is listed for an agent, each at its time; then it reports."""

    says: dict
    name: str = "listed"
    settings: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    async def complete(self, messages, tools):
        self.asked.append(list(messages))
        who = messages[0].text.split("You are the agent ", 1)[1].split(".", 1)[0]
        wait_s, calls = self.says[who].pop(0) if self.says[who] else (0.0, [("report", {"report": 1})])
        await asyncio.sleep(wait_s)
        made = [
            ToolCall(id=f"{len(self.asked)}-{place}", name=of, arguments=json.dumps(args))
            for place, (of, args) in enumerate(calls)
        ]
        return Completion(calls=tuple(made), prompt_tokens=3, cached_tokens=1, output_tokens=1)


def test_a_notice_with_the_result_of_one_call_of_several_holds_back_the_rest():
    cell, engine = naming.target("k2-canary", None), naming.protocol("mtpo")
    canary = {"name": "geo-canary", "image": "hotel-reservation:v0-rc", "replicas": 1}
    image, replicas = (("get", {"path": f"{GEO}/{name}"}) for name in ("image", "replicas"))
    says = {
        "A": [(1.0, [("set_image", {"name": "geo", "image": "hotel-reservation:latest"})])],
        "B": [
            (0.0, [image]),
            (2.0, [replicas, replicas, ("create_deployment", canary)]),
            (0.0, [("create_deployment", {**canary, "image": "hotel-reservation:latest"})]),
        ],
    }
    # Every look takes 5 s. A writes when B has read, until 10 s; what B would have read then is known at 15 s, in the
    # middle of the third look of B, which lasts from 12 s to 17 s.
    model, cost = Listed(says), replace(cell.cost, tool_s=5.0)
    found, contexts = virtual_clock.run(played(replace(cell, cost=cost), engine, model))
    answers = [one.text for one in contexts["B"] if one.role == "tool"]
    assert ["there is a notice to judge first" in one for one in answers[:4]] == [False] * 3 + [True]
    assert not list(found.history.of("hold")), "the runtime was not even asked"
    made = [record["args"]["image"] for record in found.history.of("invoke") if record["tool"] == "create_deployment"]
    assert made == ["hotel-reservation:latest"]
    assert check_history(found.history, order="declared", rerun=rerun(cell, driven=True)).verdict == "ok"


class Wounding:
    """No control at all, but that B is aborted when A reports, whatever B does."""

    name, promises, emits = "wounding", "any", Naive().emits | {"Restart"}

    def start(self):
        return Naive().start()

    def step(self, run, event):
        run, effects = Naive().step(run, event)
        if not (isinstance(event, Finished) and event.agent == "A"):
            return run, effects
        turn = Turn(run)
        turn.abort("B", "wounded", 5)
        run, more = turn.result()
        return run, (*effects, *more)


def test_an_answer_that_comes_after_its_attempt_was_aborted_is_not_carried_out_and_yet_counted():
    cell, engine = naming.target("k2-canary", None), Wounding()
    model, (look, late) = Listed({}), (("get", {"path": f"{GEO}/{name}"}) for name in ("image", "replicas"))
    model.says = {"A": [(1.0, [look])], "B": [(0.0, [look]), (9.0, [late]), (0.0, [look])]}
    found, contexts = virtual_clock.run(played(cell, engine, model))
    assert [record["agent"] for record in found.history.of("abort")] == ["B"]
    assert [record["args"]["path"] for record in found.history.of("invoke")] == [f"{GEO}/image"] * 3
    (undone,) = [one for one in contexts["B"] if one.role == "tool" and "was undone" in one.text]
    assert contexts["B"][contexts["B"].index(undone) + 1].text.startswith("Notice from the runtime. Everything")
    assert sum(record["output_tokens"] for record in found.history.of("inferred")) == len(model.asked)


def kinds_of(history):
    return {record["event"] for record in history.records}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("occ", "mtpo", "mtpo-reissue"))
def test_a_context_made_again_from_the_records_is_the_one_that_there_was(name, protocol):
    cell, _, found, contexts, _ = run(name, protocol)
    for one in cell.agents:
        again = recalled(one.name, one.task, found.history.records)
        assert without_ids(single(again.context)) == without_ids(single(contexts[one.name]))


def single(context):
    """A context with calls and answers one by one; of a call that was held it is known only that there was one."""
    calls = {call.id: call for message in context for call in message.calls}
    for message in context:
        if message.role == "tool":
            call = calls[message.answers]
            held = "not carried out" in message.text
            yield Message(role="assistant", calls=(replace(call, name="?", arguments="") if held else call,))
        if message.role != "assistant":
            yield message


def without_ids(messages):
    return [replace(one, answers=None, calls=tuple(replace(call, id="") for call in one.calls)) for one in messages]


async def cut_and_gone_on_with(cell, engine, at):
    """A run whose model is gone at a completion; the rest is done by another runtime, from the journal."""
    target, journal = MemoryTarget([""], cell.state), MemoryJournal()
    tasks = {one.name: one.task for one in cell.agents}
    try:
        opened = session(target, tools=cell.tools, protocol=engine, journal=journal, name=cell.name, whole=True)
        async with opened as live:
            for rank, one in enumerate(cell.agents, 1):
                await live.launch(one.name, rank)
            await drive(live, tasks, Thinking(workload=cell, breaks_at=at))
        return None, Counter()
    except RuntimeError:
        pass
    model = Thinking(workload=cell)
    async with resumed(target, journal=journal, tools=cell.tools, protocol=engine) as live:
        await drive(live, tasks, model)
        return await ended(live), model


@pytest.mark.parametrize("name", ("k2-canary", "x1-handover", "o5-double-booked"))
@pytest.mark.parametrize("protocol", ("2pl", "mtpo"))
def test_a_run_that_was_cut_short_is_gone_on_with_from_its_records(name, protocol):
    cell, engine = naming.target(name, None), naming.protocol(protocol)
    for at in range(1, 40):
        found, model = virtual_clock.run(cut_and_gone_on_with(cell, engine, at))
        if found is None:
            break
        assert judged(found, cell, engine).verdict == "ok"
        assert cell.invariant(found.final_state, found.reports)
        again = [len(one) for one in model.asked]
        assert at < 4 or max(again[:2]) > 2, "they do not begin from nothing"
    assert at > 5
