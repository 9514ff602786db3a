"""Runs a workload once and says all that is known of the run: outcome, verdict, invariant, counts, exit code.

Seconds and tokens are simulated. Decides what counts as holding; how it looks is `coagent.screen`'s business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from checker.oracle import serial
from checker.verdict import Verdict
from coagent.history import Record, plain
from coagent.operation import same
from coagent.program import report_out
from coagent.simulate import Outcome, Progress, chooser_of, simulate
from coagent.stepper import verdict
from coagent.workload import Cost, Workload
from coagent.world import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a history's records add up to; `restarts` are attempts begun again, `deadlocks` attempts lost to one."""

    tokens: int
    cost: int
    inferences: int
    notifications: int
    undos: int
    redos: int
    restarts: int
    deadlocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run and its judgement.

    `invariant` is None when the workload has none, `order_exact` says whether final state and reports are those of
    the pre-order run serially, without those who died (None: the run did not end, or the programs do not when run
    alone).
    """

    outcome: Outcome
    verdict: Verdict
    invariant: bool | None
    order_exact: bool | None
    gave_up: tuple[str, ...]
    counts: Counts

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 2 cannot tell."""
        if self.stuck:
            return 1
        if not self.outcome.quiescent:
            return 2
        strayed = self.order_exact is False and self.outcome.world.setting.protocol.promises == "declared"
        if self.invariant is False or self.gave_up or strayed:
            return 1
        return self.verdict.exit_code

    @property
    def stuck(self) -> bool:
        """Whether nothing can happen any more although not everybody has committed."""
        return not self.outcome.quiescent and not self.outcome.world.choices()

    def to_json(self) -> dict[str, object]:
        """The run as `run --json` prints it."""
        header, end = self.outcome.history.header, self.outcome.history.end
        verdict = self.verdict.to_json()
        return {
            "workload": header["workload"],
            "protocol": header["protocol"],
            "seed": header["seed"],
            "schedule": header["schedule"],
            "agents": [one["name"] for one in header["agents"]],
            "order": verdict["order"],
            "order_exact": self.order_exact,
            "quiescent": self.outcome.quiescent,
            "final_state": end["final_state"],
            "reports": end["reports"],
            "invariant": self.invariant,
            "gave_up": list(self.gave_up),
            "verdict": verdict,
            "simulated": True,
            "seconds": round(self.outcome.seconds, 6),
            **{name: getattr(self.counts, name) for name in Counts.__dataclass_fields__},
        }


def run(
    workload: Workload,
    protocol: object,
    *,
    schedule: str | tuple[int, ...] = "clock",
    seed: int = 0,
    max_steps: int | None = None,
    progress: Progress | None = None,
) -> Ran:
    """Simulate and judge. Raises BadInput when the schedule does not fit."""
    setting = Setting(workload=workload, protocol=protocol, seed=seed)
    chooser = chooser_of(schedule, seed, workload.cost.tool_s)
    return judged(simulate(setting, chooser, schedule=schedule, max_steps=max_steps, progress=progress))


def judged(outcome: Outcome) -> Ran:
    """The judgement of a run: in the declared order when the protocol promises it, in any order otherwise."""
    setting = outcome.world.setting
    workload = setting.workload
    invariant = None
    if workload.invariant is not None and outcome.quiescent:
        invariant = bool(workload.invariant(outcome.final_state, outcome.reports))
    return Ran(
        outcome=outcome,
        verdict=verdict(outcome),
        invariant=invariant,
        order_exact=_order_exact(outcome) if outcome.quiescent else None,
        gave_up=tuple(name for name, one in sorted(outcome.world.actors.items()) if one.gave_up),
        counts=counts(outcome.history.records, workload.cost),
    )


def serial_outcome(workload: Workload, names: tuple[str, ...]) -> tuple[dict[str, object], dict[str, object]] | None:
    """Final state and reports, as JSON has them, of these agents run one after the other; None when one never ends."""
    programs = {one.name: one.program for one in workload.agents}
    try:
        state, reports = serial(workload.state, [(name, programs[name]) for name in names], workload.tools)
    except RuntimeError:
        return None
    return (
        {path: plain(value) for path, value in state.items()},
        {name: report_out(report) for name, report in reports.items()},
    )


def equal(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Whether two mappings from names to JSON values are the same, booleans and integers apart."""
    return same(sorted(left.items()), sorted(right.items()))


def counts(records: Iterable[Record], cost: Cost) -> Counts:
    """What a history's records add up to; tokens read from the cache cost `cost.cached_price` of one read anew."""
    tally: dict[str, int] = {}
    tokens, price, deadlocks = 0, 0.0, 0
    for record in records:
        kind = record["event"]
        tally[kind] = tally.get(kind, 0) + 1
        if kind == "inferred":
            anew = record["prompt_tokens"] + record["output_tokens"]
            tokens += anew + record["cached_tokens"]
            price += anew + record["cached_tokens"] * cost.cached_price
        elif kind == "abort":
            deadlocks += record["because"].startswith("deadlock")
    return Counts(
        tokens=tokens,
        cost=round(price),
        inferences=tally.get("infer", 0),
        notifications=tally.get("notify", 0),
        undos=tally.get("undo", 0),
        redos=tally.get("redo", 0),
        restarts=tally.get("abort", 0) - tally.get("give-up", 0),
        deadlocks=deadlocks,
    )


def _order_exact(outcome: Outcome) -> bool | None:
    world, end = outcome.world, outcome.history.end
    lived = tuple(name for name in world.order if not world.actors[name].died)
    expected = serial_outcome(world.setting.workload, lived)
    if expected is None:
        return None
    reports = {name: end["reports"][name] for name in lived}
    return equal(end["final_state"], expected[0]) and equal(reports, expected[1])
