"""Makes records of rows again, all of them or those asked for, each with its place among the records in full.

The other direction of `coagent.compaction`; judges nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from coagent.column import LISTS
from coagent.history import RECORDS, History, Record
from coagent.table import FIELD, KIND, KINDS, STATUSES, Table

_PARTS = ("infer", "inferred", "invoke")
_LATE = ("prepare", "exec", "result")


def expanded(table: Table) -> History:
    """The history in full. The table is whole (`coagent.table_check.fault` finds nothing)."""
    found = sorted(records(table, range(len(table))), key=lambda one: one[0])
    return History(table.header, tuple(record for *_, record in found), table.where)


def records(table: Table, rows: Iterable[int]) -> Iterator[tuple[int, int, Record]]:
    """The records of some rows, each after its place among all records in full, from 0, and the row's index here."""
    chosen = np.fromiter(rows, np.int64)
    reading = _Reading(table, chosen)
    first = table.first()[chosen].tolist()
    verbatim = np.cumsum(table.columns["kind"] == KIND["verbatim"])[chosen] - 1
    for row, place in enumerate(first):
        match KINDS[reading.kind[row]]:
            case "verbatim":
                yield place, row, table.records[verbatim[row]]
            case "call":
                for part in _PARTS:
                    before = reading.of(f"before_{part}")[row]
                    if before:
                        yield place - before, row, reading.record(part, row, f"at_{part}")
                for at, part in enumerate(_LATE if reading.of("captured")[row] >= 0 else _LATE[2:]):
                    yield place + at, row, reading.record(part, row)
            case kind:
                yield place, row, reading.record(kind, row)


class _Reading:
    """The chosen rows' columns as plain lists, fetched when they are first asked for."""

    def __init__(self, table: Table, rows: np.ndarray) -> None:
        self.table, self.rows = table, rows
        self.lists: dict[str, list] = {}
        self.shown: dict[int, object] = {}
        self.agents = [one["name"] for one in table.header["agents"]]
        self.kind = self.of("kind")
        owners = table.owners
        self.op_agent = table.columns["agent"][owners]
        self.op_number = table.columns["number"][owners]

    def of(self, name: str) -> list:
        """A column."""
        if name not in self.lists:
            self.lists[name] = self.table.columns[name][self.rows].tolist()
        return self.lists[name]

    def entries(self, name: str, row: int) -> tuple[list[int], ...]:
        """A row's entries of a list, by column."""
        key = f"@{name}"
        if key not in self.lists:
            self.lists[key] = self.table.starts(name)[self.rows].tolist()
        start = self.lists[key][row]
        end = start + self.of(name)[row]
        return tuple(self.table.columns[part][start:end].tolist() for part in LISTS[name])

    def record(self, kind: str, row: int, at: str = "at_end") -> Record:
        """One record of a row."""
        found = {"at": self.of(at)[row], "event": kind}
        for name, wanted in RECORDS[kind].items():
            if name == "refused":  # Such a record is kept verbatim.
                continue
            _READ[name](self, found, name, row, wanted.startswith("?"))
        return found

    def text(self, number: int) -> object:
        """A JSON value by its number, made anew when it may be changed."""
        if number not in self.shown:
            value = json.loads(self.table.texts[number])
            if isinstance(value, list | dict):
                return value
            self.shown[number] = value
        return self.shown[number]

    def name(self, op: int) -> str | None:
        """An operation by its number; None for the start state."""
        if op < 0:
            return None
        number = int(self.op_number[op])
        return self.text(-2 - number) if number < -1 else f"{self.agents[self.op_agent[op]]}.{number}"


def _agent(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    found["agent"] = reading.agents[reading.of("agent")[row]]


def _integer(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    found[name] = reading.of(FIELD.get(name, name))[row]


def _flag(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    found[name] = bool(reading.of("flag")[row])


def _op(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    op = reading.of(FIELD.get(name, name))[row]
    if op >= 0 or not may_lack:
        found[name] = reading.name(op)


def _ops(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    found["ops"] = [reading.name(op) for op in reading.entries("ops", row)[0]]


def _text(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    text = reading.of(FIELD.get(name, name))[row]
    if text >= 0 or not may_lack:
        found[name] = reading.text(text)


def _status(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    found["status"] = STATUSES[reading.of("status")[row]]


def _sightings(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    if reading.of(name)[row] >= 0:
        paths = reading.table.paths
        found[name] = {
            paths[path]: {**_cell(reading, value), "writer": reading.name(writer)}
            for path, value, writer in zip(*reading.entries(name, row), strict=True)
        }


def _cells(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    paths, values = reading.entries(name, row)
    found[name] = {reading.table.paths[path]: _cell(reading, value) for path, value in zip(paths, values, strict=True)}


def _cell(reading: _Reading, value: int) -> dict:
    return {} if value < 0 else {"value": reading.text(value)}


def _position(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    place = reading.of("place")[row]
    rank = reading.table.header["agents"][reading.of("agent")[row]]["rank"]
    found[name] = [*rank, reading.of("key")[row]] if place < 0 else reading.text(place)


def _form(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    form = reading.of("form")[row]
    if form >= 0:
        found[name] = getattr(reading.table.forms[form], name)


def _args(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    form = reading.of("form")[row]
    if form >= 0:
        (values,) = reading.entries("args", row)
        names = reading.table.forms[form].args
        found[name] = {one: reading.text(value) for one, value in zip(names, values, strict=True)}


def _footprint(reading: _Reading, found: dict, name: str, row: int, may_lack: bool) -> None:
    """The declared paths: the row's own, or those that the form finds among the arguments."""
    form = reading.table.forms[reading.of("form")[row]]
    named = getattr(form, name)
    if named is None:
        found[name] = reading.text(reading.of(name)[row])
    else:
        (values,) = reading.entries("args", row)
        found[name] = [reading.text(values[form.args.index(one)]) for one in named]


_READ: Mapping[str, Callable[[_Reading, dict, str, int, bool], None]] = {
    "agent": _agent,
    "op": _op,
    "ops": _ops,
    "status": _status,
    "cancelled": _flag,
    "saw": _sightings,
    "captured": _sightings,
    "wrote": _cells,
    "position": _position,
    "tool": _form,
    "blind": _form,
    "recoverable": _form,
    "args": _args,
    **dict.fromkeys(("reads", "writes"), _footprint),
    **dict.fromkeys(("value", "route", "decision", "action"), _text),
    **dict.fromkeys(("by", "cause", "heir", "replaces"), _op),
    **dict.fromkeys(("attempt", "prompt_tokens", "cached_tokens", "output_tokens"), _integer),
}
