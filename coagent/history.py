"""The recorded history: what it holds, line by line, and how it is written and read back.

One JSON object a line. The first is the header, the last says how the run ended, and every line
between is one thing that happened. This table is the whole format; the JSON Schema beside it
(`history.schema.json`) is generated from it. A recorded file is sealed: each line carries a
checksum over itself and the line before, so a changed, missing or cut line is named. A history
written by hand may leave the seal out (`"sealed": false`, no `crc`).
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from operator import attrgetter

from coagent.bad_input import BadInput
from coagent.column import FLAT, SCALARS, TIMES
from coagent.operation import Cell, Sighting, Value
from coagent.record_check import Known, check_fields

VERSION = 1

HEADER = {
    "history": "const:coagent",
    "version": "int",
    "sealed": "bool",
    "simulated": "bool",
    "workload": "str",
    "protocol": "str",
    "seed": "int",
    "schedule": "schedule",
    "agents": "agents",
    "state": "cells",
    "order": "names",
    "models": "?object",
}
"""Header fields. `agents` lists name and rank in pre-order; `state` maps paths to the values at the start;
`order` says what the protocol promises: `declared` (the pre-order) or `any`; `models` names the model that drove each
agent, by agent, and is left out when programs did."""

_RESULT = {"status": "status", "value": "any", "route": "?str", "saw": "?sightings", "refused": "?bool"}

ROWS: Mapping[str, str] = {
    "count": "int",
    **dict.fromkeys(("paths", "texts", "forms"), "texts"),
    **dict.fromkeys((*SCALARS, *FLAT), "integers"),
    **dict.fromkeys(TIMES, "numbers"),
}
"""Fields of `rows`, the columns of many records at once: see `coagent.table`. A list of one entry says it for all."""

RECORDS: Mapping[str, Mapping[str, str]] = {
    "launch": {"agent": "agent", "rank": "position"},
    "infer": {"agent": "agent", "attempt": "int"},
    "inferred": {"agent": "agent", "prompt_tokens": "int", "cached_tokens": "int", "output_tokens": "int"},
    "invoke": {
        "agent": "agent",
        "op": "new",
        "attempt": "int",
        "position": "position",
        "tool": "str",
        "args": "values",
        "reads": "paths",
        "writes": "paths",
        "blind": "bool",
        "recoverable": "bool",
        "replaces": "?op",
    },
    "prepare": {"op": "op", "captured": "sightings"},
    "exec": {"op": "op", "status": "status", "wrote": "cellmap", "refused": "?bool"},
    "undo": {"op": "op"},
    "inherit": {"op": "op", "heir": "op"},
    "redo": {"op": "op", "wrote": "cellmap", **_RESULT},
    "mask": {"op": "op", "by": "op", "wrote": "cellmap"},
    "result": {"op": "op", "agent": "agent", **_RESULT},
    "refresh": {"op": "op", **_RESULT},
    "notify": {"agent": "agent", "op": "op", "cause": "op", "cancelled": "bool", **_RESULT},
    "consume": {"agent": "agent", "ops": "ops"},
    "judge": {"agent": "agent", "ops": "ops", "decision": "decision"},
    "repair": {"agent": "agent", "op": "op", "action": "action", "by": "?op"},
    "cancel": {"op": "op", "by": "op"},
    "hold": {"agent": "agent", "tool": "?str", "args": "?values"},
    "park": {"agent": "agent", "op": "op"},
    "release": {"agent": "agent", "op": "op"},
    "withdraw": {"agent": "agent", "op": "op"},
    "finish": {"agent": "agent", "report": "any"},
    "fork": {"agent": "agent", "attempt": "int"},
    "forked": {"op": "op", "status": "status", "captured": "sightings", "wrote": "cellmap"},
    "merge": {"agent": "agent", "attempt": "int", "conflicts": "paths", "wrote": "sightings"},
    "commit": {"agent": "agent"},
    "abort": {"agent": "agent", "attempt": "int", "because": "str"},
    "give-up": {"agent": "agent", "because": "str"},
    "step": {"input": "object", "effects": "texts", "sum": "str", "usage": "?object"},
    "intent": {
        "op": "op",
        "act": "str",
        "captured": "sightings",
        "wrote": "cellmap",
        "memo": "object",
        "status": "status",
        "value": "any",
        "saw": "sightings",
    },
    "trouble": {"because": "str", "act": "?str", "op": "?op"},
    "quiescent": {},
    "rows": ROWS,
    "end": {"records": "int", "quiescent": "bool", "final_state": "cells", "reports": "object"},
}
"""Fields by kind of record, beside `event` and `at` (seconds; simulated when the header says so). A `?` marks
what may be left out. `sightings` map paths to `{"value": v, "writer": op}` (no `value`: absent; writer null: the
start state), and a path ending in `/` says that the members below it were listed; `cellmap` maps paths to
`{"value": v}` or `{}` (absent); `cells` maps paths to values. A `fork` is one of the live state as it stands at that
line; `forked` is what a call did on its agent's fork and what it found there, and `merge` what the live state got of a
fork, by the operations that count as its writers (nothing, when there are conflicts).

