"""Replays a recorded run's store events, and its effective operations one after the other, over symbolic cells.

What a call does is somebody else's business: an unknown function of the cells that it looked at (`Unknown`), or
what its tool means (`Known`). Reads that the protocol corrected see the versions that they are recorded to have seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from checker.effective import Effective
from checker.proof.symbolic_tool import perform, plain_cell, plain_value
from checker.proof.tracked import GONE, Cells, Tracked, WrongTerm
from coagent.history import History, Record, cell_in, frozen, sightings_in
from coagent.operation import Cell, Result, same
from coagent.tool import Tool, Writes, outcome_equal

Entry = tuple[Cell, str | None]
"""A tracked cell and the operation that wrote it; None: the start state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One execution as recorded: the call, the paths it looked at, its result and what it wrote (None: not known)."""

    op: str
    tool: str
    args: Mapping[str, object]
    saw: tuple[str, ...]
    result: Result | None
    wrote: Mapping[str, Cell] | None


class Sight:
    """What a call is shown: cells by path, the cells of `other` where it has none of its own."""

    def __init__(self, cells: Cells, own: Mapping[str, Cell], other: Mapping[str, Entry]) -> None:
        self._cells, self._own, self._other = cells, own, other

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        if path in self._own:
            return self._own[path]
        return self._other[path][0] if path in self._other else self._cells.start(path)

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below that holds a value, sorted."""
        known = {*self._own, *self._other, *self._cells.universe}
        return iter(sorted(one for one in known if one.startswith(path + "/") and self.cell(one)))


