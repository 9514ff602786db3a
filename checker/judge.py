"""From edges to a verdict: acyclic is ok with its order, a cycle is violated with its witnesses.

Knows no history format: the caller vouches that the edges are all that the criterion demands.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter

import networkx as nx

from checker.anomaly import Anomaly, local, ranked
from checker.precedence import Edge, components, graph, serial_order
from checker.verdict import Verdict
from checker.witness import told, witnesses

GROUPS = 20
"""Components that are told each; the rest are counted."""


def judge(
    transactions: Sequence[str],
    edges: Iterable[Edge],
    *,
    criterion: str = "serializable",
    extra_anomalies: Iterable[Anomaly] = (),
    operations: int = 0,
    declared: bool = False,
    counted: int | None = None,
) -> Verdict:
    """Ok with the topological order closest to `transactions`, or violated with anomalies in the table's order.

    `extra_anomalies` are local faults found before; any of them makes the verdict violated. With
    `declared` the given order itself must hold: every edge against it is an order inversion, and
    it is the order of an ok. `counted` is the number of transactions to report when it is not
    that of `transactions` (aborted ones). An edge that names an unlisted transaction is a ValueError.
    """
    start = perf_counter()
    edges = [edge for edge in edges if edge.source != edge.target]
    index = {name: place for place, name in enumerate(transactions)}
    for edge in edges:
        if edge.source not in index or edge.target not in index:
            raise ValueError(f"edge {edge.source} -> {edge.target} names a transaction that is not being judged")
    built = graph(transactions, edges)
    found = [*extra_anomalies, *cycles(built)]
    if declared:
        found += inversions(edges, index)
    size = {
        "criterion": criterion,
        "transactions": len(transactions) if counted is None else counted,
        "operations": operations,
    }
    if found:
        return Verdict(verdict="violated", anomalies=ranked(found), seconds=perf_counter() - start, **size)
    order = tuple(transactions) if declared else serial_order(transactions, built)
    return Verdict(verdict="ok", order=order, seconds=perf_counter() - start, **size)


def cycles(built: nx.MultiDiGraph) -> list[Anomaly]:
    """The anomalies of every component with a cycle; of the first GROUPS only when there are more."""
    parts = components(built)
    found = [told(cycle) for part in parts[:GROUPS] for cycle in witnesses(built, part)]
    if len(parts) > GROUPS:
        last = found[-1]
        more = f"{len(parts) - GROUPS} more groups of transactions contain a cycle each"
        found[-1] = Anomaly(
            name=last.name,
            adya=last.adya,
            transactions=last.transactions,
            because=(*last.because, more),
            cycle=last.cycle,
        )
    return found


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
