"""The orders that register transactions may have had, as nodes, certain edges and keys (Papadimitriou, JACM 1979).

Knows who read from whom, not in which order the versions of a key came: for a version, its readers
and another writer of the key, the other comes before the version or after its readers. Decides
nothing. At snapshot isolation a transaction is two nodes, its start (where it reads) and its commit
(where it writes); at the other levels both are one node.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checker.precedence import realtime_edges, session_edges
from checker.transaction import Key, Transaction

Why = tuple
"""Why an edge is certain, as proofs write it: `("wr", key, value)`, `("init", key)`, `("so",)`, `("rt",)`, `("sc",)`;
or by which rule it follows: `("ww", key, reader)`, `("rw", key, writer)`, `("apart", key)`, transactions by number."""

Arrow = tuple[int, int, Why]
"""One node comes before another, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A transaction as the others see it: the values it read of each key from outside, and what it left there."""

    name: str
    reads: Mapping[Key, tuple[object, ...]]
    writes: Mapping[Key, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygraph:
    """Transactions by number, start node `t` and commit node `t + lag`; `lag` is 0 when both are one node.

    `arrows` are the certain edges; `writers` the transactions that write a key; `readers` those that read the version
    of it that a transaction wrote, itself aside, as far as later versions matter to them; `source` the writers of what
    such a reader read. With `skips` false nobody comes before the writers after a version because he read it.
    """

    names: tuple[str, ...]
    lag: int
    arrows: tuple[Arrow, ...]
    writers: Mapping[Key, tuple[int, ...]]
    readers: Mapping[tuple[int, Key], tuple[int, ...]]
    source: Mapping[tuple[int, Key], tuple[int, ...]]
    skips: bool

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.names) + self.lag

    def named(self, node: int) -> str:
        """A node as proofs write it: the transaction's name, after `s:` or `c:` when start and commit are apart."""
        if not self.lag:
            return self.names[node]
        return f"s:{self.names[node]}" if node < self.lag else f"c:{self.names[node - self.lag]}"


def polygraph(
    live: Sequence[Block],
    transactions: Iterable[Transaction] = (),
    *,
    apart: bool = False,
    order: str = "",
    reads: str = "all",
) -> Polygraph:
    """The polygraph of blocks whose reads all have one certain writer, or are of the initial nil.

    `order` is `so` or `rt` when sessions or real time must hold too, as `transactions` recorded them. `reads` says
    which reads come before later versions: `all`, `own` (of keys that the reader writes itself) or `none`.
    """
    lag = len(live) if apart else 0
    by_value: dict[tuple[Key, object], int] = {}
    writers: defaultdict[Key, list[int]] = defaultdict(list)
    for place, block in enumerate(live):
        for key, value in block.writes.items():
            by_value[key, value] = place
            writers[key].append(place)
    arrows: list[Arrow] = [(place, place + lag, ("sc",)) for place in range(lag)]
    readers: dict[tuple[int, Key], list[int]] = {}
    source: dict[tuple[int, Key], tuple[int, ...]] = {}
    for place, block in enumerate(live):
        for key, values in block.reads.items():
            bound = reads == "all" or (reads == "own" and key in block.writes)
            for value in values:
                writer = by_value.get((key, value))
                if writer is None and value is None and bound:
                    arrows += [(place, other + lag, ("init", key)) for other in writers[key] if other != place]
                elif writer is not None and writer != place:
                    arrows.append((writer + lag, place, ("wr", key, value)))
                    if bound or reads == "none":
                        readers.setdefault((writer, key), []).append(place)
                        source[place, key] = (*source.get((place, key), ()), writer)
    return Polygraph(
        names=tuple(block.name for block in live),
        lag=lag,
        arrows=(*arrows, *_beside(live, transactions, lag, order)),
        writers={key: tuple(found) for key, found in writers.items()},
        readers={version: tuple(found) for version, found in readers.items()},
        source=source,
        skips=reads != "none",
    )


def _beside(live: Sequence[Block], transactions: Iterable[Transaction], lag: int, order: str) -> Iterator[Arrow]:
    """The edges of session order, and of real time where that is asked for."""
    place = {block.name: number for number, block in enumerate(live)}
    there = [one for one in transactions if one.name in place]
    found = [*(session_edges(there) if order else ()), *(realtime_edges(there) if order == "rt" else ())]
    yield from ((place[edge.source] + lag, place[edge.target], (edge.kind,)) for edge in found)
