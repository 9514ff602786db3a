"""Each named anomaly once as itself, and once as its nearest innocent neighbour."""

import pytest
from sketch import history

from checker.anomaly import TABLE
from checker.judge import judge
from checker.list_append import check_list_append
from checker.precedence import overwrote, read_before, read_from
from checker.register import check_register
from checker.replay import replayed
from checker.schedules import conflict_edges
from checker.verdict import Verdict

LISTS = [
    (
        "dirty write",
        "G0",
        ("A: append x 1; append y 1", "B: append x 2; append y 2", "C: r x [1 2]; r y [2 1]"),
        ("A: append x 1; append y 1", "B: append x 2; append y 2", "C: r x [1 2]; r y [1 2]"),
    ),
    ("aborted read", "G1a", ("A!: append x 1", "B: r x [1]"), ("A!: append x 1", "B: r x []")),
    (
        "intermediate read",
        "G1b",
        ("A: append x 1; append x 2", "B: r x [1]"),
        ("A: append x 1; append x 2", "B: r x [1 2]"),
    ),
    (
        "circular information flow",
        "G1c",
        ("A: append x 1; r y [1]", "B: append y 1; r x [1]"),
        ("A: append x 1; r y []", "B: append y 1; r x [1]"),
    ),
    (
        "read skew",
        "G-single",
        ("A: append x 1; append y 1", "B: r x [1]; r y []"),
        ("A: append x 1; append y 1", "B: r x [1]; r y [1]"),
    ),
    (
        "lost update",
        "G2-item",
        ("A: r x []; append x 1", "B: r x []; append x 2"),
        ("A: r x []; append x 1", "B: r x [1]; append x 2"),
    ),
    (
        "lost update",
        "G-single",
        ("A: r x []; append x 1", "B: r x []; append x 2", "C: r x [1 2]"),
        ("A: r x []; append x 1", "B: r x [1]; append x 2", "C: r x [1 2]"),
    ),
    (
        "write skew",
        "G2-item",
        ("A: r x []; append y 1", "B: r y []; append x 1"),
        ("A: r x []; append y 1", "B: r y [1]; append x 1"),
    ),
    (
        "long fork",
        "G-nonadjacent",
        ("A: append x 1", "B: append y 1", "C: r x [1]; r y []", "D: r x []; r y [1]"),
        ("A: append x 1", "B: append y 1", "C: r x [1]; r y []", "D: r x [1]; r y [1]"),
    ),
    (
        "anti-dependency cycle",
        "G2-item",
        ("A: r x []; append y 1", "B: r y []; append z 1", "C: r z []; append x 1"),
        ("A: r x []; append y 1", "B: r y []; append z 1", "C: r z [1]; append x 1"),
    ),
    ("internal", "internal", ("A: append x 1; r x []",), ("A: append x 1; r x [1]",)),
    (
        "incompatible order",
        "incompatible-order",
        ("A: append x 1", "B: append x 2", "C: r x [1]", "D: r x [2]"),
        ("A: append x 1", "B: append x 2", "C: r x [1]", "D: r x [1 2]"),
    ),
    (
        "incompatible order",
        "incompatible-order",
        ("A: append x 1; append x 2", "B: r x [2]"),
        ("A: append x 2", "B: r x [2]"),
    ),
    ("duplicate elements", "duplicate-elements", ("A: append x 1", "B: r x [1 1]"), ("A: append x 1", "B: r x [1]")),
    ("garbage read", "garbage", ("A: append x 1", "B: r x [7]"), ("A: append x 1", "B: r x [1]")),
    (
        "dirty update",
        "dirty-update",
        ("A!: append x 1", "B: append x 2", "C: r x [1 2]"),
        ("A?: append x 1", "B: append x 2", "C: r x [1 2]"),
    ),
]

REGISTERS = [
    ("aborted read", "G1a", ("A!: w x 1", "B: r x 1"), ("A?: w x 1", "B: r x 1")),
    ("intermediate read", "G1b", ("A: w x 1; w x 2", "B: r x 1"), ("A: w x 1; w x 2", "B: r x 2")),
    (
        "circular information flow",
        "G1c",
        ("A: w x 1; r y 1", "B: w y 1; r x 1"),
        ("A: w x 1; r y nil", "B: w y 1; r x 1"),
    ),
    ("lost update", "G2-item", ("A: r x nil; w x 1", "B: r x nil; w x 2"), ("A: r x nil; w x 1", "B: r x 1; w x 2")),
    ("write skew", "G2-item", ("A: r x nil; w y 1", "B: r y nil; w x 1"), ("A: r x nil; w y 1", "B: r y 1; w x 1")),
    ("internal", "internal", ("A: w x 1; r x 2", "B: w x 2"), ("A: w x 1; r x 1", "B: w x 2")),
    ("garbage read", "garbage", ("A: w x 2", "B: r x 3"), ("A: w x 2", "B: r x 2")),
    (
        "no serial order",
        "not-serializable",
        (
            "A: w x 1",
            "B: w x 1",
            "C: r x 1; w x 2",
            "D: r x 2; w x 1; r y nil",
            "E: r x nil; w y 1",
            "F: r y 1; r x nil",
        ),
        ("A: w x 1", "B: w x 1", "C: r x 1; w x 2", "D: r x 2; w x 1; r y nil", "E: w y 1", "F: r y 1"),
    ),
]


@pytest.mark.parametrize("name, adya, guilty, innocent", LISTS)
def test_list_anomaly_is_named_and_its_neighbour_is_ok(name, adya, guilty, innocent):
    assert (name, adya) in {(one.name, one.adya) for one in check_list_append(history(*guilty)).anomalies}
    assert check_list_append(history(*innocent)).verdict == "ok"


