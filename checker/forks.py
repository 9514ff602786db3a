"""What a history says of forks: which calls acted on one, and what the live store got when it was merged.

A fork takes effect at its merge, all of it or nothing; what cannot be undone acts outside. Judges nothing but records
that contradict each other, and calls outside whose attempt was thrown away.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from checker.anomaly import Anomaly, local
from checker.told import Seen, Told, cells, nth, seen
from coagent.history import Record
from coagent.operation import Cell

Attempt = tuple[str, int]


def transaction(agent: str, attempt: int) -> str:
    """A transaction's name: the agent's, with the attempt when it is not the first."""
    return agent if attempt == 1 else f"{agent}#{attempt}"


class Forks:
    """The forks of a run, followed beside its operations by name; `combined` are the paths at which a merge left what
    its fork did not hold."""

    def __init__(self, ops: Mapping[str, Told]) -> None:
        self.ops = ops
        self.combined: dict[str, None] = {}
        self._on: dict[Attempt, list[str]] = defaultdict(list)
        self._outside: dict[Attempt, list[str]] = defaultdict(list)
        self._made: dict[Attempt, set[str]] = {}

    def acted(self, number: int, record: Record) -> Iterator[Anomaly]:
        """A call acted on its agent's fork."""
        op, told = record["op"], self.ops[record["op"]]
        if told.forked or told.applied is not None:
            yield local("double apply", [self._owner(op)], [f"{op} was carried out again (record {nth(number)})"])
        told.forked, told.status = True, record["status"]
        told.captured, told.wrote = seen(record["captured"]), cells(record["wrote"])
        self._on[self._attempt(op)].append(op)
        if told.status != "ok" and told.wrote:
            why = f"{op} is said to have {told.status}, and to have written {', '.join(sorted(told.wrote))}"
            yield local("wrong result", [self._owner(op)], [why])

    def merged(self, number: int, record: Record) -> tuple[Seen, list[Anomaly]]:
        """A fork was merged: the cells that the live store got, with their writers, and what is wrong with them."""
        if record["conflicts"]:
            return {}, []
        attempt, faults = (record["agent"], record["attempt"]), []
        mine, gained = self._on[attempt], seen(record["wrote"])
        self._made.setdefault(attempt, set()).update(gained)
        for op in mine:
            self.ops[op].applied = number
        for path, (cell, writer) in gained.items():
            if writer in mine:
                self._gets(path, cell, self.ops[writer])
            else:
                name = transaction(*attempt)
                why = f"the merge of {name}'s fork left {path} as {writer}'s, which wrote nothing on that fork"
                faults.append(local("garbage read", [name], [f"{why} (record {nth(number)})"]))
        return gained, faults

    def _gets(self, path: str, cell: Cell, told: Told) -> None:
        told.merged[path] = cell
        if path not in told.wrote or repr(told.wrote[path]) != repr(cell):
            self.combined[path] = None

    def outside(self, op: str) -> None:
        """A call that cannot be undone acted on the live store."""
        self._outside[self._attempt(op)].append(op)

    def left_behind(self, number: int, record: Record) -> Iterator[Anomaly]:
        """What cannot be undone stays when its attempt is thrown away."""
        for op in self._outside.pop((record["agent"], record["attempt"]), ()):
            if self.ops[op].applied is not None:
                why = f"{op} cannot be undone, and stayed when its attempt was thrown away (record {nth(number)})"
                yield local("repeated unrecoverable call", [self._owner(op)], [why])

    def seen_by(self, op: str, saw: Seen | None) -> Seen | None:
        """What an operation saw, with the cells of others that it wrote on a fork and that the merge left alone, since
        the fork had brought them back: its place is where they are as they were."""
        told = self.ops[op]
        made = self._made.get(self._attempt(op))
        if saw is None or not told.forked or made is None:
            return saw
        mine = self._on[self._attempt(op)]
        alone = {path: entry for path, entry in told.captured.items() if path not in made and entry[1] not in mine}
        return {**alone, **saw}

    def _attempt(self, op: str) -> Attempt:
        invoke = self.ops[op].invoke
        return invoke["agent"], invoke["attempt"]

    def _owner(self, op: str) -> str:
        return transaction(*self._attempt(op))
