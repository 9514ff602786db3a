"""Figure (c): the papers' case study on the clock under four protocols, the papers' event times below each lane."""

import polars
from matplotlib.figure import Figure

from coagent.protocols import protocol
from coagent.running import counts
from coagent.simulate import Clock, simulate
from coagent.world import Setting
from paper_figures import papers
from paper_figures.figure import Claim, Tables
from paper_figures.style import PAGE, colour, shown
from paper_figures.timeline import draw_lanes, frame, legend_entries, strokes
from workloads import workload

NAME, TITLE = "canary_timelines", "The canary, event by event"
PROTOCOLS = ("naive", "2pl", "occ", "mtpo")
KINDS = ("think", "blocked", "read", "write", "notice", "consume", "undo", "repair", "abort", "commit")


def data(quick: bool, workers: int) -> Tables:
    """The strokes of each run at seed 0, the papers' events, and the sums; the same in both profiles."""
    found, theirs, sums = [], [], []
    for name in ("serial", *PROTOCOLS):
        given = workload("k2-canary")
        outcome = simulate(Setting(workload=given, protocol=protocol(name)), Clock(given.cost.tool_s))
        counted = counts(outcome.history.records, given.cost)
        right = given.invariant(outcome.final_state, outcome.reports)
        sums.append((name, right, outcome.seconds, counted.tokens, counted.notifications, papers.CANARY_SECONDS[name]))
        if name in PROTOCOLS:
            found.append(strokes(outcome.history).insert_column(0, polars.lit(name).alias("protocol")))
            events = frame([(*event, "") for event in papers.events(name)])
            theirs.append(events.insert_column(0, polars.lit(name).alias("protocol")).drop("source"))
    columns = ["protocol", "right", "seconds", "tokens", "notices", "papers_seconds"]
    return {
        "strokes": polars.concat(found),
        "papers": polars.concat(theirs),
        "sums": polars.DataFrame(sums, schema=columns, orient="row"),
    }


def draw(tables: Tables) -> Figure:
    """Four panels over one time axis."""
    figure = Figure(figsize=(PAGE, 5.4), layout="constrained")
    axes = figure.subplots(len(PROTOCOLS), 1, sharex=True)
    for ax, name in zip(axes, PROTOCOLS, strict=True):
        [row] = tables["sums"].filter(polars.col("protocol") == name).iter_rows(named=True)
        draw_lanes(ax, _of(tables["strokes"], name), _of(tables["papers"], name))
        wrong = "" if row["right"] else ", wrong"
        ax.set_title(
            f"{shown(name)}: {row['seconds']:.1f} s{wrong} (papers: {row['papers_seconds']} s{wrong})",
            loc="left",
            color=colour(name),
        )
        ax.spines["left"].set_visible(False)
    axes[-1].set_xlabel("seconds since work began (simulated agents; black marks: the papers' times)")
    axes[-1].set_xlim(-0.5, 62)
    spaces = {"columnspacing": 0.9, "handletextpad": 0.3}
    figure.legend(handles=legend_entries(KINDS), loc="outside upper center", ncols=len(KINDS), **spaces)
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    return (
        "A repairs every deployment on a bad image while B makes a canary of one of them (cell k2, seed 0: think times "
        "as fitted to this case, no noise). Bars are inferences, hatched bars waits. The black marks under each lane "
        "are the papers' event times, measured with a real model, on our axis (theirs starts "
        f"{papers.AXIS_S} s before work does). Ours are simulated agents."
    )


def _of(table: polars.DataFrame, name: str) -> polars.DataFrame:
    return table.filter(polars.col("protocol") == name)


def _sum(tables: Tables, name: str, column: str) -> float:
    return _of(tables["sums"], name)[column].item()


def _at(tables: Tables, name: str, agent: str, kind: str, which: int = 0) -> float:
    rows = _of(tables["strokes"], name).filter((polars.col("agent") == agent) & (polars.col("kind") == kind))
    return rows["end"][which]


def _seconds(name: str) -> Claim:
    return Claim(
        what=f"wall time, {shown(name)}",
        papers=f"{papers.CANARY_SECONDS[name]} s",
        ours=lambda tables: f"{_sum(tables, name, 'seconds'):.1f} s",
        why=lambda tables: _off(_sum(tables, name, "seconds"), papers.CANARY_SECONDS[name]),
    )


def _off(ours: float, theirs: float) -> str:
    return f"{100 * (ours / theirs - 1):+.0f} %; one set of think times, fitted to all five runs at once"


def _redo_s(tables: Tables) -> float:
    """From the abort under OCC to the end of the second attempt."""
    return _at(tables, "occ", "B", "commit") - _at(tables, "occ", "B", "abort")


CLAIMS = (
    *(_seconds(name) for name in ("serial", *PROTOCOLS)),
    Claim(
        what="naive leaves the canary on the bad image",
        papers="yes",
        ours=lambda tables: "no" if _sum(tables, "naive", "right") else "yes",
    ),
    Claim(
        what="tokens, MTPO over serial",
        papers=f"{papers.CANARY_TOKENS_MTPO:.2f}",
        ours=lambda tables: f"{_sum(tables, 'mtpo', 'tokens') / _sum(tables, 'serial', 'tokens'):.2f}",
        why=lambda tables: "the prices of a token are fitted to this",
    ),
    Claim(
        what="notices, although A writes three times",
        papers="1",
        ours=lambda tables: str(_sum(tables, "mtpo", "notices")),
        why=lambda tables: "B read geo alone",
    ),
    Claim(
        what="from A's write to B's finished repair",
        papers=f"{papers.CANARY_REPAIR_S} s",
        ours=lambda tables: f"{_at(tables, 'mtpo', 'B', 'repair') - _at(tables, 'mtpo', 'A', 'write'):.1f} s",
        why=lambda tables: "what B is inferring when the notice comes is finished first (A2)",
    ),
    Claim(
        what="OCC's redo instead",
        papers=f"about {papers.CANARY_REDO_S:.0f} s",
        ours=lambda tables: f"{_redo_s(tables):.1f} s",
        why=lambda tables: "the second attempt thinks as long as the first",
    ),
)
