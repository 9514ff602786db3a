"""The checker agrees with every history whose verdict is known, and never says ok to one that is not serializable."""

import csv
import json

import pytest

from checker import check_file

BEYOND = ("transaction-order", "sequential-keys?", "linearizable-keys?", "wfr-keys?")
"""Options of Elle's tests by which it knows more than the reads and writes."""


@pytest.mark.parametrize("name", ["textbook", "random1000"])
def test_every_schedule_is_conflict_serializable_exactly_when_brute_force_says_so(histories, name):
    path = histories / "schedules" / f"{name}.jsonl"
    truths = [json.loads(line) for line in path.read_text().splitlines()]
    for truth, (found, verdict) in zip(truths, check_file(path), strict=True):
        assert found == truth["id"]
        assert verdict.verdict == ("ok" if truth["csr"] else "violated"), found
        if truth["csr"]:
            assert [int(one[1:]) for one in verdict.order] in truth["csr_orders"], found


def test_every_simulated_list_append_history_agrees_with_elle(histories):
    rows = [line.split("\t") for line in (histories / "simulated" / "VERDICTS.tsv").read_text().splitlines()]
    truths = {row[0]: row[2] for row in rows if row[0].startswith("la-") and row[1] == "serializable"}
    assert len(truths) == 70
    for name, valid in truths.items():
        [(_, verdict)] = check_file(histories / "simulated" / name)
        assert verdict.verdict == {"true": "ok", "false": "violated"}[valid], name


def test_every_simulated_register_history_agrees_with_the_exact_answer(histories):
    with open(histories / "simulated" / "EXACT.csv") as file:
        truths = {row["file"]: row["serializable"] for row in csv.DictReader(file)}
    assert len(truths) == 70
    for name, valid in truths.items():
        [(_, verdict)] = check_file(histories / "simulated" / f"{name}.edn")
        assert verdict.verdict == {"True": "ok", "False": "violated"}[valid], name


@pytest.mark.parametrize(
    "name, verdict, adya",
    [
        ("paper-example.edn", "violated", "G2-item"),
        ("paper-example.json", "violated", "G2-item"),
        ("list-append-gh-30.edn", "violated", "G2-item"),
        ("si-without-g-single.edn", "violated", "G2-item"),
        ("rw-register.edn", "violated", "garbage"),
        ("rw-register.json", "violated", "garbage"),
        ("huge-scc.edn", "ok", None),
    ],
)
def test_elles_own_files_come_out_as_elle_says(histories, name, verdict, adya):
    [(_, found)] = check_file(histories / "elle" / name)
    assert found.verdict == verdict
    assert [one.adya for one in found.anomalies][:1] == ([adya] if adya else [])


def test_elles_unit_tests_find_no_false_ok_and_no_false_violated(histories):
    path = histories / "elle" / "elle_unit.jsonl"
    truths = [json.loads(line) for line in path.read_text().splitlines()]
    judged = {"refuted": 0, "accepted": 0}
    for truth, (name, found) in zip(truths, check_file(path), strict=True):
        options, result = truth["opts"], truth["result"]
        timed = any(one.endswith(("-process", "-realtime")) for one in result.get("anomaly-types", []))
        if result["valid?"] is False and not timed and not set(BEYOND) & set(options):
            assert found.verdict == "violated", name
            judged["refuted"] += 1
        if result["valid?"] is True and "serializable" in (options.get("consistency-models") or []):
            unwritten = [one.name for one in found.anomalies] and {one.name for one in found.anomalies} == {
                "garbage read"
            }
            assert found.verdict == "ok" or unwritten, name
            judged["accepted"] += found.verdict == "ok"
    assert judged == {"refuted": 35, "accepted": 6}