@pytest.mark.parametrize("name, adya, guilty, innocent", REGISTERS)
def test_register_anomaly_is_named_and_its_neighbour_is_ok(name, adya, guilty, innocent):
    assert (name, adya) in {(one.name, one.adya) for one in check_register(history(*guilty)).anomalies}
    assert check_register(history(*innocent)).verdict == "ok"


def test_a_verdict_is_told_as_a_contradiction():
    verdict = judge(["A", "B"], [overwrote("A", "B", "x"), read_before("B", "A", "x")])
    assert [one.name for one in verdict.anomalies] == ["lost update"]
    assert verdict.anomalies[0].because == (
        "A before B, because B overwrote A's x; "
        "however B before A, because B read x before A wrote it: a contradiction",
    )


def test_every_class_of_cycle_in_a_component_gets_its_own_witness():
    edges = [
        overwrote("A", "B", "x"),
        overwrote("B", "A", "y"),
        read_from("A", "C", "x"),
        read_from("C", "A", "z"),
        read_before("D", "B", "x"),
        overwrote("B", "D", "z"),
    ]
    assert [one.adya for one in judge(["A", "B", "C", "D"], edges).anomalies] == ["G0", "G1c", "G-single"]


def test_only_adjacent_versions_get_an_edge():
    log = (("A", "r", "x"), ("B", "w", "x"), ("C", "w", "x"), ("D", "r", "x"))
    edges = [(edge.kind, edge.source, edge.target) for edge in conflict_edges(log)]
    assert edges == [("rw", "A", "B"), ("ww", "B", "C"), ("wr", "C", "D")]


def test_a_wrong_order_is_refused_by_the_replay():
    for rows in (("A: w x 1", "B: r x 1"), ("A: append x 1", "B: r x [1]")):
        for order in (("B", "A"), ("B",), ("A",), ("A", "B", "B")):
            planted = Verdict(verdict="ok", criterion="serializable", order=order)
            assert replayed(planted, history(*rows)).verdict == "unknown"
        assert (
            replayed(Verdict(verdict="ok", criterion="serializable", order=("A", "B")), history(*rows)).verdict == "ok"
        )


def test_a_phantom_needs_a_listing():
    listing = read_before("A", "B", "stock", collection=True)
    assert [one.name for one in judge(["A", "B"], [listing, read_before("B", "A", "y")]).anomalies] == ["phantom"]
    plain = read_before("A", "B", "stock")
    assert [one.name for one in judge(["A", "B"], [plain, read_before("B", "A", "y")]).anomalies] == ["write skew"]


def test_an_order_inversion_exists_in_the_declared_order_only():
    edges = [read_from("B", "A", "x")]
    assert judge(["A", "B"], edges).order == ("B", "A")
    declared = judge(["A", "B"], edges, declared=True)
    assert [one.name for one in declared.anomalies] == ["order inversion"]
    assert judge(["B", "A"], edges, declared=True).verdict == "ok"


def test_the_order_stays_closest_to_the_one_given():
    assert judge(["D", "C", "B", "A"], [read_from("A", "C", "x")]).order == ("D", "B", "A", "C")


def test_writes_of_one_value_are_searched_and_never_guessed():
    doubled = history("A: append x 1", "B: append x 1", "C: r x [1]")
    assert check_list_append(doubled).verdict == "unknown"
    assert (
        check_register(history("A: w x 1", "B: w x 2", "C: w x 1", "D: r x 1; r y nil", "E: r x 2; w y 1")).verdict
        == "ok"
    )


def test_a_search_out_of_budget_is_unknown_and_exits_2():
    rows = [f"T{number}: w x 1; w y {number}" for number in range(1, 9)]
    verdict = check_register(history(*rows, "R: r x 1; r y 8", "S: r x 1; r y 1"), budget=3)
    assert (verdict.verdict, verdict.exit_code, bool(verdict.missing)) == ("unknown", 2, True)


def test_a_huge_component_is_answered_with_one_cycle():
    names = [f"T{number}" for number in range(20_000)]
    ring = [
        read_before(one, other, f"k{place}")
        for place, (one, other) in enumerate(zip(names, names[1:] + names[:1], strict=True))
    ]
    verdict = judge(names, ring)
    assert verdict.anomalies[0].because[0].startswith("a cycle of 20000 transactions exists")
    assert verdict.seconds < 10


def test_a_dense_component_is_answered_with_a_short_cycle():
    names = [f"T{number}" for number in range(300)]
    every = [read_before(one, other, "x") for one in names for other in names if one != other]
    verdict = judge(names, every)
    assert [(one.name, len(one.transactions)) for one in verdict.anomalies] == [("lost update", 2)]
    assert verdict.seconds < 20


def test_every_row_of_the_table_says_what_it_means():
    assert all(row.says.endswith(".") for row in TABLE)
    assert len({(row.name, row.adya) for row in TABLE}) == len(TABLE)


def test_the_json_has_the_shape_of_the_command_line():
    shape = judge(["A", "B"], [overwrote("A", "B", "x"), overwrote("B", "A", "y")], operations=4).to_json("h.edn")
    assert list(shape) == [
        "file",
        "verdict",
        "criterion",
        "order",
        "anomalies",
        "blame",
        "transactions",
        "operations",
        "seconds",
    ]
    assert list(shape["anomalies"][0]) == ["name", "adya", "transactions", "because"]
    assert (shape["verdict"], shape["order"], shape["operations"]) == ("violated", None, 4)
