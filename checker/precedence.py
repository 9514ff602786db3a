"""The precedence graph: who must come before whom in any serial order, and the recorded reason for it.

Decides nothing about names or verdicts and knows no history format. Edges are Adya's direct
dependencies (Adya, Liskov, O'Neil, ICDE 2000): only adjacent versions need them, the rest follows.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import networkx as nx

from checker.transaction import Transaction

KINDS = ("ww", "wr", "rw", "so", "rt")
"""Overwrote, read from, read before it was overwritten; then session order and real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`source` comes before `target`. `because` completes "source before target, because ...".

    `kind` is one of KINDS, `object` the path or key both touched. `collection` marks an rw edge
    whose read listed a collection, so that the write is a phantom to it.
    """

    source: str
    target: str
    kind: str
    object: str
    because: str
    collection: bool = False


def overwrote(source: str, target: str, thing: str, because: str = "") -> Edge:
    """A ww edge: `target` wrote the version after `source`'s."""
    because = because or f"{target} overwrote {source}'s {thing}"
    return Edge(source=source, target=target, kind="ww", object=thing, because=because)


def read_from(source: str, target: str, thing: str, because: str = "") -> Edge:
    """A wr edge: `target` read the version that `source` wrote."""
    because = because or f"{target} read {thing} as {source} wrote it"
    return Edge(source=source, target=target, kind="wr", object=thing, because=because)


def read_before(source: str, target: str, thing: str, because: str = "", collection: bool = False) -> Edge:
    """An rw edge: `source` read the version before the one that `target` wrote."""
    because = because or f"{source} read {thing} before {target} wrote it"
    return Edge(source=source, target=target, kind="rw", object=thing, because=because, collection=collection)


def ordering(kind: str, one: str, other: str) -> Edge:
    """The edge of session order (`so`) or real time (`rt`) between two transactions."""
    because = f"{one} ended before {other} began" if kind == "rt" else f"{one} came first in the session of both"
    return Edge(source=one, target=other, kind=kind, object="time" if kind == "rt" else "session", because=because)


def session_edges(transactions: Iterable[Transaction]) -> Iterator[Edge]:
    """so edges from each committed transaction to the next of its session; the rest follows.

    One of unknown end has an edge to it and none from it: nothing is known to come after. Aborted ones have none.
    """
    last: dict[Hashable, str] = {}
    for one in transactions:
        if one.session is None or one.status == "aborted":
            continue
        if one.session in last:
            yield ordering("so", last[one.session], one.name)
        if one.status == "committed":
            last[one.session] = one.name


def realtime_edges(transactions: Iterable[Transaction]) -> Iterator[Edge]:
    """rt edges to each transaction from those that ended last before it began; the rest follows.

    At most as many edges to a transaction as run at a time. Only committed ones are known to have taken effect by
    their end; aborted ones have no edges.
    """
    live = [one for one in transactions if one.status != "aborted" and one.begun is not None]
    ends = [(one.ended, True, one) for one in live if one.ended is not None and one.status == "committed"]
    frontier: dict[str, None] = {}
    before: dict[str, tuple[str, ...]] = {}
    for _, end, one in sorted([*ends, *((one.begun, False, one) for one in live)], key=lambda event: event[0]):
        if end:
            for name in before.get(one.name, ()):
                frontier.pop(name, None)
            frontier[one.name] = None
        else:
            before[one.name] = tuple(frontier)
            yield from (ordering("rt", name, one.name) for name in frontier)


def graph(transactions: Iterable[str], edges: Iterable[Edge]) -> nx.MultiDiGraph:
    """The transactions as nodes and the edges by (kind, object), each carrying its Edge as `edge`.

    An edge of a transaction to itself says nothing about order and is left out; the first of
    several edges of the same kind over the same object is kept.
    """
    built = nx.MultiDiGraph()
    built.add_nodes_from(transactions)
    for edge in edges:
        key = (edge.kind, edge.object)
        if edge.source != edge.target and not built.has_edge(edge.source, edge.target, key):
            built.add_edge(edge.source, edge.target, key, edge=edge)
    return built


def components(built: nx.MultiDiGraph) -> list[set[str]]:
    """The strongly connected components of two transactions or more, smallest first, then by first name."""
    found = [part for part in nx.strongly_connected_components(built) if len(part) > 1]
    return sorted(found, key=lambda part: (len(part), min(part)))


def serial_order(transactions: Sequence[str], built: nx.MultiDiGraph) -> tuple[str, ...]:
    """The topological order that stays closest to the given one (smallest index first among the free).

    Raises networkx.NetworkXUnfeasible when the graph has a cycle.
    """
    index = {name: place for place, name in enumerate(transactions)}
    return tuple(nx.lexicographical_topological_sort(built, key=lambda name: index[name]))
