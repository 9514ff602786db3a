"""Figure (i): MTPO's choices beside each other: replay or reissue, change or footprint, hold or pass.

Each cell once as it is and once with its irrelevant overlapping write, with judges that do not err. What MTPO takes
over naive's time is shown against the length of the agents too.
"""

from collections.abc import Iterator
from dataclasses import replace

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coagent.palette import PAPER
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.sweep import cases
from coagent.workload import Setting, Workload
from paper_figures import summary
from paper_figures.figure import Claim, Saying, Tables
from paper_figures.measured import measured
from paper_figures.papers import CELLS
from paper_figures.style import PAGE, colour, one_line
from workloads import workload

NAME, TITLE = "policies", "Replay or reissue, change or footprint, hold or pass"
VARIANTS = {
    "mtpo": "replay,\nchange,\nhold",
    "mtpo-reissue": "reissue",
    "mtpo-footprint": "footprint",
    "mtpo-pass": "pass",
}
"""Under each but the first what it does otherwise than the first."""

FULL, QUICK = 100, 4
LONGER_S = (0, 15, 30, 60, 120, 240)
LONGER_FULL, LONGER_QUICK = 5, 1
"""Trials of each cell and length."""

WITHIN = 0.05
"""How much longer than naive's MTPO's wall time may be."""

HATCH = {False: "", True: "////"}


def data(quick: bool, workers: int) -> Tables:
    """The variants over all cells, by cell, and MTPO's time over naive's for longer agents."""
    many = QUICK if quick else FULL
    rows = measured(cases(CELLS, ("serial", "naive", *VARIANTS), trials=many, irrelevant=(False, True)), workers)
    halves = [_over_naive(summary.paired(part)) for part in rows.partition_by("irrelevant", maintain_order=True)]
    rows = polars.concat(halves).filter(polars.col("protocol").is_in(list(VARIANTS)))
    return {
        "all": _summed(rows, ["protocol", "irrelevant"]),
        "cells": _summed(rows.with_columns(cell=polars.col("workload").str.slice(0, 2)), ["cell", "protocol", "irrelevant"]),
        "length": _longer(LONGER_QUICK if quick else LONGER_FULL),
    }


def _over_naive(rows: polars.DataFrame) -> polars.DataFrame:
    keys = ["workload", "seed"]
    naive = rows.filter(polars.col("protocol") == "naive").select(*keys, polars.col("seconds").alias("naive_s"))
    joined = rows.join(naive, on=keys, how="left", maintain_order="left")
    return joined.with_columns(over_naive=polars.col("seconds") / polars.col("naive_s") - 1)


def _summed(rows: polars.DataFrame, keys: list[str]) -> polars.DataFrame:
    """Means per trial, and the share of delivered notices that changed nothing."""
    means = ("speedup", "over_naive", "notifications", "delivered", "irrelevant_notices", "undos", "redos")
    return rows.group_by(keys, maintain_order=True).agg(
        polars.len().alias("trials"),
        polars.col("passes").sum().alias("passed"),
        *(polars.col(name).mean() for name in means),
        tokens=polars.col("tokens_ratio").mean(),
        irrelevant_share=polars.col("irrelevant_notices").sum() / polars.col("delivered").sum(),
    )


def _longer(trials: int) -> polars.DataFrame:
    """Mean wall seconds over the cells under naive and MTPO, each agent thinking so much longer before it reports."""
    rows = []
    for extra in LONGER_S:
        seconds = {name: list(_seconds(name, extra, trials)) for name in ("naive", "mtpo", "mtpo-pass")}
        naive = sum(seconds["naive"]) / len(seconds["naive"])
        for name in ("mtpo", "mtpo-pass"):
            over = [one / base - 1 for one, base in zip(seconds[name], seconds["naive"], strict=True)]
            gap = sum(seconds[name]) / len(over) - naive
            row = {"naive_s": naive, "gap_s": gap, "over_naive": sum(over) / len(over)}
            rows.append({"protocol": name, "extra_s": extra, **row})
    return polars.DataFrame(rows)


def _seconds(name: str, extra: float, trials: int) -> Iterator[float]:
    for cell in CELLS:
        given = _lengthened(workload(cell), extra)
        for seed in range(1, trials + 1):
            setting = Setting(workload=given, protocol=protocol(name), seed=seed)
            yield simulate(setting, Clock(given.cost.tool_s)).seconds


def _lengthened(given: Workload, extra: float) -> Workload:
    agents = []
    for one in given.agents:
        own = one.finish_think_s if one.finish_think_s is not None else one.think_s
        agents.append(replace(one, finish_think_s=(given.cost.think_s if own is None else own) + extra))
    return replace(given, agents=tuple(agents))


