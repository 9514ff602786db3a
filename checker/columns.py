"""A list-append history in columns: one row a transaction, one row a step, one row an element read.

Judges nothing. Keys and elements are codes, so that a million steps are compared as arrays.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from checker.transaction import Key, Transaction

ABORTED, UNKNOWN, COMMITTED = 0, 1, 2
STATUS = {"aborted": ABORTED, "unknown": UNKNOWN, "committed": COMMITTED}
_NAMED = {code: status for status, code in STATUS.items()}
NEVER = -1
"""A place or session that was not recorded, and the element of a read."""

ROWS = 16_384
"""Rows that are compared at once: few enough that their items stay in the processor's cache."""

Array = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Transactions in the order of their invocations; steps by transaction, in program order.

    A transaction: `names`, `status` (a code of STATUS), `session` (a code), `begun` and `ended`
    (places among the events; NEVER). A step: its `owner` (number of the transaction), `key` (place
    in `keys`), `element` appended (NEVER: a read), and for a read its list, `seen[start:start +
    length]`. Elements are integers as they are, or places in `elements` when that is given.
    """

    names: Sequence[str]
    status: Array
    session: Array
    begun: Array
    ended: Array
    owner: Array
    key: Array
    appends: Array
    element: Array
    start: Array
    length: Array
    seen: Array
    keys: Sequence[Key]
    elements: Sequence[Hashable] | None = None

    def shown_element(self, code: int) -> str:
        """An element as a sentence has it."""
        return str(code if self.elements is None else self.elements[code])

    def transactions(self) -> Iterator[Transaction]:
        """The transactions one by one, as the other checkers take them."""
        cuts = np.searchsorted(self.owner, np.arange(len(self.names) + 1)).tolist()
        for number, name in enumerate(self.names):
            steps = tuple(self._step(place) for place in range(cuts[number], cuts[number + 1]))
            session = int(self.session[number])
            yield Transaction(
                name=name,
                status=_NAMED[int(self.status[number])],
                steps=steps,
                session=None if session == NEVER else session,
                begun=_recorded(self.begun[number]),
                ended=_recorded(self.ended[number]),
            )

    def _step(self, place: int) -> tuple[str, Key, object]:
        key = self.keys[self.key[place]]
        if self.appends[place]:
            return "append", key, self._element(int(self.element[place]))
        start, length = int(self.start[place]), int(self.length[place])
        return "r", key, tuple(map(self._element, self.seen[start : start + length].tolist()))

    def _element(self, code: int) -> Hashable:
        return code if self.elements is None else self.elements[code]


def _recorded(place: int) -> int | None:
    return None if place == NEVER else int(place)


def coded(values: Iterable[Hashable]) -> tuple[list[int], list[Hashable]]:
    """A code for each value, by first appearance, and the values by code. `1` and `True` are kept apart by type."""
    codes: dict[tuple, int] = {}
    found = [codes.setdefault((type(value), value), len(codes)) for value in values]
    return found, [value for _, value in codes]


def columns(transactions: Iterable[Transaction]) -> Columns:
    """The columns of these transactions."""
    listed = list(transactions)
    steps = [(number, *step) for number, one in enumerate(listed) for step in one.steps]
    key, keys = coded(step[2] for step in steps)
    appends = np.array([step[1] == "append" for step in steps], bool)
    lists = [() if step[1] == "append" else tuple(step[3]) for step in steps]
    length = np.array([len(one) for one in lists], np.int64)
    flat = [element for one in lists for element in one]
    codes, elements = coded([*(step[3] for step in steps if step[1] == "append"), *flat])
    element = np.full(len(steps), NEVER, np.int64)
    element[appends] = codes[: int(appends.sum())]
    sessions, _ = coded(one.session for one in listed)
    none = np.array([one.session is None for one in listed], bool)
    return Columns(
        names=tuple(one.name for one in listed),
        status=np.array([STATUS[one.status] for one in listed], np.int8),
        session=np.where(none, NEVER, np.array(sessions, np.int64)),
        begun=_places(one.begun for one in listed),
        ended=_places(one.ended for one in listed),
        owner=np.array([step[0] for step in steps], np.int64),
        key=np.array(key, np.int64),
        appends=appends,
        element=element,
        start=np.cumsum(length) - length,
        length=length,
        seen=np.array(codes[int(appends.sum()) :], np.int64),
        keys=tuple(keys),
        elements=tuple(elements),
    )


def _places(places: Iterable[int | None]) -> Array:
    return np.array([NEVER if place is None else place for place in places], np.int64)


def spread(count: Array) -> tuple[Array, Array]:
    """For ragged rows of these lengths, the row of each item and its place in the row."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def same_items(one: Array, one_start: Array, other: Array, other_start: Array, count: Array) -> Array:
    """For each row, whether `count` items of two arrays from these starts on are equal."""
    result = np.ones(len(count), bool)
    for low in range(0, len(count), ROWS):
        rows = slice(low, low + ROWS)
        ends = np.cumsum(count[rows])
        if not len(ends) or not ends[-1]:
            continue
        first = one_start[rows] - ends + count[rows]
        place = np.repeat(first, count[rows]) + np.arange(ends[-1])
        shift = np.repeat(other_start[rows] - one_start[rows], count[rows])
        differ = np.flatnonzero(one[place] != other[place + shift])
        result[low + np.searchsorted(ends, differ, "right")] = False
    return result
