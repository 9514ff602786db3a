"""Judges totally ordered read/write logs: conflict and view serializability, and Adya's levels on the conflict graph.

Exact: the log itself gives every version order, so the conflict graph has an edge for each adjacent
conflict and the rest follows (Papadimitriou, JACM 1979). Knows no values; a read that nobody uses
still counts. Every transaction commits, and a read sees the last write, committed or not.
"""

from collections.abc import Iterator

from checker.anomaly import Anomaly, local, ranked
from checker.formats.schedule import Log
from checker.judge import judge
from checker.level import LEVELS, Level
from checker.precedence import Edge, overwrote, read_before, read_from, realtime_edges
from checker.transaction import Transaction, shown
from checker.verdict import Verdict
from checker.view_order import certain_pairs, view_of, view_order

DRAWN = {"wr": read_from, "rw": read_before, "ww": overwrote}


def conflict_edges(log: Log) -> Iterator[Edge]:
    """ww, wr and rw edges between adjacent conflicting operations; linear in the log."""
    writer: dict[str, str] = {}
    readers: dict[str, dict[str, None]] = {}
    for who, kind, key in log:
        thing, last, since = shown(key), writer.get(key), readers.setdefault(key, {})
        if kind == "r":
            since[who] = None
            if last not in (None, who):
                yield read_from(last, who, thing)
            continue
        for reader in since:
            if reader != who:
                yield read_before(reader, who, thing)
        if last not in (None, who):
            yield overwrote(last, who, thing)
        writer[key] = who
        readers[key] = {}


def check_schedule(log: Log, level: Level | None = None) -> Verdict:
    """The verdict at a level; `serializable` (and None) means conflict-serializable here, the stricter of the two.

    At levels of real time a transaction lasts from its first to its last operation. Below
    serializable the phenomena are those of the conflict graph, and intermediate reads.
    """
    asked = level or LEVELS["conflict-serializable"]
    if asked.name == "view-serializable":
        return _viewed(log)
    criterion = "conflict-serializable" if asked.name == "serializable" else asked.name
    names = list(dict.fromkeys(who for who, _, _ in log))
    edges = list(conflict_edges(log))
    if asked.order == "rt":
        edges += realtime_edges(_spans(log))
    extra = [] if "G2-item" in asked.forbids else _intermediate_reads(log)
    return judge(names, edges, criterion=criterion, operations=len(log), level=asked, extra_anomalies=extra)


def _spans(log: Log) -> list[Transaction]:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for place, (who, _, _) in enumerate(log):
        first.setdefault(who, place)
        last[who] = place
    return [
        Transaction(name=who, status="committed", steps=(), begun=2 * place, ended=2 * last[who] + 1)
        for who, place in first.items()
    ]


def _intermediate_reads(log: Log) -> list[Anomaly]:
    """A fault for each read of a write that its transaction made again later. In a conflict-serializable log there is
    none, and in others above read committed the conflict graph has a cycle for it."""
    final = {(who, key): place for place, (who, kind, key) in enumerate(log) if kind == "w"}
    at: dict[str, tuple[str, int]] = {}
    found = []
    for place, (who, kind, key) in enumerate(log):
        if kind == "w":
            at[key] = who, place
        elif key in at and at[key][0] != who and final[at[key][0], key] != at[key][1]:
            writer = at[key][0]
            because = f"{who} read {shown(key)} as {writer} wrote it, and {writer} wrote it again"
            found.append(local("intermediate read", [writer, who], [because]))
    return found


def _viewed(log: Log) -> Verdict:
    """View-serializable with an order, violated when every order was excluded, unknown when the budget ended first."""
    names = list(dict.fromkeys(who for who, _, _ in log))
    size = {"criterion": "view-serializable", "transactions": len(names), "operations": len(log)}
    conflicts = judge(names, conflict_edges(log))
    if conflicts.verdict == "ok":
        return Verdict(verdict="ok", order=conflicts.order, **size)
    view = view_of(log)
    if view.broken:
        return Verdict(verdict="violated", anomalies=(_no_order(names, view.broken),), **size)
    certain = [DRAWN[kind](source, target, shown(key)) for kind, source, target, key in certain_pairs(view)]
    by_graph = judge(names, certain, criterion="view-serializable", operations=len(log))
    if by_graph.verdict == "violated":
        return by_graph
    order, complete = view_order(view)
    if order is not None:
        return Verdict(verdict="ok", order=order, **size)
    if not complete:
        return Verdict(verdict="unknown", missing=("an order with the same view: none was found in time",), **size)
    because = f"none of the serial orders of these {len(names)} transactions has the same reads and last writes"
    return Verdict(verdict="violated", anomalies=ranked([_no_order(names, because)]), **size)


def _no_order(names: list[str], because: str) -> Anomaly:
    return local("no serial order", names, [because])
