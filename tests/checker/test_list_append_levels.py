"""Every level on list-append histories agrees with trying everything, and an order keeps what its level promises."""

import random
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from sketch import explains, history, random_history

from checker.columns import COMMITTED, columns
from checker.level import LEVELS, level
from checker.list_append import check_list_append
from checker.list_replay import against_orders, mismatch, overlap
from checker.transaction import Transaction

JUDGED = [name for name in LEVELS if name not in ("read-atomic", "causal", "view-serializable")]
WEAKER = [(one, other) for one in JUDGED for other in JUDGED if LEVELS[one].forbids < LEVELS[other].forbids]


def timed(seed: int) -> list[Transaction]:
    """A small random history whose transactions have sessions, beginnings and ends."""
    chance = random.Random(f"timed-{seed}")
    found = random_history(seed, "append")
    chance.shuffle(found)
    places = list(range(2 * len(found)))
    begun, ended = {}, {}
    waiting, running = list(found), []
    for place in places:
        if waiting and (not running or chance.random() < 0.5):
            one = waiting.pop(0)
            begun[one.name] = place
            running.append(one)
        else:
            ended[running.pop(chance.randrange(len(running))).name] = place
    free, sessions = {}, {}
    for one in found:
        able = [session for session in range(3) if free.get(session, -1) < begun[one.name]]
        sessions[one.name] = chance.choice(able) if able else 3 + begun[one.name]
        free[sessions[one.name]] = ended[one.name]
    return [replace(one, begun=begun[one.name], ended=ended[one.name], session=sessions[one.name]) for one in found]


def keeps(order: tuple[Transaction, ...], kind: str) -> bool:
    """Whether a serial order keeps session order or real time."""
    for place, later in enumerate(order):
        for earlier in order[:place]:
            if kind == "rt" and later.ended < earlier.begun:
                return False
            if kind == "so" and later.session == earlier.session and later.begun < earlier.begun:
                return False
    return True


def snapshot_explains(transactions: list[Transaction], kind: str) -> bool:
    """By trying every order of starts and commits, each start before its commit."""
    committed = [one for one in transactions if one.status == "committed"]

    def tried(events: list[tuple[str, Transaction]], lists: dict, open_: dict) -> bool:
        if len(events) == 2 * len(committed):
            return True
        for one in committed:
            if ("c", one.name) in [(what, other.name) for what, other in events]:
                continue
            if one.name not in open_:
                late = [two for what, two in events if what == "c"]
                missing = [two for two in committed if before(two, one, kind) and two not in late]
                if not missing and tried([*events, ("s", one)], lists, open_ | {one.name: dict(lists)}):
                    return True
                continue
            after = committing(one, open_[one.name], lists)
            rest = {name: seen for name, seen in open_.items()}
            if after is not None and tried([*events, ("c", one)], after, rest):
                return True
        return False

    return tried([], {}, {})


def before(one: Transaction, other: Transaction, kind: str) -> bool:
    if kind == "rt":
        return one.ended < other.begun
    return kind == "so" and one.session == other.session and one.begun < other.begun


def committing(one: Transaction, seen: dict, lists: dict) -> dict | None:
    """The lists after the commit; None when a read disagrees with the snapshot or another wrote a key of its own."""
    own = dict(seen)
    for kind, key, value in one.steps:
        if kind == "append":
            if lists.get(key, ()) != seen.get(key, ()):
                return None
            own[key] = (*own.get(key, ()), value)
        elif own.get(key, ()) != value:
            return None
    written = {key for kind, key, _ in one.steps if kind == "append"}
    return lists | {key: own[key] for key in written}


