"""Edges of a register history when the order of each key's versions is known: then everything is linear.

Knows blocks and version orders, decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from checker.polygraph import Block
from checker.precedence import Edge, overwrote, read_before, read_from, realtime_edges, session_edges
from checker.register_fact import shown_value
from checker.transaction import Key, Transaction, shown
from coagent.bad_input import BadInput


def edges_in_order(
    live: Sequence[Block], transactions: Sequence[Transaction], orders: Mapping[Key, Sequence[object]], order: str
) -> Iterator[Edge]:
    """The edges between adjacent versions and their readers, with those of sessions (`so`) or real time (`rt`).

    `orders` has for each key all values that were left there, first to last; values of transactions that did not
    happen may be among them. Raises BadInput when it leaves one out.
    """
    by = {(key, value): block.name for block in live for key, value in block.writes.items()}
    after: dict[tuple[Key, object], str] = {}
    seen = 0
    for key, values in orders.items():
        there = [value for value in values if (key, value) in by]
        seen += len(there)
        for one, other in pairwise([None, *there]):
            after[key, one] = by[key, other]
            if one is not None:
                yield overwrote(by[key, one], by[key, other], shown(key))
    if seen != len(by):
        key, value = next(pair for pair in by if pair[1] not in orders.get(pair[0], ()))
        raise BadInput(f"the version order of {shown(key)} leaves out {shown_value(value)}; it should have every value")
    for block in live:
        for key, values in block.reads.items():
            for value in values:
                if (key, value) in by:
                    yield read_from(by[key, value], block.name, shown(key))
                if (key, value) in after:
                    yield read_before(block.name, after[key, value], shown(key))
    yield from session_edges(transactions) if order else ()
    yield from realtime_edges(transactions) if order == "rt" else ()
