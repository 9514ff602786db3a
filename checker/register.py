"""Judges register histories, whose version orders nobody recorded: exactly, at every level (NP-complete at the strong
ones; Papadimitriou 1979).

Certain edges first, saturated: a contradiction is violated, with its derivation. Then an order of
all writers is guessed, surest first, and what comes out is replayed: that is ok. Else either order of two writers is
followed to its end; out of budget is unknown, never ok.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from checker.anomaly import Anomaly, ranked
from checker.judge import judge
from checker.level import LEVELS, Level, counts
from checker.polygraph import Block, polygraph
from checker.register_fact import (
    Outside,
    Version,
    ambiguous,
    outside,
    shown_value,
    unexplained,
    with_observed,
    written,
)
from checker.transaction import Key, Transaction, shown, steps_in
from checker.verdict import Verdict

SPLITS = 2_000
"""Guesses that the exact search makes before it gives up."""

SERIAL = frozenset({"serializable", "repeatable-read", "view-serializable", "conflict-serializable"})
"""The levels that are one for registers: without listings nothing is missed (repeatable read), and no last write nor
order of writes was recorded that a serial order would have to keep beside the reads."""

AXIOMS = frozenset({"read-committed", "read-atomic", "causal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A history at a level: `base` is the level's name without its order, `order` is `so`, `rt` or nothing."""

    transactions: tuple[Transaction, ...]
    level: Level
    base: str
    order: str
    sessions: bool
    heard: dict[str, Outside]
    live: tuple[Block, ...]
    size: dict[str, int]

    def verdict(self, answer: str, **more: object) -> Verdict:
        """The verdict on this question."""
        return Verdict(verdict=answer, criterion=self.level.name, **self.size, **more)

    @property
    def there(self) -> list[Transaction]:
        """The transactions that happened, as `live` has them."""
        names = {block.name for block in self.live}
        return [one for one in self.transactions if one.name in names]


def check_register(
    transactions: Sequence[Transaction],
    level: Level | None = None,
    *,
    sessions: bool = False,
    budget: int | None = None,
    orders: Mapping[Key, Sequence[object]] | None = None,
) -> Verdict:
    """The verdict at a level (serializable when None); unknown when the search met its budget (guesses).

    `orders` has the order of each key's values where it is known after all, which makes the answer linear.
    `sessions` takes read committed and read atomic as Biswas and Enea do (OOPSLA 2019), with the order of sessions;
    otherwise they are Adya's PL-2, and read atomic without sessions. The order of an ok is a serial order at
    serializable and its kin, one of commits at the others; at snapshot isolation `proof` has `starts_and_commits`.
    """
    start = perf_counter()
    asked = level or LEVELS["serializable"]
    size = {"transactions": len(transactions), "operations": steps_in(transactions)}
    heard = {one.name: outside(one) for one in transactions if one.status == "committed"}
    writes = written(transactions)
    question = Question(
        transactions=tuple(transactions),
        level=asked,
        base=_base(asked),
        order="so" if sessions and not asked.order and _base(asked) in AXIOMS else asked.order,
        sessions=sessions,
        heard=heard,
        live=tuple(with_observed(transactions, heard, writes)),
        size=size,
    )
    if not heard:
        missing = ("no transaction is known to have committed, so there is nothing to judge",)
        return question.verdict("unknown", missing=missing)
    faults = [fault for one in heard.values() for fault in _faults(question, one)]
    faults += [fault for one in heard.values() for fault in unexplained(one, writes) if counts(asked, fault)]
    doubtful = ambiguous(question.live, writes)
    if orders is not None and not doubtful:
        verdict = _ordered(question, faults, orders)
    else:
        verdict = _answer(question, faults, doubtful, budget)
    return replace(verdict, seconds=perf_counter() - start)


def _base(level: Level) -> str:
    name = "serializable" if level.name == "strict-serializable" else level.name
    return name.removeprefix("strong-session-").removeprefix("strong-")