class Unknown:
    """Calls as unknown functions: equal calls that see equal cells do the same, whatever they mean."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.trace = cells, cells.trace

    def act(self, deed: Deed, sight: Sight) -> tuple[Result, Writes]:
        """The result and the cells written, as functions of what the call sees."""
        terms = self.trace.numbering
        looked = {path for path in deed.saw if not path.endswith("/")}
        for start in deed.saw:
            looked |= {path for path in self.cells.universe if start.endswith("/") and path.startswith(start)}
        parts = [terms.constant(tuple((name, value) for name, value in deed.args.items()))]
        if deed.result is None:
            parts.append(terms.symbol(f"what {deed.op} looked at"))
        for path in sorted(looked):
            parts += [terms.constant(path), self.cells.number(path, sight.cell(path))]
        returned = deed.result or Result("ok")
        value = Tracked(returned.value, terms.applied(f"{deed.tool} returns", parts), self.trace)
        wrote = []
        for path, cell in deed.wrote.items():
            number = terms.applied(f"{deed.tool} leaves", [*parts, terms.constant(path)])
            wrote.append((path, (Tracked(cell[0], number, self.trace),) if cell else GONE))
        return Result(returned.status, value), tuple(wrote)


class Known:
    """Calls by what their tools mean; `strict` holds them to what was recorded."""

    def __init__(self, cells: Cells, tools: Mapping[str, Tool], *, strict: bool) -> None:
        self.cells, self.tools, self.strict = cells, tools, strict

    def act(self, deed: Deed, sight: Sight) -> tuple[Result, Writes]:
        """The result and the cells written. Raises WrongTerm when the record says otherwise, or nothing is known."""
        if deed.tool not in self.tools:
            raise WrongTerm(f"the tool {deed.tool!r} is not known")
        try:
            result, wrote = perform(self.tools[deed.tool], self.cells, sight, deed.args)
        except (KeyError, TypeError, AttributeError):
            raise WrongTerm(f"{deed.op} calls {deed.tool} with arguments that it does not take") from None
        said = Result(result.status, plain_value(result.value))
        left = sorted((path, plain_cell(cell)) for path, cell in wrote)
        agree = (deed.result is None or outcome_equal(said, deed.result)) and (
            deed.wrote is None or repr(left) == repr(sorted(deed.wrote.items()))
        )
        if self.strict and not agree:
            raise WrongTerm(f"{deed.op} is recorded to have done otherwise than {deed.tool} does; check the history")
        return result, wrote


class Replay:
    """The physical run: call `take` for each record in order, with the version that each corrected read saw in `plan`.

    `plan` is filled by the first replay, at the recorded state, and followed by later ones from other states.
    """

    def __init__(self, history: History, cells: Cells, acts: Unknown | Known, plan: dict | None = None) -> None:
        self.history, self.cells, self.acts = history, cells, acts
        self.plan, self.first = ({}, True) if plan is None else (plan, False)
        self.live: dict[str, Entry] = {}
        self.versions: dict[tuple[str, str], list[Cell]] = {}
        self.captured: dict[str, dict[str, Entry]] = {}
        self.invokes: dict[str, Record] = {}
        self.belief: dict[str, Result] = {}
        self.acted: dict[str, Result] = {}
        self.notice: dict[str, Result] = {}
        self.saw: dict[str, tuple[str, ...]] = {}
        self._answers = _answers(history.records)

    def run(self) -> "Replay":
        """Take every record."""
        for number, record in enumerate(self.history.records):
            self.take(number, record)
        return self

    def take(self, number: int, record: Record) -> None:
        """One record."""
        op = record.get("op", "")
        match record["event"]:
            case "invoke":
                self.invokes[op] = record
            case "exec" if record["status"] != "unknown":
                self.write(op, self._answers.get(number), record)
            case "redo":
                self.write(op, record, record)
                self.agree(op)
            case "mask":
                answer = self._answers.get(number)
                own = self.seen(number, answer) if answer else {}
                self.acted[op], wrote = self.acts.act(self.deed(op, answer, record), Sight(self.cells, own, {}))
                self.note(op, wrote)
            case "undo":
                self.live.update(self.captured.pop(op, {}))
            case "inherit":
                below, heir = self.captured.pop(op), record["heir"]
                self.captured[heir] = {path: below.get(path, entry) for path, entry in self.captured[heir].items()}
            case "result":
                if not self.invokes[op]["writes"]:
                    self.read(number, op, record)
                if op in self.acted:
                    self.belief[op] = self.acted[op]
            case "refresh":
                self.read(number, op, record)
                self.agree(op)
            case "notify":
                self.notify(op, record)
            case "consume":
                self.consume(record["agent"], record["ops"])

    def deed(self, op: str, answer: Record | None, record: Record | None) -> Deed:
        """What is recorded of an execution."""
        invoke = self.invokes[op]
        self.saw[op] = tuple(sorted(answer.get("saw", ()))) if answer else ()
        return Deed(
            op=op,
            tool=invoke["tool"],
            args={name: frozen(value) for name, value in invoke["args"].items()},
            saw=self.saw[op],
            result=Result(answer["status"], frozen(answer["value"])) if answer else None,
            wrote={} if record is None else {path: cell_in(one) for path, one in record["wrote"].items()},
        )

    def write(self, op: str, answer: Record | None, record: Record) -> None:
        deed = self.deed(op, answer, record)
        self.acted[op], wrote = self.acts.act(deed, Sight(self.cells, {}, self.live))
        self.captured[op] = {path: self.live.get(path, (self.cells.start(path), None)) for path, _ in wrote}
        self.live.update({path: (cell, op) for path, cell in wrote})
        self.note(op, wrote)

    def note(self, op: str, wrote: Writes) -> None:
        for path, cell in wrote:
            self.versions.setdefault((path, op), []).append(cell)

    def read(self, number: int, op: str, record: Record) -> None:
        """A read is shown the live store, or the versions that it is recorded to have seen."""
        corrected = record.get("route", "live") in ("snapshot", "recorded")
        own, other = (self.seen(number, record), {}) if corrected else ({}, self.live)
        self.acted[op] = self.acts.act(self.deed(op, record, None), Sight(self.cells, own, other))[0]

    def seen(self, number: int, record: Record) -> dict[str, Cell]:
        """The versions that a call is recorded to have seen, by path."""
        listed = [one for one in sightings_in(record.get("saw", {})) if not one.path.endswith("/")]
        return {one.path: self.sighted(number, one.path, one.writer, one.cell) for one in listed}

    def sighted(self, number: int, path: str, writer: str | None, cell: Cell) -> Cell:
        """The version of a path that a writer left and a read saw."""
        if writer is None:
            return self.cells.start(path)
        known = self.versions.get((path, writer), [])
        if self.first:
            fits = [at for at, one in enumerate(known) if same(plain_cell(one), cell)]
            if not fits:
                raise WrongTerm(f"a read saw {path} as {writer} never left it; check the history")
            self.plan[number, path] = fits[-1]
        return known[self.plan[number, path]]

    def agree(self, op: str) -> None:
        """The same result again needs no telling, and what it rests on now is what counts."""
        for known in (self.belief, self.notice):
            if op in known and outcome_equal(known[op], self.acted[op]):
                known[op] = self.acted[op]

    def notify(self, op: str, record: Record) -> None:
        self.notice.pop(op, None)
        if not record["cancelled"]:
            self.notice[op] = self.acted[op]

    def consume(self, agent: str, ops: Iterable[str]) -> None:
        for op in ops:
            if op in self.notice and self.invokes[op]["agent"] == agent:
                self.belief[op] = self.notice.pop(op)


def serial(operations: Iterable[Effective], replay: Replay) -> tuple[dict[str, Entry], dict[str, Result]]:
    """The cells and results of the effective operations, carried out one after the other as listed."""
    live: dict[str, Entry] = {}
    results: dict[str, Result] = {}
    for one in operations:
        if one.lost:
            continue
        deed = Deed(
            op=one.op,
            tool=one.tool,
            args=dict(one.args),
            saw=replay.saw.get(one.op, ()),
            result=one.acted,
            wrote=one.wrote,
        )
        results[one.op], wrote = replay.acts.act(deed, Sight(replay.cells, {}, live))
        live.update({path: (cell, one.op) for path, cell in wrote})
    return live, results


def _answers(records: Iterable[Record]) -> dict[int, Record]:
    """For each record of an execution or a mask, the answer that its agent then got to it."""
    waiting: dict[str, int] = {}
    found: dict[int, Record] = {}
    for number, record in enumerate(records):
        if record["event"] in ("exec", "mask"):
            waiting[record["op"]] = number
        elif record["event"] == "result" and record["op"] in waiting:
            found[waiting.pop(record["op"])] = record
    return found
