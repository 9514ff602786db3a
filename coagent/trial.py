"""One trial of a workload under a protocol as a flat row of numbers: what a sweep has thousands of.

Agents, seconds and tokens are simulated. A trial is a function of its case, whatever process does it.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

from checker.oracle import serial
from coagent import naming
from coagent.history import Record
from coagent.judge import Judge
from coagent.operation import Value, same
from coagent.performer import Live
from coagent.performer import opened as stocked
from coagent.ranking import ranked
from coagent.recording import Digest, Recorder
from coagent.relevance import Relevance
from coagent.running import counts
from coagent.simulate import Clock, driven, finished
from coagent.stepper import verdict
from coagent.workload import Setting, Workload
from coagent.world import World, opened

MOST_ORDERED = 4
"""Agents up to which a trial's outcome is looked for among all serial orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a trial is of, by names and numbers only.

    `agents` is for families, `miss` and `over` are the judge's error rates in [0, 1], `rank` is a rule of
    `coagent.ranking` or launch numbers in pre-order; `checked`: the checker judges the history too. Seed 0 takes think
    times as they stand.
    """

    workload: str
    protocol: str
    seed: int
    agents: int | None = None
    irrelevant: bool = False
    miss: float = 0.0
    over: float = 0.0
    rank: str = "launch"
    checked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A case and what came of it; one row of a sweep.

    `passes`: quiescent, the invariant not broken, nobody gave up, and not judged violated. `serial_outcome`: state
    and reports are those of some serial order (None: not quiescent, or more than four agents); `order_exact`: of the
    pre-order. `verdict` is None when not checked. `seconds` is simulated wall time; `tokens` counts all, read from the
    cache or not, `cost` prices cached ones apart. `notifications` were sent, `delivered` came to an inference after
    coalescing, `irrelevant_notices` are those that changed nothing of what their reader did (see
    `coagent.relevance`).
    `undo_depth` is the largest number of operations undone at once to let something act below them.
    """

    workload: str
    protocol: str
    seed: int
    agents: int | None
    irrelevant: bool
    miss: float
    over: float
    rank: str
    checked: bool
    quiescent: bool
    invariant: bool | None
    passes: bool
    serial_outcome: bool | None
    order_exact: bool | None
    verdict: str | None
    gave_up: int
    seconds: float
    tokens: int
    cost: int
    inferences: int
    notifications: int
    delivered: int
    irrelevant_notices: int
    undos: int
    redos: int
    undo_depth: int
    restarts: int
    deadlocks: int
    calls: int


class Watched:
    """A protocol that notes the largest number of operations which one of its steps undoes without a restart."""

    def __init__(self, inner: object) -> None:
        self.inner, self.deepest = inner, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def step(self, run: object, event: object) -> tuple[object, tuple]:
        """One step of the watched protocol."""
        after, effects = self.inner.step(run, event)
        names = [type(one).__name__ for one in effects]
        if "Restart" not in names and "GiveUp" not in names:
            undone = sum(name == "Perform" and one.act == "undo" for name, one in zip(names, effects, strict=True))
            self.deepest = max(self.deepest, undone)
        return after, effects


def setting(case: Case) -> Setting:
    """What a case runs: the workload with its agents in order, the protocol, the judge. Raises BadInput."""
    return Setting(
        workload=_workload(*_key(case)),
        protocol=_protocol(case.protocol, _stamp(case.protocol.rpartition(":")[0])),
        seed=case.seed,
        judge=Judge(miss=case.miss, over=case.over),
    )


def trial(case: Case) -> Trial:
    """Run a case by the clock, and judge it. Raises BadInput for names that there are not."""
    given = setting(case)
    watched = Watched(given.protocol)
    with naming.blamed(case.protocol):
        recorder = Recorder() if case.checked else Digest()
        clock = Relevance(Clock(given.workload.cost.tool_s))
        live = _stocked(*_key(case), recorder.sees)
        world, taken, seconds = driven(opened(replace(given, protocol=watched), recorder, live), clock)
    said = verdict(finished(world, taken, seconds, "clock")).verdict if case.checked else None
    return _row(case, world, seconds, said, clock.irrelevant(world))


