"""Which operations rest on what is no longer so: the cells that each saw, held against what its place shows now.

Where the order is declared a premise is stale when `M(o, p)` at the operation's own position is another value;
elsewhere when somebody else has changed the live cell since. Asks no protocol, so it also marks what nobody was told.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from coagent.history import Record, cell_in
from coagent.notebook.object_fold import ObjectFold
from coagent.operation import Cell
from coagent.path import ancestors


class Premises:
    """The stale premises of every agent that has not ended."""

    def __init__(self, objects: ObjectFold, filtered: bool) -> None:
        self.objects, self.filtered = objects, filtered
        self.saw: dict[str, dict[str, Cell]] = {}
        self.stale: dict[str, set[str]] = {}
        self.readers: dict[str, dict[str, None]] = defaultdict(dict)
        self.listing = 0

    def believe(self, op: str, saw: Mapping[str, Record]) -> None:
        """An agent believes what this operation saw."""
        self.drop(op)
        self.saw[op] = {path: cell_in(one) for path, one in saw.items()}
        self.stale[op] = set()
        for path in self.saw[op]:
            self.readers[path][op] = None
            if path.endswith("/"):
                self.listing += 1
            else:
                self._look(op, path)

    def drop(self, op: str) -> None:
        """Nobody rests on this operation any more."""
        for path in self.saw.pop(op, ()):
            self.readers[path].pop(op, None)
            self.listing -= path.endswith("/")
        self.stale.pop(op, None)

    def moved(self, paths: Iterable[str]) -> set[str]:
        """What became stale or fresh as these paths changed."""
        turned: set[str] = set()
        for path in paths:
            for op in [*self.readers.get(path, ()), *self._listers(path)]:
                before = bool(self.stale[op])
                self._look(op, path)
                if bool(self.stale[op]) != before:
                    turned.add(op)
        return turned

    def _listers(self, path: str) -> Iterator[str]:
        for above in ancestors(path) if self.listing else ():
            yield from self.readers.get(above + "/", ())

    def _look(self, op: str, path: str) -> None:
        write = self.objects.ops[op]
        if self.filtered:
            now, writer = self.objects.materialized(path, write.position)
        else:
            now, writer = self.objects.value(path)
        saw = self.saw[op].get(path, ())
        foreign = writer is None or self.objects.ops[writer].agent != write.agent
        if foreign and repr(now) != repr(saw):
            self.stale[op].add(path)
        elif foreign or self.filtered:
            # What one overwrote oneself stays as stale as it was: that is how an update is lost.
            self.stale[op].discard(path)
