"""The screening of whole columns never says anything but what the careful checker says of the same history."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

import checker.columnar
import checker.columnar.slice
from checker.columnar import check_table, screened_verdict
from checker.columnar.screening import screened
from checker.notified import check_history
from coagent.bad_input import BadInput
from coagent.bench.long_history import long_history, misled
from coagent.compaction import compacted
from coagent.expansion import expanded
from coagent.history import History, checked
from coagent.protocols import protocol
from coagent.simulate import Chance, simulate
from coagent.table import Table, fault
from coagent.workload import from_scenario
from coagent.world import Setting
from tests.mutation import mutated
from tests.scenarios_random import random_scenario

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


@pytest.mark.parametrize("rule", ["serial", "naive", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-pass"])
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
