"""Searches a serial order of register transactions, depth-first, remembering dead states.

Exact when it ends: it finds an order or has tried them all. Knows values only, so writes that
share a value are no obstacle; running out of budget is None, never an answer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checker.polygraph import Block as Whole
from checker.precedence import realtime_edges, session_edges
from checker.transaction import Key, Transaction

LOOKS = 6_000_000
"""Blocks looked at before the search gives up, about two seconds; twice as many states as blocks are always entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A transaction as the search sees it: what it reads from outside and what it leaves, by key."""

    name: str
    reads: Mapping[Key, object]
    writes: Mapping[Key, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`order` explains every read; None when none does (`complete`) or the budget ended first. `states` entered."""

    order: tuple[str, ...] | None
    complete: bool
    states: int


class _Run:
    """The state of a search: what has run, the current values, and how many still need or supply each value."""

    def __init__(self, blocks: Sequence[Block], before: Sequence[int]) -> None:
        self.blocks, self.before = blocks, before
        self.done, self.order = 0, []
        self.value: dict[Key, object] = {}
        self.needed = Counter((key, value) for block in blocks for key, value in block.reads.items())
        self.supplied = Counter((key, value) for block in blocks for key, value in block.writes.items())

    def moves(self) -> list[int]:
        """The blocks that can run next without starving a later read; only the first when it writes nothing."""
        found = []
        for place, block in enumerate(self.blocks):
            if self.done >> place & 1 or self.before[place] & ~self.done:
                continue
            if any(self.value.get(key) != value for key, value in block.reads.items()):
                continue
            if not block.writes:
                return [place]
            if not any(self._starves(block, key, value) for key, value in block.writes.items()):
                found.append(place)
        return found

    def _starves(self, block: Block, key: Key, value: object) -> bool:
        now = self.value.get(key)
        if now == value:
            return False
        own = key in block.reads
        return self.needed[key, now] > own and not self.supplied[key, now]

    def run(self, place: int) -> list[tuple[Key, object]]:
        """Runs a block; what it returns undoes it."""
        block, saved = self.blocks[place], []
        for pair in block.reads.items():
            self.needed[pair] -= 1
        for key, value in block.writes.items():
            saved.append((key, self.value.get(key)))
            self.supplied[key, value] -= 1
            self.value[key] = value
        self.done |= 1 << place
        self.order.append(place)
        return saved

    def back(self, saved: list[tuple[Key, object]]) -> None:
        """Undoes the last block run."""
        place = self.order.pop()
        block = self.blocks[place]
        self.done &= ~(1 << place)
        for key, value in saved:
            self.value[key] = value
        for pair in block.reads.items():
            self.needed[pair] += 1
        for pair in block.writes.items():
            self.supplied[pair] += 1

    def state(self) -> tuple[int, frozenset]:
        """What the rest of the search depends on: what has run, and the values that someone still needs."""
        return self.done, frozenset(pair for pair in self.value.items() if self.needed[pair])


def search(blocks: Sequence[Block], before: Sequence[int] | None = None, budget: int | None = None) -> Found:
    """A serial order from all-nil values. `before[i]` is a bitset of blocks that must run before block i.

    Blocks are tried in the order given, so a list in commit order is often right at once. `budget`
    is the number of states to enter; None leaves it to LOOKS.
    """
    budget = max(2 * len(blocks), LOOKS // max(1, len(blocks))) if budget is None else budget
    run = _Run(blocks, before or [0] * len(blocks))
    dead: set[tuple[int, frozenset]] = set()
    path: list[tuple[Iterator[int], list, tuple]] = []
    moves, states = iter(run.moves()), 1
    saved, key = [], run.state()
    while len(run.order) < len(blocks):
        place = next(moves, None)
        if place is None:
            dead.add(key)
            if not path:
                return Found(order=None, complete=True, states=states)
            run.back(saved)
            moves, saved, key = path.pop()
            continue
        undo = run.run(place)
        then = run.state()
        if then in dead:
            run.back(undo)
            continue
        states += 1
        if states > budget:
            return Found(order=None, complete=False, states=states)
        path.append((moves, saved, key))
        moves, saved, key = iter(run.moves()), undo, then
    return Found(order=tuple(blocks[place].name for place in run.order), complete=True, states=states)


def found_order(
    live: Sequence[Whole], transactions: Sequence[Transaction], order: str, budget: int | None
) -> tuple[tuple[str, ...] | None, int, bool]:
    """A serial order of blocks whose values may be written twice, the states entered, and whether all were tried.

    `order` is `so` or `rt` when the sessions or the real time of `transactions` must hold too.
    """
    if any(len(values) > 1 for block in live for values in block.reads.values()):
        return None, 0, True
    blocks = [
        Block(name=one.name, reads={key: values[0] for key, values in one.reads.items()}, writes=one.writes)
        for one in live
    ]
    place = {block.name: number for number, block in enumerate(blocks)}
    before = [0] * len(blocks)
    edges = [*(session_edges(transactions) if order else ()), *(realtime_edges(transactions) if order == "rt" else ())]
    for edge in edges:
        before[place[edge.target]] |= 1 << place[edge.source]
    found = search(blocks, before, budget)
    return found.order, found.states, found.complete
