"""One trial of a workload under a protocol as a flat row of numbers: what a sweep has thousands of.

Agents, seconds and tokens are simulated. A trial is a function of its case, whatever process does it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from checker.oracle import serial
from coagent import naming
from coagent.history import History
from coagent.judge import Judge
from coagent.operation import same
from coagent.ranking import ranked
from coagent.running import counts
from coagent.simulate import Clock, Outcome, simulate
from coagent.stepper import verdict
from coagent.workload import Setting, Workload

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
    coalescing, `irrelevant_notices` are those whose judgement came to `keep` (those an erring judge misses too).
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
        workload=_workload(case.workload, case.agents, case.irrelevant, case.rank),
        protocol=naming.protocol(case.protocol),
        seed=case.seed,
        judge=Judge(miss=case.miss, over=case.over),
    )


def trial(case: Case) -> Trial:
    """Run a case by the clock, and judge it. Raises BadInput for names that there are not."""
    given = setting(case)
    watched = Watched(given.protocol)
    with naming.blamed(case.protocol):
        outcome = simulate(
            Setting(workload=given.workload, protocol=watched, seed=given.seed, judge=given.judge),
            Clock(given.workload.cost.tool_s),
        )
    return _row(case, given.workload, outcome, watched.deepest)


@lru_cache(maxsize=256)
def _workload(name: str, agents: int | None, irrelevant: bool, rank: str) -> Workload:
    return ranked(naming.target(name, agents, irrelevant), rank)


def _row(case: Case, workload: Workload, outcome: Outcome, deepest: int) -> Trial:
    quiescent = outcome.quiescent
    invariant = None
    if workload.invariant is not None and quiescent:
        invariant = bool(workload.invariant(outcome.final_state, outcome.reports))
    gave_up = sum(one.gave_up for one in outcome.world.actors.values())
    said = verdict(outcome).verdict if case.checked else None
    told = counts(outcome.history, workload.cost)
    return Trial(
        workload=workload.name,
        protocol=outcome.world.setting.protocol.name,
        **{name: getattr(case, name) for name in ("seed", "agents", "irrelevant", "miss", "over", "rank", "checked")},
        quiescent=quiescent,
        invariant=invariant,
        passes=quiescent and invariant is not False and not gave_up and said != "violated",
        serial_outcome=_serial_outcome(workload, outcome),
        order_exact=_as(workload, outcome, tuple(range(len(workload.agents)))) if quiescent else None,
        verdict=said,
        gave_up=gave_up,
        seconds=round(outcome.seconds, 6),
        undo_depth=deepest,
        **{name: getattr(told, name) for name in told.__dataclass_fields__},
        **_noticed(outcome.history),
    )


def _noticed(history: History) -> dict[str, int]:
    kept = (one for one in history.of("judge") if one["decision"] == "keep")
    return {
        "delivered": _operations(history.of("consume")),
        "irrelevant_notices": _operations(kept),
        "calls": sum(1 for _ in history.of("invoke")),
    }


def _operations(records: Iterable) -> int:
    return sum(len(one["ops"]) for one in records)


def _serial_outcome(workload: Workload, outcome: Outcome) -> bool | None:
    many = len(workload.agents)
    if many > MOST_ORDERED or not outcome.quiescent:
        return None
    return any(_as(workload, outcome, order) for order in permutations(range(many)))


def _as(workload: Workload, outcome: Outcome, order: tuple[int, ...]) -> bool | None:
    """Whether a run ended as this serial order of its agents does; None when that one does not end."""
    named = [(workload.agents[index].name, workload.agents[index].program) for index in order]
    try:
        state, reports = serial(workload.state, named, workload.tools)
    except RuntimeError:
        return None
    return same(sorted(outcome.final_state.items()), sorted(state.items())) and same(
        sorted(outcome.reports.items()), sorted(reports.items())
    )
