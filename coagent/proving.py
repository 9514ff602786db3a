"""Proves of a scenario under a protocol that its run and the serial run end alike, for every start state.

The real engine runs over tracked values, so that nothing is modelled twice; then the agents run one after the
other over the same unknowns. Each path is also run without terms, which replays whatever is claimed of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from time import perf_counter
from typing import TYPE_CHECKING

from checker.notified import check_history
from checker.oracle import MAX_CALLS
from checker.proof.enumeration import Enumerated, Way, enumerated
from checker.proof.equivalence import ITEMS_MAX, SECONDS
from checker.proof.proof import Counterexample, Proof, named_cells
from checker.proof.symbolic_tool import plain_call, plain_cell, plain_value
from checker.proof.term import Numbering
from checker.proof.tracked import Cells, Trace, Tracked, WrongTerm
from coagent.operation import Call, Cell, Result, show
from coagent.program import Failure
from coagent.simulate import Chooser, Outcome, chooser_of, simulate
from coagent.stepper import follow
from coagent.store import Glass
from coagent.tool import outcome_equal
from coagent.tracking import Wrapped, tracked_workload
from coagent.workload import Setting, Workload
from coagent.world import Choice, World

if TYPE_CHECKING:
    from checker.proof.solver import Solver

PATHS = 8
"""Paths that are proved before the rest is called open."""

MOST_AGENTS = 5
"""Agents of whom every serial order is tried where the protocol promises some order."""

Log = tuple[tuple[Call, Result], ...]
"""What an agent did, in program order, and what it was told in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended: cells by path, and by agent what it did and what it reported. Tracked or plain."""

    cells: Mapping[str, Cell]
    logs: Mapping[str, Log]
    reports: Mapping[str, object]


class Unended(Exception):
    """A run that does not come to an end; the message says which."""


def prove_workload(
    workload: Workload,
    protocol: object,
    *,
    schedule: str | tuple[int, ...] = "clock",
    seed: int = 0,
    paths: int = PATHS,
    seconds: float = SECONDS,
    items_max: int = ITEMS_MAX,
) -> Proof:
    """The proof for a workload under a protocol along a schedule, from all start states over the cells that it names.

    `paths` bounds the paths that are enumerated, `seconds` each query, `items_max` the lists of start states. Other
    start states keep to the schedule where they can: the same inferences and effects in the same order.
    """
    start = perf_counter()
    one = _Proving(workload, protocol, seed)
    what = f"{workload.name} under {protocol.name} ends as {one.promise()}"
    try:
        one.begin(chooser_of(schedule, seed, workload.cost.tool_s))
        found = enumerated(one.way, one.start, one.terms, lambda: one.made(seconds, items_max), paths=paths)
    except (WrongTerm, Unended) as error:
        return Proof(verdict="unknown", what=what, missing=(str(error),), seconds=perf_counter() - start)
    return one.proof(found, what, items_max, start)


class Again:
    """Chooses what an earlier run chose, in its order, as far as that is open; else the first."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        self._left, self._now = list(choices), 0.0

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        self._now += 1.0
        for place, choice in enumerate(self._left):
            if choice in choices:
                del self._left[place]
                return choices.index(choice), self._now
        return 0, self._now


class _Noting:
    """Another chooser, and what it chose."""

    def __init__(self, inner: Chooser) -> None:
        self._inner, self.chosen = inner, []

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        index, now = self._inner(world, choices)
        self.chosen.append(choices[index])
        return index, now


