"""Tries every serial order of a run whose merges left what neither side had written, by running the calls again.

Versions of cells do not tell such a run's order: a text merged from two edits is no version of either. Whether an order
explains it is what its calls return there, and what they leave in the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

from checker.conflict import silent
from checker.effective import Reduced
from checker.oracle import Ledger
from checker.precedence import Edge
from coagent.history import History, frozen
from coagent.tool import Tool

MOST = 6
"""Transactions whose orders are all tried: 720."""


def untried(run: Reduced, tools: Mapping[str, Tool], *, one: bool = False) -> str:
    """Why the orders of a run, or a single one, cannot be tried; empty when they can."""
    at = f"a merge combined what both sides had left at {run.combined[0]}"
    unknown = next((call for call in run.operations if call.tool not in tools), None)
    if unknown:
        return f"{at}, and what {unknown.op} does ({unknown.tool}) is not known"
    if len(run.transactions) > MOST and not one:
        return f"{at}, and the orders of {len(run.transactions)} transactions are too many to try"
    return ""


def explaining_order(
    history: History, run: Reduced, tools: Mapping[str, Tool], held: Iterable[Edge]
) -> tuple[str, ...] | None:
    """The first serial order, by the pre-order, that keeps the edges `held` and in which every call returns what its
    agent was told, and all together leave the live state; None when there is none."""
    before = [(edge.source, edge.target) for edge in held]
    for order in permutations(run.transactions):
        place = {name: at for at, name in enumerate(order)}
        if all(place[first] < place[then] for first, then in before) and explains(history, run, tools, order):
            return order
    return None


def explains(history: History, run: Reduced, tools: Mapping[str, Tool], order: Sequence[str]) -> bool:
    """Whether in this order every call returns what its agent was told, and all leave the live state."""
    rank = {name: place for place, name in enumerate(order)}
    ledger = Ledger((path, frozen(value)) for path, value in history.header["state"].items())
    for one in sorted(run.operations, key=lambda one: (rank[one.transaction], one.position)):
        if one.lost:
            continue
        try:
            result = ledger.run(tools[one.tool], dict(one.args))
        except (KeyError, TypeError, AttributeError):
            return False
        if not silent(one) and repr(result) != repr(one.result):
            return False
    return repr(sorted(ledger.cells.items())) == repr(sorted(run.live.items()))
