"""Figure (g): what the choice of ranks is worth under MTPO, by rules that know agents' solo runs, beside all orders."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations
from random import Random

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from coagent.palette import FAINT, INK, PAPER, of_rank
from coagent.protocols import protocol
from coagent.ranking import RANKS, ordered
from coagent.simulate import Clock, simulate
from coagent.workload import Workload
from coagent.world import Setting
from paper_figures.figure import Claim, Tables
from paper_figures.papers import CELLS
from paper_figures.pool import mapped
from paper_figures.style import PAGE
from workloads import workload
from workloads.contended import uneven_plan
from workloads.contended import workload as contended

NAME, TITLE = "rank_choice", "The choice of ranks"
UNEVEN, CONFLICT, THINK_S = "uneven", 0.3, 5.0
WORKLOADS = tuple((cell, 2) for cell in CELLS) + tuple((name, many) for many in (3, 4, 8) for name in ("chain", UNEVEN))
"""Names and numbers of agents; `uneven` are agents of 1 to n steps, the longest launched first, of `contended`."""

MOST_ORDERED, SAMPLE = 4, 24
"""Up to so many agents all orders are run, above it a sample of so many."""

FULL, QUICK = 30, 2
"""Seeds of each workload."""

SHOWN = {
    "launch": ("as launched", "s"),
    "shortest-first": ("shortest first", "^"),
    "critical-path": ("critical path first", "D"),
    "fewest-conflicts": ("fewest predicted conflicts", "o"),
}
GROUND = "#f4f4f4"
NOTICES = (0, 1, 2, 3, 4, 10, 20, 40)
MEASURES = ("seconds", "notices", "undos", "tokens")


def data(quick: bool, workers: int) -> Tables:
    """Means over seeds: of each order by workload, and of what each rule chose."""
    seeds = range(1, 1 + (QUICK if quick else FULL))
    tasks = [(name, agents, seed) for name, agents in WORKLOADS for seed in seeds]
    found = mapped(_orders, tasks, workers)
    orders, ranks = [], []
    for place, (name, agents) in enumerate(WORKLOADS):
        some = found[place * len(seeds) : (place + 1) * len(seeds)]
        key = {"workload": name, "agents": agents}
        means = [{**key, "order": order, **_means([runs[order] for _, runs in some])} for order in _tried(agents)]
        ruled = [{**key, "rank": rank, **_means([runs[chosen[rank]] for chosen, runs in some])} for rank in RANKS]
        best = min(one["seconds"] for one in (*means, *ruled))
        orders += [{**one, "over_best": one["seconds"] / best} for one in means]
        ranks += [{**one, "over_best": one["seconds"] / best} for one in ruled]
    return {"orders": polars.DataFrame(orders), "ranks": polars.DataFrame(ranks)}


def draw(tables: Tables) -> Figure:
    """Two panels with a row for each workload: time over the best order's, and notices."""
    figure = Figure(figsize=(PAGE, 6.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _rows(left, tables, "over_best")
    left.axvline(1.0, color=FAINT, linewidth=0.8)
    left.set_xlabel("wall time over that of the best order tried")
    left.set_title("Time", loc="left")
    _rows(right, tables, "notices")
    right.set_xscale("symlog", linthresh=4, linscale=1.6)
    right.set_xticks(NOTICES, [str(one) for one in NOTICES])
    right.xaxis.set_minor_locator(NullLocator())
    right.set_xlim(left=-0.3)
    right.set_xlabel("notices a run")
    right.set_title("Notices", loc="left")
    labels = [f"{name.partition('-')[0]}, {agents} agents" for name, agents in WORKLOADS]
    left.set_yticks(range(len(WORKLOADS), 0, -1), labels)
    left.set_ylim(0.4, len(WORKLOADS) + 0.6)
    figure.legend(handles=_legend(), loc="outside upper center", ncols=5, columnspacing=1.0, handletextpad=0.3)
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    seeds = tables["ranks"]["seeds"].max()
    return (
        f"Simulated agents under MTPO, perfect judges, mean of {seeds} seeds. Grey strokes: every order of up to "
        f"{MOST_ORDERED} agents, {SAMPLE} random ones of more, each the same in all seeds. The rules know each agent's "
        "solo run on the state at the start, and no more. Uneven: agents of 1 to n steps, the longest launched first, "
        f"{100 * CONFLICT:.0f} % of the steps on a shared object, {THINK_S:g} s an inference, other steps in each seed."
    )


def _orders(task: tuple[str, int, int]) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """What each rule chooses for (workload, agents, seed), and what came of that and of every order tried."""
    name, agents, seed = task
    chosen = _chosen(name, agents, seed if name == UNEVEN else 0)
    given = _workload(name, agents, seed)
    return chosen, {order: _ran(ordered(given, order), seed) for order in sorted({*_tried(agents), *chosen.values()})}


@lru_cache
def _chosen(name: str, agents: int, seed: int) -> dict[str, str]:
    given = _workload(name, agents, seed)
    numbers = {one.name: str(number) for number, one in enumerate(given.agents, 1)}
    return {rank: ",".join(numbers[one.name] for one in ordered(given, rank).agents) for rank in RANKS}


def _workload(name: str, agents: int, seed: int) -> Workload:
    if name == UNEVEN:
        return contended(uneven_plan(agents, conflict=CONFLICT, seed=seed), think_s=THINK_S)
    return workload(name, agents=None if name in CELLS else agents)


def _tried(agents: int) -> list[str]:
    return [",".join(map(str, order)) for order in _tried_orders(agents)]


def _tried_orders(agents: int) -> Iterator[tuple[int, ...]]:
    numbers = range(1, agents + 1)
    if agents <= MOST_ORDERED:
        yield from permutations(numbers)
        return
    draw = Random("orders")
    yield from (tuple(draw.sample(numbers, agents)) for _ in range(SAMPLE))


def _ran(given: Workload, seed: int) -> dict[str, float]:
    run = simulate(Setting(workload=given, protocol=protocol("mtpo"), seed=seed), Clock(given.cost.tool_s))
    tokens = sum(
        one["prompt_tokens"] + one["cached_tokens"] + one["output_tokens"] for one in run.history.of("inferred")
    )
    return {
        "seconds": run.seconds,
        "notices": sum(1 for _ in run.history.of("notify")),
        "undos": sum(1 for _ in run.history.of("undo")),
        "tokens": tokens,
        "holds": run.quiescent and given.invariant(run.final_state, run.reports),
    }


def _means(some: list[dict[str, float]]) -> dict[str, float]:
    means = {measure: sum(one[measure] for one in some) / len(some) for measure in (*MEASURES, "holds")}
    return {"seeds": len(some), **means}


def _rows(ax: Axes, tables: Tables, column: str) -> None:
    for place, (name, agents) in enumerate(WORKLOADS):
        y = len(WORKLOADS) - place
        if place % 2:
            ax.axhspan(y - 0.5, y + 0.5, color=GROUND, linewidth=0, zorder=0)
        here = (polars.col("workload") == name) & (polars.col("agents") == agents)
        for value in tables["orders"].filter(here)[column]:
            ax.plot([value, value], [y - 0.36, y + 0.36], color=FAINT, linewidth=0.7, alpha=0.7, zorder=1)
        for at, rank in enumerate(RANKS):
            [value] = tables["ranks"].filter(here & (polars.col("rank") == rank))[column]
            ax.plot([value], [y + 0.27 - 0.18 * at], **_point(rank))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.tick_params(axis="y", length=0)


def _point(rank: str) -> dict[str, object]:
    number = list(RANKS).index(rank) + 1
    face = PAPER if rank == "launch" else of_rank(number)
    edge = INK if rank == "launch" else of_rank(number)
    return {
        "marker": SHOWN[rank][1],
        "markersize": 3.6,
        "markerfacecolor": face,
        "markeredgecolor": edge,
        "markeredgewidth": 0.8,
        "linestyle": "none",
        "zorder": 3,
    }


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=FAINT, linewidth=0.9, label="an order"),
        *(Line2D([], [], label=SHOWN[rank][0], **{**_point(rank), "markersize": 5}) for rank in RANKS),
    ]


