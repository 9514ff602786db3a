"""Runs a register history along an order that was found, and compares every read: the small judge of an ok.

Knows nothing of how the order came about. Values start as nil.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from checker.precedence import realtime_edges, session_edges
from checker.replay import mismatch
from checker.transaction import Key, Transaction, shown


def serial_problem(order: Sequence[str], transactions: Sequence[Transaction], keeps: str = "") -> str:
    """What is wrong with a serial order as a sentence, or nothing; `keeps` is `so`, `rt` or empty."""
    named = {one.name: one for one in transactions}
    return _left_out(order, transactions) or mismatch(order, named) or _out_of_order(order, order, transactions, keeps)


def apart_problem(events: Sequence[str], transactions: Sequence[Transaction], keeps: str = "") -> str:
    """The same of an order of starts `s:NAME` and commits `c:NAME` at snapshot isolation.

    A read shows what was committed when its transaction started, or its own write; of two that write one key, one
    commits before the other starts (Berenson et al., SIGMOD 1995: first committer wins).
    """
    named = {one.name: one for one in transactions}
    starts = [event[2:] for event in events if event[:2] == "s:"]
    commits = [event[2:] for event in events if event[:2] == "c:"]
    problem = _left_out(starts, transactions) or _left_out(commits, transactions)
    if problem:
        return problem
    past: dict[Key, list[tuple[int, object]]] = {}
    begun: dict[str, int] = {}
    for now, event in enumerate(events):
        one = named[event[2:]]
        if event[:2] == "s:":
            begun[one.name] = now
            problem = _unexplained(one, past)
        elif one.name not in begun:
            return f"{one.name} commits before it starts"
        else:
            problem = _committed(one, begun[one.name], now, past)
        if problem:
            return problem
    return _out_of_order(starts, commits, transactions, keeps, {event: now for now, event in enumerate(events)})


def _unexplained(one: Transaction, past: dict[Key, list[tuple[int, object]]]) -> str:
    own: dict[Key, object] = {}
    for kind, key, value in one.steps:
        if kind == "w":
            own[key] = value
        elif one.status == "committed":
            now = own[key] if key in own else past[key][-1][1] if key in past else None
            if now != value:
                return f"{one.name} read {shown(key)} as {value!r}, and in this order it is {now!r}"
    return ""


def _committed(one: Transaction, begun: int, now: int, past: dict[Key, list[tuple[int, object]]]) -> str:
    for key, value in {key: value for kind, key, value in one.steps if kind == "w"}.items():
        if key in past and past[key][-1][0] > begun:
            return f"another wrote {shown(key)} between the start and the commit of {one.name}"
        past.setdefault(key, []).append((now, value))
    return ""


def _left_out(order: Iterable[str], transactions: Sequence[Transaction]) -> str:
    times = Counter(order)
    status = {one.name: one.status for one in transactions}
    odd = next((name for name in times if status.get(name, "aborted") == "aborted" or times[name] > 1), None)
    left = next((name for name, how in status.items() if how == "committed" and not times[name]), None)
    if odd is None and left is None:
        return ""
    return f"{odd} should not be in it, or not twice" if left is None else f"{left} is not in it"


def _out_of_order(
    starts: Sequence[str],
    commits: Sequence[str],
    transactions: Sequence[Transaction],
    keeps: str,
    moment: dict[str, int] | None = None,
) -> str:
    """Which transaction starts before one that the session or real time puts before it has committed."""
    moment = moment or {}
    start = {name: moment.get(f"s:{name}", place) for place, name in enumerate(starts)}
    commit = {name: moment.get(f"c:{name}", place) for place, name in enumerate(commits)}
    there = [one for one in transactions if one.name in start]
    edges = [*(session_edges(there) if keeps else ()), *(realtime_edges(there) if keeps == "rt" else ())]
    wrong = next((edge for edge in edges if commit[edge.source] >= start[edge.target]), None)
    return f"{wrong.source} should come before {wrong.target}" if wrong else ""
