"""The witness of a cycle: a shortest one of each class inside a component, and the sentence that tells it.

Knows only edges. Searches breadth-first from single edges, never enumerates cycles, and stops at a
budget: a component is a proof that some cycle exists, and one cycle is always found.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from checker.anomaly import Anomaly, classify
from checker.precedence import Edge, components

BUDGET = 400_000
"""Edges looked at for each class in each component, about a second at most."""

TOLD = 12
"""The longest cycle that is told edge by edge."""

_STEADY = frozenset({"ww", "rt", "so"})
_FLOW = _STEADY | {"wr"}
_ALL = _FLOW | {"rw"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A class of cycles: through an edge of a `first` kind, back by the `rest`; `apart` keeps rw edges apart."""

    first: frozenset[str]
    rest: frozenset[str]
    apart: bool = False


SEARCHES = (
    Search(first=_STEADY, rest=_STEADY),
    Search(first=frozenset({"wr"}), rest=_FLOW),
    Search(first=frozenset({"rw"}), rest=_FLOW),
)
"""G0, G1c and G-single: each is looked for."""

LAST = (Search(first=frozenset({"rw"}), rest=_ALL, apart=True), Search(first=frozenset({"rw"}), rest=_ALL))
"""Long fork, then G2: looked for in this order when nothing stronger was found."""


def witnesses(built: nx.MultiDiGraph, component: set[str], budget: int = BUDGET) -> list[tuple[Edge, ...]]:
    """A short cycle of every class of SEARCHES in the component, or one of LAST; at least one cycle, always.

    Each cycle is a tuple of edges, each ending where the next starts. Shortest of its class unless
    the budget (edges visited) ran out first.
    """
    edges = [data["edge"] for _, _, data in built.subgraph(component).edges(data=True)]
    edges.sort(key=lambda edge: (edge.source, edge.target, edge.kind, edge.object))
    found = [cycle for search in SEARCHES if (cycle := shortest(edges, search, budget))]
    for search in LAST:
        if not found and (cycle := shortest(edges, search, budget)):
            found.append(cycle)
    return found or [any_cycle(built.subgraph(component))]


def shortest(edges: Sequence[Edge], search: Search, budget: int) -> tuple[Edge, ...] | None:
    """A shortest cycle of the class within the budget, one over a single object first; None when none was found."""
    usable = [edge for edge in edges if edge.kind in search.rest or edge.kind in search.first]
    where = _homes(usable)
    usable = [edge for edge in usable if where.get(edge.source, -1) == where.get(edge.target, -2)]
    onward: dict[str, list[Edge]] = {}
    for edge in usable:
        if edge.kind in search.rest:
            onward.setdefault(edge.source, []).append(edge)
    best: tuple[Edge, ...] | None = None
    for edge in usable:
        if edge.kind not in search.first:
            continue
        if budget <= 0 or (best and len(best) == 2 and len({one.object for one in best}) == 1):
            break
        path, visited = _back(edge, onward, search, len(best) if best else None)
        budget -= visited
        if path and (best is None or _weight((edge, *path)) < _weight(best)):
            best = (edge, *path)
    return best


def any_cycle(inside: nx.MultiDiGraph) -> tuple[Edge, ...]:
    """Some cycle, found depth-first in time linear in the edges; for components too large to search."""
    return tuple(inside.edges[step[:3]]["edge"] for step in nx.find_cycle(inside))


def _homes(edges: Iterable[Edge]) -> dict[str, int]:
    """For each transaction on some cycle of these edges, the number of its component."""
    plain = nx.DiGraph()
    plain.add_edges_from((edge.source, edge.target) for edge in edges)
    return {name: number for number, part in enumerate(components(plain)) for name in part}


def _weight(cycle: Sequence[Edge]) -> tuple[int, int]:
    return len(cycle), len({edge.object for edge in cycle})


def _back(
    first: Edge,
    onward: Mapping[str, Sequence[Edge]],
    search: Search,
    limit: int | None,
) -> tuple[tuple[Edge, ...] | None, int]:
    """A shortest path from the target of `first` back to its source, and the number of edges looked at."""
    start = (first.target, search.apart and first.kind == "rw")
    came: dict[tuple[str, bool], tuple[tuple[str, bool], Edge] | None] = {start: None}
    queue, visited = deque([(start, 1)]), 0
    while queue:
        state, length = queue.popleft()
        if limit is not None and length >= limit + 1:
            break
        for edge in _preferring(onward.get(state[0], ()), first):
            visited += 1
            then = (edge.target, search.apart and edge.kind == "rw")
            if search.apart and edge.kind == "rw" and (state[1] or edge.target == first.source):
                continue
            if edge.target == first.source:
                path = (*_trace(came, state), edge)
                simple = len({one.source for one in path}) == len(path)
                return (path if simple else None), visited
            if then not in came:
                came[then] = (state, edge)
                queue.append((then, length + 1))
    return None, visited


def _preferring(edges: Sequence[Edge], first: Edge) -> Iterable[Edge]:
    """The edges with those over the first edge's own object in front, so that a lost update is found as one."""
    return sorted(edges, key=lambda edge: (edge.object != first.object, edge.kind)) if len(edges) < 50 else edges


def _trace(came: Mapping, state: tuple[str, bool]) -> Iterator[Edge]:
    edges = []
    while came[state] is not None:
        state, edge = came[state]
        edges.append(edge)
    return reversed(edges)


def tell(cycle: Sequence[Edge]) -> str:
    """The cycle as one sentence: "A before B, because ...; however B before A, because ...: a contradiction"."""
    if len(cycle) > TOLD:
        inner = ", ".join(edge.source for edge in cycle[:TOLD])
        return f"a cycle of {len(cycle)} transactions exists: {inner} and so on, each before the next: a contradiction"
    parts = [f"{edge.source} before {edge.target}, because {edge.because}" for edge in cycle]
    return "; ".join([*parts[:-1], "however " + parts[-1]]) + ": a contradiction"


def told(cycle: Sequence[Edge]) -> Anomaly:
    """The cycle with its names, its transactions in order round the cycle, and its sentence."""
    cycle = _turned(cycle)
    name, adya = classify(cycle)
    return Anomaly(
        name=name, adya=adya, transactions=tuple(edge.source for edge in cycle), because=(tell(cycle),), cycle=cycle
    )


def _turned(cycle: Sequence[Edge]) -> tuple[Edge, ...]:
    """The cycle turned so that an rw edge, the surprising one, comes last when there is one."""
    last = max(range(len(cycle)), key=lambda place: (cycle[place].kind == "rw", cycle[place].target), default=0)
    return tuple(cycle[last + 1 :]) + tuple(cycle[: last + 1])
