"""Figure (f): 2 to 64 agents: speedup, correctness, notices, undo depth and tokens, by protocol, in four families."""

from collections.abc import Callable, Sequence
from math import log

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coagent.palette import INK, PAPER
from coagent.sweep import cases
from paper_figures.figure import Claim, Tables
from paper_figures.interval import of_means
from paper_figures.measured import measured
from paper_figures.style import PAGE, colour, one_line, point, shown

NAME, TITLE = "many_agents", "From 2 to 64 agents"
FAMILIES = ("slots", "blob", "balance", "chain")
PROTOCOLS = ("mtpo", "mtpo-reissue", "2pl", "occ")
FULL = {2: 40, 4: 40, 8: 20, 16: 10, 32: 5, 64: 3}
QUICK = {2: 3, 4: 3, 8: 2, 16: 1}
"""Seeds by number of agents."""

LARGE = 32
"""From so many agents on a number is measured by itself, so that long runs are spread over the workers."""

NOTICES = ("notices", "delivered", "relevant")
SURE = 5
"""Trials from which on an interval is drawn."""

LINES = {"mtpo": "-", "mtpo-reissue": (0, (4, 1.5)), "2pl": "-", "occ": "-"}
MEASURES = ("speedup", "tokens", *NOTICES, "undo_depth", "undos", "seconds")


def data(quick: bool, workers: int) -> Tables:
    """Means over seeds by family, number of agents and protocol; notices are counted per agent."""
    seeds = QUICK if quick else FULL
    small = [many for many in seeds if many < LARGE]
    parts = [small, *([many] for many in seeds if many >= LARGE)]
    rows = polars.concat([_rows(part, seeds, workers) for part in parts])
    found = []
    for (family, agents, name), some in rows.group_by("workload", "agents", "protocol", maintain_order=True):
        if name in PROTOCOLS:
            found.append({"family": family, "agents": agents, "protocol": name, **_means(some)})
    return {"means": polars.DataFrame(found)}


def draw(tables: Tables) -> Figure:
    """A column for each family, a row for each measure, over the number of agents."""
    figure = Figure(figsize=(PAGE, 7.6), layout="constrained")
    axes = figure.subplots(5, len(FAMILIES), sharex=True, sharey="row")
    for at, family in enumerate(FAMILIES):
        rows = tables["means"].filter(polars.col("family") == family)
        column = [line[at] for line in axes]
        column[0].set_title(family, loc="left")
        _by_protocol(column[0], rows, PROTOCOLS, "speedup")
        one_line(column[0], 1.0)
        _by_protocol(column[1], rows, PROTOCOLS, "passes")
        _notices(column[2], rows.filter(polars.col("protocol") == "mtpo"))
        _by_protocol(column[3], rows, PROTOCOLS[:2], "undo_depth")
        _by_protocol(column[4], rows, PROTOCOLS, "tokens")
        one_line(column[4], 1.0)
        column[4].set_xlabel("agents")
    _scales(axes, tables["means"]["agents"].unique().sort().to_list())
    axes[2][-1].legend(loc="upper left")
    figure.legend(handles=_legend(), loc="outside upper center", ncols=5, columnspacing=1.2, handletextpad=0.3)
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    seeds = tables["means"].group_by("agents").agg(polars.col("trials").max()).sort("agents").rows()
    trials = ", ".join(f"{trials} seed{'s' * (trials > 1)} at {agents}" for agents, trials in seeds)
    return (
        f"Simulated agents, perfect judges; means of {trials} agents, with 95 % intervals from {SURE} seeds on. "
        "Hollow: in some trial an agent gave up after five restarts, and time and tokens are of work not done. Notices "
        "are those of MTPO, per agent, after coalescing where read; relevant ones change what their reader does. Undo "
        "depth is the largest number of operations undone for one late write."
    )


def _rows(agents: Sequence[int], seeds: dict[int, int], workers: int) -> polars.DataFrame:
    """The trials of every family with these numbers of agents, with ratios to the serial trial of the same seed."""
    wanted = [
        case
        for many in agents
        for case in cases(
            FAMILIES, ("serial", *PROTOCOLS), trials=seeds[many], agents=(many,), check_every=seeds[many] + 1
        )
    ]
    rows = measured(wanted, workers)
    keys = ["workload", "agents", "seed"]
    base = rows.filter(polars.col("protocol") == "serial").select(*keys, serial_s="seconds", serial_tokens="tokens")
    return rows.join(base, on=keys, how="left", maintain_order="left")


