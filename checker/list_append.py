"""Judges list-append histories at every level, exactly, from what the reads show (Elle, VLDB 2020, section 4).

A list shows all its past versions, so the longest read of a key is its version order. Elements that
no committed read shows come after all of them, since lists only grow; two such elements by different
transactions may stand in either order, so no edge is drawn between them and any topological order
may decide. Hence ok is sound at serializable: in a topological order the writers of a read's elements
stand before the reader and the writer of the next element after it (all unread writers, when it read
the longest list), so the reader sees its list and nothing else. Every ok is replayed nevertheless.

A transaction whose end is unknown counts as committed when one of its elements was read, and as
never having happened otherwise, which no read contradicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from checker.anomaly import Anomaly, ranked
from checker.arcs import CODE, Arcs, order_of, ranks
from checker.columns import COMMITTED, NEVER, Array, Columns, columns
from checker.judge import topological
from checker.level import LEVELS, Level, counts
from checker.list_edge import Drawn, drawn, teller, unread, with_orders
from checker.list_fault import faults
from checker.list_replay import against_orders, mismatch, overlap
from checker.snapshot import starts_and_commits
from checker.transaction import Transaction, shown
from checker.verdict import Verdict
from checker.version_order import Lists, inferred
from checker.witness import Found, findings, noting_more, restricted, suspects

NEAR = 3_000
"""Transactions up to which an order is made as close to that of the history as it can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A history being judged at a level: what was inferred, its edges, and those that count at the level."""

    lists: Lists
    level: Level
    edges: Drawn
    arcs: Arcs


def check_list_append(history: Sequence[Transaction] | Columns, level: Level | None = None) -> Verdict:
    """Whether the history holds at a level (serializable when None), and its anomalies, or its order.

    The order of an ok at serializable and its stricter forms is a serial order, replayed, that keeps
    session order or real time where the level does; at snapshot isolation `proof` has
    `starts_and_commits`, replayed, and the order is that of the commits; at weaker levels it is a
    topological order of what the level forbids cycles of. Unknown when two appends of one element
    make reads ambiguous, when sessions or times that the level needs were not recorded, and when an
    order of unread elements would be needed and none was found.
    """
    start, asked = perf_counter(), level or LEVELS["serializable"]
    held = history if isinstance(history, Columns) else columns(history)
    verdict = _judged(held, asked)
    size = {"transactions": len(held.names), "operations": len(held.owner)}
    return replace(verdict, criterion=asked.name, seconds=perf_counter() - start, **size)


def _unknown(missing: str) -> Verdict:
    return Verdict(verdict="unknown", criterion="", missing=(missing,))


def _judged(held: Columns, level: Level) -> Verdict:
    if not (held.status == COMMITTED).any():
        return _unknown("no transaction is known to have committed, so there is nothing to judge")
    lists = inferred(held, agreed="G1c" not in level.forbids)
    local = [one for one in faults(lists) if counts(level, one)]
    if lists.appends.twice.any():
        return _ambiguous(lists, local)
    edges = drawn(lists, first_unread="lost-update" in level.forbids and "G2-item" not in level.forbids)
    arcs = restricted(with_orders(lists, edges.arcs, level.order), level)
    case = _Case(lists=lists, level=level, edges=edges, arcs=arcs)
    found = findings(arcs, level, teller(lists, edges))
    anomalies = [*local, *noting_more(found.anomalies, found.more)]
    if anomalies:
        return Verdict(verdict="violated", criterion="", anomalies=ranked(anomalies))
    return _held(case, found)


def _ambiguous(lists: Lists, local: Sequence[Anomaly]) -> Verdict:
    """With an element appended twice only what a transaction's own steps contradict is certain."""
    certain = [one for one in local if one.adya == "internal"]
    if certain:
        return Verdict(verdict="violated", criterion="", anomalies=ranked(certain))
    first = int(np.flatnonzero(lists.appends.twice)[0])
    element = lists.columns.shown_element(int(lists.appends.element[first]))
    thing = shown(lists.columns.keys[lists.appends.key[first]])
    return _unknown(
        f"{element} is appended to {thing} twice, so a read cannot tell the two apart; append each element once"
    )


