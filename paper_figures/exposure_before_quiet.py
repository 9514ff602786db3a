"""Figure (h): how long before GlobalQuiet an observer could see what no serial run shows, and over which objects."""

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from coagent.exposure import Exposure, exposure
from coagent.palette import FAINT, INK, PAPER
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.world import Setting
from paper_figures.figure import Claim, Tables
from paper_figures.papers import CELLS
from paper_figures.pool import mapped
from paper_figures.style import PAGE, colour, shown
from workloads import workload

NAME, TITLE = "exposure_before_quiet", "What an observer could see before the end"
RUNS = (*((name, "any") for name in ("naive", "2pl", "occ", "fork-merge", "mtpo")), ("mtpo", "declared"))
"""Protocols, and the serial orders that an observer would put up with."""

FULL, QUICK = 40, 3
"""Seeds of each cell under each protocol."""

MEASURES = ("object", "state")


def data(quick: bool, workers: int) -> Tables:
    """Means over seeds by cell, protocol and orders; and by object for MTPO in the pre-order."""
    seeds = range(1, 1 + (QUICK if quick else FULL))
    tasks = [(cell, seed) for cell in CELLS for seed in seeds]
    found = dict(zip(tasks, mapped(_exposed, tasks, workers), strict=True))
    cells, objects = [], []
    for cell in CELLS:
        for run in RUNS:
            some = [found[cell, seed][run] for seed in seeds]
            cells.append({"cell": cell, "protocol": run[0], "orders": run[1], **_means(some)})
        objects += _by_object(cell, [found[cell, seed]["mtpo", "declared"] for seed in seeds])
    schema = {"cell": str, "object": str, "trials": int, "seconds": float, "share_of_trials": float}
    return {"cells": polars.DataFrame(cells), "objects": polars.DataFrame(objects, schema=schema)}


def draw(tables: Tables) -> Figure:
    """Two panels of a point for each cell, in seconds and as a share of the run; below, the objects."""
    figure = Figure(figsize=(PAGE, 4.9), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.35, 1))
    left, right = above.subplots(1, 2)
    _strips(left, tables["cells"], "{}_s")
    left.set_ylabel("seconds a run")
    left.set_title("In seconds", loc="left")
    left.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    _strips(right, tables["cells"], "{}_share")
    right.set_ylabel("share of the run")
    right.set_title("As a share of the run", loc="left")
    right.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    above.legend(handles=_legend(), loc="outside upper center", ncols=4)
    _bars(below.subplots(), tables["objects"])
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    trials = tables["cells"]["trials"].max()
    return (
        f"Simulated agents, perfect judges, ten cells, {trials} seeds each. A point is a cell's mean, a line the mean "
        "of the cells. Filled: at least one object shows a value that it has in no serial run. Open: the written "
        "objects together are in no state that a serial run passes through between its calls; work side by side on "
        "objects of one's own is already such a state. Serial runs in any order count, and at the right only the "
        "pre-order's, in which MTPO ends. What ends wrong stays exposed for ever, and is counted up to the end of the "
        "run. Below: in each cell the object that MTPO shows longest with a value foreign to the pre-order."
    )


def _exposed(task: tuple[str, int]) -> dict[tuple[str, str], Exposure]:
    cell, seed = task
    given, found = workload(cell), {}
    for name in dict.fromkeys(name for name, _ in RUNS):
        run = simulate(Setting(workload=given, protocol=protocol(name), seed=seed), Clock(given.cost.tool_s))
        for orders in (orders for one, orders in RUNS if one == name):
            found[name, orders] = exposure(run.history, given, order=orders)
    return found


def _means(some: list[Exposure]) -> dict[str, float]:
    many = len(some)
    return {
        "trials": many,
        "object_s": sum(one.object_s for one in some) / many,
        "state_s": sum(one.state_s for one in some) / many,
        "object_share": sum(one.object_s / one.seconds for one in some) / many,
        "state_share": sum(one.state_s / one.seconds for one in some) / many,
        "exposed": sum(one.object_s > 0 for one in some) / many,
        "ends_serial": sum(one.ends_serial for one in some) / many,
        "longest_object_s": max(one.object_s for one in some),
    }


def _by_object(cell: str, some: list[Exposure]) -> list[dict[str, object]]:
    totals: dict[str, list[float]] = {}
    for one in some:
        for path, seconds in one.by_object:
            totals.setdefault(path, []).append(seconds)
    return [
        {
            "cell": cell,
            "object": path,
            "trials": len(some),
            "seconds": sum(seconds) / len(some),
            "share_of_trials": len(seconds) / len(some),
        }
        for path, seconds in sorted(totals.items())
    ]