def _row(case: Case, world: World, seconds: float, said: str | None, irrelevant: int) -> Trial:
    workload, quiescent = world.setting.workload, world.quiescent
    gave_up = sum(one.gave_up for one in world.actors.values())
    records = world.recorder.records()
    told = counts(records, workload.cost)
    ended = _ended(case, world) if quiescent else {"invariant": None, "serial_outcome": None, "order_exact": None}
    return Trial(
        workload=workload.name,
        protocol=world.setting.protocol.name,
        **{name: getattr(case, name) for name in _GIVEN},
        quiescent=quiescent,
        passes=quiescent and ended["invariant"] is not False and not gave_up and said != "violated",
        verdict=said,
        gave_up=gave_up,
        seconds=round(seconds, 6),
        irrelevant_notices=irrelevant,
        undo_depth=world.setting.protocol.deepest,
        **ended,
        **{name: getattr(told, name) for name in told.__dataclass_fields__},
        **_noticed(records),
    )


_GIVEN = ("seed", "agents", "irrelevant", "miss", "over", "rank", "checked")
"""Fields of a case that its row has as they are."""


def _noticed(records: Iterable[Record]) -> dict[str, int]:
    found = {"delivered": 0, "calls": 0}
    for one in records:
        match one["event"]:
            case "invoke":
                found["calls"] += 1
            case "consume":
                found["delivered"] += len(one["ops"])
    return found


def _ended(case: Case, world: World) -> dict[str, bool | None]:
    """What there is to say of how a run ended: the invariant, and which serial runs end like it."""
    workload, state, reports = world.setting.workload, world.final_state, world.reports
    launch = tuple(range(len(workload.agents)))
    exact, met = _is(_end(*_key(case), launch), state, reports), None
    if len(launch) <= MOST_ORDERED:
        met = bool(exact) or any(_is(_end(*_key(case), order), state, reports) for order in permutations(launch))
    return {
        "invariant": None if workload.invariant is None else bool(workload.invariant(state, reports)),
        "order_exact": exact,
        "serial_outcome": met,
    }


End = tuple[Mapping[str, Value], Mapping[str, object]]
"""A final state by path, and reports by agent."""


def _is(end: End | None, state: Mapping[str, Value], reports: Mapping[str, object]) -> bool | None:
    return None if end is None else _same(end[0], state) and _same(end[1], reports)


def _same(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Equality that keeps booleans and integers apart; what nobody has touched is the same object."""
    return left.keys() == right.keys() and all(
        value is right[key] or same(value, right[key]) for key, value in left.items()
    )


def _key(case: Case) -> tuple:
    return case.workload, case.agents, case.irrelevant, case.rank, _stamp(case.workload)


def _stamp(name: str) -> tuple[int, int] | None:
    """What tells that a file has changed since it was read; None where there is none of that name."""
    if "." not in name and "/" not in name:
        return None
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _protocol(name: str, stamp: object) -> object:
    return naming.protocol(name)


@lru_cache(maxsize=256)
def _workload(name: str, agents: int | None, irrelevant: bool, rank: str, stamp: object) -> Workload:
    return ranked(naming.target(name, agents, irrelevant), rank)


@lru_cache(maxsize=256)
def _stocked(name: str, agents: int | None, irrelevant: bool, rank: str, stamp: object, sees: bool) -> Live:
    return stocked(_workload(name, agents, irrelevant, rank, stamp).state, sees)


@lru_cache(maxsize=1024)
def _end(
    name: str, agents: int | None, irrelevant: bool, rank: str, stamp: object, order: tuple[int, ...]
) -> End | None:
    """How the agents in this order end one after the other, which no seed changes; None when one never does."""
    workload = _workload(name, agents, irrelevant, rank, stamp)
    named = [(workload.agents[index].name, workload.agents[index].program) for index in order]
    try:
        return serial(workload.state, named, workload.tools)
    except RuntimeError:
        return None
