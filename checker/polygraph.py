"""Version orders of registers, inferred as far as they are certain (Papadimitriou's polygraph, JACM 1979).

Knows exactly who read from whom. For a writer, its reader and another writer of the same key, the
other comes before the writer or after the reader; saturation adds whichever of the two the order
known so far forces, until nothing more follows. It decides nothing that is still open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx as nx

from checker.precedence import Edge, overwrote, read_before, read_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The readers of one version of a key: `writer` is None for the initial version."""

    thing: str
    writer: str | None
    readers: tuple[str, ...]
    others: tuple[str, ...]
    """The other writers of the key."""


def certain(readings: Iterable[Reading]) -> list[Edge]:
    """wr edges as recorded, and rw edges from the readers of the initial version to every writer."""
    edges = []
    for one in readings:
        for reader in one.readers:
            if one.writer is not None and reader != one.writer:
                edges.append(read_from(one.writer, reader, one.thing))
            elif one.writer is None:
                edges += [read_before(reader, other, one.thing) for other in one.others if other != reader]
    return edges


def saturated(
    names: Sequence[str], readings: Sequence[Reading], edges: Sequence[Edge]
) -> tuple[list[Edge], list[int] | None]:
    """All edges that follow, and for each name the bitset of names after it; None instead when there is a cycle.

    A round costs edges times names / 64 for the closure, then one look at every reading and
    other writer; rounds go on until one adds nothing.
    """
    index = {name: place for place, name in enumerate(names)}
    edges = list(edges)
    while True:
        after = closure(names, index, edges)
        if after is None:
            return edges, None
        new = [edge for one in readings if one.writer is not None for edge in _forced(one, index, after)]
        if not new:
            return edges, after
        edges += new


def _forced(one: Reading, index: dict[str, int], after: Sequence[int]) -> Iterable[Edge]:
    """The edges that this reading forces, given what is known to come after what."""
    writer = index[one.writer]
    readers = sum(1 << index[reader] for reader in one.readers)
    for name in one.others:
        other = index[name]
        if after[other] & (readers & ~(1 << other)) and not after[other] >> writer & 1:
            reader = next(reader for reader in one.readers if after[other] >> index[reader] & 1)
            because = (
                f"{reader} comes after {name}, which wrote {one.thing} too, and still read it as {one.writer} wrote it"
            )
            yield overwrote(name, one.writer, one.thing, because)
        if after[writer] >> other & 1:
            for reader in one.readers:
                if reader != name and not after[index[reader]] >> other & 1:
                    because = f"{reader} read {one.thing} as {one.writer} wrote it, before {name} overwrote that"
                    yield read_before(reader, name, one.thing, because)


def closure(names: Sequence[str], index: dict[str, int], edges: Iterable[Edge]) -> list[int] | None:
    """For each name the bitset of names reachable from it; None when some cycle exists."""
    plain = nx.DiGraph()
    plain.add_nodes_from(range(len(names)))
    plain.add_edges_from((index[edge.source], index[edge.target]) for edge in edges)
    try:
        order = list(nx.topological_sort(plain))
    except nx.NetworkXUnfeasible:
        return None
    after = [0] * len(names)
    for place in reversed(order):
        reached = 0
        for then in plain.successors(place):
            reached |= after[then] | 1 << then
        after[place] = reached
    return after
