"""Agents and tools that do what nobody expects of them: the session says so, and everybody else goes on."""

import asyncio

import pytest

from checker.notified import check_history
from coagent.argument_schema import PATH, VALUE, arguments
from coagent.bad_input import BadInput
from coagent.history import lines
from coagent.live.opening import history_of, session
from coagent.live.registry import BadCall
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.target import Refused
from coagent.live.targets.memory import MemoryTarget
from coagent.operation import Declaration, Result
from coagent.protocols import protocol
from coagent.tool import OK, TOOLS, Tool, putting

STATE = (("x", 1), ("y", 1))


class Picky(MemoryTarget):
    """Refuses every write that would leave `true` anywhere."""

    async def write(self, cells, *, seen, restore):
        if any(cell and cell[0] is True for cell in cells.values()):
            raise Refused("no truth here")
        await super().write(cells, seen=seen, restore=restore)


def live(scene, *, target=None, tools=TOOLS, by="mtpo", journal=None):
    async def played():
        where = target or MemoryTarget([""], STATE)
        async with session(where, tools=tools, protocol=protocol(by), journal=journal) as here:
            return await asyncio.wait_for(scene(here), 10)

    return asyncio.run(played())


def tool(name, exec_, blind=False):
    declare = putting if blind else lambda args: Declaration(reads=(args["path"],), writes=(args["path"],))
    return Tool(name, declare, exec_, schema=arguments(path=PATH, value=VALUE))


async def ended(here, *agents):
    """Everybody finishes, and the history is well formed and judged."""
    await asyncio.gather(*(agent.finish() for agent in agents))
    await here.quiet()
    history = await history_of(here)
    assert list(lines(history))
    return history, check_history(history, order="declared")


def test_a_refused_write_is_a_failure_that_the_checker_believes_and_nobody_waits_for():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        turn = await low.call("put", path="x", value=True)
        assert turn.result == Result("failed", "no truth here") and not here.stuck
        assert (await high.call("get", path="x")).result.value == 1
        return await ended(here, low, high)

    history, verdict = live(scene, target=Picky([""], STATE))
    assert verdict.verdict == "ok", verdict.sentences()
    assert [one["refused"] for one in history.of("exec")] == [True]


def test_a_masked_write_that_is_refused_when_it_is_uncovered_is_told_to_its_agent():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await high.call("put", path="x", value=5)
        assert (await low.call("put", path="x", value=True)).result == OK, "masked: nothing is written yet"
        await high.retract("B.1")
        await here.idle()
        turn = await low.finish()
        assert turn.kind in ("held", "reopened") and turn.notices[0].result == Result("failed", "no truth here")
        return await ended(here, low, high)

    _, verdict = live(scene, target=Picky([""], STATE))
    assert verdict.verdict == "ok", verdict.sentences()


def test_a_masked_write_whose_tool_breaks_stops_nobody():
    def broken(view, args):
        raise RuntimeError("boom")

    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await high.call("put", path="x", value=5)
        turn = await low.call("break", path="x", value=3)
        assert turn.result.status == "failed" and "boom" in turn.result.value
        return await ended(here, low, high)

    assert live(scene, tools={**TOOLS, "break": tool("break", broken, blind=True)})[0].end["quiescent"]


def test_a_call_that_was_given_up_on_is_not_mistaken_for_the_next():
    async def scene(here):
        agent = await here.launch("A")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(agent.call("add", path="x", by=1), 0)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(agent.call("add", path="x", by=1), 1e-9)
        await here.idle()
        with pytest.raises(BadCall, match=r"await agent.turn\(\)"):
            await agent.call("add", path="y", by=5)
        turn = await agent.turn()
        assert (turn.op, turn.result.value) == ("A.1", 2)
        return (await agent.call("add", path="y", by=5)).result.value

    assert live(scene) == 6


def test_calls_made_at_once_are_done_one_after_the_other():
    async def scene(here):
        agent = await here.launch("A")
        turns = await asyncio.gather(agent.call("add", path="x", by=1), agent.call("add", path="y", by=5))
        return [(turn.op, turn.result.value) for turn in turns]

    assert live(scene) == [("A.1", 2), ("A.2", 6)]


def test_a_call_made_at_once_with_one_that_is_held_is_not_done():
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        await high.call("get", path="x")
        await low.call("put", path="x", value=7)
        await here.idle()
        turns = await asyncio.gather(high.call("add", path="y", by=1), high.call("add", path="y", by=10))
        return {turn.kind for turn in turns}, (await here.target.read(["y"])).cells

    assert live(scene) == ({"held"}, {"y": 1})


