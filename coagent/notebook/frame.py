"""Cuts a history into the steps that a reader takes: one for each thing that an agent or an onlooker can notice.

Captures, executions and refreshed results belong to the step that tells of them. Reads nothing but the records.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coagent.history import Record

BEFORE = frozenset(("inferred", "prepare", "exec", "refresh", "launch", "fork", "forked"))
"""Kinds that come before what tells of them."""

AFTER = frozenset(("infer", "commit", "quiescent", "end"))
"""Kinds that belong to the step before them when they happen at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A step: when (seconds), and which records, from `first` up to but not including `last`."""

    at: float
    first: int
    last: int


def frames(records: Sequence[Record], breaks: Collection[int] = ()) -> tuple[Frame, ...]:
    """The steps of a history's records, in order, all records in one of them.

    `breaks` are counts of records at which a step has to end, where it is known between which of them somebody chose.
    """
    breaks, found = frozenset(breaks), []
    first = 0
    for place, record in enumerate(records):
        following = records[place + 1] if place + 1 < len(records) else None
        if following is None or place + 1 in breaks or _ends(record, following):
            found.append(Frame(at=records[first]["at"], first=first, last=place + 1))
            first = place + 1
    return tuple(found)


def _ends(record: Record, following: Record) -> bool:
    """Whether a step ends between these two."""
    if following["at"] != record["at"]:
        return True
    return record["event"] not in BEFORE and following["event"] not in AFTER


def coarser(cut: Sequence[Frame], most: int) -> tuple[tuple[Frame, ...], int]:
    """At most so many steps, several of them in each where there are more, and how many that is."""
    each = -(-len(cut) // most) or 1
    if each == 1:
        return tuple(cut), 1
    groups = [cut[at : at + each] for at in range(0, len(cut), each)]
    return tuple(Frame(at=one[0].at, first=one[0].first, last=one[-1].last) for one in groups), each
