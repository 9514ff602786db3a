"""Figure (j): where MTPO loses, over reasoning length and conflict rate, and from how much work on it is as
fast as naive.

The workloads are synthetic (`workloads.contended`): agents that count up objects, some of which they share.
"""

from statistics import geometric_mean

import numpy as np
import polars
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from coagent.palette import FAINT, INK, NOTICE, PAPER, PROTOCOLS, of_rank
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.workload import Cost, Workload
from coagent.world import Setting
from paper_figures import papers
from paper_figures.figure import Claim, Tables
from paper_figures.pool import mapped
from paper_figures.style import PAGE, one_line, shown
from workloads.contended import drawn_plan, one_conflict, workload

NAME, TITLE = "contention_crossover", "Where MTPO loses: reasoning length and conflict rate"
AGENTS, STEPS = 4, 4
THINK_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
CONFLICTS = tuple(tenth / 10 for tenth in range(11))
BASELINES = ("serial", "2pl", "occ")
FULL, QUICK = 20, 1
"""Seeds at each point of the map."""

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LINE_THINK_S = (2.0, 5.0, 15.0)
LINE_FULL, LINE_QUICK = 40, 6
CLOSE = 1.05
"""MTPO's wall time counts as naive's up to this ratio."""


def data(quick: bool, workers: int) -> Tables:
    """The map (mean ratios by think time, conflict rate and baseline), its crossovers, and the line's points."""
    seeds = range(1, 1 + (QUICK if quick else FULL))
    points = [(think_s, conflict) for think_s in THINK_S for conflict in CONFLICTS]
    runs = mapped(_contended, [(*point, seed) for point in points for seed in seeds], workers)
    grid = [
        {"think_s": think_s, "conflict": conflict, "baseline": name, **_compared(some, name)}
        for at, (think_s, conflict) in enumerate(points)
        for some in [runs[at * len(seeds) : (at + 1) * len(seeds)]]
        for name in BASELINES
    ]
    table = polars.DataFrame(grid, infer_schema_length=None)
    return {"map": table, "crossover": _crossovers(table), "line": _line(quick, workers)}


