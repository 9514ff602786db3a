"""The registry lets through what a tool can be given, and says in one sentence why anything else is no call."""

import enum
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.argument_schema import PART, PATH, TEXT, arguments
from coagent.bad_input import BadInput
from coagent.live.registry import MAX_BYTES, MAX_DEPTH, BadCall, Registry, path_problem
from coagent.operation import Call
from coagent.tool import TOOLS, Tool
from workloads.cluster import CLUSTER_TOOLS
from workloads.document import DOCUMENT_TOOLS
from workloads.office_tool import OFFICE_TOOLS

PLAIN = Registry.of(TOOLS)
CLUSTER = Registry.of(CLUSTER_TOOLS)
OFFICE = Registry.of(OFFICE_TOOLS.values())


def refused(registry, name, args):
    with pytest.raises(BadCall) as caught:
        registry.checked(name, args)
    said = str(caught.value)
    assert "\n" not in said and said.isascii() and len(said) < 500
    return said


def test_arguments_come_in_the_schemas_order_with_lists_as_tuples():
    call = PLAIN.checked("put", {"value": [1, ["a", None], True], "path": "x/y"})
    assert call == Call("put", (("path", "x/y"), ("value", (1, ("a", None), True))))
    assert hash(call) == hash(PLAIN.checked("put", {"path": "x/y", "value": (1, ("a", None), True)}))


def test_rows_inside_lists_are_checked_item_by_item():
    event = ["7", "review", "kofi", "2023-08-01 09:30", 30]
    assert OFFICE.checked("create_events", {"events": [event]}).args == (("events", (tuple(event),)),)
    assert "'events'[0][0]" in refused(OFFICE, "create_events", {"events": [["../x", *event[1:]]]})
    assert "at most 5 items" in refused(OFFICE, "create_events", {"events": [[*event, 1]]})
    assert "at least 5 items" in refused(OFFICE, "create_events", {"events": [event[:4]]})


def test_an_unknown_tool_is_answered_with_the_nearest_names():
    assert "'set_image'" in refused(CLUSTER, "setimage", {})
    assert "add, copy, create" in refused(PLAIN, "zzzzzz", {})
    for name in (None, 3, ["put"], {}, "put\n", "PUT" * 100_000, "\ud800"):
        assert "no tool is named" in refused(PLAIN, name, {})


def test_a_sentence_says_which_argument_what_is_wrong_and_what_is_expected():
    scale = {"name": "web", "replicas": 2}
    assert CLUSTER.checked("scale", scale)
    said = refused(CLUSTER, "scale", {**scale, "replicas": "2"})
    assert said == "scale: the argument 'replicas' is '2', but has to be an integer"
    said = refused(CLUSTER, "scale", {"name": "web"})
    assert said == "scale: the argument 'replicas' is missing; it takes name, replicas"
    said = refused(CLUSTER, "scale", {**scale, "replica": 2})
    assert said == "scale: there is no argument 'replica' (did you mean 'replicas'?); it takes name, replicas"
    assert "takes none" in refused(CLUSTER, "images", {"x": 1})
    insert = {"name": "a", "title": "A", "text": "", "before": 3}
    assert "a text or null" in refused(Registry.of(DOCUMENT_TOOLS), "insert", insert)


@pytest.mark.parametrize(
    "value", [True, 1.0, 1.5, float("nan"), float("inf"), None, "1", [1], {"a": 1}, b"1", object()]
)
def test_only_an_integer_is_an_integer(value):
    refused(PLAIN, "add", {"path": "x", "by": value})


class Word(str):
    pass


class Count(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize("value", [1.5, {"a": 1}, {}, b"x", {1}, [1.0], [[{}]], Word("x"), Count.ONE, object()])
def test_fractions_objects_and_subclasses_are_no_values_at_any_depth(value):
    assert "values are texts, integers" in refused(PLAIN, "put", {"path": "x", "value": value})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff x", "\x00"])
def test_nul_and_half_surrogates_are_refused_in_texts_lists_paths_and_names(text):
    for args in (
        {"path": "x", "value": text},
        {"path": "x", "value": [["y", text]]},
        {"path": f"x/{text}", "value": 1},
        {"path": "x", "value": 1, text: 1},
    ):
        refused(PLAIN, "put", args)


def test_an_emoji_is_a_text_like_any_other():
    assert PLAIN.checked("put", {"path": "x", "value": "\U0001f600"})


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc/passwd", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", "a\nb", "a\n", "a/\n"]
    + ["\n", "a\tb", "a\x7f", "a\x85", "a\u2028b", "\x1b[31m", 5, None, ["a"]],
)
def test_a_path_is_relative_without_dots_empty_parts_or_control_characters(path):
    refused(PLAIN, "get", {"path": path})
    refused(PLAIN, "copy", {"path": "x", "to": path})
    refused(CLUSTER, "rolled_out", {"names": ["web", path], "image": "i"})


def test_names_with_dots_in_them_are_paths():
    for path in ("a.b", "...", "..a", "a..", "repo/.gitignore", "a b/c", "data/x%2Fy"):
        assert PLAIN.checked("get", {"path": path})


