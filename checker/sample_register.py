"""Samples register histories as a store with many sessions would leave them, for measurements and tests.

A valid one is a serial run, listed afterwards in an order that gives nothing of the serial one
away. It judges nothing.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from checker.transaction import Key, Step, Transaction

PLANTED = ("lost update", "write skew")
"""What can be planted: two transactions that read one state and then write, one of its keys both or two keys apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What is sampled. `operations` is the number in each transaction, `reads` the share of them that read, `updates`
    the share of reads that a write of the same key follows, `hot` the share that goes to a tenth of the keys. What is
    not `shuffled` is listed session after session, each in its own order, as the tools write such histories."""

    transactions: int
    sessions: int = 24
    keys: int = 1000
    operations: int = 6
    reads: float = 0.5
    updates: float = 0.3
    hot: float = 0.3
    shuffled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A history, and for each key its values in the order in which they were written (nil before the first)."""

    transactions: tuple[Transaction, ...]
    orders: dict[Key, tuple[object, ...]]


def sampled(mix: Mix, seed: int, *, planted: str = "") -> Sample:
    """A history without a serial order when something is `planted` (one of PLANTED), and with one otherwise."""
    chance = random.Random(f"{mix}-{seed}")
    values = iter(range(1, 10**9))
    orders: dict[Key, list[object]] = {}
    rows: list[tuple[Step, ...]] = []
    for number in range(mix.transactions):
        if planted and number == mix.transactions // 2:
            rows += _pair(planted, orders, values, chance)
        rows.append(_row(mix, chance, orders, values))
    return Sample(
        transactions=tuple(_listed(rows, mix, chance)), orders={key: tuple(found) for key, found in orders.items()}
    )


def _row(mix: Mix, chance: random.Random, orders: dict, values: Iterator[int]) -> tuple[Step, ...]:
    """One more transaction of the serial run."""
    steps: list[Step] = []
    own: dict[Key, object] = {}
    while len(steps) < mix.operations:
        key = chance.randrange(max(1, mix.keys // 10) if chance.random() < mix.hot else mix.keys)
        if chance.random() < mix.reads:
            steps.append(("r", key, own[key] if key in own else orders.get(key, [None])[-1]))
            if chance.random() >= mix.updates:
                continue
        own[key] = next(values)
        steps.append(("w", key, own[key]))
    for key, value in own.items():
        orders.setdefault(key, []).append(value)
    return tuple(steps)


def _pair(planted: str, orders: dict, values: Iterator[int], chance: random.Random) -> list[tuple[Step, ...]]:
    """Two transactions that both read what was there before either wrote."""
    left, right = chance.sample(sorted(orders), 2)
    seen = [("r", key, orders[key][-1]) for key in (left, right)]
    rows = []
    for key in (left, left) if planted == "lost update" else (left, right):
        value = next(values)
        orders[key].append(value)
        rows.append((*seen, ("w", key, value)))
    return rows


def _listed(rows: list[tuple[Step, ...]], mix: Mix, chance: random.Random) -> Iterator[Transaction]:
    """The rows as transactions of sessions, named by their place in the list."""
    placed = [(chance.randrange(mix.sessions), steps) for steps in rows]
    if mix.shuffled:
        chance.shuffle(placed)
    else:
        placed.sort(key=lambda pair: pair[0])
    for number, (session, steps) in enumerate(placed):
        yield Transaction(name=f"T{number}", status="committed", steps=steps, session=session)
