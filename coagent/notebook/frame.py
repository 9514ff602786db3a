"""Cuts a history into the steps that a reader takes: one for each thing that an agent or an onlooker can notice.

Captures, executions and refreshed results belong to the step that tells of them. Reads nothing but the records.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coagent.history import Record

Span = tuple[float, float]
"""From and to, in seconds of the run."""

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


def coarser(cut: Sequence[Frame], most: int, closely: Span | None = None) -> tuple[tuple[Frame, ...], int]:
    """About as many steps as `most`, several of them in each where there are more, and how many that is.

    Those that begin within `closely` (seconds, from and to) stay as they are.
    """
    close = [_within(one, closely) for one in cut]
    each = -(-(len(cut) - sum(close)) // most) or 1
    found: list[list[Frame]] = []
    for one, alone in zip(cut, close, strict=True):
        if alone or not found or len(found[-1]) == each or _within(found[-1][0], closely):
            found.append([one])
        else:
            found[-1].append(one)
    return tuple(Frame(at=group[0].at, first=group[0].first, last=group[-1].last) for group in found), each


def _within(frame: Frame, closely: Span | None) -> bool:
    return closely is not None and closely[0] <= frame.at <= closely[1]
