"""Every way of serving a read of the past is taken on real systems, and the systems' own old versions are asked.

B, who comes second in the order, has written before A, who comes first, reads: A sees what was there before.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from coagent.live.opening import session
from coagent.live.running import LiveRun
from coagent.live.target import Gone, Memo, Reading, Target
from coagent.live.targets.sql_tool import sql_tools
from coagent.live.trouble import Stuck
from coagent.operation import Call, Cell
from coagent.protocols.mtpo import ROUTES, Mtpo
from coagent.tool import TOOLS
from coagent.workload import Agent, Workload
from tests.live import missing
from tests.live.accept.ground import Grounds
from tests.live.accept.late_reader import (
    CHANGED,
    STATES,
    VERSIONED,
    does,
    late_reader,
    of_reader,
    read_late,
    second_first,
)
from tests.live.accept.served import at
from tests.live.live_check import is_serial, judged

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

Wanted = Callable[[str], Grounds]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("place", [at(place) for place in STATES])
def test_a_read_of_the_past_is_served_by_every_route_on_every_target(place: str, route: str, grounds: Wanted) -> None:
    run = read_late(grounds(place), place, Mtpo(routes=(route,)))
    path, value = CHANGED[place]
    assert of_reader(run) == (route, dict(STATES[place])[path])
    assert run.final_state[path] == value
    put_back = [one["op"] for one in run.history.of("undo")]
    assert put_back == (["B.2"] if route == "undo" else []), "the real system was put back for the read, or left alone"


SHOP = "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT, count INTEGER)"


@pytest.mark.parametrize(("before", "route"), [(True, "recorded"), (False, "undo")])
def test_rows_whose_tools_keep_no_versions_are_read_as_recorded_or_undone_for_the_read(
    before: bool, route: str, tmp_path
) -> None:
    missing.unless(missing.packages("sqlalchemy"), needed=True)
    from coagent.live.targets.sql import SqlTarget

    file = tmp_path / "rows.db"
    with sqlite3.connect(file) as base:
        base.execute(SHOP)
        base.execute("INSERT INTO goods VALUES (1, 'apples', 10)")
    tools = sql_tools({"goods": ("name", "count")}, versioned=False)
    row = (("table", "goods"), ("key", 1))
    get, add = Call("get_row", row), Call("add_to", (*row, ("column", "count"), ("by", -6)))
    start = (("goods/1/count", 10), ("goods/1/name", "apples"))
    agents = (
        Agent(name="A", program=partial(does, get)),
        Agent(name="B", program=partial(does, *([get] if before else []), add)),
    )
    given = Workload(name="late-reader", state=start, agents=agents, tools=tools, story="A reads late.")

    async def living() -> LiveRun:
        async with session(SqlTarget(f"sqlite:///{file}", tables=["goods"]), tools=tools, whole=True) as live:
            return await second_first(live, given)

    run = asyncio.run(living())
    [told] = [one for one in run.history.of("result") if one["op"] == "A.1"]
    assert (told["route"], told["value"]) == (route, [["count", 10], ["name", "apples"]])
    assert judged(run, given, Mtpo()).verdict == "ok" and is_serial(run, given)
    with sqlite3.connect(file) as base:
        assert base.execute("SELECT * FROM goods").fetchall() == [(1, "apples", 4)]


@dataclass
class Asked:
    """A target that notes what old versions it is asked for, and may answer something else: a cell, or an error."""

    target: Target
    answer: Cell | Exception | None = None
    of: list[tuple[str, Cell]] = field(default_factory=list)

    @property
    def roots(self) -> Sequence[str]:
        return self.target.roots

    @property
    def spec(self) -> dict:
        return dict(self.target.spec)

    async def read(self, paths: Sequence[str]) -> Reading:
        return await self.target.read(paths)

    async def write(self, cells: dict[str, Cell], *, seen: Memo, restore: Memo) -> None:
        await self.target.write(cells, seen=seen, restore=restore)

    async def read_at(self, path: str, memo: Memo) -> Cell:
        found = await self.target.read_at(path, memo)
        self.of.append((path, found))
        if isinstance(self.answer, Exception):
            raise self.answer
        return found if self.answer is None else self.answer

    async def close(self) -> None:
        """The target is closed by whoever opened it."""


@pytest.mark.parametrize("place", [at(place) for place in VERSIONED])
def test_the_targets_own_old_version_is_asked_for_and_is_what_was_captured(place: str, grounds: Wanted) -> None:
    asked: list[Asked] = []
    run = read_late(grounds(place), place, Mtpo(), lambda one: asked.append(Asked(one)) or asked[-1])
    path, _ = CHANGED[place]
    assert of_reader(run)[0] == "snapshot"
    assert asked[0].of == [(path, (dict(STATES[place])[path],))]


@pytest.mark.parametrize("place", [at(place) for place in VERSIONED])
def test_a_version_that_is_kept_no_longer_is_served_from_what_was_captured(place: str, grounds: Wanted) -> None:
    run = read_late(grounds(place), place, Mtpo(), lambda one: Asked(one, Gone("compacted")))
    assert of_reader(run) == ("snapshot", dict(STATES[place])[CHANGED[place][0]])


@pytest.mark.parametrize("place", [at(place) for place in VERSIONED])
def test_a_version_that_is_not_what_was_captured_holds_the_read_for_a_person(place: str, grounds: Wanted) -> None:
    given = late_reader(place)

    async def living() -> tuple[dict[str, str], list]:
        async with grounds(place).begun(place, given) as ground:
            other = Asked(ground.targets[0], ("something else",))
            async with session(other, tools=TOOLS, whole=True) as live:
                ends = asyncio.ensure_future(second_first(live, given))
                with pytest.raises(Stuck):
                    while not live.stuck and not ends.done():
                        await asyncio.sleep(0.01)
                    await live.quiet()
                held, other.answer = dict(live.stuck), None
                troubles = [one for one in live.journal.records() if one["event"] == "trouble"]
                live.retry("A.1")
                run = await ends
                assert of_reader(run) == ("snapshot", dict(given.state)[CHANGED[place][0]])
                return held, troubles

    held, [trouble] = asyncio.run(living())
    assert list(held) == ["A.1"] and CHANGED[place][0] in held["A.1"] and "not what was captured" in held["A.1"]
    assert trouble["because"] == held["A.1"]
