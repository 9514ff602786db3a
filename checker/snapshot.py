"""An order of starts and commits that explains a list-append history under snapshot isolation, if one is found.

A transaction reads what was committed at its start, and two that write one key do not overlap
(Adya's PL-SI, PhD thesis 1999, section 4.3; Cerone and Gotsman, PODC 2016). Decides no violation: when the
writers of unread elements cannot be put in an order, that is for the caller to leave open.
"""

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np

from checker.arcs import RW, Arcs, ranks
from checker.columns import NEVER, Array
from checker.list_edge import unread
from checker.version_order import Lists

TRIES = 64
"""Orders of the writers of unread elements that are tried in a component."""


def starts_and_commits(lists: Lists, arcs: Arcs) -> tuple[Array, Array] | None:
    """For each transaction the places of its start and its commit; NEVER for those that did not happen; None when no
    order was found. `arcs` are all edges that count, with moments.

    Components of the whole graph come one after the other; inside one, starts and commits are sorted
    by the constraints: a commit before the start of what depends on it, a start before the commit of
    what overwrites its reads.
    """
    rank = ranks(arcs)
    nodes = np.flatnonzero(np.concatenate([lists.taken, np.ones(arcs.size - arcs.real, bool)]))
    nodes = nodes[np.argsort(rank[nodes], kind="stable")]
    starts, commits = np.full(arcs.size, NEVER), np.full(arcs.size, NEVER)
    starts[nodes], commits[nodes] = 2 * np.arange(len(nodes)), 2 * np.arange(len(nodes)) + 1
    inside = arcs.take(rank[arcs.source] == rank[arcs.target])
    writers = _unread_writers(lists)
    for members, edges in _split(nodes, rank, inside):
        events = _interleaved(members, edges, writers)
        if events is None:
            return None
        places = np.sort(np.concatenate([starts[members], commits[members]]))
        for place, (node, commit) in zip(places.tolist(), events, strict=True):
            (commits if commit else starts)[node] = place
    return starts[: arcs.real], commits[: arcs.real]


def _split(nodes: Array, rank: Array, inside: Arcs) -> Iterator[tuple[Array, Arcs]]:
    """The nodes and edges of each component that has edges inside; `nodes` are sorted by rank."""
    edges = np.argsort(rank[inside.source], kind="stable")
    of_edges, of_nodes = rank[inside.source][edges], rank[nodes]
    for one in np.unique(of_edges).tolist():
        low, high = np.searchsorted(of_nodes, [one, one + 1])
        first, last = np.searchsorted(of_edges, [one, one + 1])
        yield nodes[low:high], inside.take(edges[first:last])


def _unread_writers(lists: Lists) -> dict[int, list[list[int]]]:
    """By transaction, the writers of each key to which it and others appended elements that nobody read."""
    rows = unread(lists)
    by_key: dict[int, list[int]] = {}
    for key, owner in zip(lists.appends.key[rows].tolist(), lists.appends.owner[rows].tolist(), strict=True):
        by_key.setdefault(key, []).append(owner)
    found: dict[int, list[list[int]]] = {}
    for owners in by_key.values():
        for owner in owners if len(owners) > 1 else ():
            found.setdefault(owner, []).append(owners)
    return found


Event = tuple[int, bool]
"""A node and whether it is its commit."""


def _interleaved(members: Array, arcs: Arcs, writers: Mapping[int, list[list[int]]]) -> list[Event] | None:
    """The starts and commits of one component in an order that keeps the constraints and lets no two writers of one
    key overlap. Those that do are all put in the order of their commits; failing that the first two in that order, or
    in the other; depth-first."""
    own = set(members.tolist())
    shared = {id(owners): owners for one in own for owners in writers.get(one, ())}
    rivals = [kept for owners in shared.values() if len(kept := [one for one in owners if one in own]) > 1]
    waiting: list[frozenset[tuple[int, int]]] = [frozenset()]
    for _ in range(TRIES):
        if not waiting:
            break
        chains = waiting.pop()
        events = _sorted(members, arcs, chains)
        if events is None:
            continue
        clashes = list(_clashes(rivals, {event: at for at, event in enumerate(events)}))
        if not clashes:
            return events
        waiting += [chains | {clashes[0][::-1]}, chains | {clashes[0]}, chains.union(clashes)]
    return None


def _clashes(rivals: list[list[int]], place: dict[Event, int]) -> Iterator[tuple[int, int]]:
    """The writers of a key that overlap, two by two in the order of their commits."""
    for owners in rivals:
        ordered = sorted(owners, key=lambda one: place[one, True])
        for one, other in pairwise(ordered):
            if place[one, True] > place[other, False]:
                yield one, other


def _sorted(members: Array, arcs: Arcs, chains: frozenset[tuple[int, int]]) -> list[Event] | None:
    """The events sorted by all constraints, commits as early as they can; None when they form a cycle."""
    onward: dict[Event, list[Event]] = {(node, False): [(node, True)] for node in members.tolist()}
    waiting = {(node, commit): int(commit) for node in members.tolist() for commit in (False, True)}
    pairs = [
        ((source, kind != RW), (target, kind == RW))
        for source, target, kind in zip(arcs.source.tolist(), arcs.target.tolist(), arcs.kind.tolist(), strict=True)
    ]
    for before, after in pairs + [((one, True), (other, False)) for one, other in chains]:
        onward.setdefault(before, []).append(after)
        waiting[after] += 1
    free = [(not event[1], event) for event, count in waiting.items() if not count]
    heapify(free)
    events: list[Event] = []
    while free:
        event = heappop(free)[-1]
        events.append(event)
        for then in onward.get(event, ()):
            waiting[then] -= 1
            if not waiting[then]:
                heappush(free, (not then[1], then))
    return events if len(events) == len(waiting) else None
