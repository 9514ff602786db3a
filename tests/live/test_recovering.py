"""Recovering trusts no journal: what it names is not imported, and what is wrong with it is one sentence."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.live.journal_edit import edited, resealed

SETUP = "import pathlib; pathlib.Path('pwned').write_text('x')\n"


@pytest.fixture
def journal(coagent, tmp_path, monkeypatch) -> Path:
    """The journal of a run on a database."""
    monkeypatch.chdir(tmp_path)
    assert coagent("run", "lost-update", "--target", "sqlite:///x.db", "--journal", "run.db").code == 0
    return tmp_path / "run.db"


def body_of(table: str, number: int, file: Path) -> dict:
    base = sqlite3.connect(file)
    (body,) = base.execute(f"SELECT body FROM {table} LIMIT 1 OFFSET {number}").fetchone()
    base.close()
    return json.loads(body)


def quoted(body: object) -> str:
    return "'" + json.dumps(body).replace("'", "''") + "'"


def without(body: dict, name: str) -> dict:
    return {one: value for one, value in body.items() if one != name}


HEADS = {
    "nothing of a head": lambda head: {"a": 1},
    "protocol 5": lambda head: head | {"protocol": 5},
    "target 5": lambda head: head | {"target": 5},
    "no target": lambda head: without(head, "target"),
    "start 5": lambda head: head | {"start": 5},
    "tools 5": lambda head: head | {"tools": 5},
    "tools of numbers": lambda head: head | {"tools": [5]},
    "joined without targets": lambda head: head | {"target": {"kind": "joined"}},
    "a kind that is a list": lambda head: head | {"target": {"kind": ["x"]}},
    "a database that is nowhere": lambda head: head | {"target": {"kind": "sql", "url": "sqlite:////nowhere/x.db"}},
    "a database that is none": lambda head: head | {"target": {"kind": "sql", "url": "nonsense", "tables": ["x"]}},
}


@pytest.mark.parametrize("change", HEADS)
def test_a_head_that_cannot_be_is_refused_in_one_sentence(change, coagent, journal):
    head = HEADS[change](body_of("head", 0, journal))
    resealed(journal, f"UPDATE head SET body = {quoted(head)}")
    answer = coagent("recover", "run.db")
    assert answer.code == 3 and answer.err.count("\n") == 1 and answer.out == "", answer


RECORDS = {
    "nothing of a record": ("step", lambda one: {}),
    "no time": ("step", lambda one: without(one, "at")),
    "a text as the time": ("step", lambda one: one | {"at": "soon"}),
    "an unknown kind of input": ("step", lambda one: one | {"input": {"kind": "nonsense"}}),
    "a step without input": ("step", lambda one: without(one, "input")),
    "an intent that wrote a text": ("intent", lambda one: one | {"wrote": "x"}),
    "an intent that captured a number": ("intent", lambda one: one | {"captured": 7}),
}


@pytest.mark.parametrize("change", RECORDS)
def test_a_record_that_cannot_be_is_refused_in_one_sentence(change, coagent, journal):
    event, changed = RECORDS[change]
    number = next(one for one in range(1000) if body_of("record", one, journal)["event"] == event)
    record = changed(body_of("record", number, journal))
    resealed(journal, f"UPDATE record SET body = {quoted(record)} WHERE seq = {number + 1}")
    answer = coagent("recover", "run.db")
    assert answer.code == 3 and answer.err.count("\n") == 1 and answer.out == "", answer


def test_a_journal_without_records_is_said_to_hold_nothing(coagent, journal):
    edited(journal, "DELETE FROM record")
    answer = coagent("recover", "run.db")
    assert "nothing to recover" in answer.out and "whole" not in answer.out


def test_a_journal_names_no_code_and_the_command_line_may(coagent, journal, tmp_path):
    (tmp_path / "own.py").write_text(SETUP + "from coagent.protocols.mtpo import Mtpo\n\nMine = Mtpo()\n")
    head = body_of("head", 0, journal)
    resealed(journal, f"UPDATE head SET body = {quoted(head | {'protocol': 'own.py:Mine'})}")
    answer = coagent("recover", "run.db")
    assert answer.code == 3 and "--protocol file.py:Name" in answer.err and not (tmp_path / "pwned").exists()
    resealed(journal, f"UPDATE head SET body = {quoted(head)}")
    answer = coagent("recover", "run.db", "--protocol", "own.py:Mine")
    assert answer.code == 0 and (tmp_path / "pwned").exists(), answer
    answer = coagent("recover", "run.db", "--protocol", "serial")
    assert answer.code == 3 and "under mtpo, not serial" in answer.err
