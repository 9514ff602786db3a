"""Register histories with known verdicts get them: simulated stores, real bugs, dbcop's runs, AWDIT's levels."""

import csv

import pytest

from checker import check_file
from checker.register import check_register
from checker.sample_register import Mix, sampled

ANSWER = {"True": "ok", "False": "violated", "true": "ok", "false": "violated"}

DBCOP = {
    "ser": "serializable",
    "si": "snapshot-isolation",
    "cc": "causal",
    "ra": "read-atomic",
    "rc": "read-committed",
}
"""The columns of dbcop's verdicts, all of which count session order."""

AWDIT = ("read-committed", "read-atomic", "causal")


def test_every_simulated_register_history_agrees_with_and_without_sessions(histories):
    with open(histories / "simulated" / "EXACT.csv") as file:
        truths = list(csv.DictReader(file))
    assert len(truths) == 70
    for truth in truths:
        for column in ("serializable", "strong_session_serializable"):
            file = histories / "simulated" / f"{truth['file']}.edn"
            [(_, verdict)] = check_file(file, level=column.replace("_", "-"))
            assert verdict.verdict == ANSWER[truth[column]], (truth["file"], column)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("galera.txt", "violated"),
        ("yugabyte.txt", "violated"),
        ("yugabyte_tcc.txt", "violated"),
        ("dgraph_si.txt", "violated"),
        ("pg_ser_bug.txt", "violated"),
        ("sample_history.txt", "ok"),
    ],
)
def test_real_bugs_are_found_and_a_real_run_without_one_is_ok(histories, name, expected):
    [(_, verdict)] = check_file(histories / "register-text" / name)
    assert verdict.verdict == expected and (expected == "ok" or verdict.proof)
    assert all(len(one.transactions) <= 4 for one in verdict.anomalies if name != "dgraph_si.txt")


@pytest.mark.parametrize("every", [24, pytest.param(1, marks=pytest.mark.nightly)])
def test_runs_of_real_databases_have_dbcops_verdicts_at_all_its_levels(histories, every):
    folder = histories / "register-text" / "dbcop"
    with open(folder / "VERDICTS.csv") as file:
        truths = sorted(csv.DictReader(file), key=lambda truth: truth["file"])
    assert len(truths) == 276
    for truth in truths[::every]:
        for column, level in DBCOP.items():
            [(_, verdict)] = check_file(folder / truth["file"], level=level)
            assert verdict.verdict == ANSWER[truth[column]], (truth["file"], level)


def test_awdits_histories_satisfy_the_levels_up_to_their_folder(histories):
    files = sorted((histories / "awdit").rglob("*.txt"))
    assert len(files) == 22
    for file in files:
        strongest = file.relative_to(histories / "awdit").parts[0]
        held = AWDIT.index(strongest) + 1 if strongest != "none" else 0
        for place, level in enumerate(AWDIT):
            [(_, verdict)] = check_file(file, level=level)
            assert verdict.verdict == ("ok" if place < held else "violated"), (file.name, level)


@pytest.mark.parametrize("keys, shuffled", [(100, True), (1000, True), (1000, False)])
def test_a_thousand_transactions_listed_by_chance_are_put_in_order(keys, shuffled):
    sample = sampled(Mix(transactions=1000, keys=keys, shuffled=shuffled), 5)
    verdict = check_register(sample.transactions)
    known = check_register(sample.transactions, orders=sample.orders)
    assert verdict.verdict == known.verdict == "ok" and len(verdict.order) == 1000
