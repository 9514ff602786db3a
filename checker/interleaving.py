"""The ordinary interleaving that is left of a run when both cancellation laws have been applied, as a value to show.

The read side: a stale read, its notice and a right revision are the read of what was noticed. The write side: a
write, its undo, and its redo, reissue or omission are the write that stands (P2 section 3). Decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from checker.conflict import edges_of, touches
from checker.effective import Effective, Reduced, reduced
from checker.precedence import Edge
from checker.told import nth, worth
from coagent.history import History
from coagent.operation import Call

READ_SIDE, WRITE_SIDE = "read side", "write side"
_WRITES = ("undo", "redo", "cancel", "inherit", "mask", "repair")
_READS = ("refresh", "notify", "consume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """An operation of the interleaving: the record at which it took its effect, and the records that were cancelled
    against it, by law."""

    operation: Effective
    record: int
    cancelled: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        one = self.operation
        call = Call(one.tool, one.args)
        laws = "; ".join(f"{law}: {', '.join(what)}" for law, what in self.cancelled)
        return f"{one.op} {call} -> {worth(one.result)} (record {self.record})" + (f"; {laws}" if laws else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An operation that is not in the interleaving: why, by which law (none: it was aborted), and the records."""

    op: str
    why: str
    law: str
    records: tuple[str, ...]

    def __str__(self) -> str:
        by = f"{self.law}: " if self.law else ""
        return f"{self.op}: {self.why}; {by}{', '.join(self.records)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaving:
    """What is left: operations as they follow each other, those that were dropped, the conflicts between
    transactions. `tangled` are operations whose conflicts form a ring, so that no interleaving has them; they come
    last, in the order of the records. `order` is the serial order that the conflicts allow, closest to the
    pre-order; None when they form a cycle."""

    operations: tuple[Remaining, ...]
    dropped: tuple[Dropped, ...]
    conflicts: tuple[Edge, ...]
    tangled: tuple[str, ...]
    order: tuple[str, ...] | None

    def lines(self) -> list[str]:
        """The interleaving as a person reads it."""
        ring = [f"  in no interleaving, for their conflicts form a ring: {', '.join(self.tangled)}"]
        order = ", ".join(self.order) if self.order is not None else "none, for the conflicts form a cycle"
        return [
            "what remains, as it took effect:",
            *(f"  {one}" for one in self.operations),
            *(ring if self.tangled else ()),
            *(["what was cancelled:", *(f"  {one}" for one in self.dropped)] if self.dropped else ()),
            "conflicts:",
            *(f"  {edge.source} before {edge.target}, because {edge.because}" for edge in self.conflicts),
            f"a serial order: {order}",
        ]


def interleaving(history: History) -> Interleaving:
    """What is left of a recorded run by the two laws.

    The operations that count, in an order that keeps every agent's own and every conflict's, and that of the records
    where those leave it open. Conflict-equivalent runs have one interleaving up to that last choice.
    """
    run = reduced(history)
    trail = _trail(history)
    took = {one.op: _took_effect(one, trail[one.op]) for one in run.operations}
    order, tangled = _sorted(_following(run), [(took[one.op], one.op) for one in run.operations])
    counted = {one.op: one for one in run.operations}
    edges = {(edge.source, edge.target, edge.kind, edge.object): edge for edge in edges_of(run)}
    serial, cyclic = _sorted([(edge.source, edge.target) for edge in edges.values()], list(enumerate(run.transactions)))
    return Interleaving(
        operations=tuple(
            Remaining(operation=counted[op], record=took[op], cancelled=_cancelled(counted[op], trail[op]))
            for op in order
        ),
        dropped=tuple(_dropped(op, why, trail[op]) for op, why in run.cancelled.items()),
        conflicts=tuple(edges.values()),
        tangled=tuple(tangled),
        order=None if cyclic else tuple(serial),
    )


Trail = list[tuple[int, str]]


def _trail(history: History) -> Mapping[str, Trail]:
    """By operation, the records about it: their numbers and kinds."""
    found: dict[str, Trail] = defaultdict(list)
    for number, record in history.numbered():
        ops = record["ops"] if record["event"] == "consume" else [record["op"]] if "op" in record else []
        for op in ops:
            found[op].append((nth(number), record["event"]))
    return found


def _took_effect(one: Effective, trail: Trail) -> int:
    """The record at which an operation took the effect that counts: a write's last application, a read's last look."""
    if one.wrote and one.made is not one.wrote:
        return one.applied[0] + 1
    kinds = ("exec", "redo", "mask") if one.wrote else ("result", "refresh", "redo")
    return next((number for number, kind in reversed(trail) if kind in kinds), trail[0][0])


def _cancelled(one: Effective, trail: Trail) -> tuple[tuple[str, tuple[str, ...]], ...]:
    law, kinds = (WRITE_SIDE, _WRITES) if one.wrote else (READ_SIDE, _READS)
    found = [(law, _listed(trail, kinds))]
    if one.writes:
        found.append((READ_SIDE if one.wrote else WRITE_SIDE, _listed(trail, _READS if one.wrote else _WRITES)))
    return tuple((name, records) for name, records in found if records)


def _dropped(op: str, why: str, trail: Trail) -> Dropped:
    law = "" if "aborted" in why else WRITE_SIDE if any(kind in _WRITES for _, kind in trail) else READ_SIDE
    return Dropped(op=op, why=why, law=law, records=_listed(trail, ("invoke", "exec", "forked", *_READS, *_WRITES)))


def _listed(trail: Trail, kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{kind} {number}" for number, kind in trail if kind in kinds)


def _following(run: Reduced) -> Iterator[tuple[str, str]]:
    """Which operation comes before which: in conflict, or as the agent's next."""
    last: dict[str, str] = {}
    for one in run.operations:
        if one.transaction in last:
            yield last[one.transaction], one.op
        last[one.transaction] = one.op
    for touch in touches(run):
        if touch.first.transaction != touch.then.transaction:
            yield touch.first.op, touch.then.op


def _sorted(edges: Iterable[tuple[str, str]], named: list[tuple[int, str]]) -> tuple[list[str], list[str]]:
    """The names in an order that the edges allow, the lowest number first among the free, and those on a ring or
    after one, by number."""
    onward: dict[str, list[str]] = defaultdict(list)
    waiting = dict.fromkeys((name for _, name in named), 0)
    for first, then in edges:
        onward[first].append(then)
        waiting[then] += 1
    number = {name: place for place, name in named}
    free = [(number[name], name) for name, count in waiting.items() if not count]
    heapify(free)
    order = []
    while free:
        _, name = heappop(free)
        order.append(name)
        for then in onward[name]:
            waiting[then] -= 1
            if not waiting[then]:
                heappush(free, (number[then], then))
    done = {*order}
    return order, [name for _, name in sorted(named) if name not in done]
