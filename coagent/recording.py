"""Collects a run's history while it unfolds: a linked list of records, so that forking a world costs nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from coagent.effect import Place
from coagent.event import Invoked
from coagent.history import VERSION, History, Record, cell_out, plain, sightings_out
from coagent.operation import Call, Cell, Result, Sighting


@dataclass(frozen=True, slots=True)
class Recorder:
    """The history so far; `add` gives a longer one."""

    before: "Recorder | None" = None
    record: Record | None = None
    count: int = 0
    listens: ClassVar[bool] = True
    sees: ClassVar[bool] = True
    notes: ClassVar[frozenset[str]] = frozenset()

    def add(self, kind: str, at: float, **fields: object) -> "Recorder":
        """This history and one more record, at a time in seconds."""
        return Recorder(self, {"at": round(at, 6), "event": kind, **fields}, self.count + 1)

    def records(self) -> tuple[Record, ...]:
        """All records, oldest first."""
        found, here = [], self
        while here.record is not None:
            found.append(here.record)
            here = here.before
        return tuple(reversed(found))

    def since(self, earlier: "Recorder") -> tuple[Record, ...]:
        """The records added after an earlier state of this history."""
        return self.records()[earlier.count :]


@dataclass(frozen=True, slots=True)
class Tally:
    """In the place of a `Recorder` where nobody will read the history: only counts the notices.

    `notes` names the kinds of record that are wanted all the same, if only in part; `sees` says whether an operation's
    sightings are (here because they tell states apart).
    """

    notices: int = 0
    listens: ClassVar[bool] = False
    sees: ClassVar[bool] = True
    notes: ClassVar[frozenset[str]] = frozenset({"notify"})

    def add(self, kind: str, at: float, **fields: object) -> "Tally":
        """This tally, and one more when a notice was sent."""
        return Tally(self.notices + 1) if kind == "notify" else self


class Digest:
    """In the place of a `Recorder` where the history is only counted: its small records, without calls and cells.

    One list that every state of the run adds to, so only for a run that goes straight on: it does not fork.
    """

    __slots__ = ("_records",)
    listens: ClassVar[bool] = False
    sees: ClassVar[bool] = False
    notes: ClassVar[frozenset[str]] = frozenset(
        ("infer", "inferred", "invoke", "undo", "redo", "notify", "consume", "judge", "abort", "give-up")
    )

    def __init__(self) -> None:
        self._records: list[Record] = []

    def add(self, kind: str, at: float, **fields: object) -> "Digest":
        """This digest, with one more record."""
        fields["event"] = kind
        self._records.append(fields)
        return self

    def records(self) -> tuple[Record, ...]:
        """All records, oldest first."""
        return tuple(self._records)


def args_out(call: Call) -> dict[str, object]:
    """A call's arguments as the record has them."""
    return {name: plain(value) for name, value in call.args}


def invoked_out(place: Place, cause: Invoked) -> dict[str, object]:
    """An operation that got its place, as its `invoke` record has it."""
    declared = cause.declaration
    more = {"replaces": place.replaces} if place.replaces else {}
    return {
        "agent": place.agent,
        "op": place.op,
        "attempt": place.attempt,
        "position": list(place.position),
        "tool": cause.call.tool,
        "args": args_out(cause.call),
        "reads": list(declared.reads),
        "writes": list(declared.writes),
        "blind": declared.blind,
        "recoverable": declared.recoverable,
        **more,
    }


def outcome_out(result: Result, route: str, saw: Iterable[Sighting]) -> dict[str, object]:
    """A result with its read route and the cells it rests on, as the record has them."""
    shown: dict[str, object] = {"status": result.status, "value": plain(result.value)}
    if route:
        shown["route"] = route
    return {**shown, "saw": sightings_out(saw)}


def cells_out(wrote: Iterable[tuple[str, Cell]]) -> dict[str, object]:
    """Written cells as the record has them."""
    return {path: cell_out(cell) for path, cell in sorted(wrote)}


def entries_out(captured: Iterable[tuple[str, tuple[Cell, str | None]]]) -> dict[str, object]:
    """Captured cells with their writers, as the record has them."""
    return sightings_out(Sighting(path=path, cell=cell, writer=writer) for path, (cell, writer) in captured)


def history(recorder: Recorder, header: Mapping[str, object], end: Mapping[str, object], at: float) -> History:
    """The finished history: header, what was recorded, and how it ended."""
    records = recorder.records()
    head = {"history": "coagent", "version": VERSION, "sealed": True, "simulated": True, **header}
    return History(head, (*records, {"at": round(at, 6), "event": "end", "records": len(records), **end}))
