"""What an agent asks for and what it gets: calls, declarations, results, positions.

Values only; nothing here knows a protocol or a store. Terms follow P1 section 3 and P2 section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Value = int | str | bool | None | tuple["Value", ...]
"""What cells, results and reports hold: integers, strings, booleans, null and (as tuples) lists of those."""

Cell = tuple[()] | tuple[Value]
"""The content of a path: `()` when absent, `(value,)` otherwise; null is a value, absence is not."""

Position = tuple[int, ...]
"""A serial position: the agent's rank, then a dense program key; compared as Python compares tuples."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments, as (name, value) pairs in the tool's own order."""

    tool: str
    args: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.tool, *(show(value) if name != "path" else str(value) for name, value in self.args)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a call says of itself before it runs (P1 section 3; P2 section 2).

    `reads` and `writes` are paths, indirect effects included. A write is `blind` when its result
    and effect do not depend on what it replaces; otherwise it is read-modify-write and its written
    paths are in `reads`. An unrecoverable call has no inverse. `image` is what a blind write leaves
    behind, (path, cell) pairs, known without running it, and `versioned` says that what prepare
    captures are the previous cells themselves, so that they can serve order-filtered reads.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    blind: bool = False
    recoverable: bool = True
    versioned: bool = True
    image: tuple[tuple[str, Cell], ...] = ()

    @property
    def footprint(self) -> tuple[str, ...]:
        """Reads and writes together, as paths; a path in both appears twice."""
        return self.reads + self.writes


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returned: `status` is `ok`, `failed` (no effect; `value` is the error word) or `unknown`."""

    status: str
    value: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One cell as an operation saw it: its content, and the operation that wrote it (None: the start state).

    A path ending in `/` is no cell: it says that the members below were listed, so that what is not
    among an operation's sightings there was absent.
    """

    path: str
    cell: Cell
    writer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The word to an agent that the result of one of its operations is no longer what it was told.

    `op` is the receiver's operation, `result` the refreshed result (None when the operation was
    cancelled and has to be reissued), `cause` the operation whose effect made it stale, and `saw`
    the cells behind the refreshed result. One-way: `cause` is always at a lower position.
    """

    agent: str
    op: str
    cause: str
    result: Result | None
    saw: tuple[Sighting, ...] = ()


def same(left: object, right: object) -> bool:
    """Equality that keeps booleans and integers apart, at any depth of tuples: `True` is not `1` here."""
    return left == right and repr(left) == repr(right)


def following(rank: Position, last: Position | None) -> Position:
    """The next whole key of the agent with `rank`, after its last position (None: it has none yet)."""
    return (*rank, last[len(rank)] + 1 if last else 1)


def between(low: Position, high: Position) -> Position:
    """A position strictly between two neighbours; `low` may be the bare rank, before an agent's first.

    Keys are dense: what an inserted repair gets never collides and never moves what is there.
    """
    if high[: len(low)] == low:
        return (*low, high[len(low)] - 1)
    return (*low, 1)


def show(value: object) -> str:
    """A value as a scenario file would write it: lists in brackets, `true`, `null`, strings quoted; or a report."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ", ".join(show(item) for item in value) + "]"
        case str():
            return "'" + value + "'"
        case Mapping():
            return "{" + ", ".join(f"{name}: {show(item)}" for name, item in value.items()) + "}"
        case _:
            return str(value)
