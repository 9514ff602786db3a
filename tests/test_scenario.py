"""What a scenario file may say as a whole, and what is refused on which line."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.placed_json import parse_json
from coagent.scenario import load_scenario, load_scenario_file, parse_scenario, scenario_out
from coagent.testing import scenarios
from tests.scenario_text import DOCUMENTED, refusal, with_steps


class TestReading:
    def test_documented_example_loads_with_its_agents_and_think_times(self):
        scenario = load_scenario(DOCUMENTED, "f.json")
        assert scenario.name == "lost update"
        assert scenario.state == (("stock/apples", 3), ("x", 1))
        assert [(one.name, one.think_s, len(one.steps)) for one in scenario.agents] == [("A", 5.0, 3), ("B", 8.0, 4)]
        assert scenario.agents[1].steps[1].do[0].think_s == 2.5
        assert scenario.agents[1].steps[2].then[0].think_s == 8.0

    def test_name_defaults_to_the_stem_of_the_file(self):
        assert load_scenario(with_steps(), "some/where/write-skew.json").name == "write-skew"

    def test_think_times_come_from_step_then_agent_then_scenario(self):
        text = (
            '{"think_s": 3, "state": {}, "agents": [{"name": "A", "steps": [{"get": "x"}, {"get": "x", "think_s": 1}]},'
            '{"name": "B", "think_s": 0, "finish_think_s": 9, "steps": [{"get": "x"}]}]}'
        )
        one, other = load_scenario(text, "f.json").agents
        assert [step.think_s for step in one.steps] == [3.0, 1.0]
        assert repr(one.think_s) == "3.0"
        assert (one.last_think_s, other.last_think_s, other.steps[0].think_s) == (3.0, 9.0, 0.0)

    def test_optional_keys_are_kept(self):
        scenario = load_scenario(
            '{"story": "why", "judge_s": 1, "tool_s": 0.1, "schedule": [0, 2, 1], "state": {}, '
            '"agents": [{"name": "A", "steps": []}]}',
            "f.json",
        )
        assert (scenario.story, scenario.judge_s, scenario.tool_s) == ("why", 1.0, 0.1)
        assert scenario.schedule == (0, 2, 1)

    def test_optional_keys_have_defaults(self):
        scenario = load_scenario(with_steps(), "f.json")
        assert (scenario.story, scenario.judge_s, scenario.tool_s, scenario.schedule) == ("", None, None, None)
        assert scenario.think_s == 5.0

    def test_state_holds_integers_strings_booleans_null_and_lists_of_those(self):
        text = '{"state": {"a": [1, "b", [true, null]], "a/b": -7}, "agents": [{"name": "A", "steps": []}]}'
        assert load_scenario(text, "f").state == (("a", (1, "b", (True, None))), ("a/b", -7))

    def test_byte_order_mark_and_windows_line_ends_are_read(self, tmp_path):
        file = tmp_path / "f.json"
        file.write_bytes(b"\xef\xbb\xbf" + DOCUMENTED.replace("\n", "\r\n").encode())
        assert load_scenario_file(file) == load_scenario(DOCUMENTED, "f")

    def test_scenario_copies_and_pickles(self):
        scenario = load_scenario(DOCUMENTED, "f.json")
        assert pickle.loads(pickle.dumps(scenario)) == scenario == copy.deepcopy(scenario)
        assert hash(scenario) == hash(load_scenario(DOCUMENTED, "f.json"))


class TestFiles:
    def test_missing_file_is_refused(self, tmp_path):
        with pytest.raises(BadInput, match="no such file"):
            load_scenario_file(tmp_path / "none.json")

    def test_folder_is_refused(self, tmp_path):
        with pytest.raises(BadInput, match="a folder"):
            load_scenario_file(tmp_path)

    @pytest.mark.parametrize("content", [b"", b" \n\n", b"\xef\xbb\xbf"])
    def test_empty_file_is_refused(self, tmp_path, content):
        (tmp_path / "f.json").write_bytes(content)
        with pytest.raises(BadInput, match="f.json: the file is empty"):
            load_scenario_file(tmp_path / "f.json")

    def test_file_that_is_not_utf8_is_refused_with_its_line(self, tmp_path):
        (tmp_path / "f.json").write_bytes(b'{"name":\n\n"caf\xe9"}')
        with pytest.raises(BadInput, match="f.json:3: the file is not UTF-8"):
            load_scenario_file(tmp_path / "f.json")

    def test_name_no_file_can_have_is_refused(self):
        with pytest.raises(BadInput, match="cannot be read"):
            load_scenario_file("a\0b")


NOT_JSON = [
    ("{", 1, "the text ends"),
    ('{"state": {},\n "agents": [', 2, "a bracket is not closed"),
    ('{"state": {},\n}', 2, "comma"),
    ('{"state": {}\n "agents": []}', 2, "a comma or a closing brace"),
    ('{"state"\n 3}', 2, "a colon"),
    ("{\n'state': {}}", 2, "double quotes"),
    ("{\nstate: {}}", 2, "double quotes"),
    ('{"state": {}, "agents":\n [1, ]}', 2, "comma"),
    ('{"state": {"x":\n True}}', 2, "write true"),
    ('{"state": {"x":\n None}}', 2, "write null"),
    ('{"state": {"x":\n NaN}}', 2, "no such number"),
    ('{"state": {"x":\n -Infinity}}', 2, "no such number"),
    ('{"state": {"x":\n 01}}', 2, "a comma or a closing brace"),
    ('{"state": {"x":\n +1}}', 2, "plus sign"),
    ('{"state": {"x":\n .5}}', 2, "write 0 before"),
    ('{"state": {"x":\n ０}}', 2, "a value should be"),
    ('{\n// no\n"state": {}}', 2, "no comments"),
    ('{"state": {"x":\n "abc}}', 2, "unterminated string"),
    ('{"state": {"x":\n "a\tb"}}', 2, "control character"),
    ('{"state": {"x":\n "\\q"}}', 2, "escape"),
    ('{"state": {"x":\n "\\ud800"}}', 2, "surrogate"),
    ('{"state": {}}\n\n{"state": {}}', 3, "follows the end"),
    ("\n\nhello", 3, "found 'hello'"),
    ('{"state": {"x": 1,\n "x": 2}}', 2, "'x' stands twice"),
    ('{"state": {}, "agents": [{"name": "A",\n"name": "B"}]}', 2, "'name' stands twice"),
    ('{"state": {"x":\n' + "9" * 4001 + "}}", 2, "4,001 digits"),
    ('{"state": {"x":\n' + "[" * 100_000, 2, "nest more than 100 deep"),
    ('{"state":\n' + '{"a":' * 100_000, 2, "nest more than 100 deep"),
]


@pytest.mark.parametrize(("text", "line", "says"), NOT_JSON)
def test_what_is_not_json_is_refused_with_its_line(text, line, says):
    error = refusal(text)
    assert error.where == f"f.json:{line}"
    assert says in error.what


def test_the_largest_integer_loads():
    text = '{"state": {"x": -' + "9" * 4000 + '}, "agents": [{"name": "A", "steps": []}]}'
    assert load_scenario(text, "f").state == (("x", 1 - 10**4000),)


A = '{"name": "A", "steps": []}'
MISSHAPEN = [
    ("\n[]", 2, "a list"),
    ("3", 1, "a scenario is an object"),
    ('{"state": {}}', 1, "lacks 'agents'"),
    (f'\n{{"agents": [{A}]}}', 2, "lacks 'state'"),
    (f'{{"state": {{}}, "agents": [{A}],\n"nmae": "x"}}', 2, "unknown key 'nmae' in a scenario (did you mean 'name'?)"),
    (f'{{"state": {{}}, "agents": [{A}],\n"name": 3}}', 2, "'name' is 3, not a string"),
    (f'{{"state": {{}}, "agents": [{A}],\n"story": null}}', 2, "'story' is null, not a string"),
    (f'{{"state":\n[], "agents": [{A}]}}', 1, "the state is an object"),
    ('{"state": {},\n"agents": {}}', 2, "'agents' is an object, not a list"),
    ('{"state": {},\n"agents": []}', 2, "there are no agents"),
    ('{"state": {}, "agents": [\n3]}', 2, "an agent is an object"),
    ('{"state": {}, "agents": [\n{"steps": []}]}', 2, "an agent lacks 'name'"),
    ('{"state": {}, "agents": [\n{"name": "A"}]}', 2, "an agent lacks 'steps'"),
    ('{"state": {}, "agents": [{"name": "A", "steps": [],\n"thinks": 1}]}', 2, "(did you mean 'think_s'?)"),
    ('{"state": {}, "agents": [{"name": "A",\n"steps": {}}]}', 2, "'steps' is an object, not a list"),
    ('{"state": {}, "agents": [{\n"name": " ", "steps": []}]}', 2, "an agent's name is ' '"),
    ('{"state": {}, "agents": [{\n"name": 1, "steps": []}]}', 2, "an agent's name is 1"),
    (f'{{"state": {{}}, "agents": [{A},\n{A}]}}', 2, "two agents have the name 'A'"),
    (f'{{"state": {{}}, "agents": [{A}], "schedule":\n 3}}', 1, "the schedule is 3"),
    (f'{{"state": {{}}, "agents": [{A}], "schedule": [0,\n -1]}}', 2, "-1 in the schedule"),
    (f'{{"state": {{}}, "agents": [{A}], "schedule": [0,\n true]}}', 2, "true in the schedule"),
    (f'{{"state": {{}}, "agents": [{A}], "schedule": [0,\n 1.0]}}', 2, "1.0 in the schedule"),
]


@pytest.mark.parametrize(("text", "line", "says"), MISSHAPEN)
def test_misshapen_scenario_is_refused_with_its_line(text, line, says):
    error = refusal(text)
    assert error.where == f"f.json:{line}"
    assert says in error.what


STATES = [
    ('"x": 1.5', "fractions; count in smaller units"),
    ('"x": 1.0', "fractions; leave the fraction out"),
    ('"x": 1e999', "no fractions"),
    ('"x": {}', "the value of 'x' is an object"),
    ('"x": [1,\n[2.5]]', "2.5"),
    ('"": 1', "is empty"),
    ('"/x": 1', "a slash too many"),
    ('"x/": 1', "a slash too many"),
    ('"x//y": 1', "a slash too many"),
    ('"x{n}": 1', "a brace"),
    ('"x": ' + "[" * 51 + "]" * 51, "nests lists more than 50"),
]


@pytest.mark.parametrize(("member", "says"), STATES)
def test_what_no_cell_can_hold_is_refused_with_its_line(member, says):
    error = refusal(f'{{"agents": [{A}], "state": {{"a": 1,\n{member}}}}}')
    assert error.where == f"f.json:{2 + member.count(chr(10))}"
    assert says in error.what


SECONDS = [
    ("-1", "negative"),
    ("true", "true, not a number"),
    ('"5"', "'5', not a number"),
    ("null", "null, not a number"),
    ("1e999", "more than a thousand million"),
    ("9" * 400, "more than a thousand million"),
    ("[]", "a list, not a number"),
]


@pytest.mark.parametrize(("seconds", "says"), SECONDS)
@pytest.mark.parametrize("place", ["think_s", "judge_s", "tool_s", "agent", "finish", "step"])
def test_seconds_that_are_none_are_refused_with_their_line(place, seconds, says):
    said = {
        key: f',\n"{name}": {seconds}' if place == key else ""
        for key, name in (
            ("think_s", "think_s"),
            ("judge_s", "judge_s"),
            ("tool_s", "tool_s"),
            ("agent", "think_s"),
            ("finish", "finish_think_s"),
            ("step", "think_s"),
        )
    }
    error = refusal(
        '{"state": {}, "agents": [{"name": "A", "steps": [{"get": "x"'
        + said["step"]
        + "}]"
        + said["agent"]
        + said["finish"]
        + "}]"
        + said["think_s"]
        + said["judge_s"]
        + said["tool_s"]
        + "}"
    )
    assert error.where == "f.json:2"
    assert says in error.what


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from([None, 0, 2]),
)
def test_json_is_read_as_the_standard_reader_reads_it(data, indent):
    text = json.dumps(data, indent=indent)
    read, lines = parse_json(text, "f")
    assert repr(read) == repr(json.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from("state agents name steps get put value if then for in do as think_s".split()),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_data_is_a_scenario_or_bad_input(data):
    for each in (data, {"state": {}, "agents": [{"name": "A", "steps": data}]}, {"state": data, "agents": [{}]}):
        try:
            parse_scenario(each, "f")
        except BadInput as error:
            assert error.where == "f"


class TestRoundTrip:
    def test_documented_example_is_written_and_read_back(self):
        scenario = load_scenario(DOCUMENTED, "f.json")
        written = scenario_out(scenario)
        assert load_scenario(json.dumps(written), "other.json") == scenario
        assert written["agents"] == json.loads(DOCUMENTED)["agents"]

    def test_every_key_is_written_and_read_back(self):
        scenario = parse_scenario(
            {
                "name": "n",
                "story": "s",
                "think_s": 2,
                "judge_s": 0,
                "tool_s": 0.5,
                "schedule": [],
                "state": {"b": [1], "a": None},
                "agents": [
                    {
                        "name": "A",
                        "think_s": 5,
                        "finish_think_s": 0,
                        "steps": [
                            {"if": "1", "then": [{"get": "x", "think_s": 2}], "else": []},
                            {"for": "n", "in": "[ ]", "do": []},
                        ],
                    }
                ],
            },
            "f",
        )
        assert load_scenario(json.dumps(scenario_out(scenario)), "f") == scenario

    @given(scenarios())
    def test_any_scenario_is_written_and_read_back(self, scenario):
        again = load_scenario(json.dumps(scenario_out(scenario)), "f")
        assert again == scenario and repr(again) == repr(scenario)
