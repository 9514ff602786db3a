"""What an operation may look at: its declared footprint and nothing else; and who looked further (A2)."""

from collections.abc import Iterator, Mapping

from coagent.live.ledger import Ledger
from coagent.live.registry import BadCall, fit
from coagent.operation import Cell, Result
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


def sound(came: object) -> tuple[Result, tuple[tuple[str, Cell], ...]]:
    """What a tool's `exec` gave, when it is a result and cells. Raises Escape when no history could hold it."""
    if not isinstance(came, tuple) or len(came) != 2 or not isinstance(came[0], Result):
        raise Escape("returned what is no result with writes")
    result, wrote = came[0], tuple(came[1].items() if isinstance(came[1], Mapping) else came[1])
    if result.status not in ("ok", "failed"):
        raise Escape(f"returned the status {result.status!r}; there are ok and failed")
    if result.status == "failed" and wrote:
        raise Escape("failed, and yet it writes")
    if not all(isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], tuple) for one in wrote):
        raise Escape("writes what is no path with a cell")
    for value in (result.value, *(held for _, cell in wrote for held in cell)):
        try:
            fit(value)
        except BadCall as problem:
            raise Escape(f"returned or wrote what no cell holds: {problem}") from None
    return result, wrote


def escapes(ledger: Ledger) -> dict[str, str]:
    """The tools that left their footprint, as the run's troubles tell, with what they did."""
    told = [record["because"] for record in ledger.troubles]
    found = ((tool, tool_said(tool), because) for because in told for tool in ledger.tools)
    return {tool: because.removeprefix(start) for tool, start, because in found if because.startswith(start)}


def tool_said(tool: str) -> str:
    """How the trouble of a tool that left its footprint begins."""
    return f"tool {tool!r} "