def _held(case: _Case, found: Found) -> Verdict:
    """The ok of a history without anomalies, with its order; unknown when something stands against it."""
    level, held = case.level, case.lists.columns
    if found.doubtful:
        return _unknown(found.doubtful[0])
    if missing := _unrecorded(held, level):
        return _unknown(missing)
    if "G2-item" in level.forbids:
        return _serial(case)
    if "G-nonadjacent" in level.forbids:
        return _snapshot(case)
    if "G-single" in level.forbids and _open_choice(case) and _snapshot(case).verdict != "ok":
        return _unknown("the order in which elements that nobody read were appended: the answer may depend on it")
    kinds = {"ww", "so", "rt"} | ({"wr"} if "G1c" in level.forbids else set())
    return _ok(case, _order(case, case.arcs.take(case.arcs.of_kinds(kinds))))


def _ok(case: _Case, order: Array, proof: dict | None = None) -> Verdict:
    names = case.lists.columns.names
    return Verdict(verdict="ok", criterion="", order=tuple(names[place] for place in order.tolist()), proof=proof)


def _unrecorded(held: Columns, level: Level) -> str:
    """What the level needs and the history lacks, as a sentence; empty when it lacks nothing."""
    committed = held.status == COMMITTED
    if level.order == "rt" and ((held.begun == NEVER) | (held.ended == NEVER))[committed].any():
        return f"when each transaction began and ended, which {level.name} is about: the history has no invocations"
    if level.order == "so" and (held.session == NEVER)[committed].any():
        return f"which session ran each transaction, which {level.name} is about: the history names no process"
    return ""


def _order(case: _Case, arcs: Arcs) -> Array:
    """The transactions that happened, in an order that these edges allow."""
    taken = case.lists.taken
    if len(taken) <= NEAR:
        order = np.array(topological(arcs.size, arcs.source.tolist(), arcs.target.tolist(), arcs.real), np.int64)
    else:
        order = order_of(arcs)
    return order[taken[order]]


def _serial(case: _Case) -> Verdict:
    """Ok with a serial order. It is replayed where the level promises that reads agree, and held against time."""
    order = _order(case, case.arcs)
    held, level = case.lists.columns, case.level
    at = np.full(len(held.names), NEVER)
    at[order] = np.arange(len(order))
    problem = mismatch(held, at, at) if "internal" in level.forbids else ""
    problem = problem or against_orders(held, at, at, level.order)
    if problem:
        return _unknown(f"the order found does not replay: {problem}")
    return _ok(case, order)


def _snapshot(case: _Case) -> Verdict:
    """Ok with an order of starts and commits, replayed; unknown when none was found."""
    lists, held = case.lists, case.lists.columns
    found = starts_and_commits(lists, case.arcs)
    if found is None:
        return _unknown("the order in which elements that nobody read were appended: none was found that fits")
    starts, commits = found
    problem = mismatch(held, starts, commits) or overlap(held, starts, commits)
    problem = problem or against_orders(held, starts, commits, case.level.order)
    if problem:
        return _unknown(f"the order found does not replay: {problem}")
    happened = np.flatnonzero(lists.taken)
    return _ok(case, happened[np.argsort(commits[happened])], {"starts_and_commits": _events(held, starts, commits)})


def _events(held: Columns, starts: Array, commits: Array) -> list[str]:
    places = np.concatenate([starts, commits])
    order = np.argsort(places, kind="stable")
    size = len(held.names)
    order = order[places[order] != NEVER].tolist()
    return [f"s:{held.names[one]}" if one < size else f"c:{held.names[one - size]}" for one in order]


def _open_choice(case: _Case) -> bool:
    """Whether an order of the unread elements is still to be chosen on which the answer depends.

    One order is tried, by the components of the whole graph and inside them by a topological sort
    of its flow; the choice is settled when that adds no cycle that the level may forbid.
    """
    lists, arcs = case.lists, case.arcs
    hidden = unread(lists)
    order = _order(case, arcs.take(~arcs.of_kinds({"rw"})))
    place = np.full(len(lists.taken), NEVER)
    place[order] = np.arange(len(order))
    key, owner = lists.appends.key[hidden], lists.appends.owner[hidden]
    chosen = np.lexsort((place[owner], ranks(arcs)[owner], key))
    key, owner = key[chosen], owner[chosen]
    next_to = np.flatnonzero((key[1:] == key[:-1]) & (owner[1:] != owner[:-1]))
    more, none = len(next_to), np.zeros(len(next_to), np.int64)
    columns = {
        "source": owner[next_to],
        "target": owner[next_to + 1],
        "kind": np.full(more, CODE["ww"], np.int8),
        "thing": key[next_to],
        "collection": none.astype(bool),
        "number": none + NEVER,
    }
    settled = replace(arcs, **{name: np.concatenate([getattr(arcs, name), more]) for name, more in columns.items()})
    return int(suspects(settled, case.level).sum()) > int(suspects(arcs, case.level).sum())
