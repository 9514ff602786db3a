"""Follows the objects through a history: what is there, who applied what in which order, and the write trajectories.

`M(o, p)` is what the uncancelled writes below a position come to, by what each of them is recorded to have written.
Asks no engine.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from immutables import Map

from coagent.history import History, Record, cell_in, frozen
from coagent.operation import Cell

LANDED, LIFTED, MASKED = "in place", "undone for now", "masked"
"""How a write of a trajectory stands in the live store."""

Entry = tuple[Cell, str | None]
"""A cell and the operation that wrote it; None: the start state."""

START: Entry = ((), None)

Event = tuple[int, str, str, Cell, str | None]
"""What happened to an object: at which step, what, by which operation; the cell that came of it, and its writer."""


@dataclass(slots=True, kw_only=True)
class Write:
    """An operation as far as objects are concerned."""

    name: str
    agent: str
    attempt: int
    position: tuple[int, ...]
    wrote: dict[str, Cell] = field(default_factory=dict)
    captured: dict[str, Entry] = field(default_factory=dict)
    standing: str = ""
    gone: bool = False


class ObjectFold:
    """The objects after the records taken so far. `take` answers with the paths that it touched."""

    def __init__(self, header: Record) -> None:
        self.start: dict[str, Cell] = {path: (frozen(value),) for path, value in header["state"].items()}
        self.cells: Map = Map({path: (cell, None) for path, cell in self.start.items()})
        self.ops: dict[str, Write] = {}
        self.trajectory: dict[str, list[tuple[tuple[int, ...], str]]] = defaultdict(list)
        self.step = 0
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.forked: dict[str, list[list[int | None]]] = defaultdict(list)
        self.forks: dict[str, Map] = {}
        self.attempts: dict[tuple[str, int], list[str]] = defaultdict(list)

    def take(self, record: Record) -> Iterable[str]:
        """Follow a record; the paths whose value, trajectory or physical order may be another now."""
        op = self.ops.get(record.get("op", ""))
        match record["event"]:
            case "invoke":
                return self._invoked(record)
            case "prepare":
                op.captured = {path: _entry(one) for path, one in record["captured"].items()}
            case "exec" | "redo":
                return self._applied(op, record)
            case "mask":
                op.wrote = {path: cell_in(one) for path, one in record["wrote"].items()}
                return self._placed(op, MASKED, "masked")
            case "undo":
                return self._undone(op)
            case "inherit":
                heir = self.ops[record["heir"]]
                heir.captured = {path: op.captured.get(path, entry) for path, entry in heir.captured.items()}
                return [*self._logged(op, "taken out"), *self._gone(op)]
            case "repair" if record["action"] != "insert":
                return self._gone(op)
            case "cancel" | "withdraw":
                return self._gone(op)
            case "abort":
                names = self.attempts[record["agent"], record["attempt"]]
                self._fork_ends(record["agent"])
                return [path for name in names for path in self._gone(self.ops[name])]
            case "fork":
                self.forks[record["agent"]] = self.cells
                self.forked[record["agent"]].append([self.step, None])
            case "forked":
                op.wrote = {path: cell_in(one) for path, one in record["wrote"].items()}
                self._fork_writes(op)
                return self._logged(op, "forked")
            case "merge":
                return self._merged(record)
        return ()

    def value(self, path: str) -> Entry:
        """What the live store holds at a path."""
        return self.cells.get(path, START)

    def materialized(self, path: str, position: tuple[float, ...]) -> Entry:
        """`M(o, p)`: what the writes below this position come to at a path, and which of them was last."""
        line = self.trajectory.get(path, ())
        place = bisect_left(line, (position,))
        if not place:
            return self.start.get(path, ()), None
        name = line[place - 1][1]
        return self.ops[name].wrote[path], name

    def reads(self, path: str, agent: str, rank: tuple[int, ...], filtered: bool) -> Entry:
        """What an agent would read at a path now: filtered at its next position, or live, or on its fork."""
        if agent in self.forks:
            return self.forks[agent].get(path, START)
        return self.materialized(path, (*rank, inf)) if filtered else self.value(path)

    def _invoked(self, record: Record) -> Iterable[str]:
        name = record["op"]
        key = record["agent"], record["attempt"]
        self.ops[name] = Write(name=name, agent=key[0], attempt=key[1], position=tuple(record["position"]))
        self.attempts[key].append(name)
        return ()

    def _applied(self, op: Write, record: Record) -> Iterable[str]:
        before = set(op.wrote)
        op.wrote = {path: cell_in(one) for path, one in record["wrote"].items()}
        left = before - set(op.wrote)
        self._take_out(op, left, "left")
        for path, cell in op.wrote.items():
            self.cells = self.cells.set(path, (cell, op.name))
        if op.agent in self.forks:
            self._fork_writes(op)
        act = "applied" if record["event"] == "exec" else "redone"
        return [*left, *(self._placed(op, LANDED, act) if op.wrote else ())]

    def _placed(self, op: Write, standing: str, act: str) -> Iterable[str]:
        op.standing = standing
        # One that its agent took back may be lifted and redone for somebody's read before it is undone for good.
        for path in op.wrote if not op.gone else ():
            line, entry = self.trajectory[path], (op.position, op.name)
            place = bisect_left(line, entry)
            if place == len(line) or line[place] != entry:
                insort(line, entry)
        return self._logged(op, act)

    def _logged(self, op: Write, act: str) -> Iterable[str]:
        for path, cell in op.wrote.items():
            self.events[path].append((self.step, act, op.name, cell, op.name))
        return op.wrote

    def _undone(self, op: Write) -> Iterable[str]:
        op.standing = LIFTED
        for path in op.wrote:
            entry = op.captured.get(path, START)
            self.cells = self.cells.set(path, entry)
            self.events[path].append((self.step, "undone", op.name, *entry))
        return op.wrote

    def _gone(self, op: Write) -> Iterable[str]:
        op.gone = True
        self._take_out(op, op.wrote, "gone")
        return op.wrote

    def _take_out(self, op: Write, paths: Iterable[str], act: str) -> None:
        for path in paths:
            self.events[path].append((self.step, act, op.name, (), None))
            line, entry = self.trajectory[path], (op.position, op.name)
            place = bisect_left(line, entry)
            if place < len(line) and line[place] == entry:
                del line[place]

    def _fork_writes(self, op: Write) -> None:
        fork = self.forks.get(op.agent, self.cells)
        for path, cell in op.wrote.items():
            fork = fork.set(path, (cell, op.name))
        self.forks[op.agent] = fork

    def _fork_ends(self, agent: str) -> None:
        if self.forks.pop(agent, None) is not None:
            self.forked[agent][-1][1] = self.step

    def _merged(self, record: Record) -> Iterable[str]:
        self._fork_ends(record["agent"])
        for path, one in record["wrote"].items():
            entry = _entry(one)
            self.cells = self.cells.set(path, entry)
            op = self.ops.get(entry[1] or "")
            if op is not None:
                op.wrote[path] = entry[0]
                op.standing = LANDED
                if (op.position, op.name) not in self.trajectory[path]:
                    insort(self.trajectory[path], (op.position, op.name))
                self.events[path].append((self.step, "merged", op.name, *entry))
        return record["wrote"]


def _entry(record: Record) -> Entry:
    return cell_in(record), record.get("writer")


def folded(history: History) -> ObjectFold:
    """The objects at the end of a history."""
    fold = ObjectFold(history.header)
    for record in history.records:
        fold.take(record)
    return fold
