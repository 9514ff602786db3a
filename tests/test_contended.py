"""Contention comes in the measure asked for, the same for the same seed, and only control keeps the counts right."""

import pytest

from coagent.protocols import protocol
from coagent.running import run
from workloads.contended import HOT, drawn_plan, one_conflict, uneven_plan, workload


def shared(plan) -> float:
    return sum(map(sum, plan)) / sum(map(len, plan))


def test_the_share_of_shared_steps_is_the_probability_and_is_none_or_all_at_the_ends():
    assert shared(drawn_plan(50, 40, conflict=0.3, seed=1)) == pytest.approx(0.3, abs=0.03)
    assert shared(drawn_plan(5, 5, conflict=0.0, seed=1)) == 0
    assert shared(drawn_plan(5, 5, conflict=1.0, seed=1)) == 1


def test_a_step_that_is_shared_at_a_lower_probability_is_so_at_a_higher_one():
    low, high = (drawn_plan(6, 6, conflict=conflict, seed=3) for conflict in (0.3, 0.6))
    assert all(not one or other for a, b in zip(low, high, strict=True) for one, other in zip(a, b, strict=True))
    assert low != high


def test_seeds_draw_different_plans_and_the_same_seed_the_same():
    assert drawn_plan(4, 4, conflict=0.5, seed=1) == drawn_plan(4, 4, conflict=0.5, seed=1)
    assert len({drawn_plan(4, 4, conflict=0.5, seed=seed) for seed in range(8)}) > 6
    assert len({one_conflict(8, seed=seed) for seed in range(12)}) > 6


def test_one_conflict_is_one_shared_step_of_each_of_two_agents():
    assert [sum(steps) for steps in one_conflict(9, seed=4)] == [1, 1]
    assert {len(steps) for steps in one_conflict(9, seed=4)} == {9}


def test_uneven_agents_have_n_to_one_steps():
    assert [len(steps) for steps in uneven_plan(4, conflict=0.5, seed=2)] == [4, 3, 2, 1]


@pytest.mark.parametrize("name", ["serial", "2pl", "occ", "mtpo", "mtpo-reissue"])
def test_control_keeps_every_count(name):
    plan = ((True, False, True), (True, True, False))
    ran = run(workload(plan, think_s=5.0), protocol(name), seed=2)
    assert ran.exit_code == 0 and ran.invariant
    assert ran.outcome.final_state == {HOT: 4, "own/agent-01": 1, "own/agent-02": 1}


def test_naive_loses_counts_that_are_shared_and_no_others():
    ran = run(workload(((True, True), (True, True)), think_s=5.0), protocol("naive"), seed=2)
    assert ran.invariant is False and ran.outcome.final_state[HOT] < 4
    assert run(workload(((False, False), (False,)), think_s=5.0), protocol("naive"), seed=2).invariant
