"""The sums behind the figures of all cells: shares, and ratios to the serial trial of the same cell and seed.

A ratio over all cells is the mean over cells of the mean over seeds of the ratio within a seed.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars

from coagent.sweep import cases
from paper_figures.interval import of_means, wilson
from paper_figures.measured import measured
from paper_figures.papers import CELLS, MISJUDGED

PROTOCOLS = ("serial", "naive", "2pl", "occ", "fork-merge", "mtpo")
FULL, QUICK = 1000, 20
"""Trials of each cell under each protocol."""

MOST_RESTARTS = 3
"""Trials with as many restarts or more are counted together."""

RATES = ("deadlocks", "restarts", "notifications", "undos")


def trials(quick: bool, workers: int) -> polars.DataFrame:
    """Every trial of the ten cells under the compared protocols, the judge as often wrong as the papers' model."""
    many = QUICK if quick else FULL
    wanted = cases(CELLS, PROTOCOLS, trials=many, miss=(MISJUDGED,), check_every=many + 1)
    return paired(measured(wanted, workers))


def paired(rows: polars.DataFrame) -> polars.DataFrame:
    """The rows with `speedup` and `tokens_ratio`, both to the serial trial of the same workload and seed.

    They are null where either trial did not come to an end.
    """
    keys = ["workload", "seed"]
    base = rows.filter((polars.col("protocol") == "serial") & polars.col("quiescent"))
    base = base.select(*keys, polars.col("seconds").alias("serial_s"), polars.col("tokens").alias("serial_tokens"))
    ended = polars.when(polars.col("quiescent"))
    return rows.join(base, on=keys, how="left", maintain_order="left").with_columns(
        speedup=ended.then(polars.col("serial_s") / polars.col("seconds")),
        tokens_ratio=ended.then(polars.col("tokens") / polars.col("serial_tokens")),
    )


def by_cell(rows: polars.DataFrame) -> polars.DataFrame:
    """A row for each cell and protocol: trials, the share in which the invariant holds, and the mean ratios."""
    return polars.DataFrame(
        [
            {"cell": short(cell), "protocol": name, **_shares(some), **_ratios([some]), **_rates([some])}
            for (cell, name), some in rows.group_by("workload", "protocol", maintain_order=True)
        ]
    )


def over_cells(rows: polars.DataFrame) -> polars.DataFrame:
    """A row for each protocol: the same over all cells, each cell counting alike."""
    return polars.DataFrame(
        [
            {"protocol": name, **_shares(some), **_ratios(_groups(some)), **_rates(_groups(some)), **_totals(some)}
            for (name,), some in rows.group_by("protocol", maintain_order=True)
        ]
    )


def by_restarts(rows: polars.DataFrame) -> polars.DataFrame:
    """A row for each protocol and number of restarts in a trial: how many trials, and their mean ratios."""
    return (
        rows.with_columns(polars.col("restarts").clip(upper_bound=MOST_RESTARTS))
        .group_by("protocol", "restarts")
        .agg(
            trials=polars.len(),
            speedup=polars.col("speedup").mean(),
            tokens=polars.col("tokens_ratio").mean(),
        )
        .join(polars.DataFrame({"protocol": PROTOCOLS}).with_row_index("place"), on="protocol")
        .sort("place", "restarts")
        .drop("place")
    )


def short(cell: str) -> str:
    """A cell's number: `k1`."""
    return cell.partition("-")[0]


def _groups(rows: polars.DataFrame) -> list[polars.DataFrame]:
    return rows.partition_by("workload", maintain_order=True)


def _shares(rows: polars.DataFrame) -> dict[str, float]:
    hits = rows["invariant"].fill_null(False).sum()
    low, high = wilson(hits, rows.height)
    serial = rows["serial_outcome"].fill_null(False).mean()
    shares = {"holds": hits / rows.height, "holds_low": low, "holds_high": high, "serial_outcome": serial}
    return {"trials": rows.height, "unfinished": int((~rows["quiescent"]).sum()), **shares}


def _ratios(groups: Sequence[polars.DataFrame]) -> dict[str, float]:
    return _means(groups, {"speedup": "speedup", "tokens": "tokens_ratio"})


def _rates(groups: Sequence[polars.DataFrame]) -> dict[str, float]:
    return _means(groups, {name: name for name in RATES})


def _means(groups: Sequence[polars.DataFrame], columns: Mapping[str, str]) -> dict[str, float]:
    """Of each column, under a name for it, the mean with its interval."""
    found: dict[str, float] = {}
    for name, column in columns.items():
        found |= zip((name, f"{name}_low", f"{name}_high"), of_means(list(_spreads(groups, column))), strict=True)
    return found


def _spreads(groups: Sequence[polars.DataFrame], column: str) -> Iterator[tuple[float, float, int]]:
    for group in groups:
        values = group[column].drop_nulls()
        if len(values):
            yield values.mean(), values.std() or 0.0, len(values)


def _totals(rows: polars.DataFrame) -> dict[str, float]:
    """The ratios as sums over sums, which long trials weigh on."""
    ended = rows.filter(polars.col("quiescent"))
    return {
        "speedup_of_sums": ended["serial_s"].sum() / ended["seconds"].sum(),
        "tokens_of_sums": ended["tokens"].sum() / ended["serial_tokens"].sum(),
    }
