"""Proves of a recorded run that its store events and a serial execution come to the same, from every start state.

Value numbering first: calls as unknown functions of what they looked at, so that equal numbers hold for all meanings
of the calls. What still differs goes to the solver, with the calls' meanings. The control path is the recorded one:
arguments, the operations that were carried out, undone and redone, and how each call went.
"""

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING

from checker.effective import Effective, Reduced, reduced
from checker.proof.enumeration import Enumerated, Way, enumerated
from checker.proof.proof import NUMBERING, Counterexample, Proof, named_cells
from checker.proof.replay import Known, Replay, Unknown, serial
from checker.proof.symbolic_tool import plain_cell, plain_value
from checker.proof.term import Numbering
from checker.proof.tracked import Cells, Trace, WrongTerm
from coagent.history import History, frozen
from coagent.operation import Call, Cell, Result, show
from coagent.tool import TOOLS, Tool, outcome_equal

if TYPE_CHECKING:
    from checker.proof.solver import Solver

SECONDS = 5.0
"""Seconds that one query may take."""

ITEMS_MAX = 2
"""Items that a list of the start state may have."""


def prove_history(
    history: History,
    *,
    order: str | None = None,
    tools: Mapping[str, Tool] = TOOLS,
    seconds: float = SECONDS,
    items_max: int = ITEMS_MAX,
) -> Proof:
    """The proof for a recorded run. `order` is `declared` or `any`, by default what the history says; `tools` are
    those whose meaning may be used; `seconds` limits each query, `items_max` the lists of start states."""
    start = perf_counter()
    run = reduced(history)
    names, missing = _order(history, run, order or str(history.header["order"]))
    what = f"the run and the serial order {', '.join(names)} end alike" if names else "the run is like a serial one"
    size: dict[str, object] = {"what": what}
    if missing:
        return Proof(verdict="unknown", missing=missing, seconds=perf_counter() - start, **size)
    both = _Both(history, run, names, tools)
    try:
        numbered = both.numbered()
    except WrongTerm as error:
        return Proof(verdict="unknown", missing=(str(error),), seconds=perf_counter() - start, **size)
    if not numbered:
        size["domain"] = "all start states and all meanings of the calls, along the recorded control path"
        return Proof(verdict="proved", how=NUMBERING, complete=False, seconds=perf_counter() - start, **size)
    found = both.solved(numbered, seconds, items_max)
    return _proof(both, found, {**size, "seconds": perf_counter() - start})