class _Proving:
    def __init__(self, workload: Workload, protocol: object, seed: int) -> None:
        self.workload, self.protocol, self.seed = workload, protocol, seed
        self.terms = Numbering()
        self.start: dict[str, Cell] = {}
        self.choices: list[Choice] = []
        self.solver: Solver | None = None

    def promise(self) -> str:
        return "in the pre-order" if self.protocol.promises == "declared" else "in some serial order"

    def made(self, seconds: float, items_max: int) -> "Solver":
        from checker.proof.solver import Solver

        self.solver = Solver(self.terms, seconds=seconds, items_max=items_max)
        return self.solver

    def begin(self, chooser: Chooser) -> None:
        """Run once as the workload says, to learn the schedule and which cells there are."""
        noting = _Noting(chooser)
        outcome = simulate(Setting(workload=self.workload, protocol=self.protocol, seed=self.seed), noting)
        self.choices = noting.chosen
        paths = {path for one in outcome.history.of("invoke") for path in (*one["reads"], *one["writes"])}
        self.start = {path: () for path in sorted(paths)}
        self.start |= {path: (value,) for path, value in self.workload.state}

    def ran(self, workload: Workload) -> Outcome:
        """A run along the same schedule. Raises Unended."""
        setting = Setting(workload=workload, protocol=self.protocol, seed=self.seed)
        outcome = simulate(setting, Again(self.choices))
        if not outcome.quiescent:
            raise Unended("a run does not reach quiescence, and nothing is promised before")
        return outcome

    def way(self, state: Mapping[str, Cell]) -> Way:
        """The engine's run and the serial one, from a start state, tracked; the same without terms must agree."""
        plain = replace(self.workload, state=tuple(sorted(named_cells(state).items())))
        outcome = self.ran(plain)
        real = ended(outcome)
        order, due = self.ordered(outcome, real, plain)
        differs = tuple(differences(real, due, order))
        if differs:
            return Way(condition=(), pairs=(), differs=differs, note=(outcome.schedule, order))
        trace = Trace(self.terms)
        cells = Cells(trace, state)
        tracked = tracked_workload(self.workload, cells)
        run = self.ran(tracked)
        _note_changes(run)
        physical, other = ended(run), serial(tracked, order)
        apart = differences(plain_end(physical), real, order) or differences(plain_end(other), due, order)
        if apart or _events(run) != _events(outcome):
            raise WrongTerm("the run over terms went another way than the run that it stands for")
        pairs = tuple(_pairs(cells, physical, other, order))
        return Way(condition=trace.condition(), pairs=pairs, note=(outcome.schedule, order))

    def ordered(self, outcome: Outcome, real: End, workload: Workload) -> tuple[tuple[str, ...], End]:
        """The serial order that the run should be compared with, and how it ends; any will do where none fits."""
        actors = outcome.world.actors
        names = tuple(name for name in outcome.world.order if not (actors[name].gave_up or actors[name].died))
        if self.protocol.promises == "declared":
            return names, serial(workload, names)
        found = check_history(outcome.history, order="any").order
        first = tuple(one.split("#")[0] for one in found) if found else names
        if not differences(real, due := serial(workload, first), first) or len(names) > MOST_AGENTS:
            return first, due
        for order in permutations(names):
            if not differences(real, other := serial(workload, order), order):
                return order, other
        return first, due

    def proof(self, found: Enumerated, what: str, items_max: int, start: float) -> Proof:
        queries = self.solver.queries if self.solver else 0
        shape = {"what": what, "how": found.how, "paths": found.paths, "complete": found.complete, "queries": queries}
        domain = (
            f"all values, or none, of the {len(self.start)} cells named, lists up to {items_max} items, "
            "nothing too large for an expression"
        )
        if found.verdict == "refuted":
            shown = self.replayed(found)
            if shown is None:
                missing = ("the model does not replay",)
                return Proof(verdict="unknown", missing=missing, seconds=perf_counter() - start, **shape)
            return Proof(verdict="refuted", counterexample=shown, seconds=perf_counter() - start, **shape)
        return Proof(
            verdict=found.verdict,
            missing=found.missing,
            domain=domain,
            notes=found.notes,
            seconds=perf_counter() - start,
            **shape,
        )

    def replayed(self, found: Enumerated) -> Counterexample | None:
        """The counterexample, run once more through the engine by its schedule alone; None when it does not differ."""
        schedule, order = found.way.note
        state = named_cells(found.cells)
        workload = replace(self.workload, state=tuple(sorted(state.items())))
        outcome = follow(Setting(workload=workload, protocol=self.protocol, seed=self.seed), schedule)
        differs = tuple(differences(ended(outcome), serial(workload, order), order))
        if not differs:
            return None
        return Counterexample(state=state, schedule=outcome.schedule, order=order, differs=differs)


def ended(outcome: Outcome) -> End:
    """How the engine's run ended."""
    actors = outcome.world.actors
    return End(
        cells={path: entry[0] for path, entry in outcome.world.live.cells.items()},
        logs={name: tuple((entry.call, entry.result) for entry in one.log) for name, one in actors.items()},
        reports={name: one.report for name, one in actors.items()},
    )


