"""The conflicts of a reduced run: versions of each cell, who read which, and the precedence edges between transactions.

Decides nothing about orders. Only adjacent versions get an edge, the rest follows (Adya). Blind
increments commute: a run of `add` calls whose totals nobody was told is one version with several writers.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from checker.anomaly import Anomaly, local
from checker.effective import Effective, Reduced
from checker.forks import transaction
from checker.precedence import Edge, overwrote, read_before, read_from, realtime_edges
from checker.transaction import Transaction
from checker.tree import Tree
from coagent.history import History
from coagent.operation import Result

MOST = 20
"""Faults of one kind that are told each."""


def silent(one: Effective) -> bool:
    """Whether a call commutes with others like it on the same path.

    It is an `add` that told its agent no total (its result is `ok` with null): integer addition is
    commutative and associative, and nobody knows what it was added to. A total that was told is a premise.
    """
    return one.tool == "add" and one.result == Result("ok", None) and len(one.wrote) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """`first` comes before `then`, because of a cell; `kind` as in `checker.precedence`, `listed` for a phantom."""

    first: Effective
    then: Effective
    kind: str
    path: str
    listed: bool = False


def edges_of(run: Reduced) -> list[Edge]:
    """The precedence edges between committed transactions, over the recorded versions of each cell."""
    return [_edge(touch) for touch in touches(run) if touch.first.transaction != touch.then.transaction]


def _edge(touch: Touch) -> Edge:
    first, then, path = touch.first.transaction, touch.then.transaction, touch.path
    match touch.kind:
        case "ww":
            return overwrote(first, then, path)
        case "wr":
            return read_from(first, then, path)
        case _:
            return read_before(first, then, path, collection=touch.listed)


def touches(run: Reduced) -> Iterator[Touch]:
    """The conflicts between operations: each version with the next, and each read with the versions around it."""
    chains = {path: Chain(writers) for path, writers in versions(run).items()}
    tree = Tree(chains)
    for path, chain in chains.items():
        for low, high in zip(chain.groups, chain.groups[1:], strict=False):
            for first in low:
                yield from (Touch(first=first, then=then, kind="ww", path=path) for then in high)
    counted = {one.op: one for one in run.operations}
    for one in run.operations:
        for path in sorted(looked_at(one, tree)):
            if not (silent(one) and path in one.made):
                yield from _around(one, path, chains.get(path), counted)


def _around(one: Effective, path: str, chain: "Chain | None", counted: Mapping[str, Effective]) -> Iterator[Touch]:
    """The conflicts of a read with the writer of what it saw and with the next writers."""
    writer = (one.saw or {}).get(path, ((), None))[1]
    source = counted.get(writer) if writer else None
    if source and source.transaction == one.transaction and path not in source.made:
        return  # its own, on a fork, and replaced there: nobody else saw it
    if source and source is not one:
        for first in chain.until(writer) if chain else [source]:
            if first is not one:
                yield Touch(first=first, then=one, kind="wr", path=path)
    if chain and (source or not writer):
        listed = any(path.startswith(seen) for seen in one.saw if seen.endswith("/"))
        for then in chain.after(writer, one.transaction):
            yield Touch(first=one, then=then, kind="rw", path=path, listed=listed)


class Chain:
    """The writers of one cell's standing versions, oldest first, the commuting ones side by side in groups."""

    def __init__(self, writers: Sequence[Effective]) -> None:
        self.writers = writers
        self.groups: list[list[Effective]] = []
        for one in writers:
            if self.groups and silent(one) and silent(self.groups[-1][-1]):
                self.groups[-1].append(one)
            else:
                self.groups.append([one])
        self._place = {one.op: at for at, one in enumerate(writers)}
        self._starts = [0, *accumulate(len(group) for group in self.groups)]
        self._other = _other(writers)

    def until(self, writer: str) -> Sequence[Effective]:
        """Who made the version that `writer` completed: itself, and of its group those before it."""
        if writer not in self._place:
            return ()
        place = self._place[writer]
        return self.writers[self._group(place)[0] : place + 1]

    def after(self, writer: str | None, transaction: str) -> Iterable[Effective]:
        """Who replaced the version that `writer` completed, another transaction's first: one, or a whole group."""
        place = self._place.get(writer, -1) + 1 if writer else 0
        if place < len(self.writers) and self.writers[place].transaction == transaction:
            place = self._other[place]
        if place >= len(self.writers):
            return ()
        return self.writers[place : self._group(place)[1]]

    def _group(self, place: int) -> tuple[int, int]:
        at = bisect_right(self._starts, place) - 1
        return self._starts[at], self._starts[at] + len(self.groups[at])


def _other(writers: Sequence[Effective]) -> list[int]:
    """For each version the place of the next one by another transaction."""
    found = [len(writers)] * len(writers)
    for at in range(len(writers) - 2, -1, -1):
        same = writers[at + 1].transaction == writers[at].transaction
        found[at] = found[at + 1] if same else at + 1
    return found


def versions(run: Reduced) -> dict[str, list[Effective]]:
    """The standing writes of each cell, in the order in which the live store got them last."""
    chains: dict[str, list[Effective]] = defaultdict(list)
    for one in sorted(run.operations, key=lambda one: one.applied):
        for path in one.made:
            chains[path].append(one)
    return dict(chains)


def looked_at(one: Effective, tree: Tree) -> set[str]:
    """The paths whose cells an operation saw: those it names, and everything that the tree has below what it listed."""
    found = {path for path in one.saw or () if not path.endswith("/")}
    for path in one.saw or ():
        if path.endswith("/"):
            found.update(tree.below(path[:-1]))
    return found


def in_time(history: History, run: Reduced) -> Iterator[Edge]:
    """The real-time edges: an agent's attempt begins with its first inference and ends with its commit."""
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    for number, record in history.numbered():
        match record["event"]:
            case "infer" | "invoke":
                begun.setdefault(transaction(record["agent"], record["attempt"]), number)
            case "commit":
                ended[record["agent"]] = number
    return realtime_edges(
        Transaction(
            name=name, status="committed", steps=(), begun=begun.get(name), ended=ended.get(name.partition("#")[0])
        )
        for name in run.transactions
    )


def aborted_reads(run: Reduced) -> list[Anomaly]:
    """Reads of what was aborted or taken back (G1a), and of versions that their own writer replaced (G1b)."""
    found = []
    last = {(path, chain.transaction): chain.op for path, many in versions(run).items() for chain in many}
    for one in run.operations:
        for path, (_, writer) in (one.saw or {}).items():
            if writer in run.cancelled:
                why = f"{one.transaction} read {path} as {run.owner[writer]} wrote it, but {run.cancelled[writer]}"
                found.append(local("aborted read", dict.fromkeys((one.transaction, run.owner[writer])), [why]))
            elif writer in run.owner and run.owner[writer] != one.transaction:
                final = last.get((path, run.owner[writer]), writer)
                if final != writer:
                    why = f"{one.transaction} read {path} as {writer} wrote it; {run.owner[writer]} then wrote it again"
                    found.append(local("intermediate read", (one.transaction, run.owner[writer]), [why]))
    return found[:MOST]
