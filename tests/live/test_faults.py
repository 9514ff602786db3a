"""What goes wrong around a live run is reported and held, and never makes it wrong: slow agents, lost answers, a full
disk, undos that fail, tools out of bounds, strangers, and damaged journals."""

import asyncio
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checker.notified import check_history
from coagent import naming
from coagent.argument_schema import arguments
from coagent.bad_input import BadInput
from coagent.event import Invoked
from coagent.live import virtual_clock
from coagent.live.ledger import intent_in
from coagent.live.limits import Limits
from coagent.live.opening import history_of, resumed, session
from coagent.live.scripted import play
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.target import Conflict, Refused
from coagent.live.targets.memory import MemoryTarget
from coagent.live.trouble import Ended, Stuck
from coagent.operation import Call, Declaration, Result
from coagent.running import equal, serial_outcome
from coagent.tool import TOOLS, Tool
from tests.live.journal_edit import edited, resealed

STATE = (("x", 1), ("y", 1))


async def verdict_of(live):
    return check_history(await history_of(live), order="declared")


def troubles(live):
    return [record["because"] for record in live.journal.records() if record["event"] == "trouble"]


async def ended(*agents):
    """Let each report whatever it last saw, until all is quiet."""
    for agent in agents:
        turn = await agent.finish()
        while not turn.over:
            turn = await agent.finish()


async def both(live):
    return await live.launch("A"), await live.launch("B")


# notifications


def test_an_agent_that_never_listens_holds_nobody_up_and_what_it_does_later_is_held():
    async def run():
        async with session(MemoryTarget([""], STATE), whole=True) as live:
            a, b = await both(live)
            await b.call("get", path="x")
            for value in (5, 6, 7):
                await a.call("put", path="x", value=value)
            assert (await a.finish()).kind == "committed"
            await asyncio.sleep(1e6)
            turn = await b.call("put", path="y", value=9)
            assert turn.kind == "held" and live.target.targets[0].cells["y"] == 1
            assert [(one.op, one.result.value) for one in turn.notices] == [("B.1", 7)], "the newest, once"
            await b.call("put", path="y", value=7)
            await ended(b)
            await live.quiet()
            assert (await verdict_of(live)).verdict == "ok"

    virtual_clock.run(run())


def test_an_agent_that_is_told_twice_acts_once():
    async def run():
        async with session(MemoryTarget([""], STATE), whole=True) as live:
            a, b = await both(live)
            first = await b.turn()
            assert await b.turn() == first
            add = Call("add", (("path", "x"), ("by", 1)))
            what = Invoked(agent="B", call=add, declaration=TOOLS["add"].declare(dict(add.args)))
            asked = (live.act("B", what, first.number) for _ in range(3))
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert live.target.targets[0].cells["x"] == 2, "the turn is past when it is answered again"
            assert answers[0].op == "B.1" and all("acted on turn 1 already" in str(one) for one in answers[1:])
            assert await b.turn() == answers[0]
            await ended(a, b)
            assert (await verdict_of(live)).verdict == "ok"

    virtual_clock.run(run())


def test_an_agent_that_was_away_when_its_report_went_stale_is_reopened_when_it_comes_back():
    async def run():
        async with session(MemoryTarget([""], STATE), whole=True) as live:
            a, b = await both(live)
            await b.call("get", path="x")
            away = asyncio.ensure_future(b.finish(1))
            await asyncio.sleep(1)
            await a.call("put", path="x", value=5)
            away.cancel()
            await asyncio.sleep(1e5)
            turn = await live.agent("B").turn()
            assert turn.kind == "reopened" and [one.result.value for one in turn.notices] == [5]
            await ended(a, live.agent("B"))
            assert (await verdict_of(live)).verdict == "ok"

    virtual_clock.run(run())


# answers that are lost