def draw(tables: Tables) -> Figure:
    """Three maps side by side, and the line below them."""
    figure = Figure(figsize=(PAGE, 5.0), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    axes = above.subplots(1, len(BASELINES), sharey=True)
    most = max(2.0, tables["map"]["speedup"].max())
    norm = TwoSlopeNorm(vcenter=0.0, vmin=-np.log2(most), vmax=np.log2(most))
    for ax, name in zip(axes, BASELINES, strict=True):
        mesh = _map(ax, tables["map"].filter(polars.col("baseline") == name), norm)
        ax.set_title(f"MTPO over {shown(name)}", loc="left")
        ax.set_xlabel("seconds of an inference")
    axes[0].set_ylabel("share of steps on the shared object")
    ticks = [one for one in (0.25, 0.5, 1, 2, 4, 8) if 1 / most <= one <= most]
    bar = above.colorbar(mesh, ax=axes, ticks=np.log2(ticks), pad=0.015, aspect=25)
    bar.ax.set_yticklabels([f"{one:g}x" for one in ticks])
    bar.ax.grid(visible=False)
    bar.set_label("speedup of MTPO")
    _draw_line(below.subplots(), tables["line"])
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    seeds, line = tables["map"]["seeds"].max(), tables["line"]["seeds"].max()
    judge_s = Cost().judge_s
    return (
        f"Simulated agents. Above: {AGENTS} agents of {STEPS} steps, a step being a read and a write of one object; "
        f"geometric mean of {seeds} seeds at each point. To judge a notice takes {judge_s:g} s whatever an inference "
        f"takes, and a tool {Cost().tool_s:g} s. Blue: MTPO is faster; black line: as fast; grey dots: the baseline "
        "gives up in more than half of the seeds, and what is left of it is no measure; seeds count only where both do "
        f"the work. Below: two agents with one step each on a shared object, mean (line) and middle 90 % (band) of "
        f"{line} seeds; a step is two inferences and the report is one."
    )


def _contended(task: tuple[float, float, int]) -> dict[str, tuple[float, bool]]:
    """Seconds under each protocol, and whether the work was done, at (think_s, conflict, seed)."""
    think_s, conflict, seed = task
    given = workload(drawn_plan(AGENTS, STEPS, conflict=conflict, seed=seed), think_s=think_s)
    return {name: _ran(given, name, seed) for name in ("mtpo", *BASELINES)}


def _ran(given: Workload, name: str, seed: int) -> tuple[float, bool]:
    run = simulate(Setting(workload=given, protocol=protocol(name), seed=seed), Clock(given.cost.tool_s))
    gave_up = any(one.gave_up for one in run.world.actors.values())
    return run.seconds, run.quiescent and not gave_up and given.invariant(run.final_state, run.reports)


def _compared(runs: list[dict[str, tuple[float, bool]]], name: str) -> dict[str, float | None]:
    """Over seeds: MTPO's mean speedup over a baseline where both do the work, and how often each does."""
    ratios = [one[name][0] / one["mtpo"][0] for one in runs if one[name][1] and one["mtpo"][1]]
    return {
        "seeds": len(runs),
        "speedup": geometric_mean(ratios) if ratios else None,
        "done": sum(one[name][1] for one in runs) / len(runs),
        "mtpo_done": sum(one["mtpo"][1] for one in runs) / len(runs),
    }


def _crossovers(table: polars.DataFrame) -> polars.DataFrame:
    """By think time and baseline, the lowest conflict rate from which MTPO is slower; null where it never is."""
    rows = []
    for (name, think_s), some in table.group_by("baseline", "think_s", maintain_order=True):
        usable = some.filter(polars.col("done") >= 0.5).sort("conflict")
        rows.append({"baseline": name, "think_s": think_s, "conflict": _crossing(usable)})
    return polars.DataFrame(rows, schema={"baseline": str, "think_s": float, "conflict": float})


def _crossing(points: polars.DataFrame) -> float | None:
    """Where the logarithm of the speedup falls below 0, between points on a straight line."""
    before = None
    for conflict, speedup in points.select("conflict", "speedup").iter_rows():
        height = float(np.log2(speedup))
        if height < 0:
            return conflict if before is None else before[0] + (conflict - before[0]) * before[1] / (before[1] - height)
        before = conflict, height
    return None


def _line(quick: bool, workers: int) -> polars.DataFrame:
    """MTPO's wall time over naive's for two agents with one conflict, by the number of inferences of each."""
    seeds = range(1, 1 + (LINE_QUICK if quick else LINE_FULL))
    points = [(think_s, steps) for think_s in LINE_THINK_S for steps in LENGTHS]
    ratios = mapped(_one_conflict, [(*point, seed) for point in points for seed in seeds], workers)
    rows = []
    for at, (think_s, steps) in enumerate(points):
        some = np.array(ratios[at * len(seeds) : (at + 1) * len(seeds)])
        low, middle, high = np.quantile(some, (0.05, 0.5, 0.95))
        point = {"think_s": think_s, "inferences": 2 * steps + 1, "seeds": len(seeds)}
        rows.append({**point, "ratio": float(middle), "low": float(low), "high": float(high), "mean": some.mean()})
    return polars.DataFrame(rows)


def _one_conflict(task: tuple[float, int, int]) -> float:
    think_s, steps, seed = task
    given = workload(one_conflict(steps, seed=seed), think_s=think_s)
    return _ran(given, "mtpo", seed)[0] / _ran(given, "naive", seed)[0]


def never_slower_from(crossover: polars.DataFrame, baseline: str) -> float | None:
    """The least think time, in seconds, from which on MTPO is slower at no conflict rate; None when there is none."""
    found = None
    for think_s, conflict in crossover.filter(polars.col("baseline") == baseline).select("think_s", "conflict").rows():
        found = None if conflict is not None else think_s if found is None else found
    return found


def close_from(line: polars.DataFrame, think_s: float) -> int | None:
    """The fewest inferences an agent from which on the mean ratio stays within `CLOSE`; None when it does not."""
    rows = line.filter(polars.col("think_s") == think_s).sort("inferences").rows(named=True)
    far = [at for at, row in enumerate(rows) if row["mean"] > CLOSE]
    after = far[-1] + 1 if far else 0
    return rows[after]["inferences"] if after < len(rows) else None


def _map(ax: Axes, table: polars.DataFrame, norm: TwoSlopeNorm) -> object:
    table = table.sort("conflict", "think_s")
    shape = (len(CONFLICTS), len(THINK_S))
    known = (table["done"] >= 0.5) & table["speedup"].is_not_null()
    height = np.ma.masked_array(np.log2(table["speedup"].fill_null(1.0).to_numpy()), mask=~known.to_numpy())
    height = height.reshape(shape)
    x, y = np.arange(len(THINK_S)), np.array(CONFLICTS)
    colours = LinearSegmentedColormap.from_list("crossover", (PROTOCOLS["naive"], PAPER, PROTOCOLS["mtpo"]))
    mesh = ax.pcolormesh(x, y, height, cmap=colours, norm=norm, shading="nearest", rasterized=True)
    gone = np.argwhere(height.mask) if height.mask.any() else np.empty((0, 2), int)
    ax.plot(x[gone[:, 1]], y[gone[:, 0]], ".", color=FAINT, markersize=2.5)
    # Without any conflict all are as fast as each other, and that is no crossover.
    ax.contour(x, y[1:], height[1:], levels=[0.0], colors=INK, linewidths=1.4)
    ax.set_xticks(x, [f"{one:g}" for one in THINK_S])
    ax.grid(visible=False)
    return mesh


def _draw_line(ax: Axes, line: polars.DataFrame) -> None:
    styles = ((0, (1, 1)), "-", (0, (4, 1.5)))
    for rank, (think_s, style) in enumerate(zip(LINE_THINK_S, styles, strict=True), 1):
        rows = line.filter(polars.col("think_s") == think_s)
        ax.fill_between(rows["inferences"], rows["low"], rows["high"], color=of_rank(rank), alpha=0.12, linewidth=0)
        ax.plot(
            rows["inferences"],
            rows["mean"],
            color=of_rank(rank),
            linestyle=style,
            marker="o",
            markersize=3,
            label=f"{think_s:g} s an inference",
        )
    one_line(ax, CLOSE, "5 %")
    ax.axhline(1.0, color=NOTICE, linewidth=0.8)
    ax.set_xscale("log")
    counts = [2 * steps + 1 for steps in LENGTHS]
    ax.set_xticks(counts, [str(one) for one in counts], minor=False)
    ax.minorticks_off()
    ax.set_xlabel("inferences of each agent")
    ax.set_ylabel("wall time, MTPO over naive")
    ax.set_title("One conflict between two agents: MTPO's wall time comes down to naive's", loc="left")
    ax.legend(loc="upper right")


def _never_slower(baseline: str) -> Claim:
    return Claim(
        what=f"MTPO is slower than {shown(baseline)} at no conflict rate, when an inference takes at least",
        ours=lambda tables: _seconds(never_slower_from(tables["crossover"], baseline)),
        why=lambda tables: f"a repair's judgement takes {Cost().judge_s:g} s; below, it costs as much as what it saves",
    )


def _slower_from(baseline: str) -> Claim:
    return Claim(
        what=f"with inferences of {THINK_S[1]:g} s, MTPO is slower than {shown(baseline)} from a conflict rate of",
        ours=lambda tables: _rate(tables["crossover"], baseline, THINK_S[1]),
        why=lambda tables: f"{AGENTS} agents of {STEPS} steps; its worst point is {_worst(tables, baseline)}",
    )


def _close(think_s: float) -> Claim:
    times = papers.SPEEDUP["naive"] / papers.SPEEDUP["mtpo"] - 1
    return Claim(
        what=f"inferences an agent, {think_s:g} s each, from which MTPO is at most {CLOSE - 1:.0%} slower than naive",
        papers=f"(MTPO {times:.0%} slower on their ten workloads)",
        ours=lambda tables: _count(tables["line"], think_s),
        why=lambda tables: "one conflict, whose repair is a judgement or two however long the run is",
    )


def _seconds(found: float | None) -> str:
    return f"{found:g} s" if found is not None else f"more than {THINK_S[-1]:g} s"


def _rate(crossover: polars.DataFrame, baseline: str, think_s: float) -> str:
    rows = crossover.filter((polars.col("baseline") == baseline) & (polars.col("think_s") == think_s))
    found = rows["conflict"].item()
    return "none" if found is None else f"{found:.2f}" if found else "any above 0"


def _count(line: polars.DataFrame, think_s: float) -> str:
    found = close_from(line, think_s)
    return f"more than {line['inferences'].max()}" if found is None else str(found)


def _worst(tables: Tables, baseline: str) -> str:
    rows = tables["map"].filter((polars.col("baseline") == baseline) & (polars.col("done") >= 0.5))
    row = rows.sort("speedup").row(0, named=True)
    return f"{row['speedup']:.2f}x, at {row['think_s']:g} s and {row['conflict']:g}"


CLAIMS = (
    *(one(name) for name in BASELINES for one in (_never_slower, _slower_from)),
    *map(_close, LINE_THINK_S),
)
