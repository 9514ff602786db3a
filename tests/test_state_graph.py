"""The drawn state space is the explored one, and every arrow and end in it can be taken again."""

import xml.etree.ElementTree as tree

import pytest

from coagent import Setting, protocol
from coagent.bad_input import BadInput
from coagent.explore import explore
from coagent.state_graph import StateGraph, state_graph
from coagent.stepper import Stepper
from workloads import workload

WORLDS = [(name, rule) for name in ("lost-update", "write-skew", "dirty-read") for rule in ("naive", "2pl", "mtpo")]


def graph(name: str, rule: str) -> StateGraph:
    return state_graph(Setting(workload=workload(name), protocol=protocol(rule)))


@pytest.mark.parametrize(("name", "rule"), WORLDS)
def test_it_has_the_states_and_ends_of_the_exploration(name: str, rule: str) -> None:
    drawn, found = graph(name, rule), explore(Setting(workload=workload(name), protocol=protocol(rule)))
    assert len(drawn) == found.states
    assert {str(one.final_state) for one, _ in drawn.ends.values()} == {str(one.final_state) for one in found.endings}
    if found.notified:
        assert any(way.notice for way in drawn.ways)


@pytest.mark.parametrize(("name", "rule"), WORLDS)
def test_the_schedule_of_an_end_leads_there(name: str, rule: str) -> None:
    drawn = graph(name, rule)
    for number, (ending, _) in drawn.ends.items():
        stepper = Stepper(drawn.setting)
        for index in drawn.schedules[number]:
            stepper.take(index)
        assert not stepper.choices()
        assert stepper.world.final_state == ending.final_state


def test_only_what_is_promised_is_marked_as_right() -> None:
    right = {one.final_state["stock/apples"]: said for one, said in graph("lost-update", "naive").ends.values()}
    assert right == {5: True, 7: False, 8: False}


def test_arrows_go_to_the_right_and_ends_stand_last() -> None:
    drawn = graph("lost-update", "mtpo")
    root = tree.fromstring(drawn.svg())
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == len(drawn)
    last = max(float(one.get("cx")) for one in circles)
    assert sum(float(one.get("cx")) == last for one in circles) == len(drawn.ends)
    bends = [one.get("d").replace("M", "").split() for one in root.iter() if " C" in (one.get("d") or "")]
    assert len(bends) == len(drawn.ways)
    assert all(float(bend[0]) < float(bend[-2]) for bend in bends)
    width = float(root.get("width"))
    words = [one for one in root.iter() if one.tag.endswith("text")]
    assert all(float(one.get("x")) + 5 * len(one.text) < width for one in words)


def test_the_same_world_is_drawn_with_the_same_bytes_and_a_cycle_too() -> None:
    assert graph("lost-update", "mtpo").svg() == graph("lost-update", "mtpo").svg()
    tree.fromstring(
        state_graph(Setting(workload=workload("livelock-finite"), protocol=protocol("broadcast")), most=900).svg()
    )


def test_a_world_that_is_too_large_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="more than 40 states, too many to draw"):
        state_graph(Setting(workload=workload("lost-update"), protocol=protocol("mtpo")), most=40)
