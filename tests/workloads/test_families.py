"""The families: every serial order is right, naive (but in the control) is not, MTPO comes to the pre-order.

Who dies is to have done nothing: the serial orders are those of the others.
"""

from collections.abc import Iterable
from itertools import permutations

import pytest
from cell_checks import notices, passes, run, timed
from interleavings import endings, kept

from checker.oracle import serial
from coagent.exploring import explored
from coagent.operation import same
from coagent.protocols import protocol
from coagent.simulate import Outcome
from coagent.stepper import verdict
from coagent.workload import Workload
from workloads import balance, blob, chain, dies, disjoint, late_joiner, pushes, readers, ring, workload

COUNTS = {
    "blob": (blob, (2, 6), (4, 10)),
    "balance": (balance, (2, 6), (4, 10)),
    "chain": (chain, (2, 6), (4, 10)),
    "ring": (ring, (2, 6), (5, 11)),
    "pushes": (pushes, (2, 6), (4, 10)),
    "readers": (readers, (7, 10), (14, 20)),
    "disjoint": (disjoint, (20, 20), (35, 35)),
    "late-joiner": (late_joiner, (4, 6), (7, 10)),
    "dies": (dies, (0, 35), (0, 56)),
}
"""By family: its module, and how many of all interleavings of two agents' atomic calls are right, without the note
and with it."""

FAMILIES = {name: module for name, (module, *_) in COUNTS.items()}
CONTENDED = [name for name in FAMILIES if name != "disjoint"]
SEEDS = range(30)


def lived(built: Workload) -> list:
    return [one for one in built.agents if one.dies_after is None]


def in_order(built: Workload, order: Iterable) -> tuple[dict, dict]:
    return serial(built.state, [(one.name, one.program) for one in order], built.tools)


def assert_in_pre_order(built: Workload, outcome: Outcome) -> None:
    state, reports = in_order(built, lived(built))
    assert passes(built, outcome)
    assert same(dict(outcome.final_state), state)
    assert same({name: outcome.reports[name] for name in reports}, reports)


@pytest.mark.parametrize("name", FAMILIES)
def test_so_many_interleavings_of_two_agents_are_right(name):
    module, plain, noted = COUNTS[name]
    assert kept(module.workload(2, irrelevant=False)) == plain
    assert kept(module.workload(2)) == noted


@pytest.mark.parametrize(
    ("name", "agents"), [(name, agents) for name in FAMILIES for agents in (2, 3) if (name, agents) != ("dies", 3)]
)
def test_the_invariant_holds_exactly_where_the_outcome_is_that_of_a_serial_order(name, agents):
    built = FAMILIES[name].workload(agents, irrelevant=False)
    serial_ends = [in_order(built, order) for order in permutations(lived(built))]
    assert all(built.invariant(state, reports) for state, reports in serial_ends)
    known = {repr((sorted(state.items()), sorted(reports.items()))) for state, reports in serial_ends}
    for one in endings(built):
        assert built.invariant(one.state, one.reports) == (one.outcome in known), one.order


@pytest.mark.parametrize("agents", [4, 5])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_serial_order_of_more_agents_is_right(name, agents):
    built = FAMILIES[name].workload(agents)
    for order in permutations(lived(built)):
        assert built.invariant(*in_order(built, order))