class Thread(MemoryTarget):
    """Written in threads, which nobody can stop; the first write waits for `gate`, before or after it acts."""

    def __init__(self, state, when: str) -> None:
        super().__init__([""], state)
        self.when, self.gate, self.acts = when, threading.Event(), 0

    async def write(self, cells, *, seen, restore):
        await asyncio.to_thread(self._write, cells)

    def _write(self, cells):
        self.acts += 1
        slow = self.acts == 1
        if slow and self.when == "before":
            self.gate.wait(10)
        for path, cell in cells.items():
            self.cells.update({path: cell[0]}) if cell else self.cells.pop(path, None)
        if slow and self.when == "after":
            self.gate.wait(10)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_that_times_out_is_waited_for_and_counts_once(when):
    async def run():
        target = Thread(STATE, when)
        async with session(target, whole=True, limits=Limits(write_s=0.05, tries=100, pause_s=0.001)) as live:
            a, b = await both(live)
            one = asyncio.ensure_future(b.call("add", path="x", by=1))
            await asyncio.sleep(0.2)
            statuses = [r["status"] for r in live.journal.records() if r["event"] == "exec"]
            assert statuses == ["unknown"] and not one.done()
            two = asyncio.ensure_future(a.call("add", path="x", by=10))
            await asyncio.sleep(0.1)
            assert not two.done(), "what overlaps waits until the answer is known"
            target.gate.set()
            assert (await one).result.value == 2
            assert (await two).result.value == 11
            await ended(a, b)
            assert target.cells["x"] == 12 and (await verdict_of(live)).verdict == "ok"

    asyncio.run(run())


def test_a_write_that_does_not_end_is_held_until_it_has():
    async def run():
        target = Thread(STATE, "before")
        async with session(target, whole=True, limits=Limits(write_s=0.02, tries=3, pause_s=0.001)) as live:
            a, b = await both(live)
            one = asyncio.ensure_future(b.call("add", path="x", by=1))
            with pytest.raises(Stuck, match="still under way"):
                await asyncio.wait_for(_held(live), 5)
            assert target.acts == 1 and "still under way" in troubles(live)[0]
            target.gate.set()
            await asyncio.sleep(0.05)
            live.retry("B.1")
            assert (await one).result.value == 2 and target.acts == 1
            await ended(a, b)
            assert (await verdict_of(live)).verdict == "ok"

    asyncio.run(run())


async def _held(live):
    while not live.stuck:
        await asyncio.sleep(0.01)
    await live.quiet()


class Clash(MemoryTarget):
    """Somebody outside changes something else of the same object before the first write."""

    clashed = False

    async def write(self, cells, *, seen, restore):
        if not self.clashed:
            self.clashed = True
            raise Conflict("the object is of another version")
        await super().write(cells, seen=seen, restore=restore)


def test_a_conflict_takes_back_in_the_journal_what_was_written_ahead():
    async def run():
        async with session(Clash([""], STATE), whole=True) as live:
            a = await live.launch("A")
            assert (await a.call("add", path="x", by=1)).result.value == 2
            intents = [intent_in(record) for record in live.journal.records() if record["event"] == "intent"]
            assert [one.wrote for one in intents] == [(("x", (2,)),), (), (("x", (2,)),)]
            await ended(a)

    virtual_clock.run(run())


# undos that fail


class Sticky(MemoryTarget):
    """A target that lets `x` not be 1 again, while it is `jammed`."""

    def __init__(self, error: Exception) -> None:
        super().__init__([""], STATE)
        self.error, self.jammed = error, True

    async def write(self, cells, *, seen, restore):
        if self.jammed and cells.get("x") == (1,):
            raise self.error
        await super().write(cells, seen=seen, restore=restore)


@pytest.mark.parametrize("error", [Refused("not that"), ConnectionError("gone")], ids=["refused", "cut"])
@pytest.mark.parametrize("restarted", [False, True], ids=["retried", "recovered"])
def test_an_undo_that_fails_is_held_for_a_person_and_all_else_goes_on(error, restarted, tmp_path):
    target = Sticky(error)
    limits = Limits(tries=2, pause_s=0.01)

    async def jam():
        async with session(target, whole=True, journal=SqliteJournal(tmp_path / "j"), limits=limits) as live:
            a, b = await both(live)
            c = await live.launch("C")
            await b.call("add", path="x", by=1)
            late = asyncio.ensure_future(a.call("add", path="x", by=10))
            await asyncio.sleep(1)
            assert not late.done() and "cannot be undone" in live.stuck["B.1"]
            assert troubles(live) == [live.stuck["B.1"]]
            assert (await c.call("add", path="y", by=5)).result.value == 6, "what does not overlap goes on"
            overlapping = asyncio.ensure_future(c.call("get", path="x"))
            await asyncio.sleep(1)
            assert not overlapping.done()
            with pytest.raises(Stuck, match="cannot be undone"):
                await live.quiet()
            if restarted:
                late.cancel(), overlapping.cancel()
                return
            target.jammed = False
            live.retry("B.1")
            assert (await late).result.value == 11
            await overlapping
            await ended(a, b, c)
            await checked(live)

    async def again():
        target.jammed = False
        async with resumed(target, journal=SqliteJournal(tmp_path / "j"), limits=limits) as live:
            await live.idle()
            assert not live.stuck and target.cells["x"] == 12
            await ended(*map(live.agent, "ABC"))
            await checked(live)

    async def checked(live):
        await live.quiet()
        assert target.cells == {"x": 12, "y": 6} and (await verdict_of(live)).verdict == "ok"

    virtual_clock.run(jam())
    if restarted:
        virtual_clock.run(again())


