"""Every tool of every workload says what its arguments are, and every call that a program makes keeps to it."""

from functools import cache

import pytest
from jsonschema import Draft202012Validator

from coagent.argument_schema import PART, PATH, VALUE, arguments
from coagent.protocols import PROTOCOLS
from coagent.simulate import Clock, simulate
from coagent.world import Setting
from workloads import names, textbook, workload

STEPS = 1_000
"""Choices of a run: some protocols retry without end, and say nothing new."""

NAMES = [name for name, _ in names()]


@cache
def validator(name, tool):
    return Draft202012Validator(workload(name).tools[tool].schema)


def as_json(value):
    match value:
        case dict():
            return {name: as_json(one) for name, one in value.items()}
        case tuple() | list():
            return [as_json(one) for one in value]
    return value


def calls(built, protocol):
    """(tool, arguments) of every call of a run by the clock, each once."""
    outcome = simulate(Setting(workload=built, protocol=protocol), Clock(built.cost.tool_s), max_steps=STEPS)
    found = [(record["tool"], dict(record["args"])) for record in outcome.history.of("invoke")]
    return {repr(call): call for call in found}


@pytest.mark.parametrize("name", NAMES)
def test_every_tool_has_a_schema_that_names_each_argument_and_no_other(name):
    for tool in workload(name).tools.values():
        assert tool.schema is not None, f"{tool.name} has no schema"
        Draft202012Validator.check_schema(tool.schema)
        assert tool.schema["required"] == list(tool.schema["properties"])
        assert tool.schema["additionalProperties"] is False


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_every_protocol_keeps_to_the_schema_and_a_call_with_more_or_less_does_not(name):
    built = workload(name) if name in textbook.NAMES else workload(name, irrelevant=True)
    made = {key: call for protocol in PROTOCOLS.values() for key, call in calls(built, protocol).items()}
    assert made
    for tool, args in made.values():
        given, check = as_json(args), validator(name, tool)
        errors = [error.message for error in check.iter_errors(given)]
        assert not errors, f"{tool} {given}: {errors}"
        assert not check.is_valid({**given, "surplus": 1})
        for left_out in given:
            assert not check.is_valid({one: value for one, value in given.items() if one != left_out})


def accepts(kind, value):
    return Draft202012Validator(arguments(it=kind)).is_valid({"it": value})


@pytest.mark.parametrize("bad", ["", "/", "/a", "a/", "a//b", 1, None, ["a"]])
def test_a_path_has_no_empty_part(bad):
    assert not accepts(PATH, bad)
    assert accepts(PATH, "a") and accepts(PATH, "a/b c/d.e")


@pytest.mark.parametrize("bad", ["", "a/b", "/", 1, None])
def test_a_part_of_a_path_is_one_part(bad):
    assert not accepts(PART, bad)
    assert accepts(PART, "a b")


@pytest.mark.parametrize("bad", [1.5, {}, [{}], [[1.5]], [[[[1]]]]])
def test_a_value_is_no_fraction_and_no_object_at_any_depth(bad):
    assert not accepts(VALUE, bad)
    assert all(accepts(VALUE, good) for good in (None, True, 1, "", [], [None, [1, ["x"]]]))
