"""Figure (d): deadlocks of 2PL and aborts of OCC per trial, cell by cell, and what a trial with one costs."""

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coagent.palette import INK
from paper_figures import papers, summary
from paper_figures.figure import Claim, Saying, Tables
from paper_figures.style import PAGE, bar, papers_bar

NAME, TITLE = "deadlocks_and_aborts", "Deadlocks and aborts per trial"
EVENTS = {"2pl": "deadlocks", "occ": "restarts"}
WORDS = {"2pl": "deadlocks of 2PL", "occ": "aborts of OCC"}
THEIRS = {"2pl": papers.DEADLOCKS_2PL, "occ": papers.ABORTS_OCC}


def data(quick: bool, workers: int) -> Tables:
    """Events per trial by cell and over all, and the trials by how often they restarted."""
    rows = summary.trials(quick, workers).filter(polars.col("protocol").is_in(["serial", *EVENTS]))
    numbers = [f"{name}{end}" for name in ("deadlocks", "restarts") for end in ("", "_low", "_high")]
    kept = ["protocol", "trials", *numbers]
    some = polars.col("protocol") != "serial"
    return {
        "cells": summary.by_cell(rows).filter(some).select("cell", *kept),
        "all": summary.over_cells(rows).filter(some).select(kept),
        "restarts": summary.by_restarts(rows).filter(some),
    }


def draw(tables: Tables) -> Figure:
    """The two rates cell by cell, then over all beside the papers'; on the right what a restart costs."""
    figure = Figure(figsize=(PAGE, 2.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(3.2, 1.1, 1.5))
    for index, name in enumerate(EVENTS):
        _rates(left, tables["cells"].filter(polars.col("protocol") == name), index)
        _beside(middle, tables["all"].filter(polars.col("protocol") == name), index)
        _costs(right, tables["restarts"].filter(polars.col("protocol") == name), index)
    left.set_ylabel("per trial")
    left.set_title("each cell", loc="left")
    top = max(left.get_ylim()[1], 1.2)
    for ax in (left, middle):
        ax.set_ylim(0, top)
    middle.set_yticklabels([])
    middle.set_title("all; unfilled: papers'", loc="left")
    middle.set_xticks([0, 1], [WORDS[name].replace(" of ", "\n") for name in EVENTS])
    right.set_title("tokens over serial", loc="left")
    right.set_xlabel("restarts in the trial")
    seen = sorted(set(tables["restarts"]["restarts"]))
    right.set_xticks(seen, [str(one) if one < summary.MOST_RESTARTS else f"{one}+" for one in seen])
    right.set_ylim(bottom=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _rates(ax: Axes, rows: polars.DataFrame, index: int) -> None:
    name = rows["protocol"][0]
    what, width = EVENTS[name], 0.4
    places = [place + width * (index - 0.5) for place in range(rows.height)]
    ax.bar(places, rows[what], width, label=WORDS[name], **bar(name))
    ends = [(rows[what] - rows[f"{what}_low"]).to_list(), (rows[f"{what}_high"] - rows[what]).to_list()]
    ax.errorbar(places, rows[what], ends, fmt="none", ecolor=INK, elinewidth=0.6)
    ax.set_xticks(range(rows.height), rows["cell"])
    ax.tick_params(axis="x", length=0)


def _beside(ax: Axes, rows: polars.DataFrame, index: int) -> None:
    [row] = rows.iter_rows(named=True)
    name = row["protocol"]
    ours, theirs = row[EVENTS[name]], THEIRS[name]
    ax.bar([index - 0.2], [ours], 0.38, **bar(name))
    ax.bar([index + 0.2], [theirs], 0.36, **papers_bar(name))
    above = {"xytext": (0, 2), "textcoords": "offset points", "ha": "center", "fontsize": 6.5}
    for place, value in ((index - 0.2, ours), (index + 0.2, theirs)):
        ax.annotate(f"{value:.2f}", (place, value), **above)
    ax.tick_params(axis="x", length=0)


def _costs(ax: Axes, rows: polars.DataFrame, index: int) -> None:
    name, total = rows["protocol"][0], rows["trials"].sum()
    for row in rows.iter_rows(named=True):
        place = row["restarts"] + 0.4 * (index - 0.5)
        ax.bar([place], [row["tokens"]], 0.38, **bar(name))
        share = 100 * row["trials"] / total
        says = f"{share:.0f} %" if share >= 1 else f"{share:.1g} %"
        ax.annotate(says, (place, row["tokens"]), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=5.5)
    ax.tick_params(axis="x", length=0)


def caption(tables: Tables) -> str:
    """What is seen."""
    return (
        f"Simulated agents; {tables['cells']['trials'].max():,} trials a cell. On the right the trials by how often an "
        "agent began again, with the share of the protocol's trials over each bar. An agent of OCC that fails its "
        "validation begins again; one of 2PL when it is a deadlock's victim."
    )


def _ours(name: str) -> Saying:
    def says(tables: Tables) -> str:
        what = EVENTS[name]
        [row] = tables["all"].filter(polars.col("protocol") == name).iter_rows(named=True)
        return f"{row[what]:.2f} ({row[f'{what}_low']:.2f} to {row[f'{what}_high']:.2f})"

    return says


def _why(name: str) -> Saying:
    def says(tables: Tables) -> str:
        what = EVENTS[name]
        cells = tables["cells"].filter(polars.col("protocol") == name)
        rare = cells.filter(polars.col(what) < 0.95)
        often = [f"{row['cell']} {row[what]:.2f}" for row in rare.iter_rows(named=True)]
        rest = cells.filter(polars.col(what) >= 0.95)
        more = f"; the others have {rest[what].min():.2f} to {rest[what].max():.2f}" if rest.height else ""
        return f"{', '.join(often) or 'no cell has fewer than 0.95'}{more}"

    return says


CLAIMS = tuple(
    Claim(what=f"{words} per trial", papers=f"{THEIRS[name]:.2f}", ours=_ours(name), why=_why(name))
    for name, words in WORDS.items()
)