def _faults(question: Question, one: Outside) -> list[Anomaly]:
    """What a transaction's own steps contradict at this level.

    Where that is no fault by itself, to see two versions of a key is one, a cycle whatever order they have: from
    consistent view on, and at cursor stability when the key is written as well. Cursor stability and Biswas and
    Enea's read committed take it for granted, as Adya's histories do, that a transaction sees its own writes.
    """
    own = [fault for fault in one.own if counts(question.level, fault)]
    changed = [fault for fault in one.changed if counts(question.level, fault)]
    several = {key for key, values in one.block.reads.items() if len(values) > 1}
    match question.base:
        case "repeatable-read" | "consistent-view" if several:
            return [*one.own, *one.changed]
        case "cursor-stability":
            return [*one.own, *(one.changed if several & one.block.writes.keys() else ())]
        case "read-committed" if question.sessions:
            return [*one.own, *changed]
    return own + changed


def _answer(question: Question, faults: Sequence[Anomaly], doubtful: Sequence[Version], budget: int | None) -> Verdict:
    if question.base == "read-uncommitted":
        return question.verdict("ok", order=tuple(block.name for block in question.live))
    if doubtful and not faults:
        return _searched(question, doubtful, budget)
    if question.base in AXIOMS:
        return _by_axioms(question, faults)
    if faults:
        return _faulty(question, faults)
    from checker.register_search import answered

    return answered(question, SPLITS if budget is None else budget)


def _ordered(question: Question, faults: Sequence[Anomaly], orders: Mapping[Key, Sequence[object]]) -> Verdict:
    """The verdict when the version orders are known."""
    from checker.known_order import edges_in_order
    from checker.replay import replayed

    edges = edges_in_order(question.live, question.there, orders, question.order)
    names = [block.name for block in question.live]
    found = judge(names, edges, level=question.level, extra_anomalies=faults)
    verdict = question.verdict(found.verdict, order=found.order, anomalies=found.anomalies, missing=found.missing)
    return replayed(verdict, question.transactions) if question.base in SERIAL else verdict


def _faulty(question: Question, faults: Sequence[Anomaly]) -> Verdict:
    """Violated by the reads themselves, and by the cycles that show at once."""
    from checker.derivation import edges_between

    graph = polygraph(question.live, question.there, order=question.order)
    edges = list(edges_between(graph, ((*arrow, 0) for arrow in graph.arrows)))
    verdict = judge([*graph.names], edges, level=question.level)
    return question.verdict("violated", anomalies=ranked([*faults, *verdict.anomalies]))


def _by_axioms(question: Question, faults: Sequence[Anomaly]) -> Verdict:
    """Read committed, read atomic and causal, by their axioms."""
    from checker.read_axiom import MOST, axioms, case_of

    graph = polygraph(question.live, question.there, order=question.order)
    case = case_of(graph, question.there, question.heard, sessions=question.order != "")
    plain = question.base == "read-committed" and not question.sessions
    large = question.base == "causal" and graph.size > MOST
    edges, more = axioms("read-committed" if plain else "read-atomic" if large else question.base, case)
    if plain:
        edges, more = [edge for edge in edges if edge.kind != "ww"], []
    judged = LEVELS[{"": "", "so": "strong-session-", "rt": "strong-"}[question.order] + "read-committed"]
    verdict = judge([*graph.names], edges, level=judged, criterion=question.level.name)
    found = ranked([*faults, *more, *verdict.anomalies])
    if found:
        return question.verdict("violated", anomalies=found)
    if large:
        missing = (f"all that came before each of {graph.size} transactions, which is looked at for up to {MOST}",)
        return question.verdict("unknown", missing=missing)
    return question.verdict(verdict.verdict, order=verdict.order, missing=verdict.missing)


def _searched(question: Question, doubtful: Sequence[Version], budget: int | None) -> Verdict:
    """The verdict when a value was written twice: a serial order is searched by values alone."""
    from checker.serial_search import found_order

    order, states, complete = found_order(question.live, question.there, question.order, budget)
    if order is not None:
        from checker.register_search import ok

        return ok(question, order)
    if complete and question.base in SERIAL:
        from checker.anomaly import local

        because = f"none of the serial orders of these {len(question.live)} transactions explains every read"
        because += f"; {states} states were tried"
        names = [block.name for block in question.live]
        return question.verdict("violated", anomalies=(local("no serial order", names, [because]),))
    key, value = doubtful[0]
    missing = (
        f"the version orders: no serial order was found{', nor excluded,' if question.base in SERIAL else ''} "
        f"in {states} states",
        f"the writer of some values: {shown(key)} was set to {shown_value(value)} more than once; "
        "write each value once",
    )
    return question.verdict("unknown", missing=missing)
