"""Values that know their term: a run over them acts on one concrete state and says for which others it would do alike.

Whatever the run asks of a value is noted as a decision; the decisions are the path condition. Where a question
is too hard to state, the value is pinned to what it is here: the path gets narrower, never wrong.
"""

from collections.abc import Mapping

from checker.proof.term import Numbering
from coagent.operation import Cell, Value, same


class WrongTerm(Exception):
    """A term says otherwise than the value that it stands for: a wrong translation, and no proof."""


class NoValue(Exception):
    """An expression has no value over the names as they are bound; what that depends on is pinned."""


class Trace:
    """The decisions of one run, in order: truths by number, and how each came out."""

    def __init__(self, numbering: Numbering) -> None:
        self.numbering = numbering
        self.decisions: dict[int, bool] = {}

    def decide(self, truth: int, holds: bool) -> bool:
        """Note that a truth came out so; returns it. Raises WrongTerm when it cannot have."""
        row = self.numbering.rows[truth]
        if row[0] == "known":
            if row[1] is not holds:
                raise WrongTerm("a known truth came out otherwise")
            return holds
        if row[0] == "not":
            return not self.decide(row[1], not holds)
        if self.decisions.setdefault(truth, holds) is not holds:
            raise WrongTerm("one truth came out both ways")
        return holds

    def condition(self) -> tuple[int, ...]:
        """The truths that hold on this path."""
        return tuple(
            number if holds else self.numbering.negated(number) for number, holds in sorted(self.decisions.items())
        )

    def tracked(self, value: Value) -> "Tracked":
        """A known value."""
        return Tracked(value, self.numbering.constant(value), self)


class Tracked:
    """A value with its term; equal to another when they are the same here, which is noted."""

    __slots__ = ("number", "trace", "value")

    def __init__(self, value: Value, number: int, trace: Trace) -> None:
        self.value, self.number, self.trace = value, number, trace

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tracked):
            return NotImplemented
        truth = self.trace.numbering.same(self.number, other.number)
        return self.trace.decide(truth, same(self.value, other.value))

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)

    @property
    def made(self) -> str:
        """The kind that the value is of, as terms have it."""
        match self.value:
            case None:
                return "null"
            case bool():
                return "truth"
            case int():
                return "whole"
            case str():
                return "text"
        return "cons" if self.value else "nil"

    def pin_kind(self) -> str:
        """Note the kind of the value, and of a text whether it is empty; returns the kind."""
        terms = self.trace.numbering
        self.trace.decide(terms.is_a(self.made, self.number), True)
        if self.made == "text":
            empty = terms.equal_texts(terms.part("text", self.number), terms.text(""))
            self.trace.decide(empty, not self.value)
        return self.made

    def pin(self) -> Value:
        """Note the value itself; returns it."""
        terms = self.trace.numbering
        self.trace.decide(terms.same(self.number, terms.constant(self.value)), True)
        return self.value

    def part(self, kind: str) -> int:
        """The integer, text or truth that it is made of; the kind is noted."""
        self.trace.decide(self.trace.numbering.is_a(kind, self.number), True)
        return self.trace.numbering.part(kind, self.number)

    def count(self) -> int:
        """The integer that it counts as in arithmetic, for an integer or a boolean."""
        if self.made == "truth":
            return self.trace.numbering.bit(self.part("truth"))
        return self.part("whole")

    def items(self) -> list["Tracked"]:
        """The items of a list; its length is noted."""
        terms, number, found = self.trace.numbering, self.number, []
        for value in self.value:
            self.trace.decide(terms.is_a("cons", number), True)
            found.append(Tracked(value, terms.head(number), self.trace))
            number = terms.tail(number)
        self.trace.decide(terms.is_a("nil", number), True)
        return found

    def truthy(self) -> bool:
        """Whether Python takes it for true; noted."""
        return self.trace.decide(self.trace.numbering.truthy(self.number), bool(self.value))

    def of(self, value: Value, number: int) -> "Tracked":
        """Another value on the same path."""
        return Tracked(value, number, self.trace)


class Gone(tuple):
    """The cell of a path that somebody emptied: empty like any other, and known to be so in every state."""

    __slots__ = ()


GONE = Gone()


class Cells:
    """Symbolic cells: each path of the universe holds an unknown until somebody writes it; other paths hold nothing."""

    def __init__(self, trace: Trace, universe: Mapping[str, Cell], names: Mapping[str, str] | None = None) -> None:
        self.trace, self.universe = trace, universe
        self._names = names or {}

    def start(self, path: str) -> Cell:
        """The cell of a path at the start, tracked; the empty tuple where it is absent here."""
        cell = self.universe.get(path, ())
        return (Tracked(cell[0], self.symbol(path), self.trace),) if cell else ()

    def symbol(self, path: str) -> int:
        """The term of a path's cell at the start."""
        if path not in self.universe:
            return self.trace.numbering.absent
        return self.trace.numbering.symbol(self._names.get(path, path))

    def number(self, path: str, cell: Cell) -> int:
        """The term of a cell found at a path."""
        if cell:
            return cell[0].number
        return self.trace.numbering.absent if isinstance(cell, Gone) else self.symbol(path)

    def look(self, path: str, cell: Cell) -> Cell:
        """Note whether a cell found at a path holds a value; returns it."""
        terms = self.trace.numbering
        self.trace.decide(terms.is_a("absent", self.number(path, cell)), not cell)
        return cell
