"""Figure (k): the time lines behind the numbers that are not the papers'.

A deadlock that costs little, a wait without one, an abort that costs much, and a repair on the critical path.
"""

import polars
from matplotlib.figure import Figure

from coagent.history import History
from coagent.protocols import protocol
from coagent.simulate import Clock, Outcome, simulate
from coagent.workload import Setting
from paper_figures.figure import Claim, Saying, Tables
from paper_figures.papers import CELLS
from paper_figures.style import PAGE, colour, shown
from paper_figures.summary import short
from paper_figures.timeline import draw_lanes, legend_entries, strokes
from workloads import workload

NAME, TITLE = "where_we_part", "Where our numbers and the papers' part"
PANELS = (
    ("o5-double-booked-slot", "2pl", "a deadlock at the first write: one read to do again"),
    ("k4-pdb-during-bluegreen", "2pl", "a wait, and no deadlock"),
    ("k1-canary-of-trial-image", "occ", "the longer agent aborts at its very end"),
    ("o5-double-booked-slot", "naive", "both agents equally long"),
    ("o5-double-booked-slot", "mtpo", "the repair lies on the critical path"),
)
"""Cell, protocol, and what to see."""

KINDS = ("think", "blocked", "read", "write", "notice", "consume", "undo", "repair", "abort", "commit")
FULL, QUICK = 10, 1
"""Trials of each cell in which the attempts that were given up are counted."""


def data(quick: bool, workers: int) -> Tables:
    """The strokes of the panels at seed 0, and by cell what aborted attempts had done of what a whole one does."""
    lines, sums = [], []
    for index, (cell, name, _) in enumerate(PANELS):
        outcome = _run(cell, name, 0)
        lines.append(strokes(outcome.history).insert_column(0, polars.lit(index).alias("panel")))
        sums.append({"panel": index, "cell": short(cell), "protocol": name, "seconds": outcome.seconds})
    return {
        "strokes": polars.concat(lines),
        "sums": polars.DataFrame(sums),
        "victims": _victims(QUICK if quick else FULL),
    }


def _run(cell: str, name: str, seed: int) -> Outcome:
    given = workload(cell)
    return simulate(Setting(workload=given, protocol=protocol(name), seed=seed), Clock(given.cost.tool_s))


def _victims(trials: int) -> polars.DataFrame:
    rows = []
    for cell in CELLS:
        for name in ("2pl", "occ"):
            lost = [pair for seed in range(1, trials + 1) for pair in _lost(_run(cell, name, seed).history)]
            done, whole = (sum(pair[side] for pair in lost) for side in (0, 1))
            rows.append({"cell": short(cell), "protocol": name, "aborts": len(lost), "calls": done, "whole": whole})
    return polars.DataFrame(rows)


def _lost(history: History) -> list[tuple[int, int]]:
    """For each aborted attempt, the calls answered in it and in the same agent's last attempt."""
    attempts = {record["op"]: (record["agent"], record["attempt"]) for record in history.of("invoke")}
    answered = [attempts[record["op"]] for record in history.of("result")]
    last = {agent: max(number for one, number in attempts.values() if one == agent) for agent, _ in attempts.values()}
    aborted = [(record["agent"], record["attempt"]) for record in history.of("abort")]
    return [(answered.count(one), answered.count((one[0], last[one[0]]))) for one in aborted]


def draw(tables: Tables) -> Figure:
    """A panel each over one time axis."""
    figure = Figure(figsize=(PAGE, 5.8), layout="constrained")
    axes = figure.subplots(len(PANELS), 1, sharex=True)
    for index, (ax, (cell, name, says)) in enumerate(zip(axes, PANELS, strict=True)):
        draw_lanes(ax, tables["strokes"].filter(polars.col("panel") == index))
        seconds = _seconds(tables, index)
        ax.set_title(f"{shown(name)} on {short(cell)}, {seconds:.1f} s: {says}", loc="left", color=colour(name))
        ax.spines["left"].set_visible(False)
    axes[-1].set_xlabel("seconds since work began (simulated agents)")
    axes[-1].set_xlim(-0.5, tables["strokes"]["end"].max() + 1)
    spaces = {"columnspacing": 0.9, "handletextpad": 0.3}
    figure.legend(handles=legend_entries(KINDS), loc="outside upper center", ncols=len(KINDS), **spaces)
    return figure


def caption(tables: Tables) -> str:
    """What is seen."""
    return "Simulated agents, at seed 0 (think times without noise). Bars are inferences, hatched bars waits."


def _seconds(tables: Tables, panel: int) -> float:
    return tables["sums"].filter(polars.col("panel") == panel)["seconds"].item()


def _done(name: str) -> Saying:
    def says(tables: Tables) -> str:
        rows = tables["victims"].filter((polars.col("protocol") == name) & (polars.col("aborts") > 0))
        calls, whole = rows["calls"].sum(), rows["whole"].sum()
        return f"{100 * calls / whole:.0f} % ({calls:,} of {whole:,} calls)"

    return says


def _gap(tables: Tables) -> str:
    """What the repair adds, on the run that is drawn."""
    naive, mtpo = _seconds(tables, 3), _seconds(tables, 4)
    return f"{mtpo - naive:.1f} s on {naive:.1f} s"


CLAIMS = (
    Claim(
        what="what a deadlock's victim had done of its calls, 2PL",
        ours=_done("2pl"),
        why=lambda tables: "locks are taken call by call: the victim is found at the first that cannot be granted",
    ),
    Claim(
        what="what an aborted attempt had done, OCC",
        ours=_done("occ"),
        why=lambda tables: "validation comes after the last call: all of it is lost, which is what makes OCC dear",
    ),
    Claim(
        what="a repair on the critical path: MTPO over naive on o5",
        ours=_gap,
        why=lambda tables: "judging, undo, the call again, and the report again, after both agents are through",
    ),
)