A failure that is `refused` is not the tool's own word but the target's, or the runtime's.

A live run has three kinds more. A `step` is what the engine was fed, with the names of the effects that came of it and
a checksum over them in full, before any of them was carried out. An `intent` says what an effect is about to do to
its target, before it does: what stood there, with the target's memo of it, what it will leave, and its result. A
`trouble` is what a person has to look at: an undo that failed, a tool outside its footprint."""

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """A recorded run: header, records in order (the `end` record last), and where it was read from.

    `places` are set in a part of a history: where its records stand in the whole.
    """

    header: Record
    records: tuple[Record, ...]
    where: str = field(default="", compare=False)
    places: tuple[int, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        """Short, since what is returned from an event loop, or shown by a debugger, is shown as a text."""
        run = f"{self.header.get('workload')} under {self.header.get('protocol')}"
        return f"<History of {run}: {len(self.records)} records>"

    def numbered(self) -> Iterator[tuple[int, Record]]:
        """The records with their places, from 0; those that they have in the whole history, when this is a part."""
        return zip(self.places, self.records, strict=True) if self.places else enumerate(self.records)

    def of(self, *kinds: str) -> Iterator[Record]:
        """The records of these kinds, in order."""
        return (record for record in self.records if record["event"] in kinds)

    @property
    def end(self) -> Record:
        """The last record: quiescence, final state, reports."""
        return self.records[-1]

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        return import_module("coagent.notebook.display").history_html(self)


def plain(value: Value) -> object:
    """A value as JSON has it: tuples become lists."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def frozen(value: object) -> Value:
    """A JSON value as the engine has it: lists become tuples (objects stay as they are, in reports only)."""
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value


def sightings_out(saw: Iterable[Sighting]) -> dict[str, dict]:
    """Sightings as the record has them, by path."""
    return {
        one.path: {"value": plain(one.cell[0]), "writer": one.writer} if one.cell else {"writer": one.writer}
        for one in sorted(saw, key=attrgetter("path"))
    }


def sightings_in(record: Mapping[str, Mapping]) -> tuple[Sighting, ...]:
    """Sightings read back from a record."""
    return tuple(Sighting(path=path, cell=cell_in(one), writer=one.get("writer")) for path, one in record.items())


def cell_out(cell: Cell) -> dict:
    """A cell as the record has it: `{"value": v}`, or `{}` when absent."""
    return {"value": plain(cell[0])} if cell else {}


def cell_in(record: Mapping) -> Cell:
    """A cell read back from a record."""
    return (frozen(record["value"]),) if "value" in record else ()


def lines(history: History) -> Iterator[str]:
    """The history as lines of NDJSON, sealed when its header says so; same history, same bytes."""
    return sealed((history.header, *history.records))


def sealed(records: Iterable[Record]) -> Iterator[str]:
    """A header and records as lines, each with its checksum when the header says so."""
    crc, seal = 0, None
    for record in records:
        seal = record["sealed"] if seal is None else seal
        comma = "," if record.get("event") == "rows" else ", "
        body = json.dumps(record, ensure_ascii=False, separators=(comma, ": "))
        if seal:
            crc = zlib.crc32(body.encode(), crc)
            body = f'{body[:-1]}, "crc": "{crc:08x}"}}'
        yield body + "\n"


def parse(text: str, where: str) -> History:
    """A history from its text, short or in full. Raises BadInput naming the line for anything that is not one, whole
    and unchanged."""
    rows = text.split("\n")
    if rows and rows[-1] == "":
        rows.pop()
    elif rows and rows[-1]:
        raise BadInput(
            "the last line does not end in a newline, so the file was cut while it was written; record the run again",
            f"{where}:{len(rows)}",
        )
    if not rows:
        raise BadInput("the file is empty; a history has a header line at least", where)
    header = checked_header(_object(rows[0], f"{where}:1"), f"{where}:1")
    found = _numbered(rows, header, where)
    if '"event": "rows"' in text:
        found = iter(_unpacked(header, found, where))
    records = _checked(header, found, where)
    if not records or records[-1]["event"] != "end":
        raise BadInput(
            "the history stops without its 'end' record, so it was cut; record the run again", f"{where}:{len(rows)}"
        )
    if records[-1]["records"] != len(records) - 1:
        raise BadInput(
            f"the 'end' record counts {records[-1]['records']} records before it and there are {len(records) - 1}; "
            "lines were lost or added",
            f"{where}:{len(rows)}",
        )
    return History(header, tuple(records), where)


