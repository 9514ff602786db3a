"""Reduces a recorded run to the operations that count in the end, by the two cancellation laws.

A stale read, its notice and the revision reduce to the read of the refreshed value; a write, its
undo and its redo or rewriting reduce to the write that stands (P2 section 3; PROTOCOL: the read side
and the write side). Also replays the physical events, to see that undo restored what was there.
Decides nothing about serial orders.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import starmap

from checker.anomaly import Anomaly, local
from coagent.history import History, Record, cell_in, frozen, sightings_in
from coagent.operation import Cell, Position, Result, Value
from coagent.path import any_overlap

ABSENT = "nothing"
"""What stands for a report that is not there."""

Seen = Mapping[str, tuple[Cell, str | None]]
"""Cells by path with their writers, as an operation saw them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One operation as it counts. `result` is what its agent believes, `acted` what its last execution returned;
    `saw` None when the history does not say; `applied` orders the writes that stand as the live store got them;
    `lost` says that its answer was lost and that it turned out to have had no effect."""

    op: str
    transaction: str
    position: Position
    tool: str
    args: tuple[tuple[str, Value], ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    result: Result
    acted: Result
    saw: Seen | None
    wrote: Mapping[str, Cell]
    applied: tuple[int, Position]
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """A run after cancellation. `transactions` in pre-order are those that committed; `cancelled` maps operations
    that no longer count to why; `faults` are what no serial order could excuse; `open` are agents still going on,
    `unsettled` operations of which the history does not say what became of them."""

    operations: tuple[Effective, ...]
    transactions: tuple[str, ...]
    counted: int
    cancelled: Mapping[str, str]
    owner: Mapping[str, str]
    faults: tuple[Anomaly, ...]
    open: tuple[str, ...]
    unsettled: tuple[str, ...]
    live: Mapping[str, Cell]


def reduced(history: History) -> Reduced:
    """The run after cancellation; see the module."""
    folding = _Folding(history)
    for number, record in enumerate(history.records):
        folding.take(number, record)
    return folding.reduced()


def transaction(agent: str, attempt: int) -> str:
    """A transaction's name: the agent's, with the attempt when it is not the first."""
    return agent if attempt == 1 else f"{agent}#{attempt}"


@dataclass
class _Told:
    """What is known of one operation while reading."""

    invoke: Record
    belief: tuple[Result, Seen | None] | None = None
    notice: tuple[Result | None, Seen | None] | None = None
    acted: tuple[Result, Seen | None] | None = None
    wrote: dict[str, Cell] = field(default_factory=dict)
    applied: int | None = None
    captured: Seen = field(default_factory=dict)
    cover: str | None = None
    status: str = ""
    answered: bool = False
    withdrawn: bool = False
    doubted: bool = False
    cancelled: str | None = None


class _Folding:
    def __init__(self, history: History) -> None:
        self.history = history
        self.ops: dict[str, _Told] = {}
        self.cells: dict[str, tuple[Cell, str | None]] = {
            path: ((frozen(value),), None) for path, value in history.header["state"].items()
        }
        self.gone: dict[str, str] = {}
        self.aborted: set[tuple[str, int]] = set()
        self.committed: set[str] = set()
        self.given_up: set[str] = set()
        self.reports: dict[str, object] = {}
        self.attempts: dict[str, int] = {agent["name"]: 1 for agent in history.header["agents"]}
        self.faults: list[Anomaly] = []

    def take(self, number: int, record: Record) -> None:
        kind = record["event"]
        told = self.ops.get(record.get("op", ""))
        match kind:
            case "invoke":
                self.ops[record["op"]] = _Told(invoke=record)
                self.attempts[record["agent"]] = record["attempt"]
            case "prepare":
                told.captured = _seen(record["captured"])
                self.check_captured(record["op"], told)
            case "exec" | "redo":
                self.applied(number, record, told)
            case "mask":
                told.wrote, told.cover = _cells(record["wrote"]), record["by"]
            case "undo":
                self.undone(record["op"], told)
            case "inherit":
                heir = self.ops[record["heir"]]
                heir.captured = {path: told.captured.get(path, entry) for path, entry in heir.captured.items()}
                told.applied = None
                for other in self.ops.values():
                    other.cover = record["heir"] if other.cover == record["op"] else other.cover
            case "result":
                told.belief = told.acted = _outcome(record)
                told.answered = True
            case "refresh":
                told.acted = _outcome(record)
                _agree(told)
            case "notify":
                told.notice = (None if record["cancelled"] else _result(record), _saw(record))
            case "consume":
                self.consumed(record["agent"], record["ops"])
            case "cancel":
                told.cancelled = record["by"]
            case "withdraw":
                told.withdrawn = True
            case "repair" if record["action"] != "insert":
                by = record.get("by")
                did = f"rewrote it as {by}" if by else "took it back"
                self.gone[record["op"]] = f"{record['agent']} {did}"
            case "abort":
                self.aborted.add((record["agent"], record["attempt"]))
                self.attempts[record["agent"]] = record["attempt"] + 1
            case "finish":
                self.reports[record["agent"]] = record["report"]
            case "commit":
                self.committed.add(record["agent"])
            case "give-up":
                self.given_up.add(record["agent"])

    def check_captured(self, op: str, told: _Told) -> None:
        for path, (cell, _) in told.captured.items():
            now = self.cells.get(path, ((), None))[0]
            if repr(cell) != repr(now):
                why = f"{op} captured {_said(cell)} of {path} for undo, and {_said(now)} was there"
                self.faults.append(local("lost inverse", [self.owner(op)], [why]))

    def applied(self, number: int, record: Record, told: _Told) -> None:
        if told.applied is not None and not told.invoke["recoverable"]:
            why = f"{record['op']} cannot be undone, and it was carried out twice"
            self.faults.append(local("repeated unrecoverable call", [self.owner(record["op"])], [why]))
        told.doubted = told.doubted or record["status"] == "unknown"
        told.wrote, told.status = _cells(record["wrote"]), record["status"]
        told.applied, told.cover = (number if told.wrote else None), None
        if told.status != "ok" and told.wrote:
            why = f"{record['op']} is said to have {told.status}, and to have written {', '.join(sorted(told.wrote))}"
            self.faults.append(local("wrong result", [self.owner(record["op"])], [why]))
        if record["event"] == "redo":
            told.acted = _outcome(record)
            _agree(told)
        for path, cell in told.wrote.items():
            self.cells[path] = (cell, record["op"])

    def undone(self, op: str, told: _Told) -> None:
        if not told.status:
            self.faults.append(local("undo out of order", [self.owner(op)], [f"{op} was undone and never carried out"]))
        for path in told.wrote if told.applied is not None else ():
            writer = self.cells.get(path, ((), None))[1]
            if writer != op:
                why = f"{op} was undone while {path} was {writer or 'nobody'}'s"
                self.faults.append(local("undo out of order", sorted({self.owner(op), self.owner(writer)}), [why]))
            self.cells[path] = told.captured.get(path, ((), None))
        if told.applied is not None and not told.invoke["recoverable"]:
            why = f"{op} cannot be undone, and it was"
            self.faults.append(local("repeated unrecoverable call", [self.owner(op)], [why]))
        told.applied = None

    def consumed(self, agent: str, names: Iterable[str]) -> None:
        """What an agent consumed is what it believes; a notice about another agent's operation tells it nothing."""
        for name in names:
            told = self.ops[name]
            if told.invoke["agent"] != agent:
                continue
            if told.notice and told.notice[0] is not None:
                told.belief = told.notice
            told.notice = None

    def owner(self, op: str | None) -> str:
        if op not in self.ops:
            return "the start state"
        invoke = self.ops[op].invoke
        return transaction(invoke["agent"], invoke["attempt"])

    def cancelled(self, op: str, told: _Told) -> str:
        """Why an operation does not count, or nothing when it does."""
        agent, attempt = told.invoke["agent"], told.invoke["attempt"]
        if (agent, attempt) in self.aborted:
            return f"{transaction(agent, attempt)} was aborted"
        if told.withdrawn:
            return f"{agent} withdrew it"
        return self.gone.get(op, "") if told.answered else "it was never answered"

    def reduced(self) -> Reduced:
        reasons = {op: self.cancelled(op, told) for op, told in self.ops.items()}
        standing = {op: told for op, told in self.ops.items() if not reasons[op]}
        for op, told in standing.items():
            self.check_told(op, told)
            self.check_footprint(op, told)
        self.check_reports()
        agents = [agent["name"] for agent in self.history.header["agents"]]
        names = tuple(transaction(name, self.attempts[name]) for name in agents if name not in self.given_up)
        return Reduced(
            operations=tuple(sorted(starmap(self.effective, standing.items()), key=lambda one: one.position)),
            transactions=names,
            counted=len(names) + len(self.aborted),
            cancelled={op: why for op, why in reasons.items() if why},
            owner={op: self.owner(op) for op in self.ops},
            faults=tuple(self.faults),
            open=tuple(name for name in agents if name not in self.committed | self.given_up),
            unsettled=tuple(op for op, told in self.ops.items() if self.unsettled(op, told, reasons[op])),
            live={path: cell for path, (cell, _) in self.cells.items() if cell},
        )

    def unsettled(self, op: str, told: _Told, reason: str) -> bool:
        """Whether the history leaves it open what became of an operation that its attempt committed with."""
        return (not told.answered and not told.withdrawn and "aborted" not in reason) or told.status == "unknown"

    def check_reports(self) -> None:
        """Every committed agent's report is the last one it finished with."""
        for name in sorted(self.committed):
            given = self.history.end["reports"].get(name, ABSENT)
            if name not in self.reports or repr(self.reports[name]) != repr(given):
                last = f"last finished with {self.reports[name]!r}" if name in self.reports else "never finished"
                mine = [transaction(name, self.attempts[name])]
                why = f"{name} is said to have reported {given!r}, and {last}"
                self.faults.append(local("orphaned report", mine, [why]))

    def check_told(self, op: str, told: _Told) -> None:
        mine = [self.owner(op)]
        if told.cancelled or (told.wrote and told.applied is None and not told.cover):
            how = f"cancelled by {told.cancelled}" if told.cancelled else "undone"
            why = f"{op} was {how}, and neither redone nor reissued nor taken back"
            self.faults.append(local("unanswered cancellation", mine, [why]))
        elif repr(told.belief[0]) != repr(told.acted[0]):
            why = f"{op} now comes to {_worth(told.acted[0])}, and its agent still believes {_worth(told.belief[0])}"
            self.faults.append(local("missed notice", mine, [why]))

    def check_footprint(self, op: str, told: _Told) -> None:
        """What an operation touched lies inside what it declared (assumption A2)."""
        invoke = told.invoke
        saw = {path.rstrip("/") for path in (told.acted[1] or {})} if told.acted else set()
        for paths, declared, did in ((saw, invoke["reads"], "looked at"), (told.wrote, invoke["writes"], "wrote")):
            outside = sorted(path for path in paths if not any_overlap([path], declared))
            if outside:
                why = f"{op} {did} {', '.join(outside)}, outside the footprint that it declared"
                self.faults.append(local("footprint escape", [self.owner(op)], [why]))

    def effective(self, op: str, told: _Told) -> Effective:
        invoke = told.invoke
        applied = self.ops[told.cover].applied if told.cover else told.applied
        return Effective(
            op=op,
            transaction=self.owner(op),
            position=tuple(invoke["position"]),
            tool=invoke["tool"],
            args=tuple((name, frozen(value)) for name, value in invoke["args"].items()),
            reads=tuple(invoke["reads"]),
            writes=tuple(invoke["writes"]),
            result=told.belief[0],
            acted=told.acted[0],
            saw=told.acted[1] if invoke["writes"] else told.belief[1],
            wrote=told.wrote,
            lost=told.doubted and told.status == "failed" and told.belief[0].status == "failed",
            applied=(applied or 0, tuple(invoke["position"]) if told.cover else (float("inf"),)),
        )


def _agree(told: _Told) -> None:
    """The same result again: what it rests on now is what counts (nobody has to be told)."""
    for name in ("belief", "notice"):
        known = getattr(told, name)
        if known and known[0] is not None and repr(known[0]) == repr(told.acted[0]):
            setattr(told, name, told.acted)


def _outcome(record: Record) -> tuple[Result, Seen | None]:
    return _result(record), _saw(record)


def _result(record: Record) -> Result:
    return Result(record["status"], frozen(record["value"]))


def _saw(record: Record) -> Seen | None:
    return _seen(record["saw"]) if "saw" in record else None


def _seen(record: Mapping[str, Mapping]) -> dict[str, tuple[Cell, str | None]]:
    return {one.path: (one.cell, one.writer) for one in sightings_in(record)}


def _cells(record: Mapping[str, Mapping]) -> dict[str, Cell]:
    return {path: cell_in(one) for path, one in record.items()}


def _said(cell: Cell) -> str:
    return repr(cell[0]) if cell else "nothing"


def _worth(result: Result) -> str:
    return repr(result.value) if result.status == "ok" else f"{result.status} ({result.value!r})"