def test_a_name_is_one_part_of_a_path():
    assert "slash" in refused(CLUSTER, "scale", {"name": "web/image", "replicas": 1})
    assert "empty" in refused(CLUSTER, "scale", {"name": "", "replicas": 1})
    assert "'..'" in refused(OFFICE, "hand_over", {"table": "..", "rows": ["1"], "to": "kofi"})


def test_arguments_that_are_no_object_are_refused():
    for args in (None, [], "path=x", 3, [["path", "x"]], {1: "x"}, {None: 1}):
        refused(PLAIN, "get", args)


def test_size_and_depth_are_bounded():
    fits = MAX_BYTES - len("path" + "x" + "value")
    assert PLAIN.checked("put", {"path": "x", "value": "a" * fits})
    assert "bytes" in refused(PLAIN, "put", {"path": "x", "value": "a" * (fits + 1)})
    assert "bytes" in refused(PLAIN, "put", {"path": "x", "value": "\u00e9" * (fits // 2 + 1)})
    assert "bytes" in refused(PLAIN, "put", {"path": "x", "value": [[]] * MAX_BYTES})
    assert "digits" in refused(PLAIN, "add", {"path": "x", "by": 10**5000})
    assert "digits" in refused(PLAIN, "add", {"path": "x", "by": -(10**5000)})
    nested = []
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert "deep" in refused(PLAIN, "put", {"path": "x", "value": nested})
    round_and_round = []
    round_and_round.append(round_and_round)
    assert "deep" in refused(PLAIN, "put", {"path": "x", "value": round_and_round})


def test_a_list_that_is_small_in_memory_and_large_when_written_is_refused_soon():
    bomb = ["x"] * 100
    for _ in range(MAX_DEPTH - 2):
        bomb = [bomb] * 100
    began = time.perf_counter()
    assert "bytes" in refused(PLAIN, "put", {"path": "x", "value": bomb})
    assert time.perf_counter() - began < 5


def test_a_registry_takes_no_tool_without_a_schema_and_no_name_twice():
    get = TOOLS["get"]
    for schema in (None, {}, {"type": "array"}, {"type": "object"}, {**arguments(path=PATH), "required": 7}):
        with pytest.raises(BadInput, match="get"):
            Registry.of([replace(get, schema=schema)])
    with pytest.raises(BadInput, match="two tools are named 'get'"):
        Registry.of([get, TOOLS["put"], replace(get, says="another")])


def test_a_schema_that_refers_elsewhere_fetches_nothing(monkeypatch):
    asked = []
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **more: asked.append(args))
    tool = replace(TOOLS["get"], schema=arguments(path={"$ref": "http://127.0.0.1:9/kind.json"}))
    with pytest.raises(Exception, match="kind.json"):
        Registry.of([tool]).checked("get", {"path": "x"})
    assert not asked


def test_enums_bounds_and_patterns_of_other_tools_are_told_of():
    kinds = {"level": {"enum": ["low", "high"]}, "share": {"type": "integer", "maximum": 100}}
    own = Tool("own", TOOLS["get"].declare, TOOLS["get"].exec, schema=arguments(**kinds, word={"pattern": "^[a-z]+$"}))
    one = {"level": "low", "share": 5, "word": "ok"}
    registry = Registry.of([own])
    assert registry.checked("own", one)
    assert "'low' or 'high'" in refused(registry, "own", {**one, "level": "mid"})
    assert "maximum 100" in refused(registry, "own", {**one, "share": 101})
    assert "^[a-z]+$" in refused(registry, "own", {**one, "word": "No"})


SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.binary()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(st.sampled_from(sorted(CLUSTER_TOOLS)), ANYTHING | st.dictionaries(st.text() | st.just("path"), ANYTHING))
def test_whatever_comes_it_is_a_call_or_a_sentence(name, args):
    try:
        call = CLUSTER.checked(name, args)
    except BadCall as error:
        assert "\n" not in str(error) and str(error).isascii()
    else:
        hash(call)
        assert isinstance(args, Mapping) and set(dict(call.args)) == set(args)


@given(st.text(st.sampled_from("a./\n\\ "), max_size=8))
def test_a_path_that_is_let_through_stays_where_it_is_put(text):
    if not path_problem(text):
        parts = text.split("/")
        assert all(parts) and not {".", ".."} & set(parts) and "\n" not in text
    if not path_problem(text, slashes=False):
        assert "/" not in text and not path_problem(text)


def test_schemas_are_json_and_texts_may_be_anything_else():
    assert json.loads(json.dumps(arguments(a=PART, b=TEXT)))["required"] == ["a", "b"]
    assert CLUSTER.checked("set_image", {"name": "web", "image": "../not a path\n"})


def test_jsonschema_is_imported_by_who_makes_a_registry_only():
    program = "import sys, coagent.live.registry; print('jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_checked_call_costs_microseconds(record_property):
    args = {"name": "web", "image": "registry.example/web:1.2"}
    rounds = 2_000
    best = min(_seconds(rounds, args) for _ in range(5)) / rounds * 1e6
    record_property("microseconds for a checked call", f"{best:.1f}")
    assert best < 500


def _seconds(rounds, args):
    began = time.perf_counter()
    for _ in range(rounds):
        CLUSTER.checked("set_image", args)
    return time.perf_counter() - began
