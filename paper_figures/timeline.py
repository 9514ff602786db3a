"""A run's history as strokes on a time line: what each agent did from when to when, and how the lanes are drawn.

Reads the history and nothing else. Thinking and waiting take time; everything else is a point.
"""

from collections.abc import Sequence

import polars
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from coagent.history import History
from coagent.palette import FAINT, INK, NOTICE, PAPER, of_rank

MARKS = {
    "read": {"marker": "o", "filled": False, "size": 4.5},
    "write": {"marker": "s", "filled": True, "size": 4.8},
    "repair": {"marker": "D", "filled": True, "size": 5.2},
    "undo": {"marker": "<", "filled": False, "size": 5.2},
    "redo": {"marker": ">", "filled": True, "size": 5.2},
    "abort": {"marker": "X", "filled": True, "size": 6.5},
    "consume": {"marker": "v", "filled": True, "size": 5.2},
    "commit": {"marker": "|", "filled": True, "size": 12},
}
"""The shape of each kind of point."""

WORDS = {
    "think": "infers",
    "blocked": "blocked",
    "read": "read",
    "write": "write",
    "undo": "undo",
    "redo": "redo",
    "notice": "notice",
    "consume": "it is read",
    "repair": "repair done",
    "abort": "abort",
    "commit": "commit",
}
FIXED = {"abort": NOTICE, "consume": NOTICE, "commit": INK}
"""Colours of kinds that do not have their agent's."""

RAISED = {"abort": 0.27, "consume": 0.27, "undo": -0.25, "redo": -0.25}
"""How far above the middle of its lane a kind is drawn, so that it does not hide what comes at the same time."""

HALF = 0.2
"""Half the height of a lane's bar; lanes are one apart."""


def strokes(history: History) -> polars.DataFrame:
    """What happened, by time: agent, kind, start and end in seconds, and from whom (a notice's sender)."""
    rows: list[tuple[str, str, float, float, str]] = []
    calls = {record["op"]: record for record in history.of("invoke")}
    repairs = {record["by"] for record in history.of("repair") if record["action"] != "retract" and "by" in record}
    began: dict[str, float] = {}
    parked: dict[str, float] = {}
    for record in history.records:
        at, op = record["at"], record.get("op")
        agent = record.get("agent") or (calls[op]["agent"] if op in calls else "")
        match record["event"]:
            case "infer":
                began[agent] = at
            case "inferred":
                rows.append((agent, "think", began.pop(agent), at, ""))
            case "park":
                parked[op] = at
            case "release" | "withdraw" if op in parked:
                rows.append((agent, "blocked", parked.pop(op), at, ""))
            case "result":
                kind = "read" if not calls[op]["writes"] else "repair" if op in repairs else "write"
                rows.append((agent, kind, at, at, ""))
            case "undo" | "redo" | "commit" | "consume":
                rows.append((agent, record["event"], at, at, ""))
            case "notify":
                rows.append((agent, "notice", at, at, calls[record["cause"]]["agent"]))
            case "abort":
                rows += [
                    (agent, "blocked", since, at, "") for one, since in parked.items() if calls[one]["agent"] == agent
                ]
                parked = {one: since for one, since in parked.items() if calls[one]["agent"] != agent}
                rows.append((agent, "abort", at, at, ""))
    return frame(sorted(rows, key=lambda row: (row[2], row[3], row[0], row[1])))


def frame(rows: Sequence[tuple[str, str, float, float, str]]) -> polars.DataFrame:
    """Strokes as a table."""
    columns = {"agent": str, "kind": str, "start": float, "end": float, "source": str}
    return polars.DataFrame(list(rows), schema=columns, orient="row")


