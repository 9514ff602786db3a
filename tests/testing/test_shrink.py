"""A counterexample gets small, stays one, and is of the same kind."""

from dataclasses import replace
from random import Random

import pytest

from coagent.protocols import VARIANTS
from coagent.scenario import Scenario, parse_scenario
from coagent.testing import Witness, every_schedule, smallest
from coagent.testing.scenario_writer import written
from coagent.testing.shrink import shrunk

BIG = {
    "name": "big",
    "story": "much beside the point",
    "think_s": 3.0,
    "state": {"x": 7, "y": "text", "z/a": [1, 2]},
    "agents": [
        {"name": "Ann", "steps": [{"get": "z/a"}]},
        {
            "name": "Bob",
            "steps": [{"get": "y", "as": "w"}, {"if": "w == 'text'", "then": [{"put": "x", "value": "w"}]}],
        },
        {
            "name": "Cid",
            "think_s": 9.0,
            "steps": [{"for": "n", "in": "[1]", "do": [{"get": "x", "as": "v"}, {"put": "q", "value": "v"}]}],
        },
    ],
}


def question(name: str, states: int = 4_000):
    """Whether a scenario goes wrong under a variant on any schedule."""

    def asked(scenario: Scenario) -> Witness | None:
        return every_schedule(scenario, VARIANTS[name], max_states=states).witness

    return asked


def test_what_is_beside_the_point_goes() -> None:
    ask = question("mtpo-without-reader-notices")
    witness = smallest(parse_scenario(BIG, "big"), ask)
    assert (witness.agents, witness.calls) == (2, 3)
    assert [one.name for one in witness.scenario.agents] == ["A", "B"]
    assert not witness.scenario.story and len(witness.scenario.state) <= 1
    assert ask(replace(witness.scenario, schedule=None)) is not None


@pytest.mark.parametrize("seed", range(3))
def test_no_scenario_with_a_step_less_goes_wrong_in_the_same_way(seed: int) -> None:
    ask = question("mtpo-without-any-notice")
    witness = next(
        found
        for number in range(seed * 50, seed * 50 + 50)
        if (found := ask(written(Random(number), "r", agents=3, steps=3, telling=True)))
    )
    small = shrunk(witness, ask)
    assert small.kind == witness.kind and set(small.anomalies) & set(witness.anomalies)
    assert small.calls <= witness.calls and small.agents == 2 and small.calls <= 4
    assert shrunk(small, ask).scenario == small.scenario, "shrinking again finds nothing smaller"


def test_a_scenario_that_goes_right_has_no_smallest_witness() -> None:
    assert smallest(parse_scenario(BIG, "big"), lambda scenario: None) is None


def test_shrinking_stops_when_it_has_asked_often_enough() -> None:
    asked = []

    def counted(scenario: Scenario) -> Witness | None:
        asked.append(scenario)
        return question("mtpo-without-any-notice")(scenario)

    witness = question("mtpo-without-any-notice")(parse_scenario(BIG, "big"))
    shrunk(witness, counted, most=5)
    assert len(asked) == 5
