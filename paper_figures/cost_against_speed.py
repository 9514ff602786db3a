"""Figure (b): what a protocol costs in tokens against what it gains in time, each cell and the mean of all."""

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coagent.palette import FAINT, INK
from paper_figures import papers, summary
from paper_figures.figure import Claim, Tables
from paper_figures.style import colour, papers_point, point, shown

NAME, TITLE = "cost_against_speed", "Cost against speed"

ENDS = ("", "_low", "_high")
RIGHT = 0.9
"""Share of trials with the invariant kept below which the figure says so."""


def data(quick: bool, workers: int) -> Tables:
    """Mean speedup and tokens over serial, per cell and protocol, and over all cells with the papers'."""
    rows = summary.trials(quick, workers)
    kept = ["protocol", "trials", "holds", *(f"{name}{end}" for name in ("speedup", "tokens") for end in ENDS)]
    every = summary.over_cells(rows).select(kept)
    theirs = {"papers_speedup": papers.SPEEDUP, "papers_tokens": papers.TOKENS}
    beside = {
        name: polars.Series([numbers.get(one) for one in every["protocol"]], dtype=polars.Float64)
        for name, numbers in theirs.items()
    }
    return {"cells": summary.by_cell(rows).select("cell", *kept), "all": every.with_columns(**beside)}


def draw(tables: Tables) -> Figure:
    """One point a protocol with its cells around it, and a line to where the papers have it."""
    figure = Figure(figsize=(5.2, 3.7), layout="constrained")
    ax = figure.subplots()
    ax.grid(visible=True, axis="both")
    for line in (ax.axvline, ax.axhline):
        line(1.0, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)))
    for row in tables["cells"].iter_rows(named=True):
        if row["protocol"] != "serial":
            ax.plot(row["speedup"], row["tokens"], **{**point(row["protocol"]), "markersize": 3.6}, alpha=0.7)
    for row in tables["all"].iter_rows(named=True):
        _protocol(ax, row)
    ax.set_xlim(right=ax.get_xlim()[1] + 0.35)
    ax.set_xlabel("speedup over serial (simulated agents)")
    ax.set_ylabel("tokens over serial")
    ax.annotate("faster, cheaper", (0.99, 0.01), xycoords="axes fraction", ha="right", va="bottom", color=FAINT)
    ax.legend(handles=[*_legend(tables), Line2D([], [], label="the papers'", **papers_point())], loc="upper right")
    return figure


def _protocol(ax: Axes, row: dict[str, float]) -> None:
    x, y = row["speedup"], row["tokens"]
    if row["papers_speedup"] is not None:
        ax.plot([x, row["papers_speedup"]], [y, row["papers_tokens"]], color=INK, linewidth=0.6, zorder=2.5)
        ax.plot(row["papers_speedup"], row["papers_tokens"], **papers_point(), zorder=3)
    across = [[x - row["speedup_low"]], [row["speedup_high"] - x]]
    up = [[y - row["tokens_low"]], [row["tokens_high"] - y]]
    ax.errorbar(x, y, up, across, ecolor=INK, elinewidth=0.7, zorder=3, **{**point(row["protocol"]), "markersize": 8})
    ax.annotate(
        shown(row["protocol"]) + (f" ({100 * row['holds']:.0f} % right)" if row["holds"] < RIGHT else ""),
        (x, y),
        xytext=(7, 6),
        textcoords="offset points",
        color=colour(row["protocol"]),
        fontweight="bold",
    )


def _legend(tables: Tables) -> list[Line2D]:
    names = tables["all"]["protocol"]
    return [Line2D([], [], linestyle="none", label=shown(name), **point(name)) for name in names]


def caption(tables: Tables) -> str:
    """What is seen."""
    return (
        f"Simulated agents; {tables['cells']['trials'].max():,} trials a cell, judges that miss "
        f"{100 * papers.MISJUDGED:.0f} %. Large: the mean of the ten cells, with 95 % intervals; small: each cell; "
        "open diamonds: the papers' means, a line from ours to theirs. How often a protocol is right is said where it "
        f"is less than {100 * RIGHT:.0f} % of the trials."
    )


def _beaten(tables: Tables) -> str:
    """For each protocol that is always right, whether MTPO is both faster and cheaper."""
    [mtpo] = tables["all"].filter(polars.col("protocol") == "mtpo").iter_rows(named=True)
    says = []
    for row in tables["all"].filter(polars.col("protocol").is_in(["serial", "2pl", "occ"])).iter_rows(named=True):
        faster, dearer = mtpo["speedup"] / row["speedup"], mtpo["tokens"] / row["tokens"]
        says.append(f"than {shown(row['protocol'])} {faster:.2f} times as fast at {dearer:.2f} of the tokens")
    return "; ".join(says)


def _theirs() -> str:
    says = []
    for name in ("serial", "2pl", "occ"):
        faster = papers.SPEEDUP["mtpo"] / papers.SPEEDUP[name]
        dearer = papers.TOKENS["mtpo"] / papers.TOKENS[name]
        says.append(f"than {shown(name)} {faster:.2f} times as fast at {dearer:.2f} of the tokens")
    return "; ".join(says)


CLAIMS = (
    Claim(
        what="MTPO lies to the right of every other correct protocol",
        papers=_theirs(),
        ours=_beaten,
        why=lambda tables: "from the same numbers as (a), and for the same reasons",
    ),
)
