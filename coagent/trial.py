"""One trial of a workload under a protocol as a flat row of numbers: what a sweep has thousands of.

Agents, seconds and tokens are simulated. A trial is a function of its case, whatever process does it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

from coagent import ground, naming
from coagent.bad_input import BadInput
from coagent.ground import protocol
from coagent.history import Record
from coagent.judge import Judge
from coagent.recording import Digest, Recorder
from coagent.relevance import Relevance
from coagent.running import counts
from coagent.simulate import Clock, driven, finished
from coagent.stepper import verdict
from coagent.workload import Setting
from coagent.world import World, opened
from workloads import GENERATED

MOST_ORDERED = 4
"""Agents up to which a trial's outcome is looked for among all serial orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a trial is of, by names and numbers only.

    `agents` is for families, `irrelevant` for those and cells, `miss` and `over` are the judge's error rates in [0, 1].
    `rank` is a rule of `coagent.ranking` or launch numbers in pre-order; `tables` is a folder for the office's, or
    `generated`. `checked`: the checker judges the history too. Seed 0 takes think times as they stand.
    """

    workload: str
    protocol: str
    seed: int
    agents: int | None = None
    irrelevant: bool = False
    miss: float = 0.0
    over: float = 0.0
    rank: str = "launch"
    tables: str = GENERATED
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
    tables: str
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
    for name in ("miss", "over"):
        if not 0.0 <= getattr(case, name) <= 1.0:
            raise BadInput(f"--{name} is {getattr(case, name)}, and a judge's error rate lies from 0 to 1")
    return Setting(
        workload=_ground(case).workload,
        protocol=protocol(case.protocol),
        seed=case.seed,
        judge=Judge(miss=case.miss, over=case.over),
    )


def trial(case: Case) -> Trial:
    """Run a case by the clock, and judge it. Raises BadInput for names and numbers that cannot be."""
    given, known = setting(case), _ground(case)
    recorder = Recorder() if case.checked else Digest()
    watched = replace(given, protocol=Watched(given.protocol))
    with naming.blamed(case.protocol):
        start = opened(watched, recorder, known.live(recorder.sees))
        clock = Relevance(Clock(given.workload.cost.tool_s))
        world, taken, seconds = driven(start, clock)
    said = verdict(finished(world, taken, seconds, "clock")).verdict if case.checked else None
    return _row(case, world, seconds, said, clock.irrelevant(world))


def files(cases: Iterable[Case]) -> list[Path]:
    """The files that the cases name: scenarios, protocols, tables."""
    names = {name for one in cases for name in (one.workload, one.protocol.rpartition(":")[0], one.tables)}
    names.discard(GENERATED)
    return sorted(file for name in names for file in ground.files(name))


def _ground(case: Case) -> ground.Ground:
    return ground.ground(case.workload, case.agents, case.irrelevant, case.rank, case.tables)


def _row(case: Case, world: World, seconds: float, said: str | None, irrelevant: int) -> Trial:
    workload, quiescent = world.setting.workload, world.quiescent
    gave_up = sum(one.gave_up for one in world.actors.values())
    records = world.recorder.records()
    told = counts(records, workload.cost)
    ended = _ended(case, world) if quiescent else {"invariant": None, "serial_outcome": None, "order_exact": None}
    held = ended["serial_outcome"] if ended["invariant"] is None else ended["invariant"]
    return Trial(
        workload=workload.name,
        protocol=world.setting.protocol.name,
        **{name: getattr(case, name) for name in _GIVEN},
        quiescent=quiescent,
        passes=quiescent and held is not False and not gave_up and said != "violated",
        verdict=said,
        gave_up=gave_up,
        seconds=round(seconds, 6),
        irrelevant_notices=irrelevant,
        undo_depth=world.setting.protocol.deepest,
        **ended,
        **{name: getattr(told, name) for name in told.__dataclass_fields__},
        **_noticed(records),
    )


_GIVEN = ("seed", "agents", "irrelevant", "miss", "over", "rank", "tables", "checked")
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
    """What there is to say of how a run ended: the invariant, and which serial runs of those who lived end like it."""
    workload, state, known = world.setting.workload, world.final_state, _ground(case)
    launch = tuple(at for at, name in enumerate(world.order) if not world.actors[name].died)
    reports = {world.order[at]: world.reports[world.order[at]] for at in launch}
    exact, met = known.ends(launch, state, reports), None
    if len(launch) <= MOST_ORDERED:
        met = bool(exact) or any(known.ends(order, state, reports) for order in permutations(launch))
    return {
        "invariant": None if workload.invariant is None else bool(workload.invariant(state, world.reports)),
        "order_exact": exact,
        "serial_outcome": met,
    }