@pytest.mark.parametrize(
    "kind, name", [("", "serializable"), ("so", "strong-session-serializable"), ("rt", "strict-serializable")]
)
def test_orders_with_sessions_and_time_are_those_of_brute_force(kind, name):
    seen = {"ok": 0, "violated": 0}
    for seed in range(500):
        transactions = timed(seed)
        committed = [one for one in transactions if one.status == "committed"]
        if not committed:
            continue
        verdict = check_list_append(transactions, level(name))
        truth = any(explains(order) and keeps(order, kind) for order in permutations(committed))
        assert verdict.verdict == ("ok" if truth else "violated"), (seed, transactions, verdict)
        seen[verdict.verdict] += 1
        if truth:
            named = {one.name: one for one in transactions}
            order = tuple(named[one] for one in verdict.order)
            assert explains(order) and keeps(order, kind)
    assert min(seen.values()) > 100


@pytest.mark.parametrize(
    "kind, name",
    [("", "snapshot-isolation"), ("so", "strong-session-snapshot-isolation"), ("rt", "strong-snapshot-isolation")],
)
def test_snapshot_isolation_is_that_of_brute_force(kind, name):
    seen = {"ok": 0, "violated": 0, "unknown": 0}
    for seed in range(500):
        transactions = timed(seed)
        if sum(one.status == "committed" for one in transactions) not in (1, 2, 3, 4):
            continue
        verdict = check_list_append(transactions, level(name))
        truth = snapshot_explains(transactions, kind)
        assert verdict.verdict in ("ok" if truth else "violated", "unknown"), (seed, transactions, verdict)
        seen[verdict.verdict] += 1
    assert min(seen["ok"], seen["violated"]) > 80 and seen["unknown"] <= 2, seen


def test_what_breaks_a_level_breaks_every_stronger_one():
    for seed in range(50):
        transactions = timed(seed)
        found = {name: check_list_append(transactions, level(name)).verdict for name in JUDGED}
        for weaker, stronger in WEAKER:
            if LEVELS[weaker].order in ("", LEVELS[stronger].order):
                assert not (found[weaker] == "violated" and found[stronger] == "ok"), (seed, weaker, stronger)


def test_an_ok_at_snapshot_isolation_gives_starts_and_commits():
    verdict = check_list_append(
        history("A: r x []; append y 1", "B: r y []; append x 1", "C: r x [1]; r y [1]"), level("snapshot-isolation")
    )
    assert verdict.verdict == "ok"
    events = verdict.proof["starts_and_commits"]
    assert sorted(events) == ["c:A", "c:B", "c:C", "s:A", "s:B", "s:C"]
    assert max(events.index("s:A"), events.index("s:B")) < min(events.index("c:A"), events.index("c:B"))
    assert events.index("s:C") > max(events.index("c:A"), events.index("c:B"))


def test_what_was_not_recorded_is_never_ok():
    rows = history("A: append x 1", "B: r x [1]")
    for name in ("strict-serializable", "strong-session-snapshot-isolation", "strong-read-committed"):
        verdict = check_list_append(rows, level(name))
        assert verdict.verdict == "unknown" and name in verdict.missing[0]
    broken = history("A: append x 1; append y 1", "B: r x [1]; r y []")
    assert check_list_append(broken, level("strict-serializable")).verdict == "violated"


def test_unread_elements_are_put_in_an_order_or_the_answer_is_unknown():
    blind = history("A: append x 1; append y 1", "B: append x 2; append y 2", "C: append x 3; append y 3")
    assert all(check_list_append(blind, level(name)).verdict == "ok" for name in ("snapshot-isolation", "serializable"))
    lost = history("A: r x []; append x 1", "B: r x []; append x 2")
    for name in ("cursor-stability", "consistent-view", "snapshot-isolation", "repeatable-read"):
        assert [one.name for one in check_list_append(lost, level(name)).anomalies] == ["lost update"], name
    assert check_list_append(lost, level("read-committed")).verdict == "ok"


