"""The precedence graph of a judged run as an arc diagram: transactions in a line, forward edges above, backward below.

Decides which edges are shown (the witness always) and which two operations stand behind each; judges nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from checker.anomaly import Anomaly
from checker.effective import Effective, Reduced, reduced
from checker.notified import edges_of
from checker.precedence import Edge
from checker.verdict import Verdict
from coagent.history import History
from coagent.path import overlap

MOST_EDGES, MOST_NODES = 24, 16
GAP, RADIUS, STEP, LONGEST = 170, 16, 26, 14
"""Pixels: between nodes, half a node's height, between one arc and the next; and the letters of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """An edge, the two operations behind it, whether the witness has it, its arc, its label and where that stands."""

    edge: Edge
    ops: tuple[str, str]
    witness: bool
    arc: str
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The picture's numbers, in pixels. `nodes` are names with their middles, `half` is half a node's width, and
    `left_out` counts pairs of transactions and kinds that are not shown."""

    nodes: tuple[tuple[str, float], ...]
    edges: tuple[Drawn, ...]
    half: float
    line: float
    width: float
    height: float
    left_out: int


def graph(history: History, verdict: Verdict) -> Graph:
    """The graph of a run, at most MOST_EDGES edges between MOST_NODES transactions: those of the witness first."""
    run = reduced(history)
    witness = [edge for one in verdict.anomalies for edge in one.cycle]
    known = {_key(edge) for edge in witness}
    rest = [edge for edge in edges_of(run) if _key(edge) not in known]
    pairs = {pair for one in verdict.anomalies if not one.cycle for pair in _pairs(one)}
    order = list(run.transactions)
    order += sorted({name for edge in witness for name in (edge.source, edge.target)} - set(order))
    backward = [edge for edge in rest if edge.source in order and _backward(edge, order)]
    forward = [edge for edge in rest if edge not in backward]
    alike = Counter(_kind(edge) for edge in {_key(edge): edge for edge in [*witness, *rest]}.values())
    chosen = _one_a_pair([*witness, *backward, *forward], known)
    busy = {name for edge in chosen for name in (edge.source, edge.target)}
    names = [name for name in order if name in busy or len(order) <= MOST_NODES][:MOST_NODES]
    shown = [edge for edge in chosen if edge.source in names and edge.target in names][:MOST_EDGES]
    return _placed(run, names, shown, known, pairs, alike)


def _key(edge: Edge) -> tuple[str, str, str, str]:
    return edge.source, edge.target, edge.kind, edge.object


def _backward(edge: Edge, order: Sequence[str]) -> bool:
    return edge.target in order and order.index(edge.source) > order.index(edge.target)


def _pairs(one: Anomaly) -> Iterable[tuple[str, str]]:
    return [tuple(reversed(one.transactions))] if len(one.transactions) == 2 else []


def _kind(edge: Edge) -> tuple[str, str, str]:
    return edge.source, edge.target, edge.kind


def _one_a_pair(edges: Iterable[Edge], known: Collection[tuple]) -> list[Edge]:
    """The first edge of each pair and kind, and all of those known; the others only count."""
    found: dict[tuple, Edge] = {}
    told: set[tuple[str, str, str]] = set()
    for edge in edges:
        if edge.source != edge.target and (_key(edge) in known or _kind(edge) not in told):
            found.setdefault(_key(edge), edge)
            told.add(_kind(edge))
    return list(found.values())


def _placed(run: Reduced, names: Sequence[str], edges: Sequence[Edge], known: set, pairs: set, alike: Counter) -> Graph:
    place = {name: at for at, name in enumerate(names)}
    half = max(RADIUS, 3.8 * max((min(len(name), LONGEST) for name in names), default=0) + 9)
    gap, side_room = max(GAP, 2 * half + 70), half + 30
    spans = _levels(edges, place)
    above = max((level for _, side, level in spans if side > 0), default=0)
    below = max((level for _, side, level in spans if side < 0), default=0)
    line = RADIUS + STEP * above + 24
    drawn = []
    for edge, side, level in spans:
        x1, x2 = (side_room + gap * place[name] for name in (edge.source, edge.target))
        inset = side * min(12, 3 * level)
        x1, x2 = x1 + inset, x2 - inset
        # A curve comes as far as three quarters of the way to its controls.
        foot, peak = line - side * RADIUS, line - side * (RADIUS + STEP * level)
        top = foot + (peak - foot) / 0.75
        bend = 18 if x2 > x1 else -18
        arc = f"M{x1:.1f} {foot:.1f} C{x1 + bend:.1f} {top:.1f} {x2 - bend:.1f} {top:.1f} {x2:.1f} {foot:.1f}"
        drawn.append(
            Drawn(
                edge=edge,
                ops=behind(run, edge),
                witness=_key(edge) in known or (edge.source, edge.target) in pairs,
                arc=arc,
                label=_label(edge, alike[_kind(edge)] - 1),
                x=(x1 + x2) / 2,
                y=peak + (-5 if side > 0 else 13),
            )
        )
    return Graph(
        nodes=tuple((name, side_room + gap * at) for name, at in place.items()),
        edges=tuple(drawn),
        half=half,
        line=line,
        width=2 * side_room + gap * max(len(names) - 1, 0),
        height=line + RADIUS + STEP * below + 24,
        left_out=len(alike) - len(edges),
    )


def _levels(edges: Sequence[Edge], place: Mapping[str, int]) -> list[tuple[Edge, int, int]]:
    """Each edge with its side (1: forward, above) and how high it goes, so that none lies on another."""
    slots: dict[tuple[int, int], int] = {}
    spans = []
    for edge in sorted(edges, key=lambda one: abs(place[one.source] - place[one.target])):
        low, high = sorted((place[edge.source], place[edge.target]))
        side = 1 if place[edge.source] < place[edge.target] else -1
        level = 1 + max((slots.get((side, gap), 0) for gap in range(low, high)), default=0)
        for gap in range(low, high):
            slots[side, gap] = level
        spans.append((edge, side, level))
    return spans


def _label(edge: Edge, more: int) -> str:
    name = edge.object.rpartition("/")[2]
    name = name if len(name) <= 16 else name[:15] + "…"
    return f"{edge.kind} {name}" + (f" and {more} more" if more else "")


def behind(run: Reduced, edge: Edge) -> tuple[str, str]:
    """The two operations that an edge comes from, as far as they can be told; empty where they cannot."""
    mine = [one for one in run.operations if one.transaction == edge.source and _touches(one, edge)]
    theirs = [one for one in run.operations if one.transaction == edge.target and _touches(one, edge)]
    source = [one for one in mine if _writes(one, edge) == (edge.kind != "rw")] or mine
    target = [one for one in theirs if _writes(one, edge) == (edge.kind != "wr")] or theirs
    if edge.kind == "wr":
        for one in target:
            writers = {
                writer for path, (_, writer) in (one.saw or {}).items() if overlap(path.rstrip("/"), edge.object)
            }
            for other in source:
                if other.op in writers:
                    return other.op, one.op
    last = source[-1].op if source and edge.kind == "ww" else source[0].op if source else ""
    return last, target[0].op if target else ""


def _touches(one: Effective, edge: Edge) -> bool:
    return any(overlap(path, edge.object) for path in (*one.reads, *one.writes))


def _writes(one: Effective, edge: Edge) -> bool:
    return any(overlap(path, edge.object) for path in one.made)