# tools out of bounds


def tool(name, does):
    return Tool(name, lambda args: Declaration(reads=("x",), writes=("x",)), does, name, schema=arguments())


OUT = {
    **TOOLS,
    "writes": tool("writes", lambda view, args: (Result("ok"), (("x", (2,)), ("y", (2,))))),
    "looks": tool("looks", lambda view, args: (Result("ok", view.cell("y")[0]), ())),
}


@pytest.mark.parametrize("name", ["writes", "looks"])
def test_a_tool_out_of_bounds_does_nothing_and_is_quarantined_also_after_a_restart(name, tmp_path):
    target = MemoryTarget([""], STATE)

    async def escape():
        async with session(target, tools=OUT, whole=True, journal=SqliteJournal(tmp_path / "j")) as live:
            a = await live.launch("A")
            turn = await a.call(name)
            assert turn.result.status == "failed" and "quarantined" in turn.result.value
            assert len(troubles(live)) == 1 and "'y'" in troubles(live)[0] and name in troubles(live)[0]

    async def again():
        async with resumed(target, tools=OUT, journal=SqliteJournal(tmp_path / "j")) as live:
            turn = await live.agent("A").call(name)
            assert "quarantined" in turn.result.value and len(troubles(live)) == 1
            await ended(live.agent("A"))

    virtual_clock.run(escape())
    virtual_clock.run(again())
    assert target.cells == dict(STATE)


# strangers


async def _strangers(edit):
    """A adds 1 to x, somebody outside makes it 50, and `edit` goes on; the verdict and what was reported."""
    target = MemoryTarget([""], STATE)
    async with session(target, whole=True) as live:
        a, b = await both(live)
        await edit(a, b, target.cells)
        await ended(a, b)
        await live.quiet()
        return await verdict_of(live), troubles(live)


async def _read(a, b, cells):
    await a.call("add", path="x", by=1)
    cells["x"] = 50
    await b.call("add", path="x", by=1)


async def _left(a, b, cells):
    await a.call("add", path="x", by=1)
    cells["x"] = 50


async def _untouched(a, b, cells):
    await a.call("add", path="x", by=1)
    cells["y"] = 50


async def _undone(a, b, cells):
    await b.call("add", path="x", by=1)
    cells["x"] = 50
    await a.call("add", path="x", by=1)


@pytest.mark.parametrize("edit", [_read, _left, _untouched])
def test_what_a_stranger_changed_is_a_bad_run_that_breaks_a2(edit):
    verdict, _ = virtual_clock.run(_strangers(edit))
    assert (verdict.verdict, verdict.blame) == ("violated", "A2")


@pytest.mark.parametrize("edit", [_read, _undone])
def test_what_a_stranger_changed_is_reported_where_a_call_meets_it_or_an_undo_loses_it(edit):
    _, told = virtual_clock.run(_strangers(edit))
    assert told == ["somebody outside made 'x' 50; it was 2"]


# journals


class Watched(MemoryTarget):
    """A target that notes which writes the journal does not tell of before they happen."""

    def __init__(self, state, journal) -> None:
        super().__init__([""], state)
        self.journal, self.untold = journal, []

    async def write(self, cells, *, seen, restore):
        intents = [intent_in(record) for record in self.journal.records() if record["event"] == "intent"]
        ahead = [dict(one.wrote) for one in intents]
        back = [{path: held[0] for path, held in one.captured} for one in intents]
        self.untold += [] if cells in (*ahead, *back) else [cells]
        await super().write(cells, seen=seen, restore=restore)


