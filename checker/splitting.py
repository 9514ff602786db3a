"""Decides a polygraph exactly: either order of two writers is followed to its contradiction, or to an order of all.

Knows a saturated polygraph. A side whose contradiction did not need the choice refutes everything before it too
(conflict-directed backjumping; Prosser 1993), so the tree holds only splits that matter. Runs
out of budget rather than of time, and then answers nothing.
"""

from dataclasses import dataclass, field

from checker.derivation import Tree, cone, leaf, split
from checker.orientation import Pair, guess, open_pairs
from checker.saturation import Contradiction, Saturation

PROBES = 64
"""The open pairs that are tried both ways before one is split."""

DEPTH = 150
"""Guesses that stand at a time, at most."""


@dataclass(slots=True, kw_only=True)
class Splitting:
    """The search: how many guesses may still be made, and the order of nodes when one was found."""

    known: Saturation
    budget: int
    order: list[int] | None = None
    depth: int = field(default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """The tree that refutes a position (None when it is too large), and the guesses (by depth) that it needs."""

    tree: Tree | None
    needs: frozenset[int]


def decided(known: Saturation, budget: int) -> tuple[list[int] | None, Refuted | None]:
    """The nodes in an order that has every writer ordered, or the refutation; both None when the budget ended."""
    search = Splitting(known=known, budget=budget)
    refuted = _refuted(search)
    return search.order, refuted


def _refuted(search: Splitting) -> Refuted | None:
    """The refutation of the position; None when an order was found or the budget ended."""
    pairs = open_pairs(search.known)
    if not pairs:
        search.order = search.known.order.sorted()
        return None
    if search.budget <= 0 or search.depth >= DEPTH:
        return None
    u, w, key = _hardest(search, pairs)
    sides = []
    for first, then in ((u, w), (w, u)):
        found = _side(search, first, then, key)
        if found is None or search.depth not in found.needs:
            return found
        sides.append(found)
    left, right = sides[0].tree, sides[1].tree
    tree = split(search.known, u, w, key, left, right) if left and right else None
    return Refuted(tree=tree, needs=(sides[0].needs | sides[1].needs) - {search.depth})


def _side(search: Splitting, u: int, w: int, key: object) -> Refuted | None:
    """The refutation of: u wrote the key before w."""
    known, mark = search.known, search.known.order.mark()
    search.budget -= 1
    contradiction = known.settle([guess(known, u, w, key, search.depth)])
    if contradiction:
        found = _leaf(search, contradiction)
    else:
        search.depth += 1
        found = _refuted(search)
        search.depth -= 1
    if search.order is None:
        known.order.back(mark)
    return found


def _leaf(search: Splitting, contradiction: Contradiction) -> Refuted:
    found = cone(search.known, contradiction)
    if found is None:
        return Refuted(tree=None, needs=frozenset(range(search.depth + 1)))
    return Refuted(tree=leaf(search.known, found), needs=found.guesses)


def _hardest(search: Splitting, pairs: list[Pair]) -> Pair:
    """Of the least sure pairs the one whose better side forces most, so that both sides end soon."""
    known, best, most = search.known, pairs[-1], -1
    for u, w, key in pairs[-PROBES:]:
        forced = []
        for first, then in ((u, w), (w, u)):
            mark = known.order.mark()
            contradiction = known.settle([guess(known, first, then, key)])
            forced.append(len(known.order.edges) - mark[1] if contradiction is None else 10**9)
            known.order.back(mark)
        if min(forced) + max(forced) // 8 > most:
            best, most = (u, w, key), min(forced) + max(forced) // 8
        if most >= 10**9:
            break
    return best
