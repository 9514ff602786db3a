"""Guesses the order of the writers that is still open, surest pairs first, each guess with all that follows from it.

Knows a saturated polygraph. Where a node stands is estimated by how many come before it and how many after: the
farther two writers are apart, the surer is their order. A guess that contradicts itself is turned round; when the other
way does too, an earlier guess was wrong, and all starts over with that pair first. What comes out is a
guess: an order is right only once it was replayed, and finding none says nothing.
"""

from checker.order import Stamped, bits
from checker.saturation import Saturation
from checker.transaction import Key

STEPS = (0.5, 0.25, 0.1, 0.05)
"""The share of the open pairs that is decided before all are estimated anew; one for each start."""

FEW = 200
"""So few pairs are decided at once."""

Pair = tuple[int, int, Key]
"""Two writers of a key, the one that is thought to have come first in front."""


def oriented(known: Saturation, starts: int = len(STEPS)) -> list[int] | None:
    """The nodes in an order in which all writers are ordered; None, and all as before, when every start failed."""
    order, urgent = known.order, []
    saved = order.saved()
    for share in STEPS[:starts]:
        stuck = _decided(known, urgent, share)
        if stuck is None:
            return order.sorted()
        urgent = [stuck, *urgent]
        order.restore(saved)
    return None


def open_pairs(known: Saturation) -> list[Pair]:
    """The pairs of writers of one key whose order is open and matters to a reader, surest first."""
    graph, order = known.graph, known.order
    lag, after, before = graph.lag, order.after, order.before
    stands = [early.bit_count() - late.bit_count() for early, late in zip(before, after, strict=True)]
    found = []
    for key, writers in graph.writers.items():
        commits = sum(1 << writer + lag for writer in writers)
        every = lag or not graph.skips
        read = commits if every else sum(1 << writer for writer in writers if (writer, key) in graph.readers)
        for u in writers:
            mine = u + lag
            rest = (commits if read >> mine & 1 else read) & ~after[mine] & ~before[mine] & ~(1 << mine)
            for other in bits(rest):
                if other > mine or not read >> mine & 1:
                    gap = stands[other] - stands[mine]
                    found.append((-abs(gap), u, other - lag, key) if gap >= 0 else (gap, other - lag, u, key))
    found.sort(key=lambda pair: pair[:3])
    return [pair[1:] for pair in found]


def guess(known: Saturation, u: int, w: int, key: Key, depth: int = 0) -> Stamped:
    """The edge that says: u wrote the key before w; what follows for the readers is brought in with it."""
    return u + known.graph.lag, w, ("guess", key, depth), known.stamp


def _decided(known: Saturation, urgent: list[Pair], share: float) -> Pair | None:
    """Decides every open pair, the urgent ones first; a pair that could be ordered neither way, or None."""
    stuck = _one_by_one(known, urgent)
    while stuck is None and (pairs := open_pairs(known)):
        stuck = _one_by_one(known, pairs[: max(FEW, round(len(pairs) * share))])
    return stuck


def _one_by_one(known: Saturation, pairs: list[Pair]) -> Pair | None:
    order, lag = known.order, known.graph.lag
    for u, w, key in pairs:
        if order.after[u + lag] >> w + lag & 1 or order.after[w + lag] >> u + lag & 1:
            continue
        mark = order.mark()
        if known.settle([guess(known, u, w, key)]) is not None:
            order.back(mark)
            if known.settle([guess(known, w, u, key)]) is not None:
                return w, u, key
        order.trail.clear()
    return None
