"""Golden transcripts: runs as text, to be read; `pytest tests/test_transcripts.py --regenerate` writes them anew."""

from pathlib import Path

import pytest

from coagent.history import Record
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.world import Setting
from workloads import workload

MOST_CHOICES = 60
"""Choices to read at most: broadcast goes round for ever."""
FOLDER = Path(__file__).parent / "transcripts"
RUNS = [
    *(("lost-update", rule) for rule in ("naive", "2pl", "occ", "mtpo", "mtpo-reissue", "broadcast")),
    ("dirty-read", "mtpo"),
    ("phantom", "mtpo"),
    ("write-skew", "mtpo-pass"),
    ("livelock", "mtpo"),
    ("unrecoverable-send", "mtpo"),
    ("lost-update", "fork-merge"),
    ("write-skew", "fork-merge"),
    ("k2-canary", "mtpo"),
    ("k2-canary", "2pl"),
    ("k2-canary", "occ"),
]


@pytest.mark.parametrize(("name", "rule"), RUNS, ids=lambda part: part)
def test_the_run_is_the_one_that_was_reviewed(name: str, rule: str, request: pytest.FixtureRequest) -> None:
    given = workload(name)
    run = simulate(Setting(workload=given, protocol=protocol(rule)), Clock(given.cost.tool_s), max_steps=MOST_CHOICES)
    text = "\n".join([f"{name} under {rule}", given.story, *map(said, run.history.records)]) + "\n"
    golden = FOLDER / f"{name}.{rule}.txt"
    if request.config.getoption("--regenerate"):
        FOLDER.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


def said(record: Record) -> str:
    """A record as one line: the time, the event, and its fields as words."""
    fields = [f"{name}={value}" for name, value in record.items() if name not in ("at", "event")]
    return f"{record['at']:8.2f}  {record['event']:<10} {' '.join(fields)}".rstrip()
