"""From edges to a verdict: without a forbidden cycle ok with an order, with one violated with its witnesses.

Knows no history format: the caller vouches that the edges are all that the criterion demands.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from time import perf_counter

from checker.anomaly import Anomaly, local, ranked
from checker.level import LEVELS, Level, counts
from checker.precedence import Edge, ordering
from checker.verdict import Verdict

GROUPS = 20
"""Inversions that are told each."""


def judge(
    transactions: Sequence[str],
    edges: Iterable[Edge],
    *,
    criterion: str | None = None,
    extra_anomalies: Iterable[Anomaly] = (),
    operations: int = 0,
    declared: bool = False,
    counted: int | None = None,
    level: Level | None = None,
) -> Verdict:
    """Ok with the topological order closest to `transactions`, or violated with anomalies in the table's order.

    `extra_anomalies` are local faults found before; any of them makes the verdict violated, but for
    phenomena that `level` allows. With `declared` the given order itself must hold: every edge
    against it is an order inversion, and it is the order of an ok. `counted` is the number of
    transactions to report when it is not that of `transactions` (aborted ones). `level` is
    serializable when None; edges of session order (`so`) and real time (`rt`) count at the levels
    that keep them (at None all do), and may leave out what follows from others of their kind. The
    order of an ok at a weaker level is by ww, wr and those edges alone. An ok is unknown when
    cycles of a class could not be excluded. An edge that names an unlisted transaction is a ValueError.
    """
    start = perf_counter()
    edges = [edge for edge in edges if edge.source != edge.target]
    index = {name: place for place, name in enumerate(transactions)}
    for edge in edges:
        if edge.source not in index or edge.target not in index:
            raise ValueError(f"edge {edge.source} -> {edge.target} names a transaction that is not being judged")
    asked = level or LEVELS["serializable"]
    cycles, doubtful = _cycles(index, edges, level)
    found = [*(one for one in extra_anomalies if level is None or counts(level, one)), *cycles]
    if declared:
        found += inversions(edges, index)
    size = {
        "criterion": criterion or asked.name,
        "transactions": len(transactions) if counted is None else counted,
        "operations": operations,
    }
    if found:
        return Verdict(verdict="violated", anomalies=ranked(found), seconds=perf_counter() - start, **size)
    if doubtful:
        return Verdict(verdict="unknown", missing=doubtful, seconds=perf_counter() - start, **size)
    order = tuple(transactions) if declared else closest_order(transactions, index, edges, level)
    return Verdict(verdict="ok", order=order, seconds=perf_counter() - start, **size)


def _cycles(
    index: Mapping[str, int], edges: Sequence[Edge], level: Level | None
) -> tuple[list[Anomaly], tuple[str, ...]]:
    """The forbidden cycles as anomalies, and what could not be excluded."""
    if all(index[edge.source] < index[edge.target] for edge in edges):
        return [], ()
    from checker.arcs import of_edges
    from checker.witness import Teller, findings, noting_more, restricted

    names = list(index)

    def ordered(kind: str, one: int, other: int) -> Edge:
        return ordering(kind, names[one], names[other])

    asked = level or LEVELS["strict-serializable"]
    teller = Teller(edge=edges.__getitem__, ordered=ordered, before={})
    found = findings(restricted(of_edges(index, edges), asked), asked, teller)
    return list(noting_more(found.anomalies, found.more)), found.doubtful


def closest_order(
    transactions: Sequence[str], index: Mapping[str, int], edges: Iterable[Edge], level: Level | None
) -> tuple[str, ...]:
    """The topological order that stays closest to the given one (smallest index first among the free).

    Respects every edge that the level counts; below repeatable read, where rw edges may form cycles, not those.
    """
    kinds = {"ww", "wr", "rw", "so", "rt"}
    if level is not None:
        kinds -= {"": {"so", "rt"}, "so": {"rt"}, "rt": set()}[level.order]
        kinds -= set() if "G2-item" in level.forbids else {"rw"}
        kinds -= set() if "G1c" in level.forbids else {"wr"}
    kept = [edge for edge in edges if edge.kind in kinds and not (level and edge.collection and _misses(level))]
    sources, targets = [index[edge.source] for edge in kept], [index[edge.target] for edge in kept]
    return tuple(transactions[place] for place in topological(len(transactions), sources, targets))


def _misses(level: Level) -> bool:
    """Whether the level lets listings miss members."""
    return "G2" not in level.forbids


def topological(size: int, sources: Sequence[int], targets: Sequence[int], real: int | None = None) -> list[int]:
    """The numbers below `real` (`size` when None) in the order that the edges allow, the smallest first among the free.

    Numbers from `real` on are only passed through. Raises ValueError when the edges form a cycle.
    """
    real = size if real is None else real
    onward: list[list[int]] = [[] for _ in range(size)]
    waiting = [0] * size
    for source, target in zip(sources, targets, strict=True):
        onward[source].append(target)
        waiting[target] += 1
    free = [place if place < real else place - size for place, count in enumerate(waiting) if not count]
    heapify(free)
    order, passed = [], 0
    while free:
        place = heappop(free)
        if place >= 0:
            order.append(place)
        passed += 1
        for then in onward[place]:
            waiting[then] -= 1
            if not waiting[then]:
                heappush(free, then if then < real else then - size)
    if passed < size:
        raise ValueError("the edges to order by form a cycle, which the level should have forbidden")
    return order


def inversions(edges: Iterable[Edge], index: Mapping[str, int]) -> list[Anomaly]:
    """An order inversion for each pair of transactions with an edge against the declared order, at most GROUPS."""
    backward = {
        (edge.source, edge.target): edge for edge in reversed(list(edges)) if index[edge.source] > index[edge.target]
    }
    return [
        local(
            "order inversion",
            (edge.target, edge.source),
            (
                f"{edge.target} before {edge.source} in the declared order; "
                f"however {edge.source} before {edge.target}, "
                f"because {edge.because}: a contradiction",
            ),
        )
        for edge in sorted(backward.values(), key=lambda edge: (index[edge.target], index[edge.source]))[:GROUPS]
    ]