def _order(history: History, run: Reduced, order: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The serial order to compare with, or what keeps it from being known."""
    if not history.end["quiescent"] or run.open:
        return (), ("the run did not reach quiescence, and nothing is promised before",)
    if next(history.of("fork", "forked", "merge"), None):
        return (), ("the run has forks, whose merges depend on values that are not followed here; check it instead",)
    if run.unsettled:
        return (), (f"what became of {run.unsettled[0]} is not recorded",)
    if order == "declared":
        return run.transactions, ()
    from checker.notified import check_history

    verdict = check_history(history, order="any")
    # Without an order that explains the run any will do to show how it fails.
    return verdict.order or run.transactions, ()


class _Both:
    """The physical run and the serial one over the same symbolic cells."""

    def __init__(self, history: History, run: Reduced, names: tuple[str, ...], tools: Mapping[str, Tool]) -> None:
        self.history, self.tools, self.names = history, tools, names
        rank = {name: place for place, name in enumerate(names)}
        counted = [one for one in run.operations if one.transaction in rank]
        self.operations: list[Effective] = sorted(counted, key=lambda one: (rank[one.transaction], one.position))
        self.terms = Numbering()
        self.start = {path: () for path in sorted(_paths(history))}
        self.start |= {path: (frozen(value),) for path, value in history.header["state"].items()}
        self.plan: dict[tuple[int, str], int] | None = None
        self.solver: Solver | None = None

    def numbered(self) -> tuple[str, ...]:
        """What value numbering leaves open: the objects and results whose numbers differ."""
        cells = Cells(Trace(self.terms), self.start)
        physical = Replay(self.history, cells, Unknown(cells)).run()
        live, results = serial(self.operations, physical)
        told = {op: physical.belief[op].status if op in physical.belief else "" for op in results}
        otherwise = [f"how {op} went" for op, result in results.items() if told[op] != result.status]
        return (*otherwise, *(about for about, _, _ in self.pairs(physical, live, results)))

    def pairs(self, physical: Replay, live: Mapping, results: Mapping[str, Result]) -> list[tuple[str, int, int]]:
        """Every cell and every believed result whose numbers differ."""
        cells, found = physical.cells, []
        for path in sorted({*physical.live, *live}):
            sides = [side.get(path, (cells.start(path), None))[0] for side in (physical.live, live)]
            found.append((path, *(cells.number(path, cell) for cell in sides)))
        for op, result in results.items():
            told = physical.belief.get(op)
            if told is not None and told.status == result.status:  # else it differs here, and that is said apart
                found.append((f"what {op} returned", told.value.number, result.value.number))
        return [one for one in found if one[1] != one[2]]

    def way(self, state: Mapping[str, Cell]) -> Way:
        """Both runs from a start state, by what the tools mean."""
        trace = Trace(self.terms)
        cells = Cells(trace, state)
        acts = Known(cells, self.tools, strict=self.plan is None)
        physical = Replay(self.history, cells, acts, self.plan).run()
        self.plan = physical.plan
        physical.acts = Known(cells, self.tools, strict=False)
        live, results = serial(self.operations, physical)
        return Way(
            condition=trace.condition(),
            pairs=tuple(self.pairs(physical, live, results)),
            differs=tuple(_differences(physical, live, results)),
        )

    def solved(self, open_: tuple[str, ...], seconds: float, items_max: int) -> Enumerated:
        """Along the recorded path, by the solver, with the meanings of the calls."""
        try:
            return enumerated(self.way, self.start, self.terms, lambda: self.made(seconds, items_max), paths=1)
        except WrongTerm as error:
            left = f"value numbering leaves {', '.join(open_[:3])} open, and {error}"
            return Enumerated(verdict="unknown", how=NUMBERING, paths=0, complete=False, missing=(left,))

    def made(self, seconds: float, items_max: int) -> "Solver":
        """The solver over the same terms."""
        from checker.proof.solver import Solver

        self.solver = Solver(self.terms, seconds=seconds, items_max=items_max)
        return self.solver


def _proof(both: _Both, found: Enumerated, size: dict[str, object]) -> Proof:
    queries = both.solver.queries if both.solver else 0
    size |= {"how": found.how, "queries": queries, "complete": False}
    if found.verdict == "refuted":
        calls = tuple(f"{one.transaction}: {Call(one.tool, one.args)}" for one in both.operations)
        shown = Counterexample(state=named_cells(found.cells), calls=calls, order=both.names, differs=found.way.differs)
        return Proof(verdict="refuted", counterexample=shown, **size)
    size["domain"] = "all start states along the recorded control path"
    return Proof(verdict=found.verdict, missing=found.missing, **size)


def _differences(physical: Replay, live: Mapping, results: Mapping[str, Result]) -> list[str]:
    """What is not the same in this state, in sentences."""
    found = []
    for path in sorted({*physical.live, *live}):
        sides = [side.get(path, (physical.cells.start(path), None))[0] for side in (physical.live, live)]
        ends = [_cell(plain_cell(cell)) for cell in sides]
        if ends[0] != ends[1]:
            found.append(f"{path} ends as {ends[0]}, and in the serial order as {ends[1]}")
    for op, result in results.items():
        told = physical.belief.get(op, Result("unknown", result.value))
        said, due = (Result(one.status, plain_value(one.value)) for one in (told, result))
        if not outcome_equal(said, due):
            found.append(f"{op} returned {_result(said)}, and in the serial order {_result(due)}")
    return found


def _cell(cell: Cell) -> str:
    return show(cell[0]) if cell else "absent"


def _result(result: Result) -> str:
    return show(result.value) if result.status == "ok" else f"{result.status} {show(result.value)}"


def _paths(history: History) -> set[str]:
    """Every path that the run names or looked at."""
    found: set[str] = set()
    for record in history.records:
        found.update(record.get("saw", ()), record.get("wrote", ()), record.get("reads", ()), record.get("writes", ()))
    return {path.rstrip("/") for path in found}
