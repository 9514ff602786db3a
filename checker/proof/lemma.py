"""What the proofs about single tools have in common: every sample call, every path, every state, or a counterexample.

Each path's run carries the real tools out beside their meanings, so what refutes was done by the tools themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING

from checker.proof.enumeration import Enumerated, Way, enumerated
from checker.proof.proof import NUMBERING, SOLVER, Counterexample, Proof, named_cells
from checker.proof.sample_call import Sample, opening, universe
from checker.proof.term import Numbering
from checker.proof.tracked import Trace, WrongTerm
from coagent.operation import Cell
from coagent.tool import Tool

if TYPE_CHECKING:
    from checker.proof.solver import Solver

PATHS = 200
"""Paths of one sample that are followed; tools have far fewer."""

ITEMS_MAX = 2
"""Items that a list in a cell or an argument may have."""


State = Mapping[str, Cell]
Acted = tuple[list[tuple[str, int, int]], list[str]]
"""The pairs of terms that are to be equal, and in words what differs already."""


class Lemma:
    """A statement about sample calls. `run` acts from a state; `more` are unknowns beside the calls' own."""

    def __init__(
        self, calls: Iterable[Sample], run: Callable[[Trace, State], Acted], more: State | None = None
    ) -> None:
        self.calls, self.run = tuple(calls), run
        self.start: dict[str, Cell] = {**opening(self.calls), **(more or {})}
        self.terms = Numbering()

    def way(self, state: Mapping[str, Cell]) -> Way:
        """The run from a state."""
        trace = Trace(self.terms)
        pairs, differs = self.run(trace, state)
        return Way(condition=trace.condition(), pairs=tuple(pairs), differs=tuple(differs))

    def solver(self, seconds: float) -> "Solver":
        """A solver that knows that arguments are values."""
        from checker.proof.solver import Solver

        solver = Solver(self.terms, seconds=seconds, items_max=ITEMS_MAX)
        solver.never_absent = {symbol for one in self.calls for symbol in one.unknown.values()}
        return solver

    def proved(self, seconds: float, given: Iterable[int] = (), start: Mapping[str, Cell] | None = None) -> Enumerated:
        """Whether the statement holds in every state, by enumeration of all paths."""
        begin = start or self.start
        found = enumerated(self.way, begin, self.terms, lambda: self.solver(seconds), paths=PATHS, given=given)
        if found.verdict == "proved" and not found.complete:
            missing = (f"{found.paths} paths, the bound, and more are open",)
            return Enumerated(verdict="unknown", how=found.how, paths=found.paths, complete=False, missing=missing)
        return found

    def counterexample(self, found: Enumerated) -> Counterexample:
        """What refutes, as a person reads it."""
        held = universe(found.cells, self.calls)
        calls = tuple(str(one.call(found.cells)) for one in self.calls)
        return Counterexample(state=named_cells(held), calls=calls, differs=found.way.differs)


def lemma(what: str, tool: Tool, make: Callable[[], Iterable[Lemma]], *, seconds: float) -> Proof:
    """The proof of a statement about one tool, over all of its sample calls."""
    start, paths, how = perf_counter(), 0, NUMBERING
    if tool.meaning is None:
        missing = (f"the tool {tool.name!r} is not declared as data",)
        return Proof(verdict="unknown", what=what, missing=missing)
    for one in make():
        try:
            found = one.proved(seconds)
        except WrongTerm as error:
            return Proof(verdict="unknown", what=what, missing=(str(error),), seconds=perf_counter() - start)
        paths += found.paths
        how = SOLVER if found.how == SOLVER else how
        size = {"what": what, "how": how, "paths": max(paths, 1), "seconds": perf_counter() - start}
        if found.verdict == "refuted":
            return Proof(verdict="refuted", counterexample=one.counterexample(found), **size)
        if found.verdict == "unknown":
            return Proof(verdict="unknown", missing=found.missing, **size)
    return Proof(verdict="proved", domain=f"all cells and arguments, lists up to {ITEMS_MAX} items", **size)
