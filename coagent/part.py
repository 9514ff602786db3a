"""The parts of a world as plain values, to tell worlds apart by: without writers, and without what only feeds records.

What stands for an agent or an operation is decided in `coagent.canonical`.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum

from immutables import Map

from coagent.effect import Merge, Perform
from coagent.operation import Call, Result
from coagent.path import PathIndex


class Opaque(Exception):
    """A protocol keeps something of its own in `extra` that cannot be looked through for names, or no agents at all."""


def texts(part: object) -> Iterable[str]:
    """Every text in a protocol's own state. Raises Opaque."""
    match part:
        case str():
            yield part
        case None | int() | Enum():
            pass
        case tuple() | frozenset():
            for one in part:
                yield from texts(one)
        case Map():
            for name, value in part.items():
                yield from texts(name)
                yield from texts(value)
        case _ if is_dataclass(part):
            for one in fields(part):
                yield from texts(getattr(part, one.name))
        case _:
            raise Opaque


def named_by(flight: Perform | Merge) -> list[str]:
    """The operations that an effect in flight names."""
    if isinstance(flight, Merge):
        return []
    more = [one for one in (flight.recorded, flight.heir) if one]
    return [flight.op, *more, *[one.op for one in flight.overrides]]


def paths_of(index: PathIndex) -> dict[str, tuple[str, ...]]:
    """Each operation's paths in an index."""
    return index.names()


def cells_of(cells: Map) -> tuple:
    """What cells hold, whoever wrote it."""
    return tuple(sorted((path, repr(cell)) for path, (cell, _) in cells.items() if cell))


def call_of(call: Call) -> str:
    """A call as a text; true and 1 are two things."""
    return f"{call.tool} {call.args!r}"


def result_of(result: Result | None) -> tuple[str, str] | None:
    """A result's status and value."""
    return None if result is None else (result.status, repr(result.value))
