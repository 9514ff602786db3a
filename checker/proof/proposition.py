"""Proves the proposition and the two cancellation laws for any number of agents and operations.

Statements over uninterpreted sorts, by induction: z3 refutes the base, the step and the conclusion each. The papers'
premises appear as axioms and nothing else does (P2 section 3: the proposition; the read side, the write side).
"""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from checker.proof.proof import SOLVER, Proof

if TYPE_CHECKING:
    import z3

SECONDS = 5.0
"""Seconds that one query may take."""

CONTRADICTION_MS = 200
"""Milliseconds for which a contradiction among the premises is looked for."""

Step = tuple[str, "list[z3.BoolRef]", "z3.BoolRef"]
"""A step of a proof: in words, what it assumes, what it concludes."""


def prove_proposition(*, seconds: float = SECONDS) -> Proof:
    """If every conflict edge goes up in rank, no chain of edges comes back to where it began, however long."""
    what = "edges that only go up in rank have no cycle, for any number of transactions"
    return _proof(what, _proposition, seconds)


def prove_laws(*, seconds: float = SECONDS) -> tuple[Proof, Proof]:
    """The read side and the write side, each with as many operations in between as there may be."""
    read = "a stale read, its notice and a correct revision are the read of the refreshed value, however many followed"
    write = "undo, apply and redo are the serial order, however many operations were in the way"
    return _proof(read, _read_side, seconds), _proof(write, _write_side, seconds)


def _proof(what: str, make: Callable[[], Iterable[Step]], seconds: float) -> Proof:
    import z3

    start, notes = perf_counter(), []
    for words, given, goal in make():
        solver = z3.Solver(ctx=goal.ctx)
        solver.set("random_seed", 0)
        solver.add(*given)
        # Premises that contradict each other would prove anything; z3 finds that quickly when it is so.
        solver.set("timeout", CONTRADICTION_MS)
        if solver.check() == z3.unsat:
            return _unknown(what, f"the premises of '{words}' contradict each other", start)
        solver.set("timeout", max(1, int(seconds * 1000)))
        solver.add(z3.Not(goal))
        if solver.check() != z3.unsat:
            return _unknown(what, f"z3 does not show that {words}", start)
        notes.append(f"step {len(notes) + 1}: {words}")
    size = {"how": SOLVER, "paths": 0, "queries": len(notes), "seconds": perf_counter() - start}
    return Proof(verdict="proved", what=what, notes=tuple(notes), **size)


def _unknown(what: str, why: str, start: float) -> Proof:
    return Proof(verdict="unknown", what=what, how=SOLVER, missing=(why,), seconds=perf_counter() - start)


def _proposition() -> Iterable[Step]:
    """`chain` is what induction on the length of a chain of edges speaks of: its ends rise in rank."""
    import z3

    here = z3.Context()
    transaction, rank = z3.DeclareSort("Transaction", here), z3.DeclareSort("Rank", here)
    below = z3.Function("below", rank, rank, z3.BoolSort(here))
    of = z3.Function("rank", transaction, rank)
    edge = z3.Function("edge", transaction, transaction, z3.BoolSort(here))
    chain = z3.Function("chain", transaction, transaction, z3.BoolSort(here))
    r, s, t = z3.Consts("r s t", rank)
    order = [
        z3.ForAll([r], z3.Not(below(r, r))),
        z3.ForAll([r, s, t], z3.Implies(z3.And(below(r, s), below(s, t)), below(r, t))),
    ]
    a, b, c = z3.Consts("a b c", transaction)
    up = [*order, z3.ForAll([a, b], z3.Implies(edge(a, b), below(of(a), of(b))))]
    x, y, w = z3.Consts("x y w", transaction)
    rises = z3.ForAll([a, b], z3.Implies(chain(a, b), below(of(a), of(b))))
    yield "a chain of one edge rises in rank", [*up, edge(x, y)], below(of(x), of(y))
    longer = [*up, below(of(x), of(y)), edge(y, w)]
    yield "a chain that rises still does with one edge more", longer, below(of(x), of(w))
    yield "so no chain ends where it began", [*order, rises], z3.Not(chain(x, x))


