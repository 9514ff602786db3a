"""Figure (a): share of correct trials, speedup and tokens over serial, per cell and over all, beside the papers'."""

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coagent.palette import INK
from coagent.sweep import cases
from paper_figures import papers, summary
from paper_figures.figure import Claim, Saying, Tables
from paper_figures.interval import wilson
from paper_figures.measured import measured
from paper_figures.reasons import REASONS, over_all
from paper_figures.style import PAGE, bar, one_line, papers_bar, shown

NAME, TITLE = "correctness_speedup_tokens", "Correctness, speedup and tokens on the ten cells"
PERFECT = ("mtpo", "mtpo-reissue")
"""Run with perfect judges too; the others have no notices to judge, so an erring judge changes nothing for them."""

CHECK_EVERY = 20
"""Every such seed of a run with perfect judges is judged by the checker too."""

BANDS = {"speedup": 0.10, "tokens": 0.15}
"""How far from the papers' number ours may be before the page has to say why."""

QUANTITIES = {"holds": "invariant holds", "speedup": "speedup over serial", "tokens": "tokens over serial"}
THEIRS = {"holds": papers.CORRECT_PERCENT, "speedup": papers.SPEEDUP, "tokens": papers.TOKENS}


def data(quick: bool, workers: int) -> Tables:
    """Sums per cell and protocol, over all cells, and the shares that pass with perfect judges."""
    rows = summary.trials(quick, workers)
    return {
        "cells": summary.by_cell(rows),
        "all": _beside_papers(summary.over_cells(rows)),
        "restarts": summary.by_restarts(rows),
        "perfect": _perfect(quick, workers),
    }


def _perfect(quick: bool, workers: int) -> polars.DataFrame:
    """By cell and protocol, how many trials pass when no judge errs, and how many of them the checker judged too."""
    many = summary.QUICK if quick else summary.FULL
    wanted = cases(papers.CELLS, PERFECT, trials=many, check_every=CHECK_EVERY)
    rows = measured(wanted, workers)
    passed = rows.group_by("workload", "protocol", maintain_order=True).agg(
        trials=polars.len(),
        passed=polars.col("passes").sum(),
        order_exact=polars.col("order_exact").sum(),
        checked=polars.col("checked").sum(),
    )
    return passed.with_columns(cell=polars.col("workload").str.split("-").list.first()).drop("workload")


def _beside_papers(table: polars.DataFrame) -> polars.DataFrame:
    names = table["protocol"]
    theirs = {f"papers_{what}": [numbers.get(name) for name in names] for what, numbers in THEIRS.items()}
    return table.with_columns(**{name: polars.Series(values, dtype=polars.Float64) for name, values in theirs.items()})


def draw(tables: Tables) -> Figure:
    """Three rows; on the left the cells, on the right all of them beside the papers' bars."""
    figure = Figure(figsize=(PAGE, 6.2), layout="constrained")
    axes = figure.subplots(3, 2, width_ratios=(2.1, 1), sharey="row")
    for (left, right), (what, words) in zip(axes, QUANTITIES.items(), strict=True):
        scale = 100 if what == "holds" else 1
        _cells(left, tables["cells"], what, scale)
        _all(right, tables["all"], what, scale)
        left.set_ylabel(f"{words}, %" if what == "holds" else words)
        if what != "holds":
            for ax in (left, right):
                one_line(ax, 1.0)
        top = max(tables["cells"][f"{what}_high"].max(), tables["all"][f"{what}_high"].max()) * scale
        left.set_ylim(0, top * 1.18)
        if what == "holds":
            left.set_yticks(range(0, 101, 20))
    axes[0, 0].set_title("each cell", loc="left")
    axes[0, 1].set_title("all ten; unfilled: the papers'", loc="left")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, handlelength=2.2)
    return figure


def _cells(ax: Axes, table: polars.DataFrame, what: str, scale: float) -> None:
    names = [name for name in table["protocol"].unique(maintain_order=True) if name != "serial"]
    width = 0.84 / len(names)
    for index, name in enumerate(names):
        rows = table.filter(polars.col("protocol") == name)
        places = [place - 0.42 + width * (index + 0.5) for place in range(rows.height)]
        ax.bar(places, rows[what] * scale, width, label=shown(name), **bar(name))
        _whiskers(ax, places, rows, what, scale)
    ax.set_xticks(range(rows.height), rows["cell"])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, rows.height - 0.4)


def _all(ax: Axes, table: polars.DataFrame, what: str, scale: float) -> None:
    digits = 0 if what == "holds" else 2
    for place, row in enumerate(table.iter_rows(named=True)):
        name, theirs = row["protocol"], row[f"papers_{what}"]
        ax.bar([place - 0.2], [row[what] * scale], 0.38, **bar(name))
        _value(ax, place - 0.2, row[f"{what}_high"] * scale, f"{row[what] * scale:.{digits}f}")
        if theirs is not None:
            ax.bar([place + 0.2], [theirs], 0.36, **papers_bar(name))
            high = _papers_whisker(ax, place + 0.2, theirs) if what == "holds" else theirs
            _value(ax, place + 0.2, high, f"{theirs:.{digits}f}")
    _whiskers(ax, [place - 0.2 for place in range(table.height)], table, what, scale)
    ax.set_xticks(range(table.height), [shown(name).replace(" & ", "\n& ") for name in table["protocol"]], fontsize=6.5)
    ax.tick_params(axis="x", length=0)


