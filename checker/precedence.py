"""The precedence graph: who must come before whom in any serial order, and the recorded reason for it.

Decides nothing about names or verdicts and knows no history format. Edges are Adya's direct
dependencies (Adya, Liskov, O'Neil, ICDE 2000): only adjacent versions need them, the rest follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx as nx

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
