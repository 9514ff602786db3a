"""Figure (e): correctness, time and tokens against the judge's error rate, misses and over-repairs apart; cascades."""

import polars
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coagent.palette import of_rank
from coagent.sweep import cases
from paper_figures import papers
from paper_figures.figure import Claim, Tables
from paper_figures.interval import of_means, wilson
from paper_figures.measured import measured
from paper_figures.style import PAGE, colour, papers_point, shown
from paper_figures.summary import paired

NAME, TITLE = "judge_errors", "Judges that err"
RATES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
OVER_RATES = (0.0, 0.05, 0.1, 0.2, 0.3)
LINES = (("mtpo", "miss"), ("mtpo", "over"), ("mtpo-footprint", "over"))
"""Protocols and kinds of error. A notice that changes something is answered by a repair, which nothing can overdo:
`mtpo` sends no other, `mtpo-footprint` does."""

REFERENCES = ("serial", "naive", "2pl", "occ")
FULL, QUICK = 50, 3
"""Seeds of each cell at each rate."""

FAMILIES, AGENTS = ("chain", "slots"), (2, 4, 8, 16)
CASCADE_RATES = (0.0, 0.05, 0.1, 0.2, 0.3)
CASCADE_FULL, CASCADE_QUICK = 100, 3
WORDS = ("misses", "over-repairs", "over-repairs, notices by footprint")
MEASURES = ("speedup", "tokens_ratio")


def data(quick: bool, workers: int) -> Tables:
    """By kind of error and rate the ten cells' means; the other protocols' beside; the families by agents and rate."""
    many = QUICK if quick else FULL
    more = {"trials": many, "check_every": many + 1, "irrelevant": (True,)}
    wanted = [
        *cases(papers.CELLS, REFERENCES, **more),
        *cases(papers.CELLS, ["mtpo"], miss=RATES, **more),
        *cases(papers.CELLS, ["mtpo"], over=OVER_RATES[1:], **more),
        *cases(papers.CELLS, ["mtpo-footprint"], over=OVER_RATES, **more),
    ]
    rows = paired(measured(wanted, workers))
    rates = []
    for name, kind in LINES:
        other = "over" if kind == "miss" else "miss"
        some = rows.filter((polars.col("protocol") == name) & (polars.col(other) == 0.0))
        rates += [
            {"protocol": name, "kind": kind, "rate": rate, **_summed(some.filter(polars.col(kind) == rate))}
            for rate in (RATES if kind == "miss" else OVER_RATES)
        ]
    others = [{"protocol": name, **_summed(rows.filter(polars.col("protocol") == name))} for name in REFERENCES]
    tables = {"rates": polars.DataFrame(rates), "references": polars.DataFrame(others)}
    return {**tables, "cascades": _cascades(quick, workers)}


def draw(tables: Tables) -> Figure:
    """Above, correctness, time and tokens of the cells; below, the two families and what a miss comes to in each."""
    figure = Figure(figsize=(PAGE, 4.9), layout="constrained")
    above, below = figure.subfigures(2, 1)
    columns = ("correct", "speedup", "tokens_ratio")
    titles = ("Correct, ten cells", "Speedup over serial", "Tokens over serial")
    theirs = (papers.CORRECT_PERCENT["mtpo"], papers.SPEEDUP["mtpo"], papers.TOKENS["mtpo"])
    for ax, column, title, their in zip(above.subplots(1, 3), columns, titles, theirs, strict=True):
        _rates(ax, tables["rates"], column)
        _references(ax, tables["references"], column)
        ax.plot([100 * papers.MISJUDGED], [their], **papers_point(), label="the papers' MTPO", zorder=4)
        ax.set_title(title, loc="left")
        ax.set_xlabel("error rate, %")
        if column == "correct":
            ax.yaxis.set_major_formatter("{x:.0f} %")
            ax.set_ylim(top=101.5)
            above.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    axes = below.subplots(1, 3)
    for ax, family in zip(axes, FAMILIES, strict=False):
        _by_agents(ax, tables["cascades"].filter(polars.col("family") == family))
        ax.set_title(f"Correct, {family}", loc="left")
        ax.set_xlabel("misses, %")
    _at_papers_rate(axes[2], tables["cascades"])
    for ax in axes:
        ax.yaxis.set_major_formatter("{x:.0f} %")
        ax.set_ylim(-4, 104)
    below.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(AGENTS))
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    trials = tables["rates"]["trials"].max() // len(papers.CELLS)
    return (
        f"Simulated agents. Above: the ten cells under MTPO, each with an irrelevant write, {trials} seeds each, by "
        "the share of notices that a judge overlooks (misses) or answers with a needless redo of its next write "
        "(over-repairs); correct: state and reports are those of a serial order. Thin lines: the other protocols, "
        f"which send no notices. Below: 2 to {max(AGENTS)} agents, {tables['cascades']['trials'].max()} seeds "
        "each; correct: the invariant holds. Dashed: what there would be if each notice with news, once missed, spoilt "
        "the run. Bands and bars are 95 % intervals."
    )


