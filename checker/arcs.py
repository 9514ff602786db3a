"""The precedence graph in columns, for graphs of a million edges: which edges lie on a cycle of the kinds asked for.

Decides nothing about names or verdicts and knows no history format. Strongly connected components
are scipy's (Pearce 2005); beyond them everything is an array operation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from checker.precedence import KINDS, Edge

CODE = {kind: code for code, kind in enumerate(KINDS)}
RW = CODE["rw"]
ORDER = (CODE["so"], CODE["rt"])
Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Arcs:
    """Edges as columns of equal length; nodes are numbers below `size`.

    `kind` are places in KINDS, `thing` the number of the object, `collection` true where an rw edge's
    read listed a collection, `number` what the caller knows the edge by. Nodes from `real` on are no
    transactions but moments that real-time edges pass through: an edge of real time leads from a
    transaction to the moment it ended, from each moment to the next, and to those that began after.
    """

    size: int
    real: int
    source: Array
    target: Array
    kind: Array
    thing: Array
    collection: Array
    number: Array = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.number is None:
            object.__setattr__(self, "number", np.arange(len(self.source)))

    def take(self, where: Array) -> "Arcs":
        """The edges that a mask or an index selects, by the same numbers."""
        columns = ("source", "target", "kind", "thing", "collection", "number")
        return replace(self, **{name: getattr(self, name)[where] for name in columns})

    def of_kinds(self, kinds: Iterable[str]) -> Array:
        """A mask of the edges of these kinds."""
        wanted = np.zeros(len(KINDS), bool)
        wanted[[CODE[kind] for kind in kinds]] = True
        return wanted[self.kind]


def of_edges(index: Mapping[str, int], edges: Iterable[Edge]) -> Arcs:
    """The columns of these edges; each is known by its place among them."""
    edges = list(edges)
    things: dict[str, int] = {}
    return Arcs(
        size=len(index),
        real=len(index),
        source=np.array([index[edge.source] for edge in edges], np.int64),
        target=np.array([index[edge.target] for edge in edges], np.int64),
        kind=np.array([CODE[edge.kind] for edge in edges], np.int8),
        thing=np.array([things.setdefault(edge.object, len(things)) for edge in edges], np.int64),
        collection=np.array([edge.collection for edge in edges], bool),
    )


def components(size: int, source: Array, target: Array) -> Array:
    """For each node the number of its strongly connected component."""
    ones = np.ones(len(source), np.int32)
    matrix = csr_array((ones, (source, target)), shape=(size, size))
    return connected_components(matrix, directed=True, connection="strong")[1]


def on_cycles(arcs: Arcs) -> Array:
    """A mask of the edges that lie on some cycle."""
    if not len(arcs.source):
        return np.zeros(0, bool)
    label = components(arcs.size, arcs.source, arcs.target)
    return (label[arcs.source] == label[arcs.target]) & (arcs.source != arcs.target)


def on_cycles_apart(arcs: Arcs) -> Array:
    """A mask of the edges on a closed walk in which no rw edge follows another (Cerone and Gotsman, PODC 2016).

    Each node is taken twice, as entered by an rw edge and as entered otherwise: the walks are then
    the cycles of that graph.
    """
    if not len(arcs.source):
        return np.zeros(0, bool)
    rw = arcs.kind == RW
    entered = np.where(rw, arcs.target + arcs.size, arcs.target)
    source = np.concatenate([arcs.source, arcs.source[~rw] + arcs.size])
    label = components(2 * arcs.size, source, np.concatenate([entered, entered[~rw]]))
    inside = label[source] == label[np.concatenate([entered, entered[~rw]])]
    found = inside[: len(rw)]
    found[~rw] |= inside[len(rw) :]
    return found & (arcs.source != arcs.target)


def parts(arcs: Arcs) -> list[Array]:
    """The places of the edges of each component, for edges that all lie on cycles; smallest component first."""
    if not len(arcs.source):
        return []
    label = components(arcs.size, arcs.source, arcs.target)[arcs.source]
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    found = np.split(order, cuts)
    return sorted(found, key=lambda part: (len(np.unique(arcs.source[part])), int(arcs.source[part].min())))


def compact(arcs: Arcs) -> tuple[Arcs, Array]:
    """The same edges over nodes numbered without gaps, and for each new node the old one; moments stay last."""
    nodes = np.unique(np.concatenate([arcs.source, arcs.target]))
    columns = {"source": np.searchsorted(nodes, arcs.source), "target": np.searchsorted(nodes, arcs.target)}
    return replace(arcs, size=len(nodes), real=int(np.searchsorted(nodes, arcs.real)), **columns), nodes


def ranks(arcs: Arcs) -> Array:
    """A number for each node, equal within a strongly connected component, that no edge leads down.

    scipy numbers components against the direction of the edges; that is not promised, so it is
    checked on every edge, and the slow way is taken when it does not hold. Nodes are given to it last
    one first, since what it visits early it ranks late: so the order stays near that of the numbers.
    """
    label = components(arcs.size, arcs.size - 1 - arcs.source, arcs.size - 1 - arcs.target)[::-1]
    for rank in (-label, label):
        if np.all(rank[arcs.source] <= rank[arcs.target]):
            return rank
    return _layers(label, arcs)


def order_of(arcs: Arcs) -> Array:
    """The transactions in an order that every edge respects. Raises ValueError when there is a cycle."""
    if np.all(arcs.source < arcs.target):
        return np.arange(arcs.real)
    rank = ranks(arcs)
    if len(np.unique(rank)) < arcs.size:
        raise ValueError("the edges to order by form a cycle")
    order = np.argsort(rank, kind="stable")
    return order[order < arcs.real]


def _layers(label: Array, arcs: Arcs) -> Array:
    """The place of each node's component in a topological sort of the components."""
    built = nx.DiGraph()
    built.add_nodes_from(label.tolist())
    built.add_edges_from(zip(label[arcs.source].tolist(), label[arcs.target].tolist(), strict=True))
    built.remove_edges_from(list(nx.selfloop_edges(built)))
    place = np.empty(len(built), np.int64)
    place[list(nx.topological_sort(built))] = np.arange(len(built))
    return place[label]
