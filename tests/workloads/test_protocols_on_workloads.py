"""The workloads under protocols, on random schedules: MTPO comes to the serial outcome, naive breaks what it can."""

import pytest

from checker.oracle import serial
from coagent.operation import same
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive
from coagent.simulate import Chance, Clock, simulate
from coagent.world import Setting
from workloads import slots, textbook, workload
from workloads.o5_double_booked_slot import workload as o5

SEEDS = range(30)

BUILT = {
    **{name: (lambda name=name: workload(name)) for name in textbook.NAMES},
    "o5": o5,
    "o5 with a label": lambda: o5(irrelevant=True),
    "slots": lambda: slots.workload(2),
}

HARMFUL = [name for name in BUILT if not name.endswith("-innocent")]
INNOCENT = [name for name in BUILT if name.endswith("-innocent")]


def run(built, protocol, seed):
    return simulate(Setting(workload=built, protocol=protocol, seed=seed), Chance(seed))


def notices(outcome):
    return sum(record["event"] == "notify" for record in outcome.history.records)


def assert_serial(built, outcome):
    state, reports = serial(built.state, [(one.name, one.program) for one in built.agents], built.tools)
    assert outcome.quiescent
    assert same(dict(outcome.final_state), state) and same(dict(outcome.reports), reports)
    assert built.invariant(outcome.final_state, outcome.reports)


@pytest.mark.parametrize("late", ["replay", "reissue"])
@pytest.mark.parametrize("name", BUILT)
def test_mtpo_comes_to_the_serial_outcome_on_every_schedule(name, late):
    built = BUILT[name]()
    for seed in SEEDS:
        assert_serial(built, run(built, Mtpo(late=late), seed))


@pytest.mark.parametrize("name", HARMFUL)
def test_naive_breaks_the_invariant_on_some_schedule_and_keeps_it_on_some(name):
    built = BUILT[name]()
    held = {built.invariant(one.final_state, one.reports) for one in (run(built, Naive(), seed) for seed in SEEDS)}
    assert held == {True, False}


@pytest.mark.parametrize("name", INNOCENT)
def test_naive_never_breaks_an_innocent_neighbour(name):
    built = BUILT[name]()
    for seed in SEEDS:
        outcome = run(built, Naive(), seed)
        assert outcome.quiescent and built.invariant(outcome.final_state, outcome.reports)


@pytest.mark.parametrize("name", [name for name in HARMFUL if name not in ("o5", "o5 with a label", "slots")])
def test_mtpo_repairs_a_textbook_anomaly_on_some_schedule(name):
    built = BUILT[name]()
    assert any(notices(run(built, Mtpo(), seed)) for seed in SEEDS)


def test_mtpo_sends_no_notice_where_a_path_only_looks_like_the_collection():
    built = workload("phantom-innocent")
    assert not any(notices(run(built, Mtpo(notify="footprint"), seed)) for seed in SEEDS)


@pytest.mark.parametrize("agents", [2, 3, 5, 16])
def test_mtpo_gives_the_slot_of_its_rank_to_every_agent(agents):
    built = slots.workload(agents)
    expected = {f"slots/{rank}": f"agent-{rank:02}" for rank in range(1, agents + 1)}
    for seed in range(30 if agents < 16 else 1):
        outcome = run(built, Mtpo(), seed)
        assert outcome.quiescent
        assert {path: value for path, value in outcome.final_state.items() if path in expected} == expected
        assert list(outcome.reports.values()) == list(range(1, agents + 1))
        assert set(outcome.final_state) == {*expected, "slots/0", "slots/0/note"}


def test_naive_loses_bookings_of_sixteen_agents_whatever_the_schedule():
    built = slots.workload(16)
    for seed in SEEDS:
        outcome = run(built, Naive(), seed)
        assert outcome.quiescent and not built.invariant(outcome.final_state, outcome.reports)


def test_by_the_clock_both_agents_book_the_same_slot_and_mtpo_mends_it():
    built = o5()
    clashing = simulate(Setting(workload=built, protocol=Naive()), Clock(built.cost.tool_s))
    assert clashing.reports["A"] == clashing.reports["B"]
    assert_serial(built, simulate(Setting(workload=built, protocol=Mtpo()), Clock(built.cost.tool_s)))


@pytest.mark.parametrize("name, built", [("o5", o5), ("slots", slots.workload)])
def test_the_irrelevant_write_is_told_of_by_footprint_only(name, built):
    plain, noted = built(irrelevant=False), built(irrelevant=True)

    def sent(one, notify):
        return sum(notices(run(one, Mtpo(notify=notify), seed)) for seed in range(6))

    assert sent(noted, "footprint") > sent(plain, "footprint")
    assert sent(noted, "footprint") > sent(noted, "change")