@pytest.mark.parametrize("report", [b"x", {1}, "\ud800", 10**5000, object(), 0.5], ids=range(6))
def test_a_report_that_no_history_holds_is_refused_and_the_agent_may_give_another(report, tmp_path):
    async def scene(here):
        agent = await here.launch("A")
        with pytest.raises(BadCall, match="the value"):
            await agent.finish(report)
        return (await agent.finish("fine")).kind

    async def journalled():
        journal = SqliteJournal(tmp_path / "run.db")
        async with session(MemoryTarget([""], STATE), journal=journal) as here:
            return await scene(here)

    assert asyncio.run(journalled()) == "committed"


def _generator(view, args):
    return OK, (one for one in [(args["path"], (args["value"],))])


ODD = {
    "bytes": lambda view, args: (Result("ok", b"x"), ()),
    "float": lambda view, args: (Result("ok", 0.5), ()),
    "surrogate": lambda view, args: (OK, ((args["path"], ("\ud800",)),)),
    "status": lambda view, args: (Result("weird"), ()),
    "unknown": lambda view, args: (Result("unknown"), ()),
    "failed writes": lambda view, args: (Result("failed", "no"), ((args["path"], (1,)),)),
    "no result": lambda view, args: ("ok", ()),
    "no cell": lambda view, args: (OK, ((args["path"], 3),)),
    "nothing": lambda view, args: None,
}


@pytest.mark.parametrize("name", ODD)
def test_a_tool_whose_answer_no_history_holds_is_quarantined_and_the_rest_goes_on(name):
    async def scene(here):
        low, high = await here.launch("A"), await here.launch("B")
        turn = await low.call("odd", path="x", value=3)
        assert turn.result.status == "failed" and turn.result.value.startswith("quarantined: ")
        assert (await high.call("add", path="x", by=1)).result.value == 2
        return await ended(here, low, high)

    history, verdict = live(scene, tools={**TOOLS, "odd": tool("odd", ODD[name])})
    assert verdict.verdict != "violated" and [*history.of("trouble")], "nobody knows what such a tool does"


def test_writes_may_come_from_a_generator():
    async def scene(here):
        agent = await here.launch("A")
        await agent.call("lazy", path="x", value=9)
        return (await here.target.read(["x"])).cells

    assert live(scene, tools={**TOOLS, "lazy": tool("lazy", _generator)}) == {"x": 9}


def test_a_declaration_that_fails_is_no_call():
    broken = Tool("broken", lambda args: None.missing, TOOLS["get"].exec, schema=arguments(path=PATH))

    async def scene(here):
        agent = await here.launch("A")
        with pytest.raises(BadCall, match="what this call touches"):
            await agent.call("broken", path="x")
        return (await agent.call("get", path="x")).result.value

    assert live(scene, tools={**TOOLS, "broken": broken}) == 1


def test_a_tool_that_lets_any_argument_in_is_no_live_tool():
    loose = Tool("loose", TOOLS["get"].declare, TOOLS["get"].exec, schema={"type": "object", "properties": {}})
    with pytest.raises(BadInput, match="additionalProperties"):
        live(None, tools={"loose": loose})


@pytest.mark.parametrize("rank", [(), "abc", (1.5,), ("1",), 0, -1, True, 1.5, [1, [2]], (1, 0)])
def test_what_is_no_rank_is_refused(rank):
    async def scene(here):
        with pytest.raises(BadInput, match="no rank"):
            await here.launch("A", rank)
        return (await (await here.launch("B")).call("get", path="x")).result.value

    assert live(scene) == 1


@pytest.mark.parametrize("name", ["x/y", "a" * 65, "operator", 5, "ä", "a b"])
def test_what_is_no_name_is_refused(name):
    async def scene(here):
        with pytest.raises(BadInput, match="no name"):
            await here.launch(name)
        return len(here.ledger.seats)

    assert live(scene) == 0


@pytest.mark.parametrize("rank", [1, (2, 5)])
def test_nobody_joins_below_who_is_done(rank):
    async def scene(here):
        done = await here.launch("done", 3)
        await done.finish()
        with pytest.raises(BadInput, match="lies below 'done'"):
            await here.launch("late", rank)
        late = await here.launch("late", (3, 1))
        return (await late.finish()).kind

    assert live(scene) == "committed"


def test_an_argument_may_have_any_name():
    named = Tool("named", lambda args: Declaration(), lambda view, args: (Result("ok", args["usage"]), ()))
    named = Tool(named.name, named.declare, named.exec, schema=arguments(usage=VALUE))

    async def scene(here):
        agent = await here.launch("A")
        return (await agent.call("named", {"usage": 4})).result.value

    assert live(scene, tools={"named": named}) == 4
