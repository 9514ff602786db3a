"""Livelock is a cycle of states that no fair run has to leave; its schedule can be run round and round."""

from dataclasses import dataclass

import pytest

from coagent.explore import explore
from coagent.exploring import explored
from coagent.liveness import _round, lasso
from coagent.protocols import PROTOCOLS, protocol
from coagent.simulate import Listed, simulate
from coagent.state_space import Edge
from coagent.world import Setting
from tests.driving import setting
from workloads import workload
from workloads.textbook import NAMES


def turned(where: Setting, times: int) -> list[str]:
    """What is noted in each turn round the cycle that exploring found, sequence numbers of operations left out."""
    cycle = explore(where).cycle
    schedule = cycle.stem + times * cycle.cycle
    outcome = simulate(where, Listed(schedule), max_steps=len(schedule))
    assert not outcome.quiescent and outcome.schedule == schedule
    begins = [len(cycle.stem) + turn * len(cycle.cycle) for turn in range(times)]
    return [
        repr(
            [
                (one["event"], one.get("agent"), one.get("value"), one.get("args"))
                for one in outcome.history.records
                if begin < one["at"] <= begin + len(cycle.cycle) and one["event"] != "end"
            ]
        )
        for begin in begins
    ]


def test_broadcast_is_convicted_of_livelock_by_a_cycle_with_notices() -> None:
    where = Setting(workload=workload("livelock-finite"), protocol=protocol("broadcast"))
    found = explore(where)
    assert found.complete and not found.endings
    assert found.cycle.notices > 0
    first, *others = turned(where, 4)
    assert "notify" in first and all(one == first for one in others)


def test_a_livelock_is_a_counterexample_and_told_in_sentences() -> None:
    found = explored(workload("livelock-finite"), protocol("broadcast"))
    assert found.exit_code == 1
    first, *notices = found.round_told()
    assert "again and again" in first and len(notices) == found.exploration.cycle.notices
    assert all("is told that" in one for one in notices)
    cycle = found.to_json()["cycle"]
    assert found.worst.outcome.schedule == tuple(cycle["stem"] + 2 * cycle["cycle"])


@pytest.mark.parametrize("rule", [name for name in PROTOCOLS if name != "broadcast"])
@pytest.mark.parametrize("name", NAMES)
def test_every_other_protocol_always_comes_to_an_end(name: str, rule: str) -> None:
    found = explore(Setting(workload=workload(name), protocol=protocol(rule)))
    assert found.complete and found.cycle is None and found.endings


def test_a_bound_that_cuts_the_cycle_off_leaves_it_unsaid() -> None:
    found = explore(Setting(workload=workload("livelock-finite"), protocol=protocol("broadcast")), max_depth=12)
    assert found.open and found.cycle is None


def test_a_third_agent_that_can_go_on_does_not_make_the_others_cycle_unfair() -> None:
    where = setting(
        {
            "A": [{"get": "y", "as": "y"}, {"put": "x", "value": "(y + 1) % 2 if y != null else 0"}],
            "B": [{"get": "x", "as": "x"}, {"put": "y", "value": "x"}],
            "C": [{"put": "z", "value": "1"}],
        },
        protocol("broadcast"),
        {"x": 0, "y": 0},
    )
    cycle = explore(where, max_states=20_000).cycle
    assert cycle is not None and cycle.notices
    schedule = cycle.stem + 2 * cycle.cycle
    world = simulate(where, Listed(schedule), max_steps=len(schedule)).world
    assert world.actors["C"].mode in ("resting", "done")


@dataclass(frozen=True, slots=True)
class _Space:
    """A graph of states as `lasso` sees one."""

    edges: list
    depths: list
    left: frozenset = frozenset()


def test_a_cycle_that_a_choice_open_all_along_would_leave_is_not_fair() -> None:
    a, b, c = ("infer", "A"), ("infer", "B"), ("infer", "C")
    edges = [
        [Edge(1, True, a, (0,)), Edge(2, False, c, (1,))],
        [Edge(0, True, b, (0,)), Edge(2, False, c, (1,))],
        [],
    ]
    assert lasso(_Space(edges, [0, 1, 1]), None) is None


def test_a_cycle_with_a_state_left_open_is_not_judged() -> None:
    a, b = ("infer", "A"), ("infer", "B")
    edges = [[Edge(1, True, a, (0,))], [Edge(0, True, b, (0,))]]
    assert lasso(_Space(edges, [0, 1], frozenset({1})), None) is None


def test_the_way_round_that_is_shown_takes_what_stays_open() -> None:
    a, b, c = ("infer", "A"), ("infer", "B"), ("infer", "C")
    edges = [
        [Edge(1, True, a, (0,)), Edge(2, False, c, (1,))],
        [Edge(0, True, b, (0,)), Edge(2, False, c, (1,))],
        [Edge(0, False, a, (0,))],
    ]
    start, turn = _round(_Space(edges, [0, 1, 1]), {0, 1, 2})
    assert start == 0 and turn[-1].target == 0
    assert c in {edge.label for edge in turn} and any(edge.notice for edge in turn)
