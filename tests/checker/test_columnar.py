"""The screening of whole columns never says anything but what the careful checker says of the same history."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

import checker.columnar
import checker.columnar.slice
from checker.columnar import check_table, screened_verdict
from checker.columnar.screening import screened
from checker.formats import parquet
from checker.notified import check_history
from coagent.bad_input import BadInput
from coagent.bench.long_history import long_history, misled
from coagent.column import BESIDE, COLUMNS
from coagent.compaction import compacted
from coagent.expansion import expanded
from coagent.history import History, checked
from coagent.protocols import protocol
from coagent.simulate import Chance, Clock, finished, simulate
from coagent.table import Table
from coagent.table_check import fault
from coagent.testing import random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting
from tests.driving import driven, setting, to_the_end
from tests.mutation import mutated
from workloads import workload

CYCLES = {
    "order inversion",
    "dirty write",
    "circular information flow",
    "lost update",
    "phantom",
    "read skew",
    "write skew",
    "long fork",
    "anti-dependency cycle",
}
"""Anomalies that are told from edges: an edge outside what is in question is not looked for."""


@pytest.fixture
def sliced(monkeypatch) -> None:
    """Small histories are sliced like large ones, and never told from the whole."""
    monkeypatch.setattr(checker.columnar.slice, "MOST", 2.0)
    monkeypatch.setattr(checker.columnar, "FEW", 0)


@pytest.fixture(scope="module")
def long() -> Table:
    return long_history(2_000, calls=40, days=2)


def recorded(seed: int, rule: str = "mtpo") -> History:
    given = from_scenario(random_scenario(seed))
    return simulate(Setting(workload=given, protocol=protocol(rule), seed=seed), Chance(seed)).history


def faults(verdict: object) -> set[tuple[str, tuple[str, ...]]]:
    return {(one.name, one.because) for one in verdict.anomalies if one.name not in CYCLES}


def agree(history: History) -> str:
    careful, quick = check_history(history, order="declared"), check_table(compacted(history), order="declared")
    assert (quick.verdict, quick.order, quick.missing) == (careful.verdict, careful.order, careful.missing)
    assert (quick.operations, quick.transactions) == (careful.operations, careful.transactions)
    assert faults(quick) == faults(careful)
    return quick.verdict


@pytest.mark.parametrize("rule", ["serial", "naive", "2pl", "occ", "fork-merge", "mtpo", "mtpo-reissue", "mtpo-pass"])
def test_recorded_runs_get_the_careful_checkers_answer(rule: str, sliced: None) -> None:
    assert {agree(recorded(seed, rule)) for seed in range(25)} >= ({"violated"} if rule == "naive" else {"ok"})


@pytest.mark.parametrize("part", range(4))
def test_changed_runs_get_the_careful_checkers_answer_and_its_reasons(part: int, sliced: None) -> None:
    answers = {"ok": 0, "violated": 0, "unknown": 0, "refused": 0}
    for seed in range(part * 6, part * 6 + 6):
        history, draw = recorded(seed, ("mtpo", "mtpo-reissue", "mtpo-footprint")[seed % 3]), Random(seed)
        for _ in range(20):
            changed = mutated(history, draw)
            try:
                answers[agree(checked(changed)) if changed else "refused"] += 1
            except BadInput:
                answers["refused"] += 1
    assert all(answers.values()), answers


def test_many_whole_runs_need_no_closer_look() -> None:
    found = [screened(compacted(recorded(seed))) for seed in range(40)]
    assert sum(one is not None and not one.doubted.any() and not one.strayed.any() for one in found) >= 10


def test_a_long_history_is_ok_and_fits_together(long: Table) -> None:
    assert not fault(long)
    history = checked(expanded(long))
    assert check_history(history, order="declared").verdict == "ok"
    assert screened_verdict(long).verdict == "ok"
    kinds = {record["event"] for record in history.records}
    assert kinds >= {"notify", "consume", "judge", "undo", "redo", "repair", "refresh", "hold"}


def test_little_of_a_long_history_is_left_for_a_closer_look(long: Table) -> None:
    found = screened(long)
    assert found.doubted.mean() < 0.01 and found.strayed.mean() < 0.01


def test_a_misled_read_in_a_long_history_is_told_in_the_careful_checkers_words(long: Table, monkeypatch) -> None:
    wrong = misled(long)
    careful = check_history(checked(expanded(wrong)), order="declared")
    monkeypatch.setattr(checker.columnar, "FEW", 0)
    quick = screened_verdict(wrong)
    assert quick.verdict == careful.verdict == "violated"
    assert faults(quick) == faults(careful) and {"stale read"} <= {one.name for one in quick.anomalies}
    assert quick.operations == careful.operations


@pytest.mark.parametrize(
    "column", ["saw_value", "captured_value", "wrote_value", "value", "args_value", "key", "other"]
)
def test_whatever_number_is_changed_in_a_long_history_the_answer_is_the_careful_checkers(
    column: str, long: Table, sliced: None
) -> None:
    draw, quick_ones = Random(column), 0
    for _ in range(3):
        columns = dict(long.columns)
        columns[column] = columns[column].copy()
        at = draw.choice(np.flatnonzero(columns[column] >= 0).tolist())
        columns[column][at] = draw.choice(columns[column][columns[column] >= 0].tolist())
        changed = replace(long, columns=columns)
        assert not fault(changed)
        quick = screened_verdict(changed)
        try:
            careful = check_history(checked(expanded(changed)), order="declared")
        except BadInput:
            assert quick is None
            continue
        quick_ones += quick is not None
        assert quick is None or (quick.verdict, faults(quick)) == (careful.verdict, faults(careful))
    assert quick_ones


# in Parquet


@pytest.fixture(scope="module")
def short() -> Table:
    return long_history(600, calls=20, days=2)


def through_parquet(table: Table) -> str:
    """The answer on the history as Parquet, which is the careful checker's on its records; `refused` by both, or by
    the reader where the columns no longer are the records of any history."""
    try:
        read = parquet.read(parquet.dump(table), "h.parquet")
    except BadInput:
        return "refused"
    quick = screened_verdict(read)
    try:
        careful = check_history(checked(expanded(read)), order="declared")
    except BadInput:
        assert quick is None
        return "refused"
    assert quick is None or (quick.verdict, faults(quick)) == (careful.verdict, faults(careful))
    return careful.verdict


@pytest.mark.parametrize("column", [one for one in COLUMNS if one not in BESIDE])
def test_whatever_column_is_changed_in_parquet_nothing_wrong_passes(column: str, short: Table, sliced: None) -> None:
    draw, answers = Random(column), []
    entries = short.columns[column]
    for at in (draw.randrange(len(entries)) for _ in range(6)):
        changed = entries.copy()
        others = entries[entries != entries[at]]
        changed[at] = draw.choice(others.tolist()) if len(others) else 0
        answers.append(through_parquet(replace(short, columns={**short.columns, column: changed})))
    assert column in HARMLESS or set(answers) - {"ok"}, answers


HARMLESS = {
    *("route", "number", "key", "agent", "saw_value", "saw_writer", "captured_writer", "reads", "writes"),
    *("before_infer", "before_inferred", "before_invoke"),
}
"""Columns in which an entry may become another one, and the history be as good as it was: a name, a free
place, paths that the form gives already, whose cell it was that nobody put back, what a known tool saw that answered
what it should."""


def test_parquet_of_the_whole_is_ok(short: Table) -> None:
    assert through_parquet(short) == "ok"


# what is easy to leave out of a slice


def listed(saw: object, value: list) -> History:
    """A puts d/a, then B lists d; with another answer, and other sightings, of the listing."""
    agents = {"A": [{"put": "d/a", "value": "1"}], "B": [{"list": "d", "as": "names"}]}
    world = to_the_end(driven(setting(agents, protocol("mtpo")), "AB"))
    history = finished(world, (), 0.0, "clock").history
    records = [
        {**one, "saw": saw, "value": value} if one["event"] == "result" and one["op"] == "B.1" else one
        for one in history.records
    ]
    return checked(History({**history.header, "sealed": False}, tuple(records)))


def test_a_member_that_a_listing_did_not_see_is_missed(sliced: None) -> None:
    history = listed({"d/": {"writer": None}}, [])
    assert agree(history) == "violated"
    assert screened(compacted(history)).doubted.any()


@pytest.mark.parametrize("answer", [[], ["a"], ["b"], ["a", "a"], ["a", "b"], "a"])
def test_a_listing_answers_with_just_the_names_that_it_saw(answer: object, sliced: None) -> None:
    saw = {"d/": {"writer": None}, "d/a": {"value": 1, "writer": "A.1"}}
    assert agree(listed(saw, answer)) == ("ok" if answer == ["a"] else "violated")


def test_a_listing_that_says_nothing_of_what_it_saw_is_judged_with_its_folder(sliced: None) -> None:
    assert agree(listed({}, ["a"])) == "ok"


def test_a_report_before_the_last_notice_is_orphaned_whatever_the_notice_was_about(sliced: None) -> None:
    given = workload("lost-update")
    history = simulate(Setting(workload=given, protocol=protocol("mtpo")), Clock(given.cost.tool_s)).history
    records = [*history.records]
    consume = next(one for one in records if one["event"] == "consume")
    records.remove(consume)
    finish = max(at for at, one in enumerate(records) if one["event"] == "finish" and one["agent"] == consume["agent"])
    records.insert(finish + 1, consume)
    changed = checked(History({**history.header, "sealed": False}, tuple(records)))
    assert agree(changed) == "violated"
    assert "orphaned report" in {one.name for one in screened_verdict(compacted(changed)).anomalies}
