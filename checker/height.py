"""Operations by the paths that they touch and their positions: which that overlap lie above one, at the cost of those.

Knows nothing of cells or history formats.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable

from coagent.operation import Position
from coagent.path import ancestors

Placed = tuple[Position, str]


class Heights:
    """Operations at paths, each path's in order of position; an operation may be at several paths."""

    def __init__(self) -> None:
        self._at: dict[str, list[Placed]] = defaultdict(list)
        self._below: dict[str, list[Placed]] = defaultdict(list)

    def add(self, paths: Iterable[str], position: Position, op: str) -> None:
        """Place an operation."""
        for path in paths:
            insort(self._at[path], (position, op))
            for above in ancestors(path):
                insort(self._below[above], (position, op))

    def remove(self, paths: Iterable[str], position: Position, op: str) -> None:
        """Take an operation out again; the paths are all those that it was placed with."""
        for path in paths:
            _take(self._at[path], (position, op))
            for above in ancestors(path):
                _take(self._below[above], (position, op))

    def above(self, paths: Iterable[str], position: Position) -> set[str]:
        """The operations at higher positions whose paths overlap any of these."""
        found: set[str] = set()
        for path in paths:
            here = (self._at.get(path), self._below.get(path), *(self._at.get(one) for one in ancestors(path)))
            for placed in here:
                if placed and placed[-1][0] > position:
                    start = bisect_right(placed, position, key=lambda one: one[0])
                    found.update(op for _, op in placed[start:])
        return found


def _take(placed: list[Placed], one: Placed) -> None:
    at = bisect_left(placed, one)
    if at < len(placed) and placed[at] == one:
        del placed[at]