def _summed(rows: polars.DataFrame) -> dict[str, float]:
    """Over cells: the share of serial outcomes in percent, and the mean ratios to serial, each with its interval."""
    hits = int(rows["serial_outcome"].fill_null(False).sum())
    low, high = wilson(hits, rows.height)
    shares = {"correct": hits / rows.height, "correct_low": low, "correct_high": high}
    found = {"trials": rows.height, **{name: 100 * share for name, share in shares.items()}}
    for column in MEASURES:
        groups = [cell[column].drop_nulls() for cell in rows.partition_by("workload", maintain_order=True)]
        spreads = [(one.mean(), one.std() or 0.0, len(one)) for one in groups if len(one)]
        found |= zip((column, f"{column}_low", f"{column}_high"), of_means(spreads), strict=True)
    return {**found, "delivered": rows["delivered"].mean(), "undos": rows["undos"].mean()}


def _cascades(quick: bool, workers: int) -> polars.DataFrame:
    many = CASCADE_QUICK if quick else CASCADE_FULL
    wanted = cases(FAMILIES, ["mtpo"], trials=many, agents=AGENTS, miss=CASCADE_RATES, check_every=many + 1)
    rows = measured(wanted, workers).with_columns(news=polars.col("delivered") - polars.col("irrelevant_notices"))
    found = []
    for (family, agents), some in rows.group_by("workload", "agents", maintain_order=True):
        news = some.filter(polars.col("miss") == 0.0)["news"].to_numpy()
        for rate in CASCADE_RATES:
            here = some.filter(polars.col("miss") == rate)
            hits = int((here["invariant"].fill_null(False) & here["quiescent"]).sum())
            low, high = wilson(hits, here.height)
            shares = {"correct": hits / here.height, "correct_low": low, "correct_high": high}
            shares["expected"] = float(((1.0 - rate) ** news).mean())
            percent = {name: 100 * share for name, share in shares.items()}
            key = {"family": family, "agents": agents, "miss": rate, "trials": here.height}
            found.append({**key, **percent, "news": float(news.mean())})
    return polars.DataFrame(found)


def _rates(ax: Axes, table: polars.DataFrame, column: str) -> None:
    styles = ("-", (0, (4, 1.5)), (0, (1, 1)))
    for rank, ((name, kind), says, marker, style) in enumerate(zip(LINES, WORDS, "o^s", styles, strict=True), 1):
        rows = _line(table, name, kind)
        x = 100 * rows["rate"]
        ax.fill_between(x, rows[f"{column}_low"], rows[f"{column}_high"], color=of_rank(rank), alpha=0.15, linewidth=0)
        ax.plot(x, rows[column], color=of_rank(rank), marker=marker, markersize=4, linestyle=style, label=says)


def _line(table: polars.DataFrame, name: str, kind: str) -> polars.DataFrame:
    return table.filter((polars.col("protocol") == name) & (polars.col("kind") == kind)).sort("rate")


def _references(ax: Axes, references: polars.DataFrame, column: str) -> None:
    """The other protocols' values as lines, where they lie near MTPO's."""
    named = {"correct": {"2pl": "2PL,\nOCC"}, "speedup": {"naive": "naive", "2pl": "2PL", "occ": "OCC"}}
    for name, says in named.get(column, {"2pl": "2PL", "occ": "OCC"}).items():
        value = references.filter(polars.col("protocol") == name)[column].item()
        ax.axhline(value, color=colour(name), linewidth=0.9, zorder=0.5)
        where = {"xytext": (3, 0), "textcoords": "offset points", "va": "center", "ha": "left"}
        ax.annotate(says, (1, value), xycoords=("axes fraction", "data"), color=colour(name), fontsize=7, **where)


def _by_agents(ax: Axes, rows: polars.DataFrame) -> None:
    for rank, (agents, marker) in enumerate(zip(AGENTS, "o^sD", strict=True), 1):
        some = rows.filter(polars.col("agents") == agents)
        spread = (some["correct"] - some["correct_low"], some["correct_high"] - some["correct"])
        how = {"color": of_rank(rank), "marker": marker, "markersize": 4, "elinewidth": 0.7}
        ax.errorbar(100 * some["miss"] + 0.25 * (rank - 2.5), some["correct"], spread, label=f"{agents} agents", **how)


