"""Runs transactions one after the other and compares every read: the small judge of an "ok".

Knows nothing of how the order was found. Values start as nil (registers) or the empty list.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from checker.transaction import Transaction, shown
from checker.verdict import Verdict


def mismatch(order: Iterable[str], transactions: Mapping[str, Transaction]) -> str:
    """The first read that the serial execution in this order does not explain, as a sentence; empty when all agree.

    Reads of transactions whose end is unknown are not compared: nobody was told them.
    """
    state: dict[object, object] = {}
    for name in order:
        one = transactions[name]
        for kind, key, value in one.steps:
            match kind:
                case "w":
                    state[key] = value
                case "append":
                    state.setdefault(key, []).append(value)
                case _ if one.status == "committed":
                    now = state.get(key)
                    now = tuple(now or ()) if isinstance(value, tuple) else now
                    if now != value:
                        return f"{name} read {shown(key)} as {value!r}, and in this order it is {now!r}"
    return ""


def replayed(verdict: Verdict, transactions: Iterable[Transaction]) -> Verdict:
    """The verdict; unknown instead of an ok whose order does not replay or leaves a committed transaction out."""
    if verdict.verdict != "ok":
        return verdict
    named = {one.name: one for one in transactions}
    order = verdict.order or ()
    times = Counter(order)
    left_out = [one.name for one in named.values() if one.status == "committed" and times[one.name] != 1]
    problem = f"{left_out[0]} is not in it once" if left_out else mismatch(order, named)
    if not problem:
        return verdict
    return replace(verdict, verdict="unknown", order=None, missing=(f"the order found does not replay: {problem}",))
