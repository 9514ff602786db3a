"""The state machine in which Hypothesis makes up the calls convicts and acquits as it should."""

import json

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from coagent.protocols import PROTOCOLS, VARIANTS
from coagent.scenario import parse_scenario
from coagent.simulate import Listed
from coagent.testing import machine, one_schedule

SOME = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    print_blob=False,
)


@pytest.mark.parametrize("name", ("mtpo", "mtpo-reissue", "2pl"))
def test_a_correct_protocol_keeps_its_promise_whatever_is_made_up(name: str) -> None:
    run_state_machine_as_test(machine(PROTOCOLS[name]), settings=SOME)


def test_a_broken_one_does_not_and_the_failure_says_how_to_replay_it(name: str = "mtpo-without-filtered-reads") -> None:
    with pytest.raises(AssertionError) as failure:
        run_state_machine_as_test(machine(VARIANTS[name], calls=3), settings=settings(SOME, max_examples=400))
    said = dict(line.split(": ", 1) for line in str(failure.value).splitlines() if ": " in line)
    scenario = parse_scenario(json.loads(said["scenario"]), "again")
    assert one_schedule(scenario, VARIANTS[name], Listed(map(int, said["schedule"].split(","))))


def test_what_is_made_up_is_collected_by_the_name_of_its_protocol() -> None:
    kind = machine(PROTOCOLS["mtpo"])
    assert kind.__name__ == "Invented[mtpo]" and issubclass(kind.TestCase, __import__("unittest").TestCase)
