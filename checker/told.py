"""What the records say of one operation, gathered while a history is read, and records as values.

Judges nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coagent.history import Record, cell_in, frozen, sightings_in
from coagent.operation import Cell, Result, show

Seen = Mapping[str, tuple[Cell, str | None]]
"""Cells by path with their writers, as an operation saw them."""


@dataclass(slots=True, kw_only=True)
class Told:
    """One operation so far. `belief` is what its agent believes, `notice` what waits to be consumed, `acted` what it
    came to last; `applied` is the record at which the live store got `wrote`, None when it does not stand there.
    `refused`: what it came to last is a failure that is not its tool's own word. `forked` says that it acted on a
    fork, and `merged` what the live store then got by it."""

    invoke: Record
    belief: tuple[Result, Seen | None] | None = None
    notice: tuple[Result | None, Seen | None] | None = None
    acted: tuple[Result, Seen | None] | None = None
    wrote: dict[str, Cell] = field(default_factory=dict)
    applied: int | None = None
    captured: Seen = field(default_factory=dict)
    cover: str | None = None
    status: str = ""
    answered: bool = False
    withdrawn: bool = False
    doubted: bool = False
    refused: bool = False
    cancelled: str | None = None
    forked: bool = False
    merged: dict[str, Cell] = field(default_factory=dict)


def agree(told: Told) -> None:
    """The same result again: what it rests on now is what counts (nobody has to be told)."""
    for name in ("belief", "notice"):
        known = getattr(told, name)
        if known and known[0] is not None and repr(known[0]) == repr(told.acted[0]):
            setattr(told, name, told.acted)


def outcome(record: Record) -> tuple[Result, Seen | None]:
    """Result and sightings of a record that has them."""
    return result(record), saw(record)


def result(record: Record) -> Result:
    """The result that a record holds."""
    return Result(record["status"], frozen(record["value"]))


def saw(record: Record) -> Seen | None:
    """The cells that a record says were seen; None when it does not say."""
    return seen(record["saw"]) if "saw" in record else None


def seen(record: Mapping[str, Mapping]) -> dict[str, tuple[Cell, str | None]]:
    """Sightings by path, cells with writers."""
    return {one.path: (one.cell, one.writer) for one in sightings_in(record)}


def cells(record: Mapping[str, Mapping]) -> dict[str, Cell]:
    """Written cells by path."""
    return {path: cell_in(one) for path, one in record.items()}


def said(cell: Cell) -> str:
    """A cell in a sentence."""
    return show(cell[0]) if cell else "absent"


def worth(result: Result) -> str:
    """A result in a sentence."""
    return show(result.value) if result.status == "ok" else f"{result.status} ({show(result.value)})"


def nth(number: int) -> int:
    """A record by its place, as sentences count it: the first after the header is record 1, whatever line holds it."""
    return number + 1
