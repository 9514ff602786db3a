"""Sums up trials whose agents a model drove: a line for each workload and protocol, set beside serial runs.

Seconds, tokens and money are measured. No two answers of a model need be alike, so trial k of a protocol is set beside
trial k of the serial one as the next in line, and only medians of many say something.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median

from coagent.compare import BASELINE
from coagent.driven import ModelRan


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A protocol's trials of a workload, summed up.

    Shares lie in [0, 1]; `right` are the trials that ended, were not judged violated, kept the invariant and had nobody
    give up; `invariant` is None when the workload has none. `seconds`, `tokens` and `money` are medians of the trials
    that ended, `speedup`, `tokens_ratio` and `money_ratio` medians of the ratio to the serial trial of the same number;
    None where nothing was counted, ended or priced. Events are means per trial; `failed` counts agents whose model
    failed.
    """

    workload: str
    protocol: str
    trials: int
    right: float
    invariant: float | None
    unfinished: int
    seconds: float | None
    speedup: float | None
    tokens: float | None
    tokens_ratio: float | None
    money: float | None
    money_ratio: float | None
    completions: float
    notifications: float
    undos: float
    restarts: float
    deadlocks: float
    failed: float


def measured(runs: Sequence[ModelRan]) -> list[Measured]:
    """A line for each workload and protocol, in the order in which they first come; trials in the order of the runs."""
    groups: dict[tuple[str, str], list[ModelRan]] = {}
    for one in runs:
        header = one.live.history.header
        groups.setdefault((header["workload"], header["protocol"]), []).append(one)
    return [_line(name, group, groups.get((name[0], BASELINE), [])) for name, group in groups.items()]


def _line(name: tuple[str, str], group: Sequence[ModelRan], serial: Sequence[ModelRan]) -> Measured:
    ended = [one for one in group if _ended(one)]
    pairs = [(base, one) for base, one in zip(serial, group, strict=False) if _ended(base) and _ended(one)]
    kept = [one.live.invariant for one in group if one.live.invariant is not None]
    told = [one.live.counts for one in group]
    return Measured(
        workload=name[0],
        protocol=name[1],
        trials=len(group),
        right=fmean(one.right for one in group),
        invariant=fmean(kept) if kept else None,
        unfinished=len(group) - len(ended),
        seconds=_median(one.live.seconds for one in ended),
        speedup=_median(_ratio(base.live.seconds, one.live.seconds) for base, one in pairs),
        tokens=_median(one.tokens for one in ended),
        tokens_ratio=_median(_ratio(one.tokens, base.tokens) for base, one in pairs),
        money=_median(one.money for one in ended),
        money_ratio=_median(_ratio(one.money, base.money) for base, one in pairs),
        completions=fmean(one.bill.total.completions for one in group),
        **{of: fmean(getattr(one, of) for one in told) for of in ("notifications", "undos", "restarts", "deadlocks")},
        failed=fmean(len(one.failed) for one in group),
    )


def _ended(one: ModelRan) -> bool:
    return one.live.history.end["quiescent"]


def _median(found: Iterable[float | None]) -> float | None:
    """The median of what is known; None when nothing is."""
    known = [one for one in found if one is not None]
    return float(median(known)) if known else None


def _ratio(top: float | None, bottom: float | None) -> float | None:
    return None if top is None or not bottom else top / bottom


def to_json(lines: Iterable[Measured], **more: object) -> Mapping[str, object]:
    """The comparison as `--json` prints it."""
    return {"simulated": False, **more, "rows": [asdict(one) for one in lines]}
