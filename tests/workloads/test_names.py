"""Workloads by name, and the refusals."""

from importlib.util import find_spec
from pathlib import Path

import pytest

import workloads
from coagent.bad_input import BadInput
from workloads import slots, textbook, workload

needs_canary = pytest.mark.skipif(find_spec("workloads.k2_canary") is None, reason="the canary is not there yet")


def refusal(name, **given):
    with pytest.raises(BadInput) as caught:
        workload(name, **given)
    return str(caught.value)


def test_the_textbook_files_are_the_textbook_names():
    files = {path.stem for path in Path(textbook.__file__).parent.glob("*.json")}
    assert files == set(textbook.NAMES) and len(textbook.NAMES) == len(files)


@pytest.mark.parametrize("name", [*textbook.NAMES, "o5-double-booked-slot", "slots"])
def test_a_workload_has_its_name_a_story_and_an_invariant(name):
    built = workload(name)
    assert built.name == name
    assert built.story.endswith(".") and built.invariant is not None


def test_the_short_form_is_the_same_cell():
    assert workload("o5-double-booked").name == "o5-double-booked-slot"


@needs_canary
def test_the_canary_has_a_short_form():
    assert workload("k2-canary").name == workload("k2-canary-on-bad-image").name == "k2-canary-on-bad-image"


@needs_canary
def test_every_name_is_listed_once_with_one_sentence():
    listed = workloads.names()
    assert [name for name, _ in listed] == list(dict.fromkeys(name for name, _ in listed))
    assert {*textbook.NAMES, "k2-canary-on-bad-image", "o5-double-booked-slot", "slots"} <= {name for name, _ in listed}
    for name, sentence in listed:
        assert workload(name).story.startswith(sentence[:-1])
        assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence


def test_an_unknown_name_is_refused_with_the_nearest():
    assert refusal("lost-updat") == (
        "no workload named 'lost-updat'; did you mean 'lost-update'? `coagent list` names them all"
    )
    assert refusal("k2-canari").startswith("no workload named 'k2-canari'; did you mean 'k2-canary'?")
    assert refusal("xyzzy") == "no workload named 'xyzzy'; `coagent list` names them all"


def test_a_number_of_agents_is_for_families():
    assert len(workload("slots", agents=2).agents) == 2 and len(workload("slots", agents=64).agents) == 64
    assert len(workload("slots").agents) == slots.AGENTS
    assert "--agents is for slots" in refusal("lost-update", agents=2)
    assert "--agents is for slots" in refusal("o5-double-booked", agents=2)


@pytest.mark.parametrize("agents", [-1, 0, 1, 65])
def test_a_family_is_for_two_to_sixty_four_agents(agents):
    assert refusal("slots", agents=agents) == f"'slots' is for 2 to 64 agents, and --agents says {agents}"
