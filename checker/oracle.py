"""The serial oracle: what the agents' programs come to one after the other, with no engine and no protocol at all.

An independent judge of final states and reports; it runs the programs straight on a dictionary.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

from checker.tree import Tree
from coagent.operation import Cell, Result, Value
from coagent.tool import Tool, Writes

MAX_CALLS = 100_000


class Ledger:
    """A plain dictionary of cells as a tool sees it; `cells`, and `tree` of its paths, are changed by `put` only."""

    def __init__(self, state: Iterable[tuple[str, Value]]) -> None:
        self.cells: dict[str, Cell] = {path: (value,) for path, value in state}
        self.tree = Tree(self.cells)

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        return self.cells.get(path, ())

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below this one that holds a value, sorted."""
        return iter(self.tree.below(path))

    def put(self, wrote: Writes) -> None:
        """Leave these cells behind, (path, cell) pairs; an empty cell removes the path."""
        for path, cell in wrote:
            if cell:
                self.cells[path] = cell
                self.tree.add(path)
            elif path in self.cells:
                del self.cells[path]
                self.tree.discard(path)

    def run(self, tool: Tool, args: Mapping[str, Value]) -> Result:
        """Carry out one call."""
        result, wrote = tool.exec(self, args)
        self.put(wrote)
        return result


def serial(
    state: Iterable[tuple[str, Value]],
    programs: Iterable[tuple[str, Callable[[], Generator]]],
    tools: Mapping[str, Tool],
    most: int = MAX_CALLS,
) -> tuple[dict[str, Value], dict[str, object]]:
    """Final state (by path, sorted) and reports (by agent) of running the named programs in the order given.

    Raises RuntimeError, naming the agent, when a program makes more than `most` calls.
    """
    ledger, reports = Ledger(state), {}
    for name, program in programs:
        running, sent = program(), None
        for _ in range(most):
            try:
                call = running.send(sent).call
            except StopIteration as stop:
                reports[name] = stop.value
                break
            sent = ledger.run(tools[call.tool], dict(call.args))
        else:
            raise RuntimeError(f"agent {name!r} made {most:,} calls without finishing")
    return {path: ledger.cells[path][0] for path in sorted(ledger.cells)}, reports