@contextmanager
def full_above(size: int) -> Iterator[None]:
    """No file of this process may grow beyond this size: the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", range(0, 90_000, 4_500))
def test_a_full_disk_under_the_journal_stops_the_run_before_it_acts_and_room_lets_it_go_on(room, tmp_path):
    workload, protocol = naming.target("slots", 3), naming.protocol("mtpo")
    state, reports = serial_outcome(workload, tuple(one.name for one in workload.agents))
    file = tmp_path / "journal"
    more = {"tools": workload.tools, "protocol": protocol}
    target = Watched(workload.state, None)

    async def first():
        target.journal = SqliteJournal(file)
        async with session(target, journal=target.journal, whole=True, name="slots", **more) as live:
            agents = [await live.launch(one.name) for one in workload.agents]
            size = os.path.getsize(f"{file}-wal") + room
            with full_above(size):
                plays = [play(agent, one.program) for agent, one in zip(agents, workload.agents, strict=True)]
                came = await asyncio.gather(*plays, return_exceptions=True)
            assert all(isinstance(one, Ended) and "cannot be written" in str(one) for one in came)
            with pytest.raises(Ended, match="make room and recover"):
                await live.quiet()

    async def again():
        target.journal = SqliteJournal(file)
        async with resumed(target, journal=target.journal, **more) as live:
            await live.idle()
            assert not live.stuck, live.stuck
            agents = map(live.agent, live.ledger.seats)
            await asyncio.gather(
                *(play(agent, one.program) for agent, one in zip(agents, workload.agents, strict=True))
            )
            await live.quiet()
            history = await history_of(live)
            assert equal(history.end["final_state"], state) and equal(history.end["reports"], reports)
            assert check_history(history, order="declared").verdict == "ok"

    virtual_clock.run(first())
    virtual_clock.run(again())
    assert not target.untold, "nothing is done that the journal does not tell of"


@pytest.fixture(name="journal")
def kept_journal(tmp_path):
    """The journal of a run that was left in the middle."""

    async def run():
        async with session(MemoryTarget([""], STATE), journal=SqliteJournal(tmp_path / "j"), whole=True) as live:
            a, b = await both(live)
            await b.call("add", path="x", by=1)
            await a.call("add", path="x", by=1)

    virtual_clock.run(run())
    return tmp_path / "j"


def reopen(file, **more):
    async def run():
        async with resumed(MemoryTarget([""], [("x", 3), ("y", 1)]), journal=SqliteJournal(file), **more) as live:
            await live.idle()

    virtual_clock.run(run())


DAMAGES = {
    "a record is missing": "DELETE FROM record WHERE seq = 5",
    "a record is cut": "UPDATE record SET body = substr(body, 1, 20) WHERE seq = 9",
    "a record is no record": "UPDATE record SET body = '7' WHERE seq = 9",
    "a record is another": "UPDATE record SET body = (SELECT body FROM record WHERE seq = 1) WHERE seq = 9",
    "the head is cut": "UPDATE head SET body = substr(body, 1, 20)",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_refused_in_one_sentence(damage, journal):
    reopen(journal)
    edited(journal, DAMAGES[damage])
    with pytest.raises(BadInput) as refused:
        reopen(journal)
    assert "damaged" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("keep", [0, 100, 4096, 9000])
def test_a_truncated_journal_is_refused_in_one_sentence(keep, journal):
    edited(journal, "PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(journal, keep)
    for beside in ("-wal", "-shm"):
        (journal.parent / f"{journal.name}{beside}").unlink(missing_ok=True)
    with pytest.raises(BadInput) as refused:
        reopen(journal)
    assert "\n" not in str(refused.value)


def test_a_journal_of_another_protocol_version_or_engine_is_refused(journal):
    with pytest.raises(BadInput, match="under mtpo, not 2pl"):
        reopen(journal, protocol=naming.protocol("2pl"))
    resealed(journal, 'UPDATE record SET body = replace(body, \'"sum":"\', \'"sum":"0\') WHERE seq = 1')
    with pytest.raises(BadInput, match="does not replay .*another version"):
        reopen(journal)
    resealed(journal, "UPDATE head SET body = json_set(body, '$.version', 99)")
    with pytest.raises(BadInput, match="of version 99"):
        reopen(journal)


def test_a_second_runtime_on_a_journal_is_refused(journal, monkeypatch):
    held = SqliteJournal(journal)
    words = "from coagent.live import sqlite_journal as j; j.WAIT_S = 0.1; j.SqliteJournal(__import__('sys').argv[1])"
    done = subprocess.run([sys.executable, "-c", words, journal], capture_output=True, text=True)
    assert done.returncode and "another runtime has" in done.stderr.splitlines()[-1]
    asyncio.run(held.close())
    assert subprocess.run([sys.executable, "-c", words, journal]).returncode == 0