def checked(history: History) -> History:
    """The same history, when its header and records are right, field by field and against the lines before them.

    Raises BadInput, with the place of the history as a whole, when one is not.
    """
    checked_header(dict(history.header), history.where)
    _checked(history.header, ((0, record) for record in history.records), history.where)
    return history


def _numbered(rows: list[str], header: Record, where: str) -> Iterator[tuple[int, dict]]:
    """Line numbers and records after the header, each an object with the right checksum."""
    crc = _sealed(rows[0], 0, header, f"{where}:1")
    for number, row in enumerate(rows[1:], 2):
        record = _object(row, f"{where}:{number}")
        crc = _sealed(row, crc, header, f"{where}:{number}")
        yield number, record


def _unpacked(header: Record, numbered: Iterable[tuple[int, dict]], where: str) -> list[tuple[int, Record]]:
    """Line numbers and records in full, where a short form may have held them."""
    found = list(numbered)
    if not any(record.get("event") == "rows" for _, record in found):
        return found
    for number, record in found:
        if record.get("event") == "rows":
            check_fields(record, ROWS, (), (), f"{where}:{number}")
    from coagent.packed import unpacked

    return unpacked(header, found, where)


def _checked(header: Record, numbered: Iterable[tuple[int, dict]], where: str) -> list[Record]:
    """The records, when each is right by itself and against those before it."""
    records, known = [], Known(header)
    for number, record in numbered:
        place = f"{where}:{number}" if number else where
        if records and records[-1]["event"] == "end":
            raise BadInput(
                "something follows the 'end' record; two files may have been joined: keep one run a file", place
            )
        _record(record, known, place)
        records.append(record)
    return records


def _object(row: str, place: str) -> dict:
    try:
        record = json.loads(row)
    except RecursionError:
        raise BadInput("the line nests too deeply to be a history record", place) from None
    except ValueError as error:
        raise BadInput(f"not a line of JSON ({error}); a history has one JSON object a line", place) from None
    if not isinstance(record, dict):
        raise BadInput("the line is JSON, but not an object; a history has one JSON object a line", place)
    return record


def _sealed(row: str, crc: int, header: Record, place: str) -> int:
    if not header["sealed"]:
        return 0
    body, mark, seal = row.rpartition(', "crc": "')
    crc = zlib.crc32((body + "}").encode(), crc)
    if not mark or seal != f'{crc:08x}"}}':
        raise BadInput(
            "the line, or one before it, is not as it was recorded (its checksum differs); "
            'to check an edited history, set "sealed" to false in the header and say so',
            place,
        )
    return crc


def checked_header(record: dict, place: str) -> dict:
    """The header, when it is one of a version that is read here. Raises BadInput otherwise."""
    if record.get("history") != "coagent":
        raise BadInput(
            'the first line has no "history": "coagent", so this is no coagent history; name its --format', place
        )
    version = record.get("version")
    if isinstance(version, int) and version > VERSION:
        raise BadInput(
            f"the history has format version {version} and this coagent reads up to {VERSION}; upgrade coagent", place
        )
    if version != VERSION:
        raise BadInput(f"the history's version is {version!r}; it should be {VERSION}", place)
    check_fields(record, HEADER, (), (), place)
    ranks = [agent["rank"] for agent in record["agents"]]
    if any(low >= high for low, high in pairwise(ranks)):
        raise BadInput(f"the agents' ranks, {ranks}, do not rise; agents are listed in pre-order", place)
    return record


def _record(record: dict, known: Known, place: str) -> None:
    kind = record.get("event")
    if not isinstance(kind, str) or kind not in RECORDS:
        raise BadInput(f"unknown event {kind!r}; known are {', '.join(RECORDS)}", place)
    if not isinstance(record.get("at"), int | float) or isinstance(record["at"], bool):
        raise BadInput(f"the {kind!r} record has no time 'at' in seconds", place)
    check_fields(record, RECORDS[kind], known.ranks, known.ops, place)
    problem = known.problem(record)
    if problem:
        raise BadInput(f"the {kind!r} record {problem}; the file was edited or pieced together", place)
    known.note(record)