def _papers_whisker(ax: Axes, x: float, percent: float) -> float:
    low, high = (100 * end for end in wilson(round(percent * papers.TRIALS / 100), papers.TRIALS))
    ax.errorbar([x], [percent], [[percent - low], [high - percent]], fmt="none", ecolor=INK, elinewidth=0.6)
    return high


def _value(ax: Axes, x: float, y: float, says: str) -> None:
    ax.annotate(
        says, (x, y), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", rotation=90, fontsize=6
    )


def _whiskers(ax: Axes, places: list[float], rows: polars.DataFrame, what: str, scale: float) -> None:
    middle = rows[what] * scale
    ends = [(middle - rows[f"{what}_low"] * scale).to_list(), (rows[f"{what}_high"] * scale - middle).to_list()]
    lengths = [[max(0.0, end) for end in one] for one in ends]
    ax.errorbar(places, middle, lengths, fmt="none", ecolor=INK, elinewidth=0.6)


def caption(tables: Tables) -> str:
    """What is seen."""
    many = tables["cells"]["trials"].max()
    return (
        f"Simulated agents; {many:,} trials of each cell under each protocol, judges that miss "
        f"{100 * papers.MISJUDGED:.0f} % of their notices, as the papers' model did. Whiskers: 95 % intervals. Speedup "
        "and tokens over all ten: the mean over cells of the mean over seeds of the ratio to the serial trial of the "
        "same seed. The papers' bars: a real model, ten trials a cell, cells of their own; intervals from those trials."
    )


def _ours(name: str, what: str) -> Saying:
    """Our number with its interval; a percentage where it is a share."""

    def says(tables: Tables) -> str:
        row = over_all(tables, name)
        middle, low, high = (row[key] for key in (what, f"{what}_low", f"{what}_high"))
        if what == "holds":
            return f"{100 * middle:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"

    return says


def _why(name: str, what: str) -> Saying:
    """Whether ours lies in the band around the papers', and what it comes from where it does not."""

    def says(tables: Tables) -> str:
        away = over_all(tables, name)[what] - THEIRS[what][name]
        if round(abs(away), 2) <= BANDS[what]:
            return f"within {BANDS[what]:.2f}"
        return f"**outside {BANDS[what]:.2f}**: {REASONS[name, what](tables)}"

    return says


def _of_shares(name: str) -> Saying:
    """What the papers' hundred trials allow."""

    def says(tables: Tables) -> str:
        low, high = (100 * end for end in wilson(papers.CORRECT_PERCENT[name], papers.TRIALS))
        theirs = f"their {papers.TRIALS} trials allow {low:.0f} to {high:.0f} %"
        if low <= 100 * over_all(tables, name)["holds"] <= high:
            return theirs
        alone = papers.CORRECT_PERCENT["serial"]
        return f"{theirs}; their model also slips where nothing interferes ({alone} % serially), our programs do not"

    return says


def _perfectly(tables: Tables) -> str:
    """How many trials pass with perfect judges, by protocol."""
    parts = []
    for (name,), rows in tables["perfect"].group_by("protocol", maintain_order=True):
        passed, exact, checked, trials = (rows[one].sum() for one in ("passed", "order_exact", "checked", "trials"))
        parts.append(
            f"{shown(name)} {passed:,} of {trials:,} ({exact:,} end exactly as the pre-order does, the checker judged "
            f"{checked:,} of them too)"
        )
    for name in ("serial", "2pl", "occ"):
        row = over_all(tables, name)
        parts.append(f"{shown(name)} {round(row['holds'] * row['trials']):,} of {row['trials']:,}")
    return "; ".join(parts)


def _share(name: str) -> Claim:
    theirs = f"{papers.CORRECT_PERCENT[name]} %"
    return Claim(what=f"invariant holds, {shown(name)}", papers=theirs, ours=_ours(name, "holds"), why=_of_shares(name))


def _ratio(what: str, name: str) -> Claim:
    theirs = f"{THEIRS[what][name]:.2f}"
    return Claim(what=f"{QUANTITIES[what]}, {shown(name)}", papers=theirs, ours=_ours(name, what), why=_why(name, what))


def _forks(tables: Tables) -> str:
    """In which cells fork-and-merge is right, and in which its merges are clean and wrong."""
    cells = tables["cells"].filter(polars.col("protocol") == "fork-merge")
    right, wrong = cells.filter(polars.col("holds") > 0.99), cells.filter(polars.col("holds") < 0.01)
    return (
        f"the papers do not compare with it. Its merges are clean and wrong in {', '.join(wrong['cell'])}, where the "
        f"agents write different objects; it is right in {', '.join(right['cell'])}. It restarts "
        f"{cells['restarts'].mean():.2f} times a trial, where a merge conflicts"
    )


COMPARED = ("serial", "naive", "2pl", "occ", "mtpo")
CLAIMS = (
    *(_share(name) for name in COMPARED),
    Claim(what="invariant holds, fork & merge", ours=_ours("fork-merge", "holds"), why=_forks),
    *(_ratio(what, name) for what in BANDS for name in COMPARED[1:]),
    Claim(what="speedup over serial, fork & merge", ours=_ours("fork-merge", "speedup")),
    Claim(what="tokens over serial, fork & merge", ours=_ours("fork-merge", "tokens")),
    Claim(
        what="with perfect judges every trial of the ten cells passes",
        ours=_perfectly,
        why=lambda tables: "serial, 2PL and OCC send no notices: what judges miss changes nothing for them",
    ),
)
