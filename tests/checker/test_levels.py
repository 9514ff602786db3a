"""What a level counts, and judging edges at a level."""

import pytest
from sketch import history
from test_list_append_levels import JUDGED, timed

from checker import check_source
from checker.anomaly import local
from checker.columns import columns
from checker.formats import Source
from checker.judge import judge
from checker.level import ALIASES, LEVELS, counts, level
from checker.list_append import check_list_append
from checker.list_edge import drawn, teller
from checker.precedence import overwrote, read_before, read_from, realtime_edges, session_edges
from checker.schedules import check_schedule
from checker.transaction import Transaction
from checker.version_order import inferred
from coagent.bad_input import BadInput

SKEW = [read_before("A", "B", "x"), read_before("B", "A", "y")]
FLOW = [read_from("A", "B", "x"), read_from("B", "A", "y")]
WRITES = [overwrote("A", "B", "x"), overwrote("B", "A", "y")]
SINGLE = [read_from("A", "B", "x"), read_before("B", "A", "y")]
FORK = [read_from("A", "C", "x"), read_before("C", "B", "y"), read_from("B", "D", "y"), read_before("D", "A", "x")]
PHANTOM = [read_before("A", "B", "x", collection=True), read_before("B", "A", "y")]


@pytest.mark.parametrize(
    "edges, broken_from",
    [
        (WRITES, "read-uncommitted"),
        (FLOW, "read-committed"),
        (SINGLE, "consistent-view"),
        (FORK, "snapshot-isolation"),
        (SKEW, "repeatable-read"),
        (PHANTOM, "serializable"),
    ],
)
def test_a_cycle_breaks_exactly_the_levels_that_forbid_it(edges, broken_from):
    order = ["read-uncommitted", "read-committed", "cursor-stability", "consistent-view", "snapshot-isolation"]
    names = ["A", "B", "C", "D"]
    for name in [*order, "repeatable-read", "serializable"]:
        verdict = judge(names, edges, level=level(name))
        forbidden = {
            "read-uncommitted": True,
            "read-committed": name != "read-uncommitted",
            "consistent-view": name not in order[:3],
            "snapshot-isolation": name in ("snapshot-isolation", "repeatable-read", "serializable"),
            "repeatable-read": name in ("repeatable-read", "serializable"),
            "serializable": name == "serializable",
        }[broken_from]
        assert verdict.verdict == ("violated" if forbidden else "ok"), (name, broken_from)
        assert verdict.criterion == name


def test_edges_of_an_order_count_only_where_the_level_keeps_it():
    rows = [
        Transaction(name="A", status="committed", steps=(), session=1, begun=0, ended=1),
        Transaction(name="B", status="committed", steps=(), session=1, begun=2, ended=3),
    ]
    stale = read_before("B", "A", "x")
    for edges, suffix, strong in (
        (session_edges(rows), "-process", "strong-session-serializable"),
        (realtime_edges(rows), "-realtime", "strict-serializable"),
    ):
        both = [stale, *edges]
        assert len(both) == 2
        assert judge(["A", "B"], both, level=level("serializable")).order == ("B", "A")
        assert [one.adya for one in judge(["A", "B"], both, level=level(strong)).anomalies] == [f"G-single{suffix}"]


def test_nothing_is_known_to_come_after_one_of_unknown_end():
    rows = [
        Transaction(name=name, status=status, steps=(), session=1, begun=2 * place, ended=2 * place + 1)
        for place, (name, status) in enumerate(
            [("A", "committed"), ("B", "unknown"), ("C", "aborted"), ("D", "committed")]
        )
    ]
    for edges in (session_edges(rows), realtime_edges(rows)):
        assert [(edge.source, edge.target) for edge in edges] == [("A", "B"), ("A", "D")]