def draw_lanes(ax: Axes, table: polars.DataFrame, papers: polars.DataFrame | None = None) -> None:
    """Draw strokes, the first agent's lane on top; `papers`, of the same shape, as small marks below each lane."""
    agents = sorted(set(table["agent"]))
    lanes = {agent: -float(index) for index, agent in enumerate(agents)}
    for rank, (agent, y) in enumerate(lanes.items(), 1):
        for row in table.filter(polars.col("agent") == agent).iter_rows(named=True):
            _stroke(ax, row, lanes, of_rank(rank))
        if papers is not None:
            _ticks(ax, papers.filter(polars.col("agent") == agent), y - 0.43)
    ax.set_yticks(list(lanes.values()), list(lanes))
    for label, rank in zip(ax.get_yticklabels(), range(1, len(lanes) + 1), strict=True):
        label.set(color=of_rank(rank), fontweight="bold")
    ax.set_ylim(-len(lanes) + (0.35 if papers is not None else 0.5), 0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)


def _stroke(ax: Axes, row: dict[str, object], lanes: dict[str, float], colour: str) -> None:
    y, kind, start, end = lanes[row["agent"]], row["kind"], row["start"], row["end"]
    match kind:
        case "think":
            ax.broken_barh([(start, end - start)], (y - HALF, 2 * HALF), facecolor=colour, alpha=0.2, linewidth=0)
            ax.plot([end, end], [y - HALF, y + HALF], color=colour, alpha=0.5, linewidth=0.6)
        case "blocked":
            ax.broken_barh(
                [(start, end - start)],
                (y - HALF, 2 * HALF),
                facecolor=PAPER,
                edgecolor=FAINT,
                hatch="/////",
                linewidth=0.4,
            )
        case "notice":
            tip, tail = y + HALF, lanes.get(row["source"], y) - HALF
            ax.annotate(
                "",
                (start, tip),
                (start, tail),
                arrowprops={"arrowstyle": "-|>", "color": NOTICE, "lw": 1.1, "shrinkA": 0, "shrinkB": 0},
            )
        case _:
            _mark(ax, start, y + RAISED.get(kind, 0.0), kind, FIXED.get(kind, colour))


def _mark(ax: Axes, x: float, y: float, kind: str, colour: str, scale: float = 1.0) -> None:
    how = MARKS[kind]
    ax.plot(
        [x],
        [y],
        marker=how["marker"],
        markersize=how["size"] * scale,
        markerfacecolor=colour if how["filled"] else PAPER,
        markeredgecolor=colour if kind in ("commit",) or not how["filled"] else PAPER,
        markeredgewidth=(2.0 if kind == "commit" else 1.1 if not how["filled"] else 0.4) * max(scale, 0.7),
        linestyle="none",
        zorder=4,
        clip_on=False,
    )


def _ticks(ax: Axes, papers: polars.DataFrame, y: float) -> None:
    for row in papers.iter_rows(named=True):
        if row["kind"] == "blocked":
            ax.plot([row["start"], row["end"]], [y, y], color=FAINT, linewidth=1.4, linestyle=(0, (1.5, 1)), zorder=2)
        else:
            _mark(ax, row["start"], y, row["kind"], INK, 0.75)


def legend_entries(kinds: Sequence[str]) -> list[Line2D | Patch]:
    """What stands for each kind, for a legend."""
    entries: list[Line2D | Patch] = []
    for kind in kinds:
        match kind:
            case "think":
                entries.append(Patch(facecolor=of_rank(1), alpha=0.2, label=WORDS[kind]))
            case "blocked":
                entries.append(Patch(facecolor=PAPER, edgecolor=FAINT, hatch="/////", linewidth=0.4, label=WORDS[kind]))
            case "notice":
                entries.append(Line2D([], [], color=NOTICE, marker=">", markersize=4, linewidth=1.1, label=WORDS[kind]))
            case _:
                how = MARKS[kind]
                colour = FIXED.get(kind, of_rank(1))
                entries.append(
                    Line2D(
                        [],
                        [],
                        linestyle="none",
                        marker=how["marker"],
                        markersize=min(how["size"], 8),
                        markerfacecolor=colour if how["filled"] else PAPER,
                        markeredgecolor=colour,
                        label=WORDS[kind],
                    )
                )
    return entries