@pytest.mark.parametrize("by", ["mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("agents", [2, 3, 5, 16])
@pytest.mark.parametrize("name", FAMILIES)
def test_mtpo_comes_to_the_pre_order_and_sends_notices_on_the_way(name, agents, by):
    built = FAMILIES[name].workload(agents)
    ran = [run(built, by, seed) for seed in (SEEDS if agents < 16 else range(1))]
    for outcome in ran:
        assert_in_pre_order(built, outcome)
    assert any(map(notices, ran)) == (name in CONTENDED)


def assert_right_with_few_notices(name: str, agents: int) -> None:
    """Notices about one operation are coalesced, so that an agent hears no more than once from each below it."""
    built = workload(name, agents=agents)
    outcome = timed(built, "mtpo")
    assert_in_pre_order(built, outcome)
    assert notices(outcome) <= agents * (agents - 1) / 2


@pytest.mark.parametrize("name", ["slots", *FAMILIES])
def test_sixteen_agents_send_no_more_notices_than_there_are_pairs_of_them(name):
    assert_right_with_few_notices(name, 16)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["slots", *FAMILIES])
def test_sixty_four_agents_send_no_more_notices_than_there_are_pairs_of_them(name):
    assert_right_with_few_notices(name, 64)


@pytest.mark.parametrize("by", ["serial", "2pl", "occ"])
@pytest.mark.parametrize("name", FAMILIES)
def test_two_agents_pass_under_every_protocol(name, by):
    built = FAMILIES[name].workload(2)
    assert all(passes(built, run(built, by, seed)) for seed in SEEDS)


@pytest.mark.nightly
@pytest.mark.parametrize("by", ["serial", "2pl", "occ", "mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("name", FAMILIES)
def test_two_agents_pass_a_thousand_times(name, by):
    built = FAMILIES[name].workload(2)
    assert all(passes(built, run(built, by, seed)) for seed in range(1_000))


@pytest.mark.parametrize("by", ["2pl", "occ"])
@pytest.mark.parametrize("name", FAMILIES)
def test_of_five_agents_somebody_gives_up_or_all_is_right(name, by):
    built = FAMILIES[name].workload(5)
    for seed in SEEDS:
        outcome = run(built, by, seed)
        assert passes(built, outcome) or any(one.gave_up for one in outcome.world.actors.values()), seed


@pytest.mark.parametrize("agents", [2, 3, 16])
@pytest.mark.parametrize("name", CONTENDED)
def test_by_the_clock_naive_breaks_the_invariant_and_mtpo_keeps_it(name, agents):
    built = FAMILIES[name].workload(agents)
    broken = timed(built, "naive")
    assert broken.quiescent and not passes(built, broken)
    assert_in_pre_order(built, timed(built, "mtpo"))


@pytest.mark.parametrize("name", ["blob", "balance", "chain", "pushes", "dies"])
def test_naive_never_gets_sixteen_agents_right_by_chance(name):
    built = FAMILIES[name].workload(16)
    assert not any(passes(built, run(built, "naive", seed)) for seed in SEEDS)


@pytest.mark.parametrize("name", ["ring", "readers", "late-joiner"])
def test_naive_gets_sixteen_agents_wrong_at_some_schedule_where_each_meets_few_others(name):
    built = FAMILIES[name].workload(16)
    assert 0 < sum(passes(built, run(built, "naive", seed)) for seed in SEEDS) < len(SEEDS)


@pytest.mark.parametrize("agents", [2, 3, 16])
def test_the_control_never_fails_and_is_told_of_nothing_but_by_footprint(agents):
    built = disjoint.workload(agents)
    for seed in SEEDS if agents < 16 else range(3):
        outcome = run(built, "naive", seed)
        assert passes(built, outcome) and verdict(outcome).verdict == "ok"
        assert not notices(run(built, "mtpo-reissue", seed))
    told = run(built, "mtpo-footprint", 0).history
    assert [*told.of("notify")] and not [*told.of("repair")]


@pytest.mark.parametrize("by", ["serial", "2pl", "mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("name", [*CONTENDED, "disjoint"])
def test_every_schedule_of_two_agents_ends_right(name, by):
    found = explored(FAMILIES[name].workload(2, irrelevant=False), protocol(by))
    assert found.exit_code == 0 and not found.exploration.note
    assert found.exploration.notified == (by.startswith("mtpo") and name in CONTENDED)


@pytest.mark.parametrize("name", CONTENDED)
def test_some_schedule_of_two_agents_ends_wrong_without_control(name):
    assert explored(FAMILIES[name].workload(2, irrelevant=False), protocol("naive")).exit_code == 1


@pytest.mark.parametrize("name", FAMILIES)
def test_the_irrelevant_note_is_told_of_by_footprint_only(name):
    def sent(by, irrelevant):
        built = FAMILIES[name].workload(3, irrelevant=irrelevant)
        return sum(notices(run(built, by, seed)) for seed in range(10))

    assert sent("mtpo-footprint", True) > sent("mtpo-footprint", False)
    assert sent("mtpo-footprint", True) > sent("mtpo", True)


def test_the_repair_of_the_root_goes_down_the_whole_chain():
    built = workload("chain", agents=8)
    outcome = timed(built, "mtpo")
    [*told] = outcome.history.of("notify")
    assert [one["agent"] for one in told] == [f"agent-{number:02}" for number in range(2, 9)]
    assert [one["op"].partition(".")[0] for one in outcome.history.of("repair")] == [one["agent"] for one in told]


def test_an_agent_without_a_lead_does_not_balance():
    built = workload("balance", agents=2)
    state = {"leads/of-person-01/owner": "person-01", "leads/of-person-02/owner": "person-02"}
    assert not built.invariant(state, {})
    given = {**state, "leads/from-agent-01/owner": "person-01", "leads/from-agent-02/owner": "person-02"}
    assert built.invariant(given, {"agent-01": "person-01", "agent-02": "person-02"})
    assert not built.invariant(given, {"agent-01": "person-02", "agent-02": "person-02"})
