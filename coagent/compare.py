"""Sums a sweep up: a line for each workload and protocol, set beside serial runs with the same draws.

All agents here are simulated, and so are seconds and tokens. Trial k of every protocol uses the same
seed, so ratios are taken within a seed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

BASELINE = "serial"
ALIKE = ("workload", "agents", "irrelevant", "miss", "over", "rank", "tables")
"""What two trials have in common that may be set side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A protocol's trials of a workload with one set of parameters, summed up.

    Shares lie in [0, 1], `invariant` is None when the workload has none. `ok` are the trials that pass. `seconds` is
    the median of the trials that ended, `speedup`, `tokens` and `cost` are medians of the ratio to the serial trial of
    the same seed (None when no trial ended, or there is no serial one). Events are means per trial; `irrelevant_share`
    is that of the notices delivered that came to nothing, None when there were none.
    """

    workload: str
    agents: int | None
    irrelevant: bool
    miss: float
    over: float
    rank: str
    tables: str
    protocol: str
    trials: int
    ok: float
    invariant: float | None
    serial_outcome: float | None
    order_exact: float
    unfinished: int
    seconds: float | None
    speedup: float | None
    tokens: float | None
    cost: float | None
    notifications: float
    delivered: float
    irrelevant_share: float | None
    undos: float
    undo_depth: float
    restarts: float
    deadlocks: float
    gave_up: float


def compared(rows: "pl.DataFrame") -> list[Compared]:
    """A line for each workload, set of parameters and protocol, in the order in which the rows have them."""
    import polars as pl

    key, numbers = [*ALIKE, "seed"], ("seconds", "tokens", "cost")
    base = rows.filter(pl.col("quiescent"), pl.col("protocol") == BASELINE).unique(key, keep="first")
    base = base.select(*key, *(pl.col(name).alias(f"serial_{name}") for name in numbers))
    paired = rows.join(base, on=key, how="left", nulls_equal=True, maintain_order="left")
    ended = pl.col("quiescent") & (pl.col("serial_seconds").is_not_null() | pl.lit(base.is_empty()))
    ratios = {
        "speedup": _ratio(pl.col("serial_seconds"), pl.col("seconds")),
        **{name: _ratio(pl.col(name), pl.col(f"serial_{name}")) for name in ("tokens", "cost")},
    }
    summed = paired.group_by(*ALIKE, "protocol", maintain_order=True).agg(
        pl.len().alias("trials"),
        pl.col("passes").mean().alias("ok"),
        pl.col("order_exact").fill_null(False).mean(),
        pl.col("quiescent").not_().sum().alias("unfinished"),
        pl.col("seconds").filter(ended).median(),
        *(ratio.filter(ended).median().alias(name) for name, ratio in ratios.items()),
        _ratio(pl.col("irrelevant_notices").sum(), pl.col("delivered").sum()).alias("irrelevant_share"),
        *(pl.col(name).mean() for name in _MEANS),
    )
    own = [name for name in summed.columns if name not in ALIKE and summed[name].dtype.is_float()]
    lines = [Compared(**row) for row in summed.with_columns(pl.col(own).round(4)).to_dicts()]
    alike = {of: place for place, of in reversed([*enumerate(map(_alike, lines))])}
    return sorted(lines, key=lambda one: alike[_alike(one)])


def _alike(one: Compared) -> tuple[object, ...]:
    return tuple(getattr(one, name) for name in ALIKE)


_MEANS = (
    *("invariant", "serial_outcome", "notifications", "delivered", "undos"),
    *("undo_depth", "restarts", "deadlocks", "gave_up"),
)


def _ratio(top: "pl.Expr", bottom: "pl.Expr") -> "pl.Expr":
    """A quotient, null where nothing is divided by."""
    import polars as pl

    return pl.when(bottom != 0).then(top / bottom)


def to_json(lines: Iterable[Compared], **more: object) -> Mapping[str, object]:
    """The comparison as `--json` prints it."""
    return {"simulated": True, **more, "rows": [asdict(one) for one in lines]}
