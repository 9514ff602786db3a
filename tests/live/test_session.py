"""A session from an agent's side: turns, ranks, notices, holds, repairs, parallel calls, deaths, and the end."""

import asyncio

import pytest

from checker.notified import check_history
from coagent.bad_input import BadInput
from coagent.live.journal import MemoryJournal
from coagent.live.opening import history_of, session
from coagent.live.registry import BadCall
from coagent.live.targets.memory import MemoryTarget
from coagent.live.trouble import Ended
from coagent.operation import Result
from coagent.protocols import protocol

STATE = (("x", 1), ("y", 1), ("stock/apples", 3))


def live(scene, *, by="mtpo", state=STATE):
    """Let a scene of a fresh session play to its end, and give what it returns."""

    async def played():
        async with session(MemoryTarget([""], state), protocol=protocol(by)) as here:
            return await asyncio.wait_for(scene(here), 10)

    return asyncio.run(played())


def test_an_agent_calls_tools_and_finishes():
    async def scene(here):
        agent = await here.launch("A")
        assert (await agent.turn()).kind == "started"
        turn = await agent.call("get", path="x")
        assert (turn.kind, turn.op, turn.result) == ("result", "A.1", Result("ok", 1))
        await agent.call("put", path="x", value=2)
        assert (await agent.finish("done")).kind == "committed"
        await here.quiet()
        return await history_of(here)

    history = live(scene)
    assert history.end["reports"] == {"A": "done"} and history.end["final_state"] == {"x": 2}
    assert history.header["state"] == {"x": 1} and history.header["simulated"] is False
    assert check_history(history, order="declared").verdict == "ok"


def test_a_late_write_tells_the_reader_above_who_rewrites_just_what_depended_on_it():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        seen = (await high.call("get", path="x")).result.value
        await high.call("put", path="y", value=seen + 1)
        await low.call("put", path="x", value=10)
        held = await high.finish("too early")
        assert held.kind in ("held", "reopened")
        (notice,) = held.notices
        assert (notice.op, notice.cause, notice.result) == ("B.1", "A.1", Result("ok", 10))
        assert [entry.result.value for entry in high.log] == [10, "ok"]
        assert (await high.rewrite("B.2", "put", path="y", value=11)).kind == "result"
        ending = asyncio.ensure_future(high.finish("right"))
        await asyncio.sleep(0)
        assert not ending.done(), "a higher rank commits after the lower ones"
        await low.finish()
        assert (await ending).kind == "committed"
        await here.quiet()
        return await history_of(here)

    history = live(scene)
    assert history.end["final_state"] == {"x": 10, "y": 11}
    assert [one["decision"] for one in history.of("judge")] == ["rewrite"]
    assert check_history(history, order="declared").verdict == "ok"


def test_a_finished_agent_is_reopened():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await high.call("get", path="x")
        reopened = asyncio.ensure_future(high.finish(1))
        await asyncio.sleep(0.01)
        await low.call("put", path="x", value=5)
        turn = await reopened
        assert turn.kind == "reopened" and turn.notices[0].result == Result("ok", 5)
        await low.finish()
        return (await high.finish(5)).kind

    assert live(scene) == "committed"


def test_a_read_is_filtered_by_the_order():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await high.call("put", path="x", value=7)
        return (await low.call("get", path="x")).result.value, (await high.call("get", path="x")).result.value

    assert live(scene) == (1, 7)


def test_an_unrecoverable_call_waits_for_every_lower_rank():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        sending = asyncio.ensure_future(high.call("send", path="outbox", value="hello"))
        await asyncio.sleep(0.01)
        assert not sending.done() and not (await here.target.read(["outbox"])).cells
        await low.finish()
        return (await sending).kind

    assert live(scene) == "result"


def test_the_calls_of_one_turn_keep_their_order():
    async def scene(here):
        agent = await here.launch("A")
        turns = await agent.calls([("put", {"path": "x", "value": 2}), ("add", {"path": "x", "by": 3})])
        both = await asyncio.gather(agent.call("add", path="x", by=1), agent.call("get", path="x"))
        return [one.result.value for one in (*turns, *both)]

    assert live(scene) == ["ok", 5, 6, 6]


def test_one_agent_retracts_and_inserts():
    async def scene(here):
        agent = await here.launch("A")
        await agent.call("put", path="x", value=2)
        await agent.call("add", path="x", by=1)
        await agent.insert("A.2", "put", path="x", value=10)
        await here.idle()
        middle = (await here.target.read(["x"])).cells
        held = await agent.retract("A.2")
        assert held.kind == "held" and held.notices[0].result == Result("ok", 11), "it is told"
        await agent.retract("A.2")
        await here.idle()
        await agent.finish()
        return middle, (await here.target.read(["x"])).cells

    assert live(scene) == ({"x": 11}, {"x": 10})


