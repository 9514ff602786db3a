"""The simulated live state: cells by path, who wrote each, and how calls act on it and are undone.

Persistent values and pure functions. A deleted path keeps an empty cell with its deleter, so that a
later reader's sighting can name whom the absence is due to.
"""

from collections.abc import Iterable, Iterator, Mapping

from immutables import Map

from coagent.effect import Override, Perform
from coagent.operation import Cell, Result, Sighting, Value
from coagent.tool import Tool

Entry = tuple[Cell, str | None]
"""A cell and the operation that wrote it (None: the start state)."""

ABSENT: Entry = ((), None)


def opened(state: Iterable[tuple[str, Value]]) -> Map:
    """The store at the start, from (path, value) pairs."""
    return Map({path: ((value,), None) for path, value in state})


def values(cells: Mapping[str, Entry]) -> dict[str, Value]:
    """What the store holds, by path, sorted."""
    return dict(sorted((path, cell[0]) for path, (cell, _) in cells.items() if cell))


class Glass:
    """A view of the store through corrections, noting every cell that is looked at."""

    def __init__(self, cells: Mapping[str, Entry], corrections: Mapping[str, Entry]) -> None:
        self._cells, self._corrections, self._seen = cells, corrections, {}

    def cell(self, path: str) -> Cell:
        """The cell at a path, noted."""
        entry = self._corrections.get(path) or self._cells.get(path, ABSENT)
        self._seen[path] = entry
        return entry[0]

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below that holds a value, sorted; the cells are noted, and that they were listed."""
        start = path + "/"
        self._seen[start] = ABSENT
        names = {name for name in (*self._cells, *self._corrections) if name.startswith(start)}
        return iter([name for name in sorted(names) if self.cell(name)])

    def sightings(self) -> tuple[Sighting, ...]:
        """The cells looked at so far, by path."""
        return tuple(
            Sighting(path=path, cell=cell, writer=writer) for path, (cell, writer) in sorted(self._seen.items())
        )


class Pane:
    """A view of the store through corrections, for when nobody asks what was looked at."""

    __slots__ = ("_cells", "_corrections")

    def __init__(self, cells: Mapping[str, Entry], corrections: Mapping[str, Entry]) -> None:
        self._cells, self._corrections = cells, corrections

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        entry = (self._corrections and self._corrections.get(path)) or self._cells.get(path)
        return entry[0] if entry else ()

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below that holds a value, sorted."""
        start, corrected = path + "/", self._corrections
        found = [name for name, (cell, _) in self._cells.items() if cell and name.startswith(start)]
        if corrected:
            kept = [name for name in found if name not in corrected]
            found = kept + [name for name, (cell, _) in corrected.items() if cell and name.startswith(start)]
        found.sort()
        return iter(found)

    def sightings(self) -> tuple[Sighting, ...]:
        """Nothing."""
        return ()


def corrections(
    captured: Mapping[str, tuple[tuple[str, Entry], ...]], overrides: Iterable[Override]
) -> dict[str, Entry]:
    """The entries that an order-filtered read sees instead of the live ones; a later override wins."""
    found: dict[str, Entry] = {}
    for override in overrides:
        if override.image:
            found.update({path: (cell, override.op) for path, cell in override.image})
        else:
            found.update(captured.get(override.op, ()))
    return found


def execute(
    cells: Map, tool: Tool, effect: Perform, corrected: Mapping[str, Entry], sees: bool = True
) -> tuple[Map, Result, tuple[tuple[str, Cell], ...], tuple[Sighting, ...], tuple[tuple[str, Entry], ...]]:
    """Run a call: the new store, its result, what it wrote, what it saw, and what prepare captured for undo.

    Without `sees` what it saw is left out.
    """
    glass = Glass(cells, corrected) if sees else Pane(cells, corrected)
    result, wrote = tool.exec(glass, dict(effect.call.args))
    captured = tuple((path, cells.get(path, ABSENT)) for path, _ in wrote)
    for path, cell in wrote:
        cells = cells.set(path, (cell, effect.op))
    return cells, result, wrote, glass.sightings(), captured


def reverse(cells: Map, captured: Iterable[tuple[str, Entry]]) -> Map:
    """Put back what prepare captured."""
    for path, entry in captured:
        cells = cells.delete(path) if entry == ABSENT else cells.set(path, entry)
    return cells
