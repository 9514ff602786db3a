"""Model-driven agents on virtual time: contended runs, contexts made again from records, and runs gone on with."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from coagent import naming, running
from coagent.history import plain
from coagent.live import virtual_clock
from coagent.live.agents.completion import Message
from coagent.live.agents.recalled import recalled
from coagent.live.agents.team import drive
from coagent.live.agents.worker import work
from coagent.live.journal import MemoryJournal
from coagent.live.opening import history_of, resumed, session
from coagent.live.running import LiveRun
from coagent.live.targets.memory import MemoryTarget
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


def run(name, protocol):
    cell, engine = naming.target(name, None), naming.protocol(protocol)
    found, contexts = virtual_clock.run(played(cell, engine, Thinking(workload=cell)))
    return cell, engine, found, contexts


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("serial", "2pl", "occ", "mtpo", "mtpo-reissue"))
def test_a_contended_run_of_models_ends_right_and_records_what_a_simulated_one_does(name, protocol):
    cell, engine, found, _ = run(name, protocol)
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


def kinds_of(history):
    return {record["event"] for record in history.records}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("occ", "mtpo", "mtpo-reissue"))
def test_a_context_made_again_from_the_records_is_the_one_that_there_was(name, protocol):
    cell, _, found, contexts = run(name, protocol)
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
