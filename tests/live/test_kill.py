"""Runs killed at any point are recovered: nothing lost, nothing done twice, and the end is the serial one.

A sample of the points here; `pytest -m nightly tests/live/test_kill.py` takes all of them, and
`python -m tests.live.kill_matrix` all of them into a table.
"""

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.live.kill_matrix import CASES, Case, Ground, every, ground, job_of, points_of, struck
from tests.live.postgres_server import MISSING, programs

pytestmark = pytest.mark.xdist_group("kill")

STEPS = {"git": 41, "SQLite": 19, "PostgreSQL": 37, "CalDAV": 19, "mail and SQLite": 19}
"""In the sample, the distance from one point to the next."""


@pytest.fixture(scope="module", name="here")
def killing_ground() -> Iterator[Ground]:
    with ground() as made:
        yield made


def needs(case: Case) -> None:
    """Skip where a server's program is absent."""
    if case.target == "PostgreSQL" and programs() is None:
        pytest.skip(MISSING)
    if case.target == "CalDAV":
        pytest.importorskip("radicale", reason="the CalDAV server Radicale is not installed")
    if "mail" in case.target:
        pytest.importorskip("aiosmtpd", reason="the SMTP server aiosmtpd is not installed")


def all_recover(here: Ground, case: Case, **which: int) -> int:
    needs(case)
    told = io.StringIO()
    strikes = every(here, case, told=told, **which)
    assert strikes and {one.outcome for one in strikes} == {"recovered"}, told.getvalue()
    return len(strikes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_killed_run_is_recovered_and_ends_as_the_serial_one(here, case, record_property):
    step = STEPS[case.target]
    count = all_recover(here, case, step=step, first=1 + CASES.index(case) % step)
    record_property(f"kills recovered, {case.name}", count)


@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_so_of_every_point(here, case):
    all_recover(here, case)


def test_the_points_lie_in_every_phase_of_the_three_and_within_a_targets_own_steps(here):
    kinds = {point.split()[0 if point.startswith("inside") else 1] for point in points_of(here, CASES[0])}
    assert kinds == {"journal", "prepare", "intent", "exec", "undo", "inside"}


def test_a_write_that_the_journal_does_not_tell_of_is_found(here):
    """The judge of recoveries is not blind: a cell changed behind the journal's back is said to be wrong."""
    case = next(one for one in CASES if (one.target, one.workload) == ("SQLite", "slots"))
    folder = here.fresh()
    job = job_of(here, case, folder)
    first = here.forge.do(replace(job, at=60), folder / "run")
    assert first.how == "killed"
    import sqlite3

    base = sqlite3.connect(folder / "base.db")
    base.execute("INSERT INTO cells VALUES ('slots/99', '\"nobody\"')")
    base.commit()
    base.close()
    last = here.forge.do(replace(job, recovers=True), folder / "last")
    assert last.how == "ended" and any("slots/99" in one for one in last.wrong)
    shutil.rmtree(folder)


def test_a_journal_that_lost_its_end_is_not_recovered_silently(here):
    """Nor is it blind to what was acted upon without the journal knowing: an intent that vanished is found out."""
    case = next(one for one in CASES if (one.target, one.workload) == ("SQLite", "lost-update"))
    points = points_of(here, case)
    at = 1 + next(number for number, point in enumerate(points) if point.startswith("after exec"))
    folder = here.fresh()
    job = job_of(here, case, folder)
    assert here.forge.do(replace(job, at=at), folder / "run").how == "killed"
    import sqlite3

    base = sqlite3.connect(job.journal)
    base.execute("DELETE FROM record WHERE seq = (SELECT max(seq) FROM record)")
    base.commit()
    base.close()
    last = here.forge.do(replace(job, recovers=True), folder / "last")
    assert last.how == "ended" and last.wrong, "the counter was taken from twice, and nobody said so"
    assert struck(here, case, at).outcome == "recovered"
    shutil.rmtree(folder)
