"""Steps and names: what is refused, and on which line."""

import pytest

from coagent.bad_input import BadInput
from coagent.scenario import load_scenario, parse_scenario
from tests.scenario_text import refusal, with_steps

STEPS = [
    ('{"gett": "x"}', "unknown call 'gett' (did you mean 'get'?)"),
    ('{"frobnicate": "x"}', "unknown call 'frobnicate'; a step is one of get, list"),
    ('{"as": "v"}', "the step says no call"),
    ("{}", "the step says no call"),
    ("3", "a step is an object"),
    ('{"get": "x", "put": "y", "value": "1"}', "both 'get' and 'put'"),
    ('{"if": "true", "report": "1", "then": []}', "both 'if' and 'report'"),
    ('{"put": "x"}', "the 'put' step lacks 'value'"),
    ('{"add": "x", "value": "1"}', "unknown key 'value' in the 'add' step"),
    ('{"put": "x", "vlaue": "1"}', "(did you mean 'value'?)"),
    ('{"copy": "x"}', "lacks 'to'"),
    ('{"if": "true"}', "lacks 'then'"),
    ('{"for": "n", "in": "[]"}', "lacks 'do'"),
    ('{"for": "n", "do": []}', "lacks 'in'"),
    ('{"if": "true", "then": [], "think_s": 1}', "unknown key 'think_s' in the 'if' step"),
    ('{"report": "1", "as": "v"}', "unknown key 'as' in the 'report' step"),
    ('{"if": "true", "then": {}}', "'then' is an object, not a list"),
    ('{"get": 3}', "is 3, not a string"),
    ('{"get": ""}', "is empty"),
    ('{"get": "/x"}', "a slash too many"),
    ('{"list": "x/"}', "a slash too many"),
    ('{"copy": "x", "to": "a//b"}', "a slash too many"),
    ('{"get": "x{"}', "a brace without its partner"),
    ('{"get": "x}"}', "a brace without its partner"),
    ('{"get": "{{v}}"}', "a brace without its partner"),
    ('{"get": "x/{}"}', "'' is no name"),
    ('{"get": "x/{a b}"}', "'a b' is no name"),
    ('{"get": "{len}"}', "means something"),
    ('{"get": "x", "as": "1v"}', "is no name"),
    ('{"get": "x", "as": 3}', "is no name"),
    ('{"get": "x", "as": "len"}', "means something"),
    ('{"get": "x", "as": "true"}', "means something"),
    ('{"get": "x", "as": "if"}', "means something"),
    ('{"for": "max", "in": "[]", "do": []}', "means something"),
    ('{"put": "x", "value": 5}', "'value' is 5, and expressions are strings"),
    ('{"put": "x", "value": true}', "'value' is true, and expressions are strings"),
    ('{"if": true, "then": []}', "expressions are strings"),
    ('{"for": "n", "in": [1], "do": []}', "expressions are strings"),
    ('{"report": null}', "expressions are strings"),
]


@pytest.mark.parametrize(("step", "says"), STEPS)
def test_step_that_cannot_be_taken_is_refused_with_its_line(step, says):
    error = refusal(with_steps('{"get": "x"}', step))
    assert error.where == "f.json:3"
    assert says in error.what


def test_line_is_that_of_the_key_inside_a_step_of_many_lines():
    error = refusal(with_steps('{"if": "true",\n "then": [\n {"get": "x"},\n {"put":\n "x",\n "value": "1 +"}]}'))
    assert error.where == "f.json:7"


def test_steps_nested_too_deeply_are_refused():
    step: dict = {"report": "1"}
    for _ in range(2000):
        step = {"if": "1", "then": [step]}
    with pytest.raises(BadInput, match="nest"):
        parse_scenario({"state": {}, "agents": [{"name": "A", "steps": [step]}]}, "f")


class TestBinding:
    @pytest.mark.parametrize(
        "step",
        [
            '{"put": "x", "value": "w"}',
            '{"report": "1 + w"}',
            '{"get": "a/{w}"}',
            '{"copy": "a", "to": "{w}"}',
            '{"if": "w", "then": []}',
            '{"for": "n", "in": "w", "do": []}',
            '{"for": "w", "in": "[w]", "do": []}',
            '{"get": "{w}", "as": "w"}',
            '{"if": "true", "then": [{"report": "w"}]}',
            '{"add": "x", "by": "len(w)"}',
        ],
    )
    def test_unbound_name_is_refused_with_its_line(self, step):
        error = refusal(with_steps('{"get": "x", "as": "v"}', step))
        assert error.where == "f.json:3"
        assert "unbound name 'w'" in error.what

    def test_unquoted_text_is_told_to_quote(self):
        assert "quote it if it is text: \"'done'\"" in refusal(with_steps('{"send": "x", "value": "done"}')).what

    def test_misspelt_name_is_told_the_near_one(self):
        error = refusal(with_steps('{"get": "x", "as": "names"}', '{"report": "name"}'))
        assert "(did you mean 'names'?)" in error.what

    @pytest.mark.parametrize(
        "step",
        [
            '{"if": "true", "then": [{"get": "x", "as": "v"}]}',
            '{"if": "true", "then": [], "else": [{"get": "x", "as": "v"}]}',
            '{"for": "n", "in": "[1]", "do": [{"get": "x", "as": "v"}]}',
            '{"for": "v", "in": "[1]", "do": []}',
            '{"if": "1", "then": [{"if": "2", "then": [{"get": "x", "as": "v"}]}], "else": [{"get": "x", "as": "v"}]}',
        ],
    )
    def test_name_bound_on_some_ways_only_is_refused(self, step):
        error = refusal(with_steps(step, '{"report": "v"}'))
        assert error.where == "f.json:3"
        assert "'v' in 'v' may be unbound" in error.what

    def test_name_bound_in_both_branches_is_bound(self):
        branch = '[{"get": "x", "as": "v"}]'
        load_scenario(with_steps(f'{{"if": "1", "then": {branch}, "else": {branch}}}', '{"report": "v"}'), "f")

    def test_name_bound_before_a_branch_or_loop_stays_bound(self):
        rebound = '{"get": "x", "as": "v"}'
        load_scenario(with_steps(rebound, f'{{"if": "v", "then": [{rebound}]}}', '{"report": "v"}'), "f")
        load_scenario(with_steps(rebound, f'{{"for": "v", "in": "[1]", "do": [{rebound}]}}', '{"report": "v"}'), "f")

    def test_loop_variable_is_bound_in_the_body(self):
        load_scenario(with_steps('{"for": "n", "in": "[1]", "do": [{"get": "a/{n}"}, {"report": "n"}]}'), "f")

    def test_names_of_one_agent_are_not_those_of_another(self):
        text = (
            '{"state": {}, "agents": [{"name": "A", "steps": [{"get": "x", "as": "v"}]},\n'
            '{"name": "B", "steps": [{"report": "v"}]}]}'
        )
        assert refusal(text).where == "f.json:2"


def test_an_agents_name_may_not_look_like_an_attempt() -> None:
    text = '{"name": "t", "state": {},\n "agents": [\n  {"name": "A#2", "steps": []}]}'
    with pytest.raises(BadInput, match=r"^t:3: .*'#', which marks a restarted attempt"):
        load_scenario(text, "t")