def _strips(ax: Axes, cells: polars.DataFrame, column: str) -> None:
    labels = []
    most = max(cells[column.format(measure)].max() for measure in MEASURES)
    for place, (name, orders) in enumerate(RUNS):
        rows = cells.filter((polars.col("protocol") == name) & (polars.col("orders") == orders))
        labels.append(shown(name).replace(" & ", " &\n") + ("\nin its order" if orders == "declared" else ""))
        for measure, aside in zip(MEASURES, (-0.2, 0.2), strict=True):
            values = rows[column.format(measure)].to_list()
            x = [place + aside + shift for shift in _beside(values, 0.03 * most)]
            face = colour(name) if measure == "object" else PAPER
            ax.plot(x, values, "o", markersize=4, markerfacecolor=face, markeredgecolor=colour(name), linestyle="none")
            mean = sum(values) / len(values)
            ax.plot([place + aside - 0.17, place + aside + 0.17], [mean, mean], color=INK, linewidth=1.5)
    ax.set_xticks(range(len(RUNS)), labels)
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(-0.03 * most, 1.05 * most)


def _beside(values: list[float], near: float) -> list[float]:
    """How far to the side each point is moved so that points of about the same height stand side by side."""
    bands: dict[int, list[int]] = {}
    for at, value in enumerate(values):
        bands.setdefault(round(value / near), []).append(at)
    shifts = [0.0] * len(values)
    for band in bands.values():
        step = min(0.06, 0.34 / len(band))
        for place, at in enumerate(band):
            shifts[at] = step * (place - (len(band) - 1) / 2)
    return shifts


def _legend() -> list[Line2D]:
    how = {"marker": "o", "linestyle": "none", "markeredgecolor": INK, "markersize": 4}
    return [
        Line2D([], [], markerfacecolor=INK, label="an object's value is of no serial run", **how),
        Line2D([], [], markerfacecolor=PAPER, label="the objects together are in no serial state", **how),
        Line2D([], [], color=INK, linewidth=1.5, label="mean of the cells"),
    ]


def longest(objects: polars.DataFrame) -> polars.DataFrame:
    """Of each cell the object that is exposed longest, most first, with how many `others` of the cell there are."""
    first = objects.sort("seconds", "object", descending=(True, False)).group_by("cell", maintain_order=True)
    return first.agg(polars.all().first(), polars.len().alias("objects")).with_columns(others=polars.col("objects") - 1)


def _bars(ax: Axes, objects: polars.DataFrame) -> None:
    rows = longest(objects)
    places = range(rows.height, 0, -1)
    ax.barh(places, rows["seconds"], color=colour("mtpo"), height=0.65)
    for place, row in zip(places, rows.iter_rows(named=True), strict=True):
        says = f"in {100 * row['share_of_trials']:.0f} % of the runs"
        says += f", and {row['others']} others of the cell" if row["others"] else ""
        where = {"xytext": (3, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(says, (row["seconds"], place), fontsize=7, color=FAINT, **where)
    names = [f"{cell.partition('-')[0]}: {path}" for cell, path in rows.select("cell", "object").rows()]
    ax.set_yticks(places, names)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(right=1.45 * rows["seconds"].max())
    ax.set_xlabel("mean seconds a run")
    ax.set_title("Over which objects, under MTPO, against its own order", loc="left")


def _exposed_for(name: str, orders: str, why: str) -> Claim:
    """The row of a protocol; `{wrong}` in `why` is the share of its runs, in percent, that do not end serially."""
    against = "the pre-order" if orders == "declared" else "any order"
    return Claim(
        what=f"{shown(name)}: an object shows a value that it never has serially, in {against}",
        papers="not measured; nothing is promised before GlobalQuiet" if name == "mtpo" else "",
        ours=lambda tables: _in_words(_of(tables, name, orders)),
        why=lambda tables: why.format(wrong=f"{100 - 100 * _of(tables, name, orders)['ends_serial'].mean():.0f} %"),
    )


def _of(tables: Tables, name: str, orders: str) -> polars.DataFrame:
    return tables["cells"].filter((polars.col("protocol") == name) & (polars.col("orders") == orders))


def _in_words(rows: polars.DataFrame) -> str:
    cells = (rows["object_s"] > 0).sum()
    share = 100 * rows["object_share"].mean()
    return (
        f"{rows['object_s'].mean():.1f} s a run ({share:.0f} %), in {cells} of {rows.height} cells; "
        f"at most {rows['longest_object_s'].max():.1f} s"
    )


def _together(tables: Tables) -> str:
    shares = {name: 100 * _of(tables, name, orders)["state_share"].mean() for name, orders in RUNS if orders == "any"}
    return ", ".join(f"{shown(name)} {share:.0f} %" for name, share in shares.items())


CLAIMS = (
    _exposed_for("mtpo", "declared", "a stale write stands until its agent has consumed the notice and repaired it"),
    _exposed_for("mtpo", "any", "most of what is foreign to the pre-order is what the other order would show"),
    _exposed_for(
        "naive",
        "any",
        "a lost update shows only values that serial runs have too; {wrong} of the runs do not end serially",
    ),
    _exposed_for("occ", "any", "a write is seen until its agent validates, and then until it is compensated"),
    _exposed_for("2pl", "any", "the agents of a cell meet on the same objects, and locks keep them apart to the end"),
    _exposed_for(
        "fork-merge",
        "any",
        "nobody sees a fork, and the last merge ends the run; {wrong} of the runs do not end serially",
    ),
    Claim(
        what="share of the run in which the objects together are in no state of a serial run, in any order",
        ours=_together,
        why=lambda tables: "the stricter measure: agents that work side by side are already in such a state",
    ),
)