def serial(workload: Workload, names: Iterable[str]) -> End:
    """How the agents' run one after the other ends, with no engine and no protocol. Raises Unended."""
    programs = {one.name: one.program for one in workload.agents}
    entries = {path: ((value,), None) for path, value in workload.state}
    logs: dict[str, Log] = {}
    reports: dict[str, object] = {}
    for name in names:
        running, sent, log = programs[name](), None, []
        while name not in reports:
            try:
                call = running.send(sent).call
            except StopIteration as stop:
                reports[name] = stop.value
                break
            sent, wrote = workload.tools[call.tool].exec(Glass(entries, {}), dict(call.args))
            entries.update({path: (cell, name) for path, cell in wrote})
            log.append((call, sent))
            if len(log) > MAX_CALLS:
                raise Unended(f"agent {name!r} does not finish when it runs alone")
        logs[name] = tuple(log)
    return End(cells={path: entry[0] for path, entry in entries.items()}, logs=logs, reports=reports)


def plain_end(end: End) -> End:
    """An end without terms."""
    return End(
        cells={path: plain_cell(cell) for path, cell in end.cells.items()},
        logs={
            name: tuple((plain_call(call), _plain(result)) for call, result in log) for name, log in end.logs.items()
        },
        reports={name: plain_value(report) for name, report in end.reports.items()},
    )


def differences(left: End, right: End, order: Iterable[str]) -> list[str]:
    """What is not the same in two plain ends, in sentences; `right` is the serial one."""
    found = []
    for path in sorted({*left.cells, *right.cells}):
        ends = [_cell(end.cells.get(path, ())) for end in (left, right)]
        if ends[0] != ends[1]:
            found.append(f"{path} ends as {ends[0]}, and run serially as {ends[1]}")
    for name in order:
        found += _told_apart(name, left.logs[name], right.logs[name])
        reports = [_report(end.reports[name]) for end in (left, right)]
        if reports[0] != reports[1]:
            found.append(f"{name} reports {reports[0]}, and run serially {reports[1]}")
    return found


def _told_apart(name: str, left: Log, right: Log) -> list[str]:
    found = []
    for (did, told), (does, gets) in zip(left, right, strict=False):
        if repr(did) != repr(does):
            return [*found, f"{name} calls {did}, and run serially {does}"]
        if not outcome_equal(told, gets):
            found.append(f"{name} believes that {did} gave {_result(told)}, and run serially it gives {_result(gets)}")
    if len(left) != len(right):
        found.append(f"{name} makes {len(left)} calls that count, and run serially {len(right)}")
    return found


def _pairs(cells: Cells, left: End, right: End, order: Iterable[str]) -> Iterable[tuple[str, int, int]]:
    """The terms that are to be equal, of two tracked ends that are the same here."""
    sides = (left, right)
    for path in sorted({*left.cells, *right.cells, *cells.universe}):
        ends = [Wrapped(_Held(end.cells), cells.trace).cell(path) for end in sides]
        yield path, *(cells.number(path, cell) for cell in ends)
    for name in order:
        reports = [end.reports[name] for end in sides]
        if all(isinstance(one, Tracked) for one in reports):
            yield f"the report of {name}", reports[0].number, reports[1].number
        for (did, told), (does, gets) in zip(left.logs[name], right.logs[name], strict=True):
            pairs = [*zip(dict(did.args).values(), dict(does.args).values(), strict=True), (told.value, gets.value)]
            for one, other in pairs:
                if isinstance(one, Tracked) and isinstance(other, Tracked):
                    yield f"{name}'s {plain_call(did)}", one.number, other.number


@dataclass(frozen=True, slots=True)
class _Held:
    cells: Mapping[str, Cell]

    def cell(self, path: str) -> Cell:
        return self.cells.get(path, ())


def _note_changes(run: Outcome) -> None:
    """Note which redone writes came out as before: the engine asks that by spelling, which terms do not see."""
    last: dict[str, Mapping] = {}
    for record in run.history.of("exec", "redo", "mask"):
        before = last.get(record["op"], {})
        if record["event"] == "redo":
            for path in before.keys() & record["wrote"].keys():
                one, other = (side[path].get("value") for side in (before, record["wrote"]))
                _ = isinstance(one, Tracked) and isinstance(other, Tracked) and one == other
        last[record["op"]] = record["wrote"]


def _events(outcome: Outcome) -> list[tuple[object, ...]]:
    """What happened, without values."""
    return [(one["event"], one.get("agent"), one.get("op"), one.get("route")) for one in outcome.history.records]


def _plain(result: Result) -> Result:
    return Result(result.status, plain_value(result.value))


def _cell(cell: Cell) -> str:
    return show(cell[0]) if cell else "absent"


def _report(report: object) -> str:
    return f"the error {report.message}" if isinstance(report, Failure) else repr(report)


def _result(result: Result) -> str:
    return show(result.value) if result.status == "ok" else f"{result.status} {show(result.value)}"
