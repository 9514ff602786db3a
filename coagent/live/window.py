"""What a call sees: what it declared to read, and nothing else (A2)."""

from collections.abc import Iterator, Mapping

from coagent.live.ledger import within
from coagent.operation import Cell
from coagent.store import Entry, Glass


class Escape(Exception):
    """A tool looked or wrote outside its declared footprint (A2)."""


class Window:
    """A view of what an operation declared to read, and of nothing else."""

    def __init__(self, cells: Mapping[str, Entry], corrected: Mapping[str, Entry], reads: tuple[str, ...]) -> None:
        self._glass, self._reads = Glass(cells, corrected), reads

    def cell(self, path: str) -> Cell:
        """The cell at a path. Raises Escape outside the declared reads."""
        self._check(path)
        return self._glass.cell(path)

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below. Raises Escape outside the declared reads."""
        self._check(path)
        return self._glass.below(path)

    def sightings(self) -> tuple:
        """What was looked at."""
        return self._glass.sightings()

    def _check(self, path: str) -> None:
        if not any(within(path, read) for read in self._reads):
            raise Escape(f"looked at {path!r}, and it declares to read {', '.join(self._reads) or 'nothing'}")
