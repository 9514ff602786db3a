"""Conflict serializability of a totally ordered read/write log (Papadimitriou, JACM 1979).

Exact: the log itself gives every version order, so the graph has an edge for each adjacent
conflict and the rest follows. Knows no values; a read that nobody uses still counts.
"""

from collections.abc import Iterator

from checker.formats.schedule import Log
from checker.judge import judge
from checker.precedence import Edge, overwrote, read_before, read_from
from checker.transaction import shown
from checker.verdict import Verdict


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


def check_schedule(log: Log) -> Verdict:
    """Conflict-serializable with an order, or violated with the cycles."""
    names = list(dict.fromkeys(who for who, _, _ in log))
    return judge(names, conflict_edges(log), criterion="conflict-serializable", operations=len(log))
