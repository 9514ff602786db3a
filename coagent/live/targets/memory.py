"""A target in memory: cells in a dictionary. For rehearsals, benchmarks and model agents without a real system."""

from collections.abc import Iterable, Mapping, Sequence

from coagent.live.target import Memo, Reading
from coagent.operation import Cell, Value


class MemoryTarget:
    """Cells in a dictionary, lost with the process. `state` are (path, value) pairs at the start."""

    def __init__(self, roots: Iterable[str], state: Iterable[tuple[str, Value]] = ()) -> None:
        self.roots = tuple(roots)
        self.cells: dict[str, Value] = dict(state)

    @property
    def spec(self) -> Mapping[str, object]:
        """Kind and roots; the cells do not come back."""
        return {"kind": "memory", "roots": list(self.roots)}

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths."""
        found: dict[str, Value] = {}
        for path in paths:
            if path in self.cells:
                found[path] = self.cells[path]
            start = path + "/" if path else ""
            found.update((name, value) for name, value in self.cells.items() if name.startswith(start))
        return Reading(cells=found)

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so."""
        for path, cell in cells.items():
            if cell:
                self.cells[path] = cell[0]
            else:
                self.cells.pop(path, None)

    async def close(self) -> None:
        """Nothing to let go of."""