def _over_best(ranks: polars.DataFrame, rank: str) -> float:
    """How much longer runs take than in the best order, on the mean of the workloads."""
    return ranks.filter(polars.col("rank") == rank)["over_best"].mean() - 1


def _rule(rank: str) -> Claim:
    return Claim(
        what=f"ranks {SHOWN[rank][0]}: wall time over the best order's, mean of {len(WORKLOADS)} workloads",
        papers="ranks are arbitrary" if rank == "launch" else "",
        ours=lambda tables: f"{100 * _over_best(tables['ranks'], rank):+.0f} %, {_least(tables, rank)}",
        why=lambda tables: f"{_notices(tables['ranks'], rank)} of the notices of launch order",
    )


def _least(tables: Tables, rank: str) -> str:
    rows = tables["ranks"].filter(polars.col("rank") == rank)
    return f"within 1 % of it in {(rows['over_best'] < 1.01).sum()} of {rows.height}"


def _notices(ranks: polars.DataFrame, rank: str) -> str:
    """The sum over workloads of mean notices, over that of launch order."""
    sums = {one: ranks.filter(polars.col("rank") == one)["notices"].sum() for one in (rank, "launch")}
    return f"{100 * sums[rank] / sums['launch']:.0f} %"


def _worst_order(tables: Tables) -> str:
    row = tables["orders"].sort("over_best", descending=True).row(0, named=True)
    return (
        f"{row['over_best']:.2f}x ({row['workload'].partition('-')[0]}, {row['agents']} agents, order {row['order']})"
    )


def _holds(tables: Tables) -> str:
    low = min(tables["orders"]["holds"].min(), tables["ranks"]["holds"].min())
    return "yes" if low == 1 else f"no, in {100 * low:.0f} % at worst"


CLAIMS = (
    *map(_rule, RANKS),
    Claim(
        what="the worst order of all, over the best of its workload",
        ours=_worst_order,
    ),
    Claim(what="the invariant holds in every order", papers="proved for any order", ours=_holds),
)