def test_orders_in_a_row_are_told_as_one():
    rows = [
        Transaction(name=f"T{place}", status="committed", steps=(), begun=2 * place, ended=2 * place + 1)
        for place in range(50)
    ]
    edges = list(realtime_edges(rows))
    assert len(edges) == 49
    [anomaly] = judge([one.name for one in rows], [*edges, read_before("T49", "T0", "x")]).anomalies
    assert (anomaly.transactions, len(anomaly.cycle)) == (("T0", "T49"), 2)
    assert "T0 ended before T49 began" in anomaly.because[0]


def test_edges_drawn_from_columns_are_judged_alike_one_by_one():
    """Two ways from a history to its verdict: in columns, and as edges with those of session order and real time."""
    compared = 0
    for seed in range(120):
        transactions = timed(seed)
        live = [one for one in transactions if one.status == "committed"]
        if not live:
            continue
        for name in ("strict-serializable", "strong-session-serializable", "serializable", "read-committed"):
            mine = check_list_append(transactions, level(name))
            if any(not one.cycle for one in mine.anomalies):
                continue
            lists = inferred(columns(transactions), agreed=False)
            edges = drawn(lists)
            told = [teller(lists, edges).edge(number) for number in range(len(edges.arcs.source))]
            told += [*session_edges(transactions), *realtime_edges(transactions)]
            other = judge([one.name for one in live], told, level=level(name))
            assert other.verdict == mine.verdict, (seed, name)
            assert {one.adya for one in other.anomalies} == {one.adya for one in mine.anomalies}, (seed, name)
            compared += 1
    assert compared > 300


def test_what_counts_is_what_the_level_forbids_and_what_no_level_knows():
    intermediate, own = local("intermediate read", ["A"], ["."]), local("missed notice", ["A"], ["."])
    assert not counts(level("read-uncommitted"), intermediate) and counts(level("read-committed"), intermediate)
    assert all(counts(one, own) for one in LEVELS.values())
    assert judge(["A"], [], extra_anomalies=[intermediate], level=level("read-uncommitted")).verdict == "ok"
    assert judge(["A"], [], extra_anomalies=[intermediate]).verdict == "violated"


def test_every_alias_is_of_a_level_and_unknown_ones_are_refused():
    assert all(level(alias) is LEVELS[name] for alias, name in ALIASES.items())
    with pytest.raises(BadInput):
        level("nonsense")


def test_a_level_that_a_format_has_not_is_refused_in_one_sentence():
    for format, content, names in (
        ("elle-append", tuple(history("A: append x 1")), {"read-atomic", "causal", "view-serializable"}),
        ("schedule", (("A", "r", "x"),), {name for name, one in LEVELS.items() if one.order == "so"} | {"read-atomic"}),
    ):
        for name in names:
            with pytest.raises(BadInput):
                check_source(Source(name="h", format=format, content=content, where="h"), level=name)
        assert format == "schedule" or set(JUDGED) == set(LEVELS) - names


def test_a_schedule_is_judged_by_adyas_levels_too():
    dirty = (("A", "w", "x"), ("B", "r", "x"), ("A", "w", "x"))
    assert [one.adya for one in check_schedule(dirty, level("read-committed")).anomalies] == ["G1b"]
    assert check_schedule(dirty, level("read-uncommitted")).verdict == "ok"
    skew = (("A", "r", "x"), ("B", "r", "y"), ("A", "w", "y"), ("B", "w", "x"))
    assert check_schedule(skew, level("snapshot-isolation")).verdict == "ok"
    assert check_schedule(skew, level("serializable")).verdict == "violated"
    blind = (("A", "r", "x"), ("B", "w", "x"), ("A", "w", "x"), ("C", "w", "x"))
    assert check_schedule(blind, level("view-serializable")).order == ("A", "B", "C")
    assert check_schedule(blind).verdict == "violated"
    late = (("A", "r", "x"), ("B", "w", "y"), ("C", "r", "y"), ("C", "w", "x"), ("D", "w", "z"), ("A", "r", "z"))
    assert check_schedule(late, level("strict-serializable")).verdict == "violated"
    assert check_schedule(late[:-1], level("strict-serializable")).verdict == "ok"
