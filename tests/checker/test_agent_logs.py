"""Logs of other agent runtimes are read as their own checkers read them, and what they leave out is not made up."""

import json
from pathlib import Path

import pytest

from checker import check_file
from checker.formats import load
from coagent.bad_input import BadInput


def atomix(path: Path, *entries: str, trace: str | None = None) -> Path:
    """A log of entries such as `A read x`, `B abort`, one second after the other."""
    rows = []
    for at, entry in enumerate(entries):
        who, kind, *scope = entry.split()
        row = {"tx_id": who, "op_kind": kind, "scope": scope[0] if scope else "", "ts": f"2026-01-01T00:00:{at:02}Z"}
        rows.append(row | ({"trace_id": trace} if trace else {}))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def judged(path: Path) -> tuple[str, set[str]]:
    [(_, verdict)] = check_file(str(path))
    return verdict.verdict, {one.name for one in verdict.anomalies}


DONE = ("A commit", "B commit")
ATOMIX = [
    (("A read x", "B read x", "A write x", "B write x", *DONE), "violated", "lost update"),
    (("A read x", "A write x", "B read x", "B write x", *DONE), "ok", ""),
    (("A read x", "B write x", "B write y", "A read y", *DONE), "violated", "read skew"),
    (("A read x", "B write x", "B write y", "A read y", "A commit", "B abort"), "violated", "aborted read"),
    (("A read x", "B write x", "B abort", "A read x", "A write x", "A commit"), "ok", ""),
    (("A write x", "B write x", "A abort", "B commit", "C read x", "C commit"), "ok", ""),
    (("A read x", "A read y", "B write x", "B write y", "A write x", "A commit"), "ok", ""),
    (("A read x", "B write x", "C read x", "A write x", "A commit", "C commit"), "violated", "read skew"),
    (("A write x", "B write x", "B write y", "A write y"), "violated", "dirty write"),
]


@pytest.mark.parametrize("entries, verdict, name", ATOMIX, ids=range(len(ATOMIX)))
def test_an_atomix_log_is_judged_by_its_conflicts_without_what_was_aborted(tmp_path, entries, verdict, name):
    found, names = judged(atomix(tmp_path / "log.jsonl", *entries))
    assert found == verdict and (not name or name in names), names


def test_each_trace_of_an_atomix_log_is_a_history_in_the_order_of_its_times(tmp_path):
    one = atomix(tmp_path / "a", "A write x", "B read x", trace="one").read_text()
    other = atomix(tmp_path / "b", *ATOMIX[0][0], trace="two").read_text()
    path = tmp_path / "log.jsonl"
    path.write_text("".join(reversed((one + other).splitlines(keepends=True))))
    assert {name: verdict.verdict for name, verdict in check_file(str(path))} == {"one": "ok", "two": "violated"}


def racebench(path: Path, *entries: str, isolation: str = "shared", end: bool = True) -> Path:
    """A trial of entries such as `A read f`, `A replace f`, `B overwrite f`, `B failed f`."""
    rows = [{"ts": 0.0, "event": "trial_start", "task": "t1", "strategy": "naive", "isolation": isolation}]
    for at, entry in enumerate(entries):
        who, kind, name = entry.split()
        row = {"ts": at + 1.0, "event": "read" if kind == "read" else "write", "agent": who, "path": name}
        status = "edit_failed" if kind == "failed" else "applied"
        rows.append(row | ({} if kind == "read" else {"kind": kind.replace("failed", "replace"), "status": status}))
        rows.append({"ts": at + 1.0, "event": "llm_usage", "agent": who})
    rows += [{"ts": 99.0, "event": "trial_end", "correct": True}] if end else []
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


RACES = [
    (("A read f", "B read f", "A overwrite f", "B overwrite f"), "violated"),
    (("A read f", "A overwrite f", "B read f", "B overwrite f"), "ok"),
    (("A read f", "B read f", "A replace f", "B failed f"), "ok"),
    (("A read f", "B read f", "A replace f", "B replace f"), "violated"),
    (("A read f", "B read g", "A overwrite f", "B overwrite g"), "ok"),
]


@pytest.mark.parametrize("entries, verdict", RACES, ids=range(len(RACES)))
def test_a_racebench_trial_is_judged_by_its_conflicts(tmp_path, entries, verdict):
    assert judged(racebench(tmp_path / "trial.jsonl", *entries))[0] == verdict


def test_logs_that_are_cut_or_of_several_stores_are_refused(tmp_path):
    path = tmp_path / "trial.jsonl"
    racebench(path, "A read f", end=False)
    with pytest.raises(BadInput, match=r"trial.jsonl:3: .*trial_end"):
        load(str(path))
    for made in (racebench(path, "A read f", isolation="worktree"), racebench(path)):
        with pytest.raises(BadInput):
            load(str(made))
    for bad in ("A peek x", "A commit"):
        with pytest.raises(BadInput):
            load(str(atomix(path, bad)))
    path.write_text('{"tx_id": 1, "op_kind": "read", "scope": "x", "ts": "t"}\n')
    with pytest.raises(BadInput, match="trial.jsonl:1"):
        load(str(path))
