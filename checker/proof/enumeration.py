"""Proves that pairs of terms are equal for every start state: one run after another, until every state has its path.

A run from one start state comes with the condition under which all states go the same way. The equalities are
proved along that way; then the solver is asked for a state that no condition met so far covers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.proof.proof import NUMBERING, SOLVER
from checker.proof.term import Numbering
from coagent.operation import Cell

if TYPE_CHECKING:
    from checker.proof.solver import Solver


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of going: its condition, and pairs of terms that are to be equal, each with what it is about.

    `differs` are sentences on what is not equal here already, in the state that the run began in. `note` is whatever
    else the caller wants to know of it.
    """

    condition: tuple[int, ...]
    pairs: tuple[tuple[str, int, int], ...]
    differs: tuple[str, ...] = ()
    note: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumerated:
    """What came of it. `cells` is the start state that refutes, `way` the run from there; `notes` say why paths may
    be open that nobody found."""

    verdict: str
    how: str
    paths: int
    complete: bool
    missing: tuple[str, ...] = ()
    cells: Mapping[str, Cell] | None = None
    way: Way | None = None
    notes: tuple[str, ...] = ()


Run = Callable[[Mapping[str, Cell]], Way]
"""A run from a start state, by symbol."""


class _Search:
    def __init__(self, terms: Numbering, solver: "Callable[[], Solver]", given: Iterable[int]) -> None:
        self.terms, self._make, self.given = terms, solver, tuple(given)
        self._solver: Solver | None = None
        self.how = NUMBERING
        self.ways: list[Way] = []
        self.covered: list[int] = []
        self.open = True

    @property
    def solver(self) -> "Solver":
        """The solver, made when it is first needed."""
        if self._solver is None:
            self._solver = self._make()
        return self._solver

    def ended(self, verdict: str, **more: object) -> Enumerated:
        complete = verdict == "proved" and not self.open
        found = {"how": self.how, "paths": len(self.ways), "complete": complete}
        return Enumerated(verdict=verdict, **found, **more)

    def different(self, way: Way, cells: Mapping[str, Cell]) -> tuple[Mapping[str, Cell] | None, str]:
        """A state on this way in which some pair differs, or why that cannot be told; neither when it is proved."""
        for about, left, right in way.pairs:
            truth = self.terms.same(left, right)
            if truth == self.terms.true:
                continue
            self.how = SOLVER
            unequal = self.terms.negated(truth)
            answer = self.solver.ask([*self.cone(unequal, (*self.given, *way.condition)), unequal], cells)
            if answer.status == "unknown":
                return None, f"whether {about} is the same: z3 gives up ({answer.reason})"
            if answer.status == "sat":
                return {**cells, **answer.cells}, about
        return None, ""

    def cone(self, truth: int, condition: Iterable[int]) -> list[int]:
        """The conditions that share an unknown with a truth, directly or through others."""
        left = [(one, set(self.terms.symbols([one]))) for one in condition]
        reach, found = set(self.terms.symbols([truth])), []
        while near := [pair for pair in left if pair[1] & reach]:
            left = [pair for pair in left if not pair[1] & reach]
            for one, names in near:
                found.append(one)
                reach |= names
        return found

    def uncovered(self, cells: Mapping[str, Cell]) -> tuple[Mapping[str, Cell] | None, str]:
        """A state that no way so far covers, or why there may be one; neither when all are covered."""
        rest = [self.terms.negated(one) for one in self.covered]
        if self.terms.false in rest:
            return None, ""
        answer = self.solver.ask([*self.given, *rest], cells)
        if answer.status == "unknown":
            return None, f"whether other paths are open: z3 gives up ({answer.reason})"
        return ({**cells, **answer.cells}, "") if answer.status == "sat" else (None, "")


def enumerated(
    run: Run,
    start: Mapping[str, Cell],
    terms: Numbering,
    solver: "Callable[[], Solver]",
    *,
    paths: int,
    given: Iterable[int] = (),
) -> Enumerated:
    """Prove the pairs of every way from states in which `given` holds, of at most `paths` ways; start with `start`."""
    search, cells = _Search(terms, solver, given), dict(start)
    while True:
        way = run(cells)
        if way.differs:
            return search.ended("refuted", cells=cells, way=way)
        whole = terms.all_of(way.condition)
        if whole in search.covered:
            return search.ended("unknown", missing=("the model does not replay: it was to show another path",))
        search.ways.append(way)
        found, why = search.different(way, cells)
        if found is None and why:
            return search.ended("unknown", missing=(why,))
        if found is not None:
            search.covered.append(terms.all_of((*way.condition, *(terms.same(a, b) for _, a, b in way.pairs))))
            again = run(found)
            if again.differs:
                return search.ended("refuted", cells=found, way=again)
            if terms.all_of(again.condition) == whole:
                return search.ended("unknown", missing=(f"the model does not replay: {why} came out the same",))
            cells = found
            if len(search.ways) >= paths:
                return search.ended("unknown", missing=(f"{why} differs along the path in another serial order",))
            continue
        search.covered.append(whole)
        if paths == 1:
            search.open = whole != terms.true
            return search.ended("proved")
        following, why = search.uncovered(cells)
        if following is None or len(search.ways) >= paths:
            search.open = following is not None or bool(why)
            return search.ended("proved", notes=(why,) if why else ())
        cells = following
