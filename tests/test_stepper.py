"""The reader turns the crank: forward, back, and the same again along the schedule."""

import pytest

from coagent import Setting, Stepper, follow, protocol, verdict
from coagent.bad_input import BadInput
from coagent.simulate import Clock
from workloads import workload


def setting(by: str = "mtpo", name: str = "lost-update") -> Setting:
    return Setting(workload=workload(name), protocol=protocol(by))


def test_schedule_of_a_stepped_run_leads_there_again():
    stepper = Stepper(setting())
    for index in (0, 0, 1, 0):
        stepper.take(index)
    stepped = stepper.finish()
    assert stepped.quiescent and stepper.schedule[:4] == (0, 0, 1, 0)
    again = follow(setting(), stepper.schedule)
    assert (again.final_state, again.reports, again.history.records) == (
        stepped.final_state,
        stepped.reports,
        stepped.history.records,
    )


def test_back_and_rewind_forget_what_came_after():
    stepper = Stepper(setting())
    start = stepper.world
    stepper.take(0)
    first = stepper.world
    stepper.take(1)
    stepper.back()
    assert stepper.world is first and stepper.schedule == (0,)
    stepper.take(0)
    stepper.rewind(0)
    assert stepper.world is start and stepper.schedule == ()
    stepper.back()
    assert stepper.world is start


def test_records_are_those_of_the_last_choice():
    stepper = Stepper(setting())
    assert [record["event"] for record in stepper.records] == ["launch", "launch", "infer", "infer"]
    added = stepper.take(0)
    assert added == stepper.records
    assert [record["event"] for record in added] == ["inferred", "invoke"]


def test_a_choice_that_is_not_open_is_refused_and_changes_nothing():
    stepper = Stepper(setting())
    with pytest.raises(BadInput, match="there is no choice 7 here; open are 0: infer A, 1: infer B"):
        stepper.take(7)
    assert stepper.schedule == ()
    stepper.finish()
    with pytest.raises(BadInput, match="the run is over"):
        stepper.take(0)


def test_the_clock_goes_on_from_where_the_reader_stopped():
    stepper = Stepper(setting())
    stepper.take(0)
    times = [record["at"] for record in stepper.finish(Clock(0.1)).history.records]
    assert times == sorted(times) and times[-1] > 10


def test_naive_lost_update_is_convicted_in_sentences():
    naive = follow(setting("naive"), (0, 0, 0, 0))
    assert "lost update" in "\n".join(verdict(naive).sentences())
    assert verdict(naive).exit_code == 1


def test_an_unfinished_run_cannot_be_told():
    stepper = Stepper(setting())
    stepper.take(0)
    assert stepper.verdict().verdict == "unknown"
    stepper.finish()
    assert stepper.verdict().verdict == "ok"
