"""Reduces a recorded run to the operations that count in the end, by the two cancellation laws.

A stale read, its notice and the revision reduce to the read of the refreshed value; a write, its
undo and its redo or rewriting reduce to the write that stands (P2 section 3; PROTOCOL: the read side
and the write side). What was written on a fork is written at its merge. Also replays the physical events, to see
that undo restored what was there. Decides nothing about serial orders.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import starmap

from checker.anomaly import Anomaly, local
from checker.forks import Forks, transaction
from checker.told import Seen, Told, agree, cells, nth, outcome, result, said, saw, seen, worth
from coagent.history import History, Record, frozen
from coagent.operation import Cell, Position, Result, Value
from coagent.path import any_overlap

ABSENT = "nothing"
"""What stands for a report that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One operation as it counts. `result` is what its agent believes, `acted` what its last execution returned;
    `saw` None when the history does not say; `applied` orders the writes that stand as the live store got them;
    `lost` says that its answer was lost and it turned out to have had no effect, or that it was refused. `made` are
    the versions that the live store got by it: what it wrote or, of a fork, what the merge took of it; a cell that the
    merge left alone (the fork had brought it back to what it was) counts as seen so."""

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
    made: Mapping[str, Cell]
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """A run after cancellation. `transactions` in pre-order are those that committed; `cancelled` maps operations
    that no longer count to why; `owner` and `positions` are of all operations. `faults` are what no serial order
    could excuse, `rules` what a protocol that promises the declared order may not do, whatever came of it; `open`
    are agents still going on, `unsettled` operations of which the history does not say what became of them.
    `combined` are paths at which a merge left what neither side had written, so that versions do not tell all."""

    operations: tuple[Effective, ...]
    transactions: tuple[str, ...]
    counted: int
    cancelled: Mapping[str, str]
    owner: Mapping[str, str]
    positions: Mapping[str, Position]
    faults: tuple[Anomaly, ...]
    rules: tuple[Anomaly, ...]
    open: tuple[str, ...]
    unsettled: tuple[str, ...]
    live: Mapping[str, Cell]
    combined: tuple[str, ...] = ()


def reduced(history: History) -> Reduced:
    """The run after cancellation; see the module."""
    folding = _Folding(history)
    for number, record in history.numbered():
        folding.take(number, record)
    return folding.reduced()


class _Folding:
    def __init__(self, history: History) -> None:
        self.history = history
        self.ops: dict[str, Told] = {}
        self.cells: dict[str, tuple[Cell, str | None]] = {
            path: ((frozen(value),), None) for path, value in history.header["state"].items()
        }
        self.gone: dict[str, str] = {}
        self.aborted: set[tuple[str, int]] = set()
        self.committed: set[str] = set()
        self.given_up: set[str] = set()
        self.reports: dict[str, object] = {}
        self.finished: dict[str, int] = {}
        self.consumed_at: dict[str, int] = {}
        self.pending: dict[str, set[str]] = defaultdict(set)
        self.covered: dict[str, set[str]] = defaultdict(set)
        self.attempts: dict[str, int] = {agent["name"]: 1 for agent in history.header["agents"]}
        self.faults: list[Anomaly] = []
        self.rules: list[Anomaly] = []
        self.forks = Forks(self.ops)

    def take(self, number: int, record: Record) -> None:
        kind = record["event"]
        told = self.ops.get(record.get("op", ""))
        match kind:
            case "invoke":
                self.ops[record["op"]] = Told(invoke=record)
                self.attempts[record["agent"]] = record["attempt"]
            case "prepare":
                told.captured = seen(record["captured"])
                self.check_captured(record["op"], told)
            case "exec" | "redo":
                told.refused = record.get("refused", False)
                self.applied(number, record, told)
            case "forked":
                self.faults += self.forks.acted(number, record)
            case "merge":
                gained, faults = self.forks.merged(number, record)
                self.cells.update(gained)
                self.faults += faults
            case "mask":
                told.wrote, told.cover = cells(record["wrote"]), record["by"]
                self.covered[record["by"]].add(record["op"])
            case "undo":
                self.undone(record["op"], told)
            case "inherit":
                heir = self.ops[record["heir"]]
                heir.captured = {path: told.captured.get(path, entry) for path, entry in heir.captured.items()}
                told.applied = None
                self.bequeath(record["op"], record["heir"])
            case "result":
                told.refused = record.get("refused", False)
                told.belief = told.acted = outcome(record)
                told.answered = True
            case "refresh":
                told.refused = record.get("refused", False)
                told.acted = outcome(record)
                agree(told)
            case "notify":
                told.notice = (None if record["cancelled"] else result(record), saw(record))
                self.pending[record["agent"]].add(record["op"])
                self.check_upward(number, record)
            case "consume":
                self.consumed_at[record["agent"]] = number
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
                self.faults += self.forks.left_behind(number, record)
                self.aborted.add((record["agent"], record["attempt"]))
                self.attempts[record["agent"]] = record["attempt"] + 1
            case "finish":
                self.reports[record["agent"]], self.finished[record["agent"]] = record["report"], number
            case "commit":
                self.committed.add(record["agent"])
            case "give-up":
                self.given_up.add(record["agent"])

    def check_captured(self, op: str, told: Told) -> None:
        for path, (cell, _) in told.captured.items():
            now = self.cells.get(path, ((), None))[0]
            if repr(cell) != repr(now):
                why = f"{op} captured {said(cell)} of {path} for undo, and {said(now)} was there"
                self.faults.append(local("lost inverse", [self.owner(op)], [why]))

    def bequeath(self, op: str, heir: str) -> None:
        """What an operation covered is covered by its heir from now on."""
        for name in self.covered.pop(op, ()):
            if self.ops[name].cover == op:
                self.ops[name].cover = heir
                self.covered[heir].add(name)

    def check_upward(self, number: int, record: Record) -> None:
        """A notice goes to a higher position than what caused it (P1 section 4.5).

        A covered write that its target refuses when it is uncovered is told so by whoever uncovered it.
        """
        op, cause = record["op"], record["cause"]
        if self.position(cause) >= self.position(op) and not self.ops[op].refused:
            why = f"{record['agent']} was told of {op} because of {cause}, which is not below it (record {nth(number)})"
            self.rules.append(local("downward notice", dict.fromkeys((self.owner(op), self.owner(cause))), [why]))

    def check_due(self, number: int, op: str, told: Told) -> None:
        """What cannot be undone waits until every lower rank has committed and its agent has no notice to consume.

        A notice about what comes after it is of no concern: its own coming may have displaced that.
        """
        agent = told.invoke["agent"]
        below = [one["name"] for one in self.history.header["agents"]]
        below = [one for one in below[: below.index(agent)] if one not in self.committed | self.given_up]
        due = any(self.position(one) < self.position(op) for one in self.pending[agent])
        if below or due:
            waits = f"{below[0]} had committed" if below else f"{agent} had consumed the notice it had been sent"
            why = f"{op} cannot be undone, and it was carried out before {waits} (record {nth(number)})"
            names = [self.owner(op), *(transaction(one, self.attempts[one]) for one in below)]
            self.rules.append(local("premature unrecoverable call", names, [why]))

    def position(self, op: str) -> Position:
        return tuple(self.ops[op].invoke["position"])

    def applied(self, number: int, record: Record, told: Told) -> None:
        op = record["op"]
        if told.applied is not None:
            why = f"{op} was carried out again without an undo between (record {nth(number)})"
            name = "double apply" if told.invoke["recoverable"] else "repeated unrecoverable call"
            self.faults.append(local(name, [self.owner(op)], [why]))
        if not told.invoke["recoverable"]:
            self.check_due(number, op, told)
            self.forks.outside(op)
        told.doubted = told.doubted or record["status"] == "unknown"
        told.wrote, told.status = cells(record["wrote"]), record["status"]
        told.applied, told.cover = (number if told.wrote else None), None
        if told.status != "ok" and told.wrote:
            why = f"{op} is said to have {told.status}, and to have written {', '.join(sorted(told.wrote))}"
            self.faults.append(local("wrong result", [self.owner(op)], [why]))
        if record["event"] == "redo":
            told.acted = outcome(record)
            agree(told)
        for path, cell in told.wrote.items():
            self.cells[path] = (cell, op)

    def undone(self, op: str, told: Told) -> None:
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
            self.pending[agent].discard(name)

    def owner(self, op: str | None) -> str:
        if op not in self.ops:
            return "the start state"
        invoke = self.ops[op].invoke
        return transaction(invoke["agent"], invoke["attempt"])

    def cancelled(self, op: str, told: Told) -> str:
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
            positions={op: self.position(op) for op in self.ops},
            faults=tuple(self.faults),
            rules=tuple(self.rules),
            open=tuple(name for name in agents if name not in self.committed | self.given_up),
            unsettled=tuple(op for op, told in self.ops.items() if self.unsettled(op, told, reasons[op])),
            live={path: cell for path, (cell, _) in self.cells.items() if cell},
            combined=tuple(self.forks.combined),
        )

    def unsettled(self, op: str, told: Told, reason: str) -> bool:
        """Whether the history leaves it open what became of an operation that its attempt committed with."""
        return (not told.answered and not told.withdrawn and "aborted" not in reason) or told.status == "unknown"

    def check_reports(self) -> None:
        """Every committed agent's report is the last one it finished with, after all that it was told."""
        for name in sorted(self.committed):
            given, whys = self.history.end["reports"].get(name, ABSENT), []
            if name not in self.reports or repr(self.reports[name]) != repr(given):
                last = f"last finished with {self.reports[name]!r}" if name in self.reports else "never finished"
                whys.append(f"{name} is said to have reported {given!r}, and {last}")
            elif self.finished[name] < self.consumed_at.get(name, 0):
                told = f"consumed a notice (record {nth(self.consumed_at[name])})"
                whys.append(
                    f"{name} finished (record {nth(self.finished[name])}), then {told}, and did not report again"
                )
            self.faults += [local("orphaned report", [transaction(name, self.attempts[name])], whys)] if whys else []

    def check_told(self, op: str, told: Told) -> None:
        mine = [self.owner(op)]
        if told.forked and told.applied is None and told.wrote:
            why = f"{op} wrote on a fork, and the fork was never merged"
            self.faults.append(local("diverged state", mine, [why]))
        elif told.cancelled or (told.wrote and told.applied is None and not told.cover):
            how = f"cancelled by {told.cancelled}" if told.cancelled else "undone"
            why = f"{op} was {how}, and neither redone nor reissued nor taken back"
            self.faults.append(local("unanswered cancellation", mine, [why]))
        elif repr(told.belief[0]) != repr(told.acted[0]):
            why = f"{op} now comes to {worth(told.acted[0])}, and its agent still believes {worth(told.belief[0])}"
            self.faults.append(local("missed notice", mine, [why]))

    def check_footprint(self, op: str, told: Told) -> None:
        """What an operation touched lies inside what it declared (assumption A2)."""
        invoke = told.invoke
        saw = {path.rstrip("/") for path in (told.acted[1] or {})} if told.acted else set()
        for paths, declared, did in ((saw, invoke["reads"], "looked at"), (told.wrote, invoke["writes"], "wrote")):
            outside = sorted(path for path in paths if not any_overlap([path], declared))
            if outside:
                why = f"{op} {did} {', '.join(outside)}, outside the footprint that it declared"
                self.faults.append(local("footprint escape", [self.owner(op)], [why]))

    def effective(self, op: str, told: Told) -> Effective:
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
            saw=self.forks.seen_by(op, told.acted[1] if invoke["writes"] else told.belief[1]),
            wrote=told.wrote,
            lost=told.belief[0].status == "failed" and (told.refused or (told.doubted and told.status == "failed")),
            applied=(applied or 0, tuple(invoke["position"]) if told.cover or told.forked else (float("inf"),)),
            made=told.merged if told.forked else told.wrote,
        )