def _at_papers_rate(ax: Axes, cascades: polars.DataFrame) -> None:
    rows = cascades.filter(polars.col("miss") == papers.MISJUDGED)
    for rank, (family, marker) in enumerate(zip(FAMILIES, "os", strict=True), 5):
        some = rows.filter(polars.col("family") == family)
        spread = (some["correct"] - some["correct_low"], some["correct_high"] - some["correct"])
        ax.errorbar(
            some["agents"], some["correct"], yerr=spread, color=of_rank(rank), marker=marker, markersize=4, label=family
        )
        ax.plot(some["agents"], some["expected"], color=of_rank(rank), linestyle=(0, (4, 1.5)), linewidth=0.9)
    ax.set_xscale("log", base=2)
    ax.set_xticks(AGENTS, [str(one) for one in AGENTS])
    ax.minorticks_off()
    ax.set_xlabel("agents")
    ax.set_title(f"Correct, {100 * papers.MISJUDGED:.0f} % missed", loc="left")
    ax.legend(loc="lower left")


def _rate(tables: Tables, name: str, kind: str, rate: float) -> dict[str, float]:
    return _line(tables["rates"], name, kind).filter(polars.col("rate") == rate).row(0, named=True)


def falls_to(rates: polars.DataFrame, percent: float) -> float | None:
    """The miss rate, between points on a straight line, at which correctness falls below so much; None: nowhere."""
    before = None
    for rate, correct in rates.filter(polars.col("kind") == "miss").sort("rate").select("rate", "correct").rows():
        if correct < percent:
            return (
                rate
                if before is None
                else before[0] + (rate - before[0]) * (before[1] - percent) / (before[1] - correct)
            )
        before = rate, correct
    return None


def _falls(tables: Tables) -> str:
    found = falls_to(tables["rates"], papers.CORRECT_PERCENT["mtpo"])
    return f"above {100 * max(RATES):.0f} %" if found is None else f"{100 * found:.0f} %"


def _cascade(family: str, agents: int) -> Claim:
    def row(tables: Tables) -> dict[str, float]:
        key = {"family": family, "agents": agents, "miss": papers.MISJUDGED}
        return tables["cascades"].filter(*(polars.col(name) == value for name, value in key.items())).row(0, named=True)

    return Claim(
        what=f"correct, {family} of {agents} agents, {100 * papers.MISJUDGED:.0f} % missed",
        papers="two agents only",
        ours=lambda tables: f"{row(tables)['correct']:.0f} %",
        why=lambda tables: (
            f"{row(tables)['news']:.0f} notices with news a run; were each needed, it would be "
            f"{row(tables)['expected']:.0f} %"
        ),
    )


def _spoiled(tables: Tables) -> str:
    row = _rate(tables, "mtpo", "miss", papers.MISJUDGED)
    return (
        f"{row['delivered']:.1f} notices a trial are consumed, and not every miss shows in the end; serial agents fail "
        f"in {100 - papers.CORRECT_PERCENT['serial']} % of the papers' trials, and in none of ours"
    )


def _from_to(tables: Tables, name: str, column: str) -> str:
    low, high = (_rate(tables, name, "over", rate)[column] for rate in (0.0, max(RATES)))
    return f"{low:.2f} to {high:.2f}"


def _over(name: str) -> Claim:
    def more(tables: Tables) -> float:
        few, many = (_rate(tables, name, "over", rate)["undos"] for rate in (0.0, max(RATES)))
        return many - few

    return Claim(
        what=f"{shown(name)}: speedup and tokens over serial, from no over-repair to {100 * max(RATES):.0f} %",
        ours=lambda tables: ", ".join(_from_to(tables, name, column) for column in MEASURES),
        why=lambda tables: (
            f"{more(tables):.2f} undos more a trial: only what was written before an irrelevant notice is read can be "
            "redone, and most agents write last"
        ),
    )


CLAIMS = (
    Claim(
        what=f"MTPO correct, {100 * papers.MISJUDGED:.0f} % of the notices missed",
        papers=f"{papers.CORRECT_PERCENT['mtpo']} %",
        ours=lambda tables: f"{_rate(tables, 'mtpo', 'miss', papers.MISJUDGED)['correct']:.1f} %",
        why=_spoiled,
    ),
    Claim(
        what="miss rate at which our MTPO is no more often correct than the papers'",
        papers=f"{100 * papers.MISJUDGED:.0f} %",
        ours=_falls,
    ),
    Claim(
        what=f"MTPO correct, {100 * max(RATES):.0f} % missed",
        ours=lambda tables: f"{_rate(tables, 'mtpo', 'miss', max(RATES))['correct']:.0f} %",
    ),
    Claim(
        what=f"MTPO correct, {100 * max(RATES):.0f} % over-repaired, by change and by footprint",
        ours=lambda tables: " and ".join(
            f"{_rate(tables, name, 'over', max(RATES))['correct']:.0f} %" for name, kind in LINES if kind == "over"
        ),
        why=lambda tables: "a needless redo is slotted in like any write, and costs only time and tokens",
    ),
    *(_over(name) for name, kind in LINES if kind == "over"),
    *(_cascade(family, agents) for family in FAMILIES for agents in (AGENTS[0], AGENTS[-1])),
)
