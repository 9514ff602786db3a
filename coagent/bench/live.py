"""Times what the middleware adds to a tool call, in one process and over HTTP, and runs many agents over a service.

The target is in memory and its tools take no time, so that what is measured is all overhead.
"""

import asyncio
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from checker.notified import check_history
from coagent.bench.figure import Figure
from coagent.live.agent import Agent
from coagent.live.client import connect
from coagent.live.journal import Journal, MemoryJournal
from coagent.live.opening import history_of, session
from coagent.live.service import serve
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.targets.memory import MemoryTarget
from coagent.live.token import Tokens
from coagent.protocols import protocol

CALLS, PARTS = 2_000, 10
"""Of one agent that is timed call by call. They are timed in so many parts, and the fastest counts, as whatever else
the machine does only adds."""

CELLS = 10
"""Of each agent alone."""

AGENTS, LOAD, PROCESSES = 64, 10_000, 4
"""Agents, their calls together, and the processes that they are in."""

SHARED, ONE_IN = 64, 16
"""Cells that all agents share, and how often a call is on one of them."""


def live_figures(
    *, calls: int = CALLS, agents: int = AGENTS, load: int = LOAD, processes: int = PROCESSES
) -> list[Figure]:
    """Medians in milliseconds of one agent's calls, one after the other, and what came of the load."""
    return [*_alone(calls), *_loaded(agents, load, processes)]


def _alone(calls: int) -> Iterator[Figure]:
    what = f"median of {calls // PARTS:,} calls of one agent, the fastest of {PARTS} times"
    spent = asyncio.run(_in_process(MemoryJournal(), calls))
    yield _call("live_call_ms", spent, f"{what}, in process, journal in memory")
    with TemporaryDirectory() as folder:
        spent = asyncio.run(_in_process(SqliteJournal(Path(folder) / "journal"), calls))
    yield _call("live_call_sqlite_ms", spent, f"{what}, in process, journal in SQLite")
    spent, _ = asyncio.run(_over_http([calls], 1))
    yield _call("live_call_http_ms", spent, f"{what}, over HTTP on loopback")


def _loaded(agents: int, load: int, processes: int) -> Iterator[Figure]:
    shares = [load // agents + (place < load % agents) for place in range(agents)]
    start = perf_counter()
    spent, outcome = asyncio.run(_over_http(shares, processes))
    seconds = perf_counter() - start
    of = f"{agents} agents in {processes} processes, {load:,} calls over HTTP, {outcome}"
    yield Figure(name="live_load_s", value=round(seconds, 1), unit="s", of=of)
    yield Figure(name="live_load_call_ms", value=_ms(spent), unit="ms", of=f"median of those calls, {agents} at once")


def _ms(seconds: Sequence[float]) -> float:
    return round(median(seconds) * 1000, 3)


def _call(name: str, seconds: Sequence[float], of: str) -> Figure:
    size = len(seconds) // PARTS
    fastest = min(_ms(seconds[part * size : (part + 1) * size]) for part in range(PARTS))
    return Figure(name=name, value=fastest, unit="ms", of=of)


def _counters(agents: int) -> MemoryTarget:
    own = [f"own/{place}/{one}" for place in range(agents) for one in range(CELLS)]
    return MemoryTarget([""], [(path, 0) for path in (*own, *(f"shared/{one}" for one in range(SHARED)))])


async def _in_process(journal: Journal, calls: int) -> list[float]:
    async with session(_counters(1), journal=journal) as live:
        return await _called(await live.launch("agent"), calls, 0)


async def _over_http(shares: Sequence[int], processes: int) -> tuple[list[float], str]:
    """Seconds of every call of agents with so many calls each, and whether all is as it must be."""
    target, tokens, by = _counters(len(shares)), Tokens(), protocol("mtpo")
    async with session(target, protocol=by, whole=True) as live, serve(live, tokens=tokens) as served:
        given = []
        for place, share in enumerate(shares):
            await live.launch(name := f"agent-{place}")
            given.append((tokens.issue(name), share, place))
        loop, spawn = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
            parts = [given[part::processes] for part in range(processes)]
            found = await asyncio.gather(*(loop.run_in_executor(pool, _part, served.url, one) for one in parts))
        await live.quiet()
        verdict = check_history(await history_of(live), order=by.promises)
    lost = sum(shares) - sum(target.cells.values())
    return [one for part in found for one in part], f"{lost} lost, checker {verdict.verdict}"


def _part(url: str, given: Sequence[tuple[str, int, int]]) -> list[float]:
    return asyncio.run(_agents(url, given))


async def _agents(url: str, given: Sequence[tuple[str, int, int]]) -> list[float]:
    async def one(token: str, calls: int, place: int) -> list[float]:
        async with connect(url, token) as remote:
            return await _called(remote.agent(), calls, place)

    return [spent for part in await asyncio.gather(*(one(*each) for each in given)) for spent in part]


async def _called(agent: Agent, calls: int, place: int) -> list[float]:
    """Add 1 so many times, to cells of one's own and, now and then, to shared ones; seconds of each."""
    await agent.turn()
    spent = []
    for number in range(calls):
        own = number % ONE_IN
        path = f"own/{place}/{number % CELLS}" if own else f"shared/{(place + number // ONE_IN) % SHARED}"
        start = perf_counter()
        await _done(agent, "add", {"path": path, "by": 1})
        spent.append(perf_counter() - start)
    while (await agent.finish("done")).kind in ("held", "reopened"):
        pass
    return spent


async def _done(agent: Agent, tool: str, args: Mapping[str, object]) -> None:
    """Call a tool until it was carried out: what notices come first change nothing here."""
    while (turn := await agent.call(tool, **args)).kind == "held":
        pass
    if turn.kind != "result" or turn.result.status != "ok":
        raise RuntimeError(f"{agent.name}: {tool} {args} came to {turn}")
