"""The families beside `slots`: every serial order is right, naive is not, MTPO comes to the pre-order at any size."""

from itertools import permutations

import pytest
from interleavings import endings, kept

from checker.oracle import serial
from coagent.operation import same
from coagent.protocols import protocol
from coagent.simulate import Chance, Clock, Outcome, simulate
from coagent.workload import Workload
from coagent.world import Setting
from workloads import balance, blob, chain, workload

FAMILIES = {"blob": blob, "balance": balance, "chain": chain}
SEEDS = range(30)


def run(built: Workload, by: str, seed: int) -> Outcome:
    return simulate(Setting(workload=built, protocol=protocol(by), seed=seed), Chance(seed))


def timed(built: Workload, by: str) -> Outcome:
    return simulate(Setting(workload=built, protocol=protocol(by)), Clock(built.cost.tool_s))


def passes(built: Workload, outcome: Outcome) -> bool:
    gave_up = any(one.gave_up for one in outcome.world.actors.values())
    return outcome.quiescent and not gave_up and built.invariant(outcome.final_state, outcome.reports)


def notices(outcome: Outcome) -> int:
    return len([*outcome.history.of("notify")])


def in_order(built: Workload, order: tuple) -> tuple[dict, dict]:
    return serial(built.state, [(one.name, one.program) for one in order], built.tools)


def assert_in_pre_order(built: Workload, outcome: Outcome) -> None:
    state, reports = in_order(built, built.agents)
    assert passes(built, outcome)
    assert same(dict(outcome.final_state), state) and same(dict(outcome.reports), reports)


@pytest.mark.parametrize("name", FAMILIES)
def test_two_of_six_interleavings_of_two_agents_are_right(name):
    assert kept(FAMILIES[name].workload(2, irrelevant=False)) == (2, 6)
    assert kept(FAMILIES[name].workload(2)) == (4, 10)


@pytest.mark.parametrize("agents", [2, 3])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_invariant_holds_exactly_where_the_outcome_is_that_of_a_serial_order(name, agents):
    built = FAMILIES[name].workload(agents, irrelevant=False)
    serial_ends = [in_order(built, order) for order in permutations(built.agents)]
    assert all(built.invariant(state, reports) for state, reports in serial_ends)
    known = {repr((sorted(state.items()), sorted(reports.items()))) for state, reports in serial_ends}
    for one in endings(built):
        assert built.invariant(one.state, one.reports) == (one.outcome in known), one.order


@pytest.mark.parametrize("agents", [4, 5])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_serial_order_of_more_agents_is_right(name, agents):
    built = FAMILIES[name].workload(agents)
    for order in permutations(built.agents):
        assert built.invariant(*in_order(built, order))


@pytest.mark.parametrize("by", ["mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("agents", [2, 3, 5, 16])
@pytest.mark.parametrize("name", FAMILIES)
def test_mtpo_comes_to_the_pre_order_and_sends_notices_on_the_way(name, agents, by):
    built = FAMILIES[name].workload(agents)
    ran = [run(built, by, seed) for seed in (SEEDS if agents < 16 else range(1))]
    for outcome in ran:
        assert_in_pre_order(built, outcome)
    assert any(map(notices, ran))


@pytest.mark.nightly
@pytest.mark.parametrize("name", FAMILIES)
def test_mtpo_comes_to_the_pre_order_with_sixty_four_agents(name):
    built = FAMILIES[name].workload(64)
    assert_in_pre_order(built, timed(built, "mtpo"))


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
@pytest.mark.parametrize("name", FAMILIES)
def test_by_the_clock_naive_breaks_the_invariant_and_mtpo_keeps_it(name, agents):
    built = FAMILIES[name].workload(agents)
    broken = timed(built, "naive")
    assert broken.quiescent and not passes(built, broken)
    assert_in_pre_order(built, timed(built, "mtpo"))


@pytest.mark.parametrize("name", FAMILIES)
def test_naive_never_gets_sixteen_agents_right_by_chance(name):
    built = FAMILIES[name].workload(16)
    assert not any(passes(built, run(built, "naive", seed)) for seed in SEEDS)


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