def draw(tables: Tables) -> Figure:
    """Five panels of bars, a variant each, and MTPO's time over naive's as the agents get longer."""
    figure = Figure(figsize=(PAGE, 4.6), layout="constrained")
    axes = figure.subplots(2, 3).flatten()
    table = tables["all"]
    _bars(axes[0], table, "speedup", 1, "speedup over serial")
    _bars(axes[1], table, "tokens", 1, "tokens over serial")
    _bars(axes[2], table, "over_naive", 100, "wall time over naive's, %")
    _bars(axes[3], table, "notifications", 1, "notices sent per trial")
    _bars(axes[4], table, "irrelevant_share", 100, "irrelevant of those read, %")
    for ax in axes[:2]:
        one_line(ax, 1.0)
    one_line(axes[2], 100 * WITHIN)
    one_line(axes[4], 30)
    _length(axes[5], tables["length"])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _bars(ax: Axes, table: polars.DataFrame, what: str, scale: float, title: str) -> None:
    for irrelevant, shift in ((False, -0.2), (True, 0.2)):
        rows = table.filter(polars.col("irrelevant") == irrelevant)
        values = rows[what] * scale
        look = {"facecolor": colour("mtpo"), "edgecolor": PAPER, "hatch": HATCH[irrelevant], "linewidth": 0.4}
        words = "with the irrelevant write" if irrelevant else "cells as they are"
        places = [place + shift for place in range(rows.height)]
        ax.bar(places, values, 0.38, label=words, **look)
        for place, value in zip(places, values, strict=True):
            says = f"{value:.0f}" if scale == 100 else f"{value:.2f}"
            ax.annotate(says, (place, value), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=6)
    ax.set_title(title, loc="left")
    ax.set_xticks(range(len(VARIANTS)), list(VARIANTS.values()), fontsize=6.5)
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.12)


def _length(ax: Axes, table: polars.DataFrame) -> None:
    for (name,), rows in table.group_by("protocol", maintain_order=True):
        dashes = "-" if name == "mtpo" else (0, (4, 2))
        mark = "o" if name == "mtpo" else "s"
        words = "hold" if name == "mtpo" else "pass"
        ax.plot(
            rows["naive_s"], rows["over_naive"] * 100, color=colour(name), linestyle=dashes, marker=mark, markersize=3.5, label=words
        )
    one_line(ax, 100 * WITHIN)
    ax.set_xscale("log")
    ticks = [20, 50, 100, 200]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.set_xlabel("naive's wall time, s")
    ax.set_title("over naive's as agents lengthen, %", loc="left")
    ax.legend(loc="upper right")


def caption(tables: Tables) -> str:
    """What is seen."""
    return (
        f"Simulated agents; the ten cells, {tables['cells']['trials'].max():,} trials of each, judges that do not err. The "
        "first variant is MTPO as it comes; each other differs in what stands under it. Dashed: serial, 5 % over naive, "
        "30 % irrelevant. Last panel: each agent thinks longer before its report, by 0 to "
        f"{max(LONGER_S)} s; mean of the cells."
    )


def _value(tables: Tables, name: str, what: str, irrelevant: bool = True) -> float:
    rows = tables["all"].filter((polars.col("protocol") == name) & (polars.col("irrelevant") == irrelevant))
    return rows[what].item()


def _share(name: str) -> Saying:
    return lambda tables: f"{100 * _value(tables, name, 'irrelevant_share'):.0f} %"


def _over(name: str) -> Saying:
    return lambda tables: f"{100 * _value(tables, name, 'over_naive', False):.0f} %"


def _pair(what: str, *names: str) -> Saying:
    """A number of several variants, with the irrelevant write."""

    def says(tables: Tables) -> str:
        return ", ".join(f"{name} {_value(tables, name, what):.2f}" for name in names)

    return says


def _passes(tables: Tables) -> str:
    passed, trials = tables["all"]["passed"].sum(), tables["all"]["trials"].sum()
    return f"{passed:,} of {trials:,}"


def _why_over(tables: Tables) -> str:
    """The gap in seconds, and from which length of the agents on it is within the share that is wanted."""
    rows = tables["length"].filter(polars.col("protocol") == "mtpo")
    start, end = rows.row(0, named=True), rows.row(-1, named=True)
    inside = rows.filter(polars.col("over_naive") <= WITHIN)
    reach = f"from {inside['naive_s'][0]:.0f} s on" if inside.height else f"not up to {end['naive_s']:.0f} s"
    return (
        f"both agents of a cell are nearly equally long, so the repair of the higher one lies on the critical path: "
        f"{start['gap_s']:.1f} s on {start['naive_s']:.0f} s, see (k). It does not grow with the agents "
        f"({end['gap_s']:.1f} s on {end['naive_s']:.0f} s): it is within {100 * WITHIN:.0f} % {reach}"
    )


CLAIMS = (
    Claim(what="notices that were irrelevant, `change`, with the irrelevant write", papers="-", ours=_share("mtpo")),
    Claim(
        what="the same, `footprint` (P1's conservative test)",
        papers="-",
        ours=_share("mtpo-footprint"),
        why=lambda tables: "the irrelevant write lies in the footprint of what was read, and changes no answer",
    ),
    Claim(what="MTPO's wall time over naive's, `hold`", papers="-7 %", ours=_over("mtpo"), why=_why_over),
    Claim(what="the same, `pass`", papers="-", ours=_over("mtpo-pass")),
    Claim(what="speedup, with the irrelevant write", ours=_pair("speedup", *VARIANTS)),
    Claim(what="tokens over serial, with the irrelevant write", ours=_pair("tokens", *VARIANTS)),
    Claim(what="undos per trial, with the irrelevant write", ours=_pair("undos", *VARIANTS)),
    Claim(what="every trial passes, whatever the policy", ours=_passes),
)