def test_a_writer_that_read_the_whole_list_comes_before_other_unread_writers():
    rows = history("A: r x []; append x 1; append z 1", "B: append x 2; r z []")
    verdict = check_list_append(rows, level("snapshot-isolation"))
    assert [one.adya for one in verdict.anomalies] == ["G-single"]
    assert [edge.kind for edge in verdict.anomalies[0].cycle] == ["ww", "rw"]


def test_blind_writers_in_a_ring_of_missed_writes_are_kept_from_overlapping():
    ring = history("A: r b []; append a 1; append z 1", "B: r c []; append b 1", "C: r a []; append c 1; append z 2")
    verdict = check_list_append(ring, level("snapshot-isolation"))
    assert verdict.verdict == "ok" and snapshot_explains(ring, "")
    events = verdict.proof["starts_and_commits"]
    assert events.index("c:A") < events.index("s:C") or events.index("c:C") < events.index("s:A")


def test_an_order_of_starts_and_commits_that_does_not_replay_is_not_believed(monkeypatch):
    rows = history("A: append x 1", "B: append x 2")
    right = (np.array([0, 2]), np.array([1, 3]))
    for wrong, verdict in (
        (right, "ok"),
        ((np.array([0, 1]), np.array([2, 3])), "unknown"),
        ((np.array([0, -1]), np.array([1, -1])), "unknown"),
        (None, "unknown"),
    ):
        monkeypatch.setattr("checker.list_append.starts_and_commits", lambda lists, arcs, wrong=wrong: wrong)
        assert check_list_append(rows, level("snapshot-isolation")).verdict == verdict


def test_every_read_of_a_transaction_must_agree_with_its_own_steps():
    for row in ("B: r x []; r x [1]", "B: r x [1]; r x []", "B: append x 2; r x [1]", "B: append x 2; r x [2 1]"):
        found = {one.name for one in check_list_append(history("A: append x 1", row)).anomalies}
        assert "internal" in found, row
        allowed = check_list_append(history("A: append x 1", row), level("read-committed"))
        assert "internal" not in {one.name for one in allowed.anomalies}


def test_one_of_unknown_end_has_no_end_in_real_time():
    rows = [
        Transaction(name="A", status="unknown", steps=(("append", "x", 1),), session=0, begun=0, ended=1),
        Transaction(name="B", status="committed", steps=(("r", "x", ()),), session=0, begun=2, ended=3),
        Transaction(name="C", status="committed", steps=(("r", "x", (1,)),), session=1, begun=4, ended=5),
    ]
    for name in ("strict-serializable", "strong-session-serializable"):
        assert check_list_append(rows, level(name)).order == ("B", "A", "C")
    surely = [replace(rows[0], status="committed"), *rows[1:]]
    assert {one.adya for one in check_list_append(surely, level("strict-serializable")).anomalies} == {
        "G-single-process"
    }


def test_the_replays_refuse_every_order_that_brute_force_refuses():
    refused = 0
    for seed in range(200):
        transactions = timed(seed)
        held = columns(transactions)
        committed = np.flatnonzero(held.status == COMMITTED)
        if len(committed) not in (2, 3):
            continue
        for order in permutations(committed.tolist()):
            at = np.full(len(transactions), -1)
            at[list(order)] = np.arange(len(order))
            rows = tuple(transactions[place] for place in order)
            assert (mismatch(held, at, at) == "") == explains(rows), (seed, order)
            for kind in ("so", "rt"):
                if kind == "so" or keeps(rows, "so"):
                    assert (against_orders(held, at, at, kind) == "") == keeps(rows, kind), (seed, order, kind)
            refused += not explains(rows)
    assert refused > 100


def test_two_writers_of_a_key_that_overlap_are_refused():
    held = columns(history("A: append x 1", "B: append x 2"))
    assert overlap(held, np.array([0, 2]), np.array([1, 3])) == ""
    assert overlap(held, np.array([0, 1]), np.array([2, 3])) == "A and B both append to x and overlap"
    assert "B" in mismatch(held, np.array([0, -1]), np.array([1, -1]))
