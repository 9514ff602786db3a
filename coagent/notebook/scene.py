"""A run as the browser gets it: plain JSON with everything that stepping needs, so that no step asks anybody.

What changes over the run is sent as versions by step; the page looks them up as `VersionLine` does.
"""

from collections.abc import Mapping
from dataclasses import astuple

from checker.verdict import Verdict
from coagent.notebook import theme
from coagent.notebook.drawing import subtitle, title
from coagent.notebook.graph import Graph
from coagent.notebook.layout import COLUMN, LANE, LEFT, TOP
from coagent.notebook.replay import Replay
from coagent.notebook.version_line import VersionLine

FORMAT = 1
"""Goes up when the page of an older version could not read it."""


def scene(run: Replay) -> dict[str, object]:
    """The run, without its verdict; see `judged`."""
    return {
        "format": FORMAT,
        "title": title(run),
        "subtitle": subtitle(run),
        "protocol": run.history.header["protocol"],
        "aggregated": _aggregated(run),
        "agents": list(run.agents),
        "filtered": run.filtered,
        "at": [frame.at for frame in run.frames],
        "texts": list(run.texts),
        "stretches": [list(astuple(one)) for one in run.stretches],
        "marks": [list(astuple(one)) for one in run.marks],
        "arrows": [list(astuple(one)) for one in run.arrows],
        "jumps": {kind: list(steps) for kind, steps in run.jumps.items()},
        "objects": [[path, line.known, line.start, line.events] for path, line in run.objects.items()],
        "order": {
            "serial": run.order.serial if run.filtered or run.each == 1 else {},
            "owner": run.order.owner if run.order.forked else {},
            "bounds": run.order.bounds,
            "forked": run.order.forked,
        },
        "untouched": run.untouched,
        "contexts": {name: [_versions(line) for line in lines] for name, lines in run.contexts.items()},
        "status": {name: _versions(line) for name, line in run.status.items()},
        "ops": _operations(run),
    }


def looks() -> dict[str, object]:
    """What the page draws with: sizes, shapes, words and patterns, as the static picture has them."""
    return {
        "lane": LANE,
        "left": LEFT,
        "column": COLUMN,
        "top": TOP,
        "ranks": theme.RANKS,
        "glyphs": {kind: list(how) for kind, how in theme.GLYPHS.items()},
        "fixed": theme.FIXED,
        "raised": theme.RAISED,
        "words": theme.WORDS,
        "stretches": {kind: list(box) for kind, box in theme.STRETCHES.items()},
        "defs": theme.PATTERNS + theme.HEADS,
        "dashes": theme.DASHES,
    }


def judged(verdict: Verdict, graph: Graph, operations: int = 0) -> dict[str, object]:
    """A verdict with its graph."""
    return {
        "verdict": verdict.verdict,
        "sentences": verdict.sentences(),
        "anomalies": [{"name": one.name, "because": list(one.because)} for one in verdict.anomalies],
        "nodes": [list(one) for one in graph.nodes],
        "edges": [
            {
                "source": one.edge.source,
                "target": one.edge.target,
                "kind": one.edge.kind,
                "label": one.label,
                "says": f"{one.edge.source} before {one.edge.target}, because {one.edge.because}",
                "ops": list(one.ops),
                "witness": one.witness,
                "arc": one.arc,
                "x": round(one.x, 1),
                "y": round(one.y, 1),
            }
            for one in graph.edges
        ],
        "half": graph.half,
        "line": graph.line,
        "width": graph.width,
        "height": graph.height,
        "left_out": graph.left_out,
    }


def problem(sentence: str) -> dict[str, object]:
    """What stands in for a run that cannot be shown: the sentence that says why."""
    return {"format": FORMAT, "problem": sentence}


def _versions(line: VersionLine) -> list[list]:
    return [line.steps, line.values]


def _aggregated(run: Replay) -> str:
    if run.each == 1:
        return ""
    return (
        f"Aggregated: {run.operations:,} operations are shown {run.each} events at a step, and without the agents' "
        "contexts. view(..., closely=(from_s, to_s)) shows each event of those seconds."
    )


def _operations(run: Replay) -> Mapping[str, list]:
    """By operation: the lane, and the steps at which it was asked for and answered."""
    found: dict[str, list] = {}
    if run.each > 1:
        return found
    for one in run.stretches:
        if one.kind == "tool":
            found[one.op] = [one.lane, one.first, one.last]
    for one in run.marks:
        if one.kind in ("read", "write", "repair"):
            found.setdefault(one.op, [one.lane, one.step, one.step])[2] = one.step
    return found