def _read_side() -> Iterable[Step]:
    """The agent is a function of what it was told; a correct revision undoes and does again what depended on it.

    `went(v, n)` is the state after the n calls that the agent makes of the belief v; undoing the last of them
    restores the state before it (the inverse, proved for each tool).
    """
    import z3

    here = z3.Context()
    state, value = z3.DeclareSort("State", here), z3.DeclareSort("Value", here)
    number = z3.IntSort(here)
    went = z3.Function("went", value, number, state)
    does = z3.Function("does", value, number, state, state)
    undone = z3.Function("undone", value, number, state, state)
    back = z3.Function("back", value, number, number, state)
    began = z3.Const("began", state)
    v, n, k, s = z3.Const("v", value), z3.Int("n", here), z3.Int("k", here), z3.Const("s", state)
    axioms = [
        z3.ForAll([v], went(v, 0) == began),
        z3.ForAll([v, n], z3.Implies(n >= 0, went(v, n + 1) == does(v, n, went(v, n)))),
        z3.ForAll([v, n, s], undone(v, n, does(v, n, s)) == s),
        z3.ForAll([v, n], back(v, n, 0) == went(v, n)),
        z3.ForAll([v, n, k], back(v, n, k + 1) == undone(v, n - k - 1, back(v, n, k))),
    ]
    stale, m, j = z3.Const("stale", value), z3.Int("m", here), z3.Int("j", here)
    some = [*axioms, m >= 0, j >= 0]
    yield (
        "before anything is undone the state is what the stale belief led to",
        some,
        back(stale, m, 0) == went(stale, m),
    )
    held = [*some, j < m, back(stale, m, j) == went(stale, m - j)]
    again = went(stale, m - j) == does(stale, m - j - 1, went(stale, m - j - 1))
    yield "each undo goes back by one call", [*held, again], back(stale, m, j + 1) == went(stale, m - j - 1)
    all_back = [*some, back(stale, m, m) == went(stale, 0)]
    yield "so all undone is where the agent began", all_back, back(stale, m, m) == began
    fresh, redone = z3.Const("fresh", value), z3.Function("redone", number, state)
    revision = [redone(0) == began, redone(m) == went(fresh, m), redone(m + 1) == does(fresh, m, redone(m))]
    yield "and what it then does is what it would have done", [*some, *revision], redone(m + 1) == went(fresh, m + 1)


def _write_side() -> Iterable[Step]:
    """`n` operations at higher positions have landed on a state; a lower one comes late.

    In between, any number of calls elsewhere may have landed, each commuting with the undoing of every one.
    """
    import z3

    here = z3.Context()
    state, number = z3.DeclareSort("State", here), z3.IntSort(here)
    does = z3.Function("does", number, state, state)
    undone = z3.Function("undone", number, state, state)
    elsewhere = z3.Function("elsewhere", number, state, state)
    late = z3.Function("late", state, state)
    landed = z3.Function("landed", state, number, state)
    beside = z3.Function("beside", state, number, state)
    s, n, k = z3.Const("s", state), z3.Int("n", here), z3.Int("k", here)
    axioms = [
        z3.ForAll([s], landed(s, 0) == s),
        z3.ForAll([s, n], z3.Implies(n >= 0, landed(s, n + 1) == does(n, landed(s, n)))),
        z3.ForAll([s, n], undone(n, does(n, s)) == s),
        z3.ForAll([s], beside(s, 0) == s),
        z3.ForAll([s, n], z3.Implies(n >= 0, beside(s, n + 1) == elsewhere(n, beside(s, n)))),
        z3.ForAll([s, n, k], undone(n, elsewhere(k, s)) == elsewhere(k, undone(n, s))),
    ]
    start, m, j = z3.Const("start", state), z3.Int("m", here), z3.Int("j", here)
    some = [*axioms, m >= 0, j >= 0]
    nothing = undone(m, beside(start, 0)) == beside(undone(m, start), 0)
    yield "an undo goes past no calls elsewhere", some, nothing
    past = undone(m, beside(start, j)) == beside(undone(m, start), j)
    next_past = undone(m, beside(start, j + 1)) == beside(undone(m, start), j + 1)
    yield "an undo that goes past some calls elsewhere goes past one more", [*some, past], next_past
    over = z3.ForAll([s, n, k], z3.Implies(k >= 0, undone(n, beside(s, k)) == beside(undone(n, s), k)))
    last = undone(m, beside(landed(start, m + 1), j))
    yield "so the last that landed is undone past them all", [*some, over], last == beside(landed(start, m), j)
    down, before = z3.Function("down", number, state), beside(start, j)
    one_by_one = [
        z3.ForAll([n], z3.Implies(n >= 0, undone(n, beside(landed(start, n + 1), j)) == beside(landed(start, n), j))),
        down(k) == beside(landed(start, m - k), j),
        down(k + 1) == undone(m - k - 1, down(k)),
        z3.And(k >= 0, k < m),
    ]
    fewer = down(k + 1) == beside(landed(start, m - k - 1), j)
    yield "and, one after the other, all are", [*some, *one_by_one], fewer
    yield "until only the calls elsewhere are left", [*some, down(m) == beside(landed(start, 0), j)], down(m) == before
    redone, due = z3.Function("redone", number, state), landed(late(before), m)
    serial = [redone(0) == late(before), redone(m) == due, redone(m + 1) == does(m, redone(m))]
    yield (
        "redone in order they are as if they had come after the late one",
        [*some, *serial],
        (redone(m + 1) == landed(late(before), m + 1)),
    )