def _means(some: polars.DataFrame) -> dict[str, float]:
    agents = polars.col("agents")
    some = some.with_columns(
        speedup=polars.col("serial_s") / polars.col("seconds"),
        tokens=polars.col("tokens") / polars.col("serial_tokens"),
        notices=polars.col("notifications") / agents,
        delivered=polars.col("delivered") / agents,
        relevant=(polars.col("delivered") - polars.col("irrelevant_notices")) / agents,
    )
    found: dict[str, float] = {"trials": some.height, "passes": 100 * some["passes"].mean()}
    for name in MEASURES:
        groups = [(some[name].mean(), some[name].std() or 0.0, some.height)]
        found |= zip((name, f"{name}_low", f"{name}_high"), of_means(groups), strict=True)
    return {**found, "gave_up": some["gave_up"].mean(), "restarts": some["restarts"].mean()}


def _by_protocol(ax: Axes, rows: polars.DataFrame, names: Sequence[str], column: str) -> None:
    for name in names:
        some = rows.filter(polars.col("protocol") == name).sort("agents")
        sound = some if column == "passes" else some.filter(polars.col("passes") == 100)
        ax.plot(sound["agents"], sound[column], color=colour(name), linestyle=LINES[name], linewidth=1.1)
        if column != "passes":
            sure = sound.filter(polars.col("trials") >= SURE)
            ax.vlines(sure["agents"], sure[f"{column}_low"], sure[f"{column}_high"], color=colour(name), linewidth=0.7)
        for agents, value, passes in zip(some["agents"], some[column], some["passes"], strict=True):
            whole = {} if passes == 100 else {"markerfacecolor": PAPER, "markeredgecolor": colour(name)}
            ax.plot([agents], [value], linestyle="none", **{**point(name), "markersize": 4, **whole})


def _notices(ax: Axes, rows: polars.DataFrame) -> None:
    for name, how in _notice_styles().items():
        ax.plot(rows["agents"], rows[name], **how)


def _notice_styles() -> dict[str, dict[str, object]]:
    hollow = {"color": colour("mtpo"), "markerfacecolor": PAPER, "linewidth": 1.1}
    return {
        "notices": {**hollow, "marker": "^", "markersize": 4, "linestyle": (0, (4, 1.5)), "label": "sent"},
        "delivered": {**hollow, "marker": "o", "markersize": 5.5, "linestyle": "-", "label": "read"},
        "relevant": {**hollow, "marker": ".", "markersize": 3.5, "linestyle": (0, (1, 1)), "label": "relevant"},
    }


def _scales(axes: Sequence[Sequence[Axes]], agents: list[int]) -> None:
    says = ("speedup over serial", "trials that pass", "notices an agent", "undo depth", "tokens over serial")
    for line, label in zip(axes, says, strict=True):
        line[0].set_ylabel(label)
        for ax in line:
            ax.set_xscale("log", base=2)
            ax.set_xticks(agents, [str(one) for one in agents])
            ax.minorticks_off()
            ax.set_xlim(agents[0] / 1.25, agents[-1] * 1.25)
    _plain_log(axes[0], (0.125, 0.25, 0.5, 1, 2, 4, 8, 16), lambda one: f"{one:g}x")
    _plain_log(axes[4], (1, 2, 4, 8, 16, 32, 64), lambda one: f"{one:g}x")
    _plain_log(axes[2], (0.25, 1, 4, 16, 64), lambda one: f"{one:g}")
    _plain_log(axes[3], (0.5, 1, 4, 16, 64), lambda one: f"{one:g}")
    for ax in axes[1]:
        ax.set_ylim(-5, 105)
        ax.yaxis.set_major_formatter("{x:.0f} %")


