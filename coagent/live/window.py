"""What an operation may look at: its declared footprint and nothing else; and who looked further (A2)."""

from collections.abc import Iterator, Mapping

from coagent.live.ledger import Ledger
from coagent.operation import Cell
from coagent.path import within
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


def escapes(ledger: Ledger) -> dict[str, str]:
    """The tools that left their footprint, as the run's troubles tell, with what they did."""
    told = [record["because"] for record in ledger.troubles]
    found = ((tool, tool_said(tool), because) for because in told for tool in ledger.tools)
    return {tool: because.removeprefix(start) for tool, start, because in found if because.startswith(start)}


def tool_said(tool: str) -> str:
    """How the trouble of a tool that left its footprint begins."""
    return f"tool {tool!r} "