def test_a_restarted_agent_begins_from_nothing_and_what_it_was_about_to_do_is_not_done():
    async def scene(here):
        first, second = await here.launch("A"), await here.launch("B")
        await first.call("get", path="x")
        await second.call("get", path="x")
        await first.call("put", path="x", value=2)
        await first.finish()
        turn = await second.finish()
        assert turn.kind == "restarted" and turn.attempt == 2 and second.log == ()
        await second.call("get", path="x")
        return (await second.finish()).kind

    assert live(scene, by="occ") == "committed"


def test_a_stale_inference_does_nothing():
    async def scene(here):
        first, second = await here.launch("A"), await here.launch("B")
        await first.call("put", path="x", value=2)
        await second.call("get", path="x")
        await second.call("put", path="x", value=3)
        await first.call("put", path="x", value=4)
        turns = [await agent.call("put", path="y", value=9) for agent in (first, second)]
        return sorted(turn.kind for turn in turns), (await here.target.read(["y"])).cells

    kinds, cells = live(scene, by="occ")
    assert "restarted" in kinds and (cells == {"y": 9}) == ("result" in kinds)


def test_a_child_has_a_rank_inside_its_parents_slot():
    async def scene(here):
        for name, rank in (("A", 1), ("C", 2), ("A-child", (1, 5))):
            await here.launch(name, rank)
        return [one["name"] for one in (await history_of(here)).header["agents"]]

    assert live(scene) == ["A", "A-child", "C"]


@pytest.mark.parametrize(
    ("name", "rank", "says"),
    [
        ("A", None, "launched already"),
        ("B", 1, "rank [1] is 'A''s"),
        ("b.2", None, "no name for an agent"),
        ("", None, "no name for an agent"),
        ("a\nb", None, "no name for an agent"),
    ],
)
def test_names_and_ranks_are_used_once(name, rank, says):
    async def scene(here):
        await here.launch("A")
        with pytest.raises(BadInput, match=None) as told:
            await here.launch(name, rank)
        assert says in str(told.value)
        return await history_of(here)

    assert len(live(scene).header["agents"]) == 1


def test_what_is_no_call_changes_nothing():
    async def scene(here):
        agent = await here.launch("A")
        for tool, args in (("nothing", {}), ("put", {"path": "x"}), ("get", {"path": "../x"}), ("get", {"path": 3})):
            with pytest.raises(BadCall):
                await agent.call(tool, **args)
        for act in (agent.rewrite("B.7", "put", path="x", value=1), agent.retract("B.7"), agent.drop("A.1")):
            with pytest.raises(BadCall, match="no operation"):
                await act
        assert agent.log == ()
        return (await agent.call("get", path="x")).result.value

    assert live(scene) == 1


def test_a_dead_agent_is_taken_back_and_nobody_waits_for_it():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await low.call("put", path="x", value=100)
        seen = (await high.call("get", path="x")).result.value
        assert seen == 100
        assert (await here.bury("A")).kind == "gave-up"
        turn = await high.finish(seen)
        assert turn.kind in ("held", "reopened") and turn.notices[0].result == Result("ok", 1)
        assert (await high.finish(1)).kind == "committed"
        await here.quiet()
        with pytest.raises(BadInput, match="done"):
            await here.bury("A")
        return (await here.target.read(["x"])).cells

    assert live(scene) == {"x": 1}


def test_when_a_session_ends_nobody_goes_on_waiting():
    async def scene():
        async with session(MemoryTarget([""], STATE)) as here:
            await here.launch("A")
            high = await here.launch("B")
            waiting = asyncio.ensure_future(high.finish())
            await asyncio.sleep(0.01)
        with pytest.raises(Ended, match="closed"):
            await waiting
        with pytest.raises(Ended):
            await high.call("get", path="x")

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_forks_of_live_state_are_refused():
    with pytest.raises(BadInput, match="cannot be forked"):
        live(None, by="fork-merge")


class Slow(MemoryJournal):
    """A journal that takes its time, so that more happens while it writes."""

    async def append(self, records):
        """Put records at the end, after a while."""
        await asyncio.sleep(0.01)
        await super().append(records)


def test_nothing_is_done_before_its_asking_is_in_the_journal():
    journal, early = Slow(), []

    def probe(point):
        when, act, *rest = point.split()
        if when == "before" and act in ("prepare", "undo"):
            op = rest[-1]
            asked = [name for one in journal.records() if one["event"] == "step" for name in one["effects"]]
            if not any(name.startswith("Perform ") and name.endswith(f" {op}") for name in asked):
                early.append(point)
            elif act == "undo" and f"Perform undo {op}" not in asked:
                early.append(point)

    async def scene():
        async with session(MemoryTarget([""], STATE), journal=journal, probe=probe) as here:
            low, high, other = [await here.launch(name) for name in "ABC"]
            await high.call("add", path="x", by=1)

            async def busy():
                for _ in range(12):
                    await other.call("add", path="y", by=1)

            async def late():
                for value in range(4):
                    await asyncio.sleep(0.013)
                    await low.call("add", path="x", by=value)

            await asyncio.gather(busy(), late())
            return [one for one in journal.records() if one["event"] == "undo"]

    assert asyncio.run(asyncio.wait_for(scene(), 20)) and not early
