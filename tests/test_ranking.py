"""Ranks are chosen from what each agent does alone, and each rule puts first whom it says."""

from itertools import permutations, product
from random import Random

import pytest

from coagent.bad_input import BadInput
from coagent.protocols import protocol
from coagent.ranking import (
    EXACT_AGENTS,
    RANKS,
    Plan,
    PlannedCall,
    critical_path_first,
    fewest_conflicts,
    ordered,
    plans,
    predicted_conflicts,
    shortest_first,
)
from coagent.running import run
from workloads import workload


def plan(name: str, seconds: float, *calls: tuple[str, str, float]) -> Plan:
    """A plan from (reads, writes, end) triples; paths are split at blanks."""
    made = [PlannedCall(reads=tuple(r.split()), writes=tuple(w.split()), ends_s=end) for r, w, end in calls]
    return Plan(name=name, calls=tuple(made), seconds=seconds)


def total(order: list[str], planned: list[Plan]) -> int:
    named = {one.name: one for one in planned}
    return sum(predicted_conflicts(named[a], named[b]) for at, a in enumerate(order) for b in order[at + 1 :])


def chance_plans(agents: int, seed: int) -> list[Plan]:
    draw = Random(seed)
    calls = [[(draw.choice("xyz"), draw.choice("xyz"), draw.random()) for _ in range(3)] for _ in range(agents)]
    return [plan(f"a{number}", 1.0, *made) for number, made in enumerate(calls)]


def names(rank: str, of: str, agents: int | None = None) -> list[str]:
    return [one.name for one in ordered(workload(of, agents=agents), rank).agents]


def test_shortest_first_sorts_by_seconds_alone_and_keeps_launch_order_in_ties():
    assert shortest_first([plan("a", 9.0), plan("b", 2.0), plan("c", 9.0), plan("d", 1.0)]) == ["d", "b", "a", "c"]


def test_critical_path_begins_with_the_head_of_the_longest_chain():
    middle, end = plan("middle", 3.0, ("x", "y", 3.0)), plan("end", 3.0, ("y", "", 3.0))
    head, alone = plan("head", 1.0, ("", "x", 1.0)), plan("alone", 6.5, ("z", "", 6.5))
    assert critical_path_first([end, alone, middle, head]) == ["head", "alone", "middle", "end"]


def test_critical_path_takes_a_circle_as_one_link_and_the_longest_of_it_first():
    left, right = plan("left", 2.0, ("y", "x", 2.0)), plan("right", 3.0, ("x", "y", 3.0))
    before = plan("before", 1.0, ("", "x", 1.0))
    assert critical_path_first([plan("alone", 5.5), left, right, before]) == ["before", "alone", "right", "left"]


def test_a_conflict_is_predicted_for_a_later_write_below_or_above_what_was_touched():
    reader = plan("reader", 9.0, ("tree", "", 4.0), ("", "tree/leaf", 6.0))
    assert predicted_conflicts(plan("late", 9.0, ("", "tree/leaf", 5.0)), reader) == 1
    assert predicted_conflicts(plan("last", 9.0, ("", "tree", 7.0)), reader) == 2
    assert predicted_conflicts(plan("early", 9.0, ("", "tree/leaf", 3.0)), reader) == 0
    assert predicted_conflicts(plan("beside", 9.0, ("", "trees", 7.0)), reader) == 0
    assert predicted_conflicts(plan("no-write", 9.0, ("tree/leaf", "", 7.0)), reader) == 0


@pytest.mark.parametrize("seed", range(8))
def test_fewest_conflicts_is_the_minimum_over_all_orders(seed):
    planned = chance_plans(5, seed)
    every = [list(order) for order in permutations([one.name for one in planned])]
    assert fewest_conflicts(planned) == min(every, key=lambda order: (total(order, planned), order))


@pytest.mark.parametrize("seed", range(4))
def test_local_search_leaves_no_move_that_helps(seed):
    planned = chance_plans(EXACT_AGENTS + 3, seed)
    order = fewest_conflicts(planned)
    least = total(order, planned)
    assert sorted(order) == sorted(one.name for one in planned)
    assert least < total([one.name for one in planned], planned)
    for name, place in product(order, range(len(order))):
        rest = [one for one in order if one != name]
        assert total([*rest[:place], name, *rest[place:]], planned) >= least


def test_plans_are_of_each_agent_alone_and_without_noise():
    canary = workload("k2-canary")
    mender, copier = plans(canary)
    assert (mender.name, copier.name) == ("A", "B")
    serial = run(canary, protocol("serial"), seed=0)
    assert mender.seconds + copier.seconds == pytest.approx(serial.outcome.seconds)
    assert all(call.ends_s <= one.seconds for one in (mender, copier) for call in one.calls)


def test_each_rank_orders_a_real_workload_as_its_rule_says():
    assert names("shortest-first", "k1-canary") == ["B", "A"]
    assert names("critical-path", "k1-canary") == ["A", "B"]
    assert names("fewest-conflicts", "o4-agenda") == ["B", "A"]
    assert names("launch", "chain", 4) == [f"agent-0{number}" for number in (1, 2, 3, 4)]
    assert names("fewest-conflicts", "chain", 4)[-1] == "agent-01"


def test_a_permutation_names_agents_by_their_place_at_launch():
    assert names("3,1,2", "slots", 3) == ["agent-03", "agent-01", "agent-02"]


@pytest.mark.parametrize(
    ("rank", "says"),
    [
        *((rank, "known are launch, shortest-first") for rank in ("1;2", "-1,2", "²,1", "longest", "", "1,,2")),
        *((rank, "is no order of agents") for rank in ("1,1", "0,1", "1,3", "2")),
        *((rank, "and 'k1-canary-of-trial-image' has 2") for rank in ("1", "3,1,2")),
    ],
)
def test_another_rank_is_refused_with_what_there_is(rank, says):
    with pytest.raises(BadInput, match=says):
        ordered(workload("k1-canary"), rank)


@pytest.mark.parametrize("rank", [*RANKS, "2,1"])
def test_any_rank_leaves_a_contended_run_right_under_mtpo(rank):
    ran = run(ordered(workload("k2-canary"), rank), protocol("mtpo"), seed=3)
    assert ran.exit_code == 0 and ran.order_exact and ran.invariant


@pytest.mark.parametrize("rank", ["3,1,2", "critical-path"])
def test_who_comes_late_cannot_be_ranked_below_who_is_there(rank):
    with pytest.raises(BadInput, match="--rank .* comes late"):
        ordered(workload("late-joiner"), rank)
