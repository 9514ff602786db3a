"""B, who comes second in the order, has written before A, who comes first, reads: how that is played on a place.

For tests of the ways in which a read of the past is served.
"""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

from coagent.live.opening import history_of, session
from coagent.live.running import LiveRun
from coagent.live.scripted import play
from coagent.live.session import Session
from coagent.live.target import Target
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.protocols.mtpo import Mtpo
from coagent.tool import TOOLS
from coagent.workload import Agent, Workload
from tests.live.accept.ground import Grounds
from tests.live.live_check import is_serial, judged

GEO, FLAG = "cluster/deployments/geo", "cluster/configmaps/flags/data/mode"
EVENT = (
    ("calendar/review/name", "Review"),
    ("calendar/review/participant", "ana@office.example"),
    ("calendar/review/start", "2026-03-02 09:00"),
    ("calendar/review/minutes", 30),
)
STATES: dict[str, tuple[tuple[str, Value], ...]] = {
    "kubernetes": ((f"{GEO}/image", "geo:1"), (f"{GEO}/replicas", 1), (FLAG, "quiet")),
    "git": (("repo/a.py", "one = 1\n"), ("repo/b.py", "")),
    "radicale": EVENT,
    "SQLite": (("stock/apples", 10), ("stock/pears", 1)),
    "PostgreSQL": (("stock/apples", 10), ("stock/pears", 1)),
}
CHANGED: dict[str, tuple[str, Value]] = {
    "kubernetes": (f"{GEO}/image", "geo:2"),
    "git": ("repo/a.py", "one = 2\n"),
    "radicale": ("calendar/review/start", "2026-03-02 11:30"),
    "SQLite": ("stock/apples", 4),
    "PostgreSQL": ("stock/apples", 4),
}
"""By place: what B writes."""

VERSIONED = ("kubernetes", "git", "radicale")
"""Places that show old versions themselves."""


def does(*calls: Call) -> Generator[Intent, Result, Value]:
    """An agent that makes these calls and reports the first's value."""
    values = []
    for call in calls:
        values.append((yield Intent(call=call)).value)
    return values[0]


def late_reader(place: str) -> Workload:
    """B reads a cell and writes it; A reads it."""
    path, value = CHANGED[place]
    get, put = Call("get", (("path", path),)), Call("put", (("path", path), ("value", value)))
    agents = (Agent(name="A", program=partial(does, get)), Agent(name="B", program=partial(does, get, put)))
    return Workload(name="late-reader", state=STATES[place], agents=agents, tools=TOOLS, story="A reads late.")


async def second_first(live: Session, given: Workload) -> LiveRun:
    """Let the second agent do all it does, then the first; then wait for the end."""
    first, second = [await live.launch(one.name, rank) for rank, one in enumerate(given.agents, 1)]
    later = asyncio.ensure_future(play(second, given.agents[1].program))
    while live.seat(second.name).mode != "resting":
        await asyncio.sleep(0.01)
    await asyncio.gather(later, play(first, given.agents[0].program))
    await live.quiet()
    history = await history_of(live)
    cells = (await live.target.read(live.target.roots)).cells
    return LiveRun(history=history, final_state=dict(cells), reports=history.end["reports"], gave_up=())


def read_late(
    grounds: Grounds, place: str, protocol: Mtpo, around: Callable[[Target], Target] = lambda one: one
) -> LiveRun:
    given = late_reader(place)

    async def living() -> LiveRun:
        async with grounds.begun(place, given) as ground:
            targets = [around(one) if around else one for one in ground.targets]
            async with session(*targets, tools=TOOLS, protocol=protocol, whole=True) as live:
                run = await second_first(live, given)
            mine = {path: value for path, value in run.final_state.items() if not path.startswith(ground.beside)}
            assert mine == ground.look(), "another client sees what the target shows"
        return replace(run, final_state=mine)

    run = asyncio.run(living())
    verdict = judged(run, given, protocol)
    assert verdict.verdict == "ok", verdict.sentences()
    assert is_serial(run, given)
    return run


def of_reader(run: LiveRun) -> tuple[str, Value]:
    """The route of A's read, and what it saw."""
    [told] = [one for one in run.history.of("result") if one["op"] == "A.1"]
    return told["route"], told["value"]
