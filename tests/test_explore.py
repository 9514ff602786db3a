"""All schedules of the textbook worlds: how they end, and how many states there are."""

import pytest

from checker.oracle import serial
from coagent.explore import explore
from coagent.history import plain
from coagent.program import report_out
from coagent.protocols import protocol
from coagent.simulate import Listed, simulate
from coagent.state_space import spelling
from coagent.world import Setting
from tests.driving import driven, setting
from workloads import workload

STATES = {
    "dirty-read": {"naive": 88, "2pl": 35, "mtpo": 306, "mtpo-reissue": 306},
    "lost-update": {"naive": 60, "2pl": 44, "mtpo": 134, "mtpo-reissue": 174},
    "read-skew": {"naive": 65, "2pl": 29, "mtpo": 222, "mtpo-reissue": 222},
    "write-skew": {"naive": 56, "2pl": 44, "mtpo": 108, "mtpo-reissue": 108},
    "phantom": {"naive": 65, "2pl": 29, "mtpo": 192, "mtpo-reissue": 347},
    "livelock": {"naive": 56, "2pl": 44, "mtpo": 108, "mtpo-reissue": 108},
    "unrecoverable-send": {"naive": 56, "2pl": 44, "mtpo": 50, "mtpo-reissue": 50},
}
"""Unique states with all told apart, pinned: a change here is a change of what can happen, and wants a reason."""


def serial_end(name: str, reverse: bool = False) -> tuple[dict, dict]:
    """Final state and reports of running the agents one after the other, as JSON has them."""
    given = workload(name)
    programs = [(one.name, one.program) for one in given.agents]
    state, reports = serial(given.state, programs[::-1] if reverse else programs, given.tools)
    return {path: plain(value) for path, value in state.items()}, {
        one: report_out(reports[one]) for one in sorted(reports)
    }


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("rule", ["mtpo", "mtpo-reissue"])
def test_mtpo_ends_in_one_way_the_serial_one(name: str, rule: str) -> None:
    found = explore(Setting(workload=workload(name), protocol=protocol(rule)), reduced=False)
    [ending] = found.endings
    assert ending.kind == "quiescent"
    assert (ending.final_state, ending.reports) == serial_end(name)
    assert found.complete and found.states == STATES[name][rule]
    assert found.notified or name in ("phantom", "unrecoverable-send") or rule != "mtpo"


@pytest.mark.parametrize("name", STATES)
def test_naive_ends_in_more_ways_one_of_them_no_serial_one(name: str) -> None:
    found = explore(Setting(workload=workload(name), protocol=protocol("naive")), reduced=False)
    ends = [(ending.final_state, ending.reports) for ending in found.endings]
    assert len(ends) > 1
    assert [end for end in ends if end not in (serial_end(name), serial_end(name, reverse=True))]
    assert found.complete and found.states == STATES[name]["naive"]


@pytest.mark.parametrize("name", STATES)
def test_2pl_ends_only_as_some_serial_order_does(name: str) -> None:
    found = explore(Setting(workload=workload(name), protocol=protocol("2pl")), reduced=False)
    for ending in found.endings:
        assert (ending.final_state, ending.reports) in (serial_end(name), serial_end(name, reverse=True))
    assert found.complete and found.states == STATES[name]["2pl"]


@pytest.mark.parametrize("name", STATES)
def test_some_schedule_does_need_a_repair(name: str) -> None:
    """Beside the always: the worlds are contended, a notice or a late write or a wait does occur."""
    found = explore(Setting(workload=workload(name), protocol=protocol("mtpo")))
    assert found.notified or name in ("phantom", "unrecoverable-send")


@pytest.mark.parametrize("name", [f"{one}-innocent" for one in STATES if one != "unrecoverable-send"])
def test_the_innocent_neighbour_never_strays_from_a_serial_outcome(name: str) -> None:
    found = explore(Setting(workload=workload(name), protocol=protocol("naive")))
    for ending in found.endings:
        assert (ending.final_state, ending.reports) in (serial_end(name), serial_end(name, reverse=True))


def test_an_endings_schedule_leads_to_that_ending() -> None:
    where = Setting(workload=workload("lost-update"), protocol=protocol("naive"))
    for ending in explore(where).endings:
        outcome = simulate(where, Listed(ending.schedule))
        assert {path: plain(value) for path, value in outcome.final_state.items()} == ending.final_state
        assert outcome.schedule == ending.schedule


def test_the_bound_is_kept_and_what_is_left_open_is_counted() -> None:
    found = explore(Setting(workload=workload("livelock"), protocol=protocol("broadcast")), max_states=500)
    assert found.states == 500
    assert found.open > 0 and not found.complete


def test_a_depth_is_kept_and_what_is_left_open_is_counted() -> None:
    where = Setting(workload=workload("lost-update"), protocol=protocol("mtpo"))
    whole, part = explore(where), explore(where, max_depth=6)
    assert part.open > 0 and not part.complete
    assert 6 <= part.depth < whole.depth and part.states < whole.states
    assert explore(where, max_depth=whole.depth) == whole
    assert explore(where, max_depth=6, reduced=False).depth == 6


def test_true_and_one_are_two_states() -> None:
    one, other = (
        driven(setting({"A": [{"put": "x", "value": value}]}, protocol("naive")), "A") for value in ("1", "true")
    )
    assert spelling(one) != spelling(other)


def test_forking_a_world_leaves_it_as_it_was() -> None:
    where = setting({"A": [{"put": "x", "value": "1"}], "B": [{"put": "x", "value": "2"}]}, protocol("mtpo"))
    world = driven(where, "")
    before = (hash(world), world.choices())
    ends = {driven(world, moves).final_state["x"] for moves in ("AB", "BA")}
    assert ends == {2}
    assert (hash(world), world.choices()) == before
    assert driven(world, "AB").recorder.count != world.recorder.count
