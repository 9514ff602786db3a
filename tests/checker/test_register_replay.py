"""What replays an order along a register history refuses every wrong one; known version orders are judged at once."""

import pytest
from sketch import history

from checker.level import LEVELS
from checker.register import check_register
from checker.register_replay import apart_problem, serial_problem
from checker.transaction import Transaction
from coagent.bad_input import BadInput


def of_session(*rows, session=0):
    return [
        Transaction(
            name=one.name, status=one.status, steps=one.steps, session=session, begun=2 * place, ended=2 * place + 1
        )
        for place, one in enumerate(history(*rows))
    ]


def test_a_serial_order_must_explain_have_everybody_once_and_keep_what_it_should():
    there = [*of_session("A: w x 1", "B: r x 1"), *history("C!: w x 2", "D?: w y 1")]
    assert serial_problem(["A", "B"], there, "rt") == serial_problem(["A", "D", "B"], there) == ""
    assert "read x as 1" in serial_problem(["B", "A"], there)
    assert "B is not in it" == serial_problem(["A"], there)
    assert "A should not be in it, or not twice" == serial_problem(["A", "A", "B"], there)
    assert "C should not be in it" in serial_problem(["A", "B", "C"], there)
    two = of_session("A: w x 1", "B: w y 1")
    assert serial_problem(["B", "A"], two) == ""
    assert serial_problem(["B", "A"], two, "so") == serial_problem(["B", "A"], two, "rt") == "A should come before B"


def test_starts_and_commits_must_explain_not_overlap_on_a_key_and_keep_what_they_should():
    skew = of_session("A: r y nil; w x 1", "B: r x nil; w y 1")
    apart = ["s:A", "s:B", "c:A", "c:B"]
    assert apart_problem(apart, skew) == "" and apart_problem(apart, skew, "so") == "A should come before B"
    assert "read x as None" in apart_problem(["s:A", "c:A", "s:B", "c:B"], skew)
    assert "B is not in it" == apart_problem(["s:A", "c:A"], skew)
    assert "B is not in it" == apart_problem(["s:A", "c:A", "s:B"], skew)
    assert "commits before it starts" in apart_problem(["c:A", "s:A", "s:B", "c:B"], skew)
    lost = history("A: w x 1", "B: w x 2")
    assert "another wrote x" in apart_problem(apart, lost)
    assert apart_problem(["s:A", "c:A", "s:B", "c:B"], lost) == ""


def test_read_committed_of_the_text_formats_is_more_than_no_dirty_read():
    rows = of_session("A: w x 1", "B: w x 2; w y 2")
    monotonic = [*rows, *history("C: r x 1; r y 2")]
    backward = [*rows, *history("C: r y 2; r x 1")]
    for there, answers in ((monotonic, ("ok", "violated")), (backward, ("violated", "violated"))):
        for level, answer in zip(("read-committed", "read-atomic"), answers, strict=True):
            assert check_register(there, LEVELS[level], sessions=True).verdict == answer
        assert check_register(there, LEVELS["read-committed"]).verdict == "ok"


def test_known_version_orders_decide_and_must_be_whole():
    there = history("A: w x 1", "B: w x 2", "C: r x 1; w y 1", "D: r y nil; r x 2")
    assert check_register(there).verdict == "ok"
    assert check_register(there, orders={"x": [2, 1], "y": [1]}).verdict == "ok"
    assert check_register(there, orders={"x": [1, 2], "y": [1]}).verdict == "violated"
    assert check_register(there, LEVELS["snapshot-isolation"], orders={"x": [1, 2], "y": [1]}).verdict == "ok"
    with pytest.raises(BadInput, match="leaves out 2"):
        check_register(there, orders={"x": [1], "y": [1]})


def test_a_value_written_twice_is_searched_and_else_unknown():
    there = [
        *of_session("A: w x 1", "B: w x 2"),
        *of_session("C: w x 1; r y nil", session=1),
        *history("D: r x 1; w y 1"),
    ]
    for level in ("serializable", "strong-session-serializable", "snapshot-isolation", "consistent-view"):
        assert check_register(there, LEVELS[level]).verdict == "ok"
    there = [*history("A: w x 1", "B: w x 1", "C: r x 1; r y 1", "D: r x nil; w y 1; w x 2")]
    assert check_register(there).verdict == "ok"
    there = history(
        "A: w x 1; w y 1", "B: w x 1; w y 2", "C: r x 1; r y 1; r z 2", "D: r x nil; w z 2", "E: r x nil; r y 2"
    )
    assert check_register(there).verdict == "violated"
    verdict = check_register(there, LEVELS["snapshot-isolation"])
    assert verdict.verdict == "unknown" and "more than once" in verdict.missing[1]


def test_a_value_left_twice_and_read_by_nobody_is_no_obstacle_to_the_levels_of_cycles():
    there = [
        *of_session("A: w x 1; w y 1", "B: r y nil"),
        *of_session("C: w x 1", "D: r z 1", session=1),
        *of_session("E: w z 1; w x nil", session=2),
    ]
    for level in ("repeatable-read", "consistent-view", "cursor-stability"):
        assert check_register(there, LEVELS[level]).verdict == "ok"
