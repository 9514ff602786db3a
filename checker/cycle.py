"""A shortest cycle of a class, in a precedence graph in columns.

Knows only numbers. Cycles of up to four transactions are looked for all at once, as array
operations; longer ones breadth-first from single edges, until a budget ends. Never enumerates cycles.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from checker.arcs import ORDER, RW, Arcs, Array, compact, on_cycles, on_cycles_apart

BUDGET = 400_000
"""Edges looked at one by one for each class, about half a second."""

SHORT = 4
"""Transactions of the longest cycle that is looked for all at once."""

PATHS = 4_000_000
"""Paths that are extended at once."""

Before = Callable[[Array, Array], Array]
"""Whether the first transaction comes before the second in real time or in its session, for arrays of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A class of cycles: through an edge of a `first` kind, back by the `rest`; `apart` keeps rw edges apart, `one`
    keeps to one object. `adya` is the phenomenon it shows. Edges of real time and sessions may be anywhere else."""

    adya: str
    first: frozenset[str]
    rest: frozenset[str]
    apart: bool = False
    one: bool = False

    @property
    def once(self) -> bool:
        """Whether the first edge is the only one of its kind."""
        return not self.first & self.rest


_WW, _FLOW, _ALL = frozenset({"ww"}), frozenset({"ww", "wr"}), frozenset({"ww", "wr", "rw"})
_WR, _RW = frozenset({"wr"}), frozenset({"rw"})

G0 = Search(adya="G0", first=_WW, rest=_WW)
G1C = Search(adya="G1c", first=_WR, rest=_FLOW)
G_SINGLE = Search(adya="G-single", first=_RW, rest=_FLOW)
LOST_UPDATE = Search(adya="lost-update", first=_RW, rest=_WW | _RW, one=True)
APART = Search(adya="G-nonadjacent", first=_RW, rest=_ALL, apart=True)
G2 = Search(adya="G2", first=_RW, rest=_ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """`path` are places in the arcs searched, in order round the cycle; empty when none was found. With `complete`
    false the budget ended first, so a shorter one (or, with no path, any) may exist. `closed` says that an edge of
    real time or session leads from the end of the path to its start, and is not among the arcs."""

    path: tuple[int, ...] = ()
    complete: bool = True
    closed: bool = False


def candidates(arcs: Arcs, search: Search) -> Array:
    """The places of the edges that can be on a cycle of this class; exact, but for the classes with a single rw edge
    or a single object, of which other edges may be left in."""
    orders = set() if search.one else {"so", "rt"}
    usable = np.flatnonzero(arcs.of_kinds({*search.first, *search.rest, *orders}))
    inside = arcs.take(usable)
    if search.one:
        inside = _by_thing(inside)
    ring = on_cycles_apart if search.apart or search.once and search.first == _RW else on_cycles
    usable = usable[ring(inside)]
    return usable if arcs.of_kinds(search.first)[usable].any() else usable[:0]


def _by_thing(arcs: Arcs) -> Arcs:
    """The same edges with a transaction counted apart for each object, so that a cycle keeps to one."""
    source, target = arcs.thing * arcs.size + arcs.source, arcs.thing * arcs.size + arcs.target
    nodes = np.unique(np.concatenate([source, target]))
    columns = {"source": np.searchsorted(nodes, source), "target": np.searchsorted(nodes, target)}
    return replace(arcs, size=len(nodes), real=len(nodes), **columns)


def shortest(arcs: Arcs, search: Search, *, before: Before | None = None, budget: int = BUDGET) -> Cycle:
    """A shortest cycle of the class: exact up to SHORT transactions, and beyond while the budget lasts. One by data
    alone of up to SHORT is preferred to any with edges of real time or sessions.

    `before` tells which transactions are ordered by real time or session, so that one such edge can
    be left to it; it must agree with the edges of those kinds among the arcs.
    """
    where = candidates(arcs, search)
    if not len(where):
        return Cycle()
    inside, nodes = compact(arcs.take(where))
    if search.one:
        inside = _by_thing(inside)
    plain = ~np.isin(inside.kind, ORDER)
    quick = _Quick(arcs=inside.take(plain), search=search, before=None if search.one else _renamed(before, nodes))
    found = quick.run()
    if found.path:
        return replace(found, path=tuple(where[np.flatnonzero(plain)[list(found.path)]].tolist()))
    slow = _Slow(inside, search).run(budget)
    return replace(slow, path=tuple(where[list(slow.path)].tolist()))


def _renamed(before: Before | None, nodes: Array) -> Before | None:
    return None if before is None else lambda one, other: before(nodes[one], nodes[other])


@dataclass(slots=True, kw_only=True)
class _Paths:
    """Paths being extended: where each starts and stands, whether it has a first edge, its edges, a column each."""

    start: Array
    node: Array
    seen: Array
    edges: list[Array]


@dataclass(slots=True, kw_only=True)
class _Quick:
    """Looks for all cycles of up to SHORT transactions at once, shorter ones first."""

    arcs: Arcs
    search: Search
    before: Before | None
    by_pair: Array = field(init=False)
    pairs: Array = field(init=False)
    first_out: Array = field(init=False)
    is_first: Array = field(init=False)
    is_rest: Array = field(init=False)

    def run(self) -> Cycle:
        arcs = self.arcs
        if not len(arcs.source):
            return Cycle(complete=False)
        self._sorted()
        for length in range(2, SHORT + 1):
            for chunk in self._starts():
                if (found := self._closed(chunk, length)).path:
                    return found
        return Cycle(complete=False)

    def _sorted(self) -> None:
        """The edges by source and target, so that the edges out of a node and between two are found at once."""
        arcs = self.arcs
        self.by_pair = np.argsort(arcs.source * arcs.size + arcs.target, kind="stable")
        self.pairs = (arcs.source * arcs.size + arcs.target)[self.by_pair]
        self.first_out = np.searchsorted(arcs.source[self.by_pair], np.arange(arcs.size + 1))
        self.is_first, self.is_rest = arcs.of_kinds(self.search.first), arcs.of_kinds(self.search.rest)

    def _starts(self) -> list[Array]:
        start = np.arange(len(self.arcs.source)) if self.before else np.flatnonzero(self.is_first)
        return np.split(start, range(50_000, len(start), 50_000))

    def _closed(self, start: Array, length: int) -> Cycle:
        arcs = self.arcs
        paths = _Paths(
            start=arcs.source[start], node=arcs.target[start], seen=self.is_first[start], edges=[start.astype(np.int64)]
        )
        for _ in range(length - 2):
            paths = self._extended(paths)
            if len(paths.start) > PATHS:
                return Cycle(complete=False)
        if self.before:
            ends = np.flatnonzero(paths.seen & self.before(paths.node, paths.start))
            return self._best(paths, ends, None)
        return self._back(paths)

    def _back(self, paths: _Paths) -> Cycle:
        """The paths that one more edge leads back to their start."""
        arcs = self.arcs
        wanted = paths.node * arcs.size + paths.start
        low, high = np.searchsorted(self.pairs, wanted), np.searchsorted(self.pairs, wanted, "right")
        which, last = _ragged(low, high)
        last = self.by_pair[last]
        fits = self.is_rest[last]
        if self.search.apart:
            rw = arcs.kind == RW
            fits &= ~(rw[last] & (rw[paths.edges[-1][which]] | rw[paths.edges[0][which]]))
        return self._best(paths, which[fits], last[fits])

    def _extended(self, paths: _Paths) -> _Paths:
        arcs, search = self.arcs, self.search
        which, edge = _ragged(self.first_out[paths.node], self.first_out[paths.node + 1])
        edge = self.by_pair[edge]
        fits = self.is_rest[edge] | (self.is_first[edge] & ~paths.seen[which])
        if search.apart:
            fits &= ~((arcs.kind[edge] == RW) & (arcs.kind[paths.edges[-1][which]] == RW))
        for column in paths.edges:
            fits &= arcs.target[edge] != arcs.source[column[which]]
        which, edge = which[fits], edge[fits]
        return _Paths(
            start=paths.start[which],
            node=arcs.target[edge],
            seen=paths.seen[which] | self.is_first[edge],
            edges=[*(column[which] for column in paths.edges), edge],
        )

    def _best(self, paths: _Paths, which: Array, last: Array | None) -> Cycle:
        """Of the paths `which`, closed by the edges `last`, the one over fewest objects; the first of several."""
        if not len(which):
            return Cycle()
        edges = [column[which] for column in paths.edges] + ([] if last is None else [last])
        things = np.sort(np.stack([self.arcs.thing[column] for column in edges]), axis=0)
        best = int(np.argmin((np.diff(things, axis=0) != 0).sum(axis=0)))
        return Cycle(path=tuple(int(column[best]) for column in edges), closed=last is None)


def _ragged(low: Array, high: Array) -> tuple[Array, Array]:
    """For ranges `low[i]` to `high[i]` the pairs (i, place) of all their places."""
    count = high - low
    which = np.repeat(np.arange(len(low)), count)
    return which, np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + low[which]


class _Slow:
    """Breadth-first searches from single edges. Edges of one order in a row count as one, since order is transitive."""

    def __init__(self, arcs: Arcs, search: Search) -> None:
        self.search, self.source, self.target = search, arcs.source.tolist(), arcs.target.tolist()
        self.rw = (arcs.kind == RW).tolist()
        self.order = np.where(np.isin(arcs.kind, ORDER), arcs.kind, 0).tolist()
        rest, first = arcs.of_kinds({*search.rest, "so", "rt"}), arcs.of_kinds(search.first)
        self.onward: dict[int, list[int]] = {}
        for place in np.flatnonzero(rest).tolist():
            self.onward.setdefault(self.source[place], []).append(place)
        starts = np.flatnonzero(first)
        self.starts = starts[np.argsort(np.abs(arcs.source[starts] - arcs.target[starts]), kind="stable")].tolist()

    def run(self, budget: int) -> Cycle:
        """The best found within the budget, and one at all when the class is sure to have one."""
        best, limit, left = [], None, budget
        for place in self.starts:
            if left <= 0 and (best or self.search.once):
                return Cycle(path=tuple(best), complete=False)
            path, length, visited = self._from(place, limit)
            left -= visited
            if path:
                best, limit = path, length - 1
        return Cycle(path=tuple(best))

    def _from(self, first: int, limit: int | None) -> tuple[list[int], int, int]:
        """The edges of a shortest cycle through this one, how many of them count (at most `limit`), and how many edges
        were looked at."""
        search, goal, visited = self.search, self.source[first], 0
        start = (self.target[first], search.apart and self.rw[first], 0)
        came: dict[tuple, tuple | None] = {start: None}
        queue, done = deque([(1, start)]), set()
        while queue:
            length, state = queue.popleft()
            if state in done:
                continue
            done.add(state)
            if state[0] == goal:
                path = self._trace(came, state, first)
                return (path if self._simple(path) else []), length, visited
            for edge in self.onward.get(state[0], ()):
                visited += 1
                rw = search.apart and self.rw[edge]
                then = (self.target[edge], rw, self.order[edge])
                if rw and (state[1] or then[0] == goal):
                    continue
                free = bool(self.order[edge]) and self.order[edge] == state[2]
                if then in done or (limit is not None and length + (not free) > limit):
                    continue
                if free:
                    came[then] = (state, edge)
                    queue.appendleft((length, then))
                elif then not in came:
                    came[then] = (state, edge)
                    queue.append((length + 1, then))
        return [], 0, visited

    def _trace(self, came: dict, state: tuple, first: int) -> list[int]:
        path = []
        while came[state] is not None:
            state, edge = came[state]
            path.append(edge)
        return [first, *reversed(path)]

    def _simple(self, path: Sequence[int]) -> bool:
        return len({self.source[edge] for edge in path}) == len(path)