def _plain_log(line: Sequence[Axes], ticks: Sequence[float], says: Callable[[float], str]) -> None:
    for ax in line:
        low, high = ax.get_ylim()
        ax.set_yscale("log", base=2)
        kept = [one for one in ticks if max(low, ticks[0]) <= one <= 2 * high]
        ax.set_ylim(bottom=max(low, ticks[0] / 1.4))
        ax.set_yticks(kept, [says(one) for one in kept])
        ax.minorticks_off()


def _legend() -> list[Line2D]:
    lines = [
        Line2D([], [], label=shown(name), linestyle=LINES[name], **{**point(name), "markersize": 5})
        for name in PROTOCOLS
    ]
    empty = {"marker": "o", "markerfacecolor": PAPER, "markeredgecolor": INK, "linestyle": "none"}
    return [*lines, Line2D([], [], label="not all trials pass", **empty)]


def _row(tables: Tables, family: str, agents: int, name: str) -> dict[str, float]:
    key = {"family": family, "agents": agents, "protocol": name}
    return tables["means"].filter(*(polars.col(one) == value for one, value in key.items())).row(0, named=True)


def _most(tables: Tables) -> int:
    return tables["means"]["agents"].max()


def growth(means: polars.DataFrame, family: str, column: str) -> float:
    """The power of N with which MTPO's notices an agent grow, from the last number of agents but two to the last."""
    rows = means.filter((polars.col("family") == family) & (polars.col("protocol") == "mtpo")).sort("agents")
    (few, low), (many, high) = (rows.select("agents", column).row(at) for at in (-3, -1))
    return log(high / low) / log(many / few)


def _speedups(name: str, agents: int | None) -> Claim:
    where = "as many agents as were run" if agents is None else f"{agents} agents"
    return Claim(
        what=f"speedup over serial with {where}, {shown(name)}: {', '.join(FAMILIES)}",
        papers="two agents only",
        ours=lambda tables: ", ".join(_speedup(tables, family, agents or _most(tables), name) for family in FAMILIES),
        why=lambda tables: f"{agents or _most(tables)} agents",
    )


def _speedup(tables: Tables, family: str, agents: int, name: str) -> str:
    row = _row(tables, family, agents, name)
    return f"{row['speedup']:.2g}x" if row["passes"] == 100 else f"({row['passes']:.0f} % pass)"


def _all_pass_up_to(name: str) -> Claim:
    def ours(tables: Tables) -> str:
        rows = tables["means"].filter((polars.col("protocol") == name) & (polars.col("passes") == 100))
        most = dict(rows.group_by("family").agg(polars.col("agents").max()).rows())
        return ", ".join(str(most.get(family, "none")) for family in FAMILIES)

    return Claim(
        what=f"all trials pass up to so many agents, {shown(name)}: {', '.join(FAMILIES)}",
        ours=ours,
        why=lambda tables: "" if name.startswith("mtpo") else "an agent gives up after five restarts",
    )


def _notices_sent(tables: Tables) -> str:
    row = _row(tables, "slots", _most(tables), "mtpo")
    return f"{row['notices']:.0f} sent and {row['delivered']:.0f} read an agent, {row['relevant']:.0f} of them relevant"


def _depth(tables: Tables) -> str:
    depths = [_row(tables, "blob", _most(tables), name)["undo_depth"] for name in PROTOCOLS[:2]]
    return f"{depths[0]:.0f} with replay, {depths[1]:.0f} with reissue"


CLAIMS = (
    *(_speedups(name, agents) for agents in (8, None) for name in PROTOCOLS[:2]),
    *map(_all_pass_up_to, PROTOCOLS),
    Claim(
        what="notices in slots with as many agents as were run",
        ours=_notices_sent,
        why=lambda tables: (
            f"{_most(tables)} agents; what an agent reads grows as N to the power "
            f"{growth(tables['means'], 'slots', 'delivered'):.1f}, what it is sent as N to the power "
            f"{growth(tables['means'], 'slots', 'notices'):.1f}"
        ),
    ),
    Claim(
        what="undo depth in blob with as many agents as were run",
        ours=_depth,
        why=lambda tables: (
            "each late write of the one value undoes all above it; replay does them again with what was wrong in them, "
            "and every agent above repairs after every repair below it"
        ),
    ),
)
