"""Reads the operation logs that Atomix' own checker reads (github.com/mpi-dsg/atomix, `atomix.checker`).

JSON lines `{"tx_id", "op_kind": read|write|commit|abort, "scope", "ts", "value_hash"?, "trace_id"?}`, one history for
each trace. They do not record what a read returned beyond a hash, which is not used here, nor undo, redo, notices,
sessions, nor which strings name one resource (Atomix' checker is given an alias table; here scopes are what they say).
So a read is taken to see the write before it by `ts`, and a write of an aborted transaction to be gone from its abort.
A transaction without commit or abort committed when the trace has none at all; otherwise its end is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checker.formats.elle import load_json
from checker.formats.schedule import Log
from checker.transaction import Step, Transaction
from coagent.bad_input import BadInput

_KINDS = ("read", "write", "commit", "abort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: `kind` is one of read, write, commit, abort."""

    trace: str
    who: str
    kind: str
    scope: str
    at: str


def logs(text: str, where: str) -> Iterator[tuple[str, Log | tuple[Transaction, ...]]]:
    """The name and the history of each trace: a log when every transaction committed, or else transactions over lists.

    In those a write reads the list of the writes to its scope that stand, and appends its place; so their conflict
    graph is that of the log without what was aborted. Raises BadInput naming the line.
    """
    traces: dict[str, list[Entry]] = {}
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            entry = _entry(load_json(row, where, line), f"{where}:{line}")
            traces.setdefault(entry.trace, []).append(entry)
    for name, entries in traces.items():
        ordered = sorted(entries, key=lambda one: one.at)
        if not any(one.kind in ("read", "write") for one in ordered):
            raise BadInput(
                f"the trace {name or '(unnamed)'} has no read and no write, so there is nothing to judge", where
            )
        yield name or where, _history(ordered)


def _entry(record: object, where: str) -> Entry:
    if not isinstance(record, Mapping):
        raise BadInput('the line is no record; an Atomix log has one {"tx_id": ..., "op_kind": ...} a line', where)
    found = {name: record.get(name) for name in ("tx_id", "op_kind", "scope", "ts")}
    for name, value in found.items():
        if not isinstance(value, str):
            raise BadInput(f"{name!r} of the line is {value!r:.40}, which is no text; the line may be damaged", where)
    if found["op_kind"] not in _KINDS:
        raise BadInput(f"unknown operation kind {found['op_kind']!r:.40}; known are {', '.join(_KINDS)}", where)
    trace = record.get("trace_id")
    if not isinstance(trace, str | None):
        raise BadInput(f"'trace_id' of the line is {trace!r:.40}, which is no text; the line may be damaged", where)
    return Entry(trace=trace or "", who=found["tx_id"], kind=found["op_kind"], scope=found["scope"], at=found["ts"])


def _history(entries: Sequence[Entry]) -> Log | tuple[Transaction, ...]:
    ends = {one.who: one.kind for one in entries if one.kind in ("commit", "abort")}
    status = {one.who: {"commit": "committed", "abort": "aborted"}.get(ends.get(one.who, ""), "") for one in entries}
    left = "unknown" if ends else "committed"
    status = {who: known or left for who, known in status.items()}
    if set(status.values()) == {"committed"}:
        return tuple((one.who, one.kind[0], one.scope) for one in entries if one.kind in ("read", "write"))
    return _over_lists(entries, status)


def _over_lists(entries: Sequence[Entry], status: Mapping[str, str]) -> tuple[Transaction, ...]:
    """The entries as steps on lists of the places of writes; unread writes of unknown end never happened."""
    counted = {who for who, how in status.items() if how == "committed"} | _observed(entries, status)
    standing: dict[str, list[tuple[int, str]]] = {}
    steps: dict[str, list[Step]] = {who: [] for who in status}
    for place, one in enumerate(entries):
        there = standing.setdefault(one.scope, [])
        match one.kind:
            case "read":
                steps[one.who].append(
                    ("r", one.scope, tuple(at for at, who in there if who in counted or _dirty(who, status)))
                )
            case "write":
                seen = tuple(at for at, who in there if who in counted)
                steps[one.who] += [("r", one.scope, seen), ("append", one.scope, place)]
                there.append((place, one.who))
            case "abort":
                for scope, writes in standing.items():
                    standing[scope] = [(at, who) for at, who in writes if who != one.who]
    return tuple(
        Transaction(
            name=who,
            status=status[who],
            steps=tuple(step for step in own if status[who] == "committed" or step[0] != "r"),
        )
        for who, own in steps.items()
    )


def _dirty(who: str, status: Mapping[str, str]) -> bool:
    return status[who] == "aborted"


def _observed(entries: Sequence[Entry], status: Mapping[str, str]) -> set[str]:
    """The transactions of unknown end of which another one read a write."""
    found: set[str] = set()
    last: dict[str, list[str]] = {}
    for one in entries:
        if one.kind == "write":
            last.setdefault(one.scope, []).append(one.who)
        elif one.kind == "read":
            found |= {who for who in last.get(one.scope, ()) if who != one.who and status[who] == "unknown"}
    return found
