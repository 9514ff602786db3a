"""A malformed call is answered in words that say which field, what is wrong and what is expected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.live.agents.arguments import MOST_CHARACTERS, Malformed, checked, spec
from coagent.live.agents.completion import ToolCall, ToolSpec
from coagent.operation import Call
from coagent.tool import Tool, reading

SCALE = ToolSpec(
    name="scale",
    says="set a deployment's replicas",
    schema={
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "the deployment", "pattern": "^[a-z-]+$"},
            "replicas": {"type": "integer", "minimum": 0},
            "zones": {"type": "array", "items": {"type": "string"}},
            "mode": {"enum": ["fast", "slow"]},
        },
        "required": ["name", "replicas"],
        "additionalProperties": False,
    },
)
ANY = ToolSpec(name="put", says="set a path", schema={"type": "object", "properties": {"path": {}, "value": {}}})
TOOLS = {"scale": SCALE, "put": ANY}


def check(text, name="scale"):
    return checked(ToolCall(id="1", name=name, arguments=text), TOOLS)


def test_a_good_call_has_its_arguments_in_the_order_of_the_schema():
    found = check('{"zones": ["a", "b"], "replicas": 3, "name": "geo"}')
    assert found == Call("scale", (("name", "geo"), ("replicas", 3), ("zones", ("a", "b"))))


def test_a_whole_number_with_a_point_is_an_integer():
    assert check('{"name": "geo", "replicas": 3.0}') == Call("scale", (("name", "geo"), ("replicas", 3)))
    assert isinstance(dict(check('{"name": "geo", "replicas": 3.0}').args)["replicas"], int)


def test_a_call_without_arguments_may_come_as_no_text():
    assert check("", name="put") == Call("put", ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "geo", "replicas": ', ["not JSON", "line 1", "one JSON object"]),
        ("name=geo", ["not JSON", "one JSON object"]),
        ('["geo", 3]', ["the arguments are a list", "one JSON object"]),
        ("null", ["the arguments are null"]),
        ('"{}"', ["the arguments are a string"]),
        ('{"name": "geo"}', ["missing", '"replicas"', "an integer", '"minimum": 0']),
        ("{}", ['"name"', "a string", "the deployment", '"replicas"']),
        ('{"name": "geo", "replicas": "3"}', ["'replicas'", "a string", '"3"', "expected an integer"]),
        ('{"name": "geo", "replicas": true}', ["'replicas'", "a boolean", "expected an integer"]),
        ('{"name": "geo", "replicas": 2.5}', ["'replicas'", "2.5", "expected an integer"]),
        ('{"name": "geo", "replicas": -1}', ["'replicas'", "-1", '"minimum": 0']),
        ('{"name": "Geo!", "replicas": 1}', ["'name'", '"Geo!"', "^[a-z-]+$"]),
        ('{"name": "geo", "replicas": 1, "zone": "a"}', ['no field "zone"', "name, replicas, zones, mode"]),
        ('{"name": "geo", "replicas": 1, "zones": ["a", 2]}', ["'zones[1]'", "an integer", "expected a string"]),
        ('{"name": "geo", "replicas": 1, "mode": "odd"}', ["'mode'", '"odd"', '"fast", "slow"']),
        ('{"name": "geo", "name": "x", "replicas": 1}', ['"name" is there twice']),
        ('{"name": "geo", "replicas": NaN}', ["NaN is no number"]),
        ('{"name": "geo", "replicas": 1' + "0" * 5000 + "}", ["cannot be read"]),
        ('{"name": ' + "[" * 100_000, ["nested"]),
        ('{"name": ' + "[" * 300 + "]" * 300 + "}", ["nested"]),
        ('{"name": "' + "x" * MOST_CHARACTERS + '"}', ["longer than"]),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_is_wrong_is_said(text, words):
    found = check(text)
    assert isinstance(found, Malformed) and found.why.startswith("scale")
    assert [word for word in words if word not in found.why] == []
    assert len(found.why) < 600


def test_a_tool_that_there_is_not_is_answered_with_those_there_are():
    assert check("{}", name="delete_all").why == 'there is no tool "delete_all"; the tools are: put, scale'


@pytest.mark.parametrize("value", ["1.5", '{"a": 1}', '[{"a": 1}]', "1e999", '"\\ud800"'])
def test_what_no_cell_can_hold_is_refused_even_where_the_schema_lets_it(value):
    found = check(f'{{"path": "x", "value": {value}}}', name="put")
    assert isinstance(found, Malformed) and "the field 'value'" in found.why


def test_of_many_slips_the_first_few_are_said():
    found = check(json.dumps({"name": "geo", "replicas": 1, "zones": list(range(20))}))
    assert found.why.count("expected a string") == 5 and "(and 15 more)" in found.why


def test_a_missing_field_is_said_once():
    assert check("{}").why.count("missing") == 1


@given(text=st.text())
def test_no_text_is_too_strange_to_be_answered(text):
    found = check(text)
    assert isinstance(found, Malformed) and found.why


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=8,
)


@given(value=VALUES)
def test_every_value_of_a_cell_gets_through(value):
    found = check(json.dumps({"path": "x", "value": value}), name="put")
    assert repr(found) == repr(Call("put", (("path", "x"), ("value", value))))


def test_a_tool_is_shown_with_its_schema_and_not_without_one():
    tool = Tool("get", reading, lambda view, args: None, "a value", schema=SCALE.schema)
    assert spec(tool) == ToolSpec(name="get", says="a value", schema=SCALE.schema)
    with pytest.raises(BadInput, match="'get' has no schema"):
        spec(Tool("get", reading, lambda view, args: None))
