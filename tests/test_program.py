"""Agents written as data: the calls they make, what they report, and that nothing but what they observed decides it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.operation import Call, Result
from coagent.program import MAX_ROUNDS, Failure, Intent, program, report_out
from coagent.scenario import load_scenario
from coagent.testing import random_scenario, scenarios
from tests.scenario_text import DOCUMENTED, with_steps


def run(*steps: str, sent: tuple[object, ...] = ()) -> tuple[list[Call], object]:
    """The calls an agent makes when each is answered in turn, and its report."""
    running = program(load_scenario(with_steps(*steps), "f.json").agents[0])()
    calls, answers = [], iter(sent)
    try:
        intent = next(running)
        while True:
            calls.append(intent.call)
            answer = next(answers, Result("ok", "ok"))
            intent = running.send(answer if isinstance(answer, Result) else Result("ok", answer))
    except StopIteration as stop:
        return calls, stop.value


class TestPrograms:
    def test_arguments_come_in_the_order_of_the_tool(self):
        calls, _ = run(
            '{"get": "x"}',
            '{"list": "d"}',
            '{"put": "x", "value": "[1]"}',
            '{"value": "2", "create": "x"}',
            '{"delete": "x"}',
            '{"add": "x", "by": "-1"}',
            '{"to": "y", "copy": "x"}',
            '{"send": "o", "value": "\'hi\'"}',
        )
        assert calls == [
            Call("get", (("path", "x"),)),
            Call("list", (("path", "d"),)),
            Call("put", (("path", "x"), ("value", (1,)))),
            Call("create", (("path", "x"), ("value", 2))),
            Call("delete", (("path", "x"),)),
            Call("add", (("path", "x"), ("by", -1))),
            Call("copy", (("path", "x"), ("to", "y"))),
            Call("send", (("path", "o"), ("value", "hi"))),
        ]

    def test_intent_carries_the_think_time_of_its_step(self):
        script = load_scenario(DOCUMENTED, "f").agents[1]
        running = program(script)()
        assert next(running) == Intent(call=Call("list", (("path", "stock"),)), think_s=8.0)
        intent = running.send(Result("ok", ("apples",)))
        assert intent == Intent(call=Call("add", (("path", "stock/apples"), ("by", 1))), think_s=2.5)

    def test_result_is_bound_and_reported(self):
        assert run('{"get": "x", "as": "v"}', '{"report": "[v, v]"}', sent=(3,))[1] == (3, 3)

    def test_failed_call_binds_its_error_word_and_the_agent_goes_on(self):
        calls, report = run(
            '{"create": "x", "value": "1", "as": "v"}',
            '{"get": "y"}',
            '{"report": "v"}',
            sent=(Result("failed", "exists"),),
        )
        assert (len(calls), report) == (2, "exists")

    def test_report_does_not_end_the_program_and_the_last_one_wins(self):
        calls, report = run('{"report": "1"}', '{"get": "x"}', '{"report": "2"}')
        assert (len(calls), report) == (1, 2)

    def test_no_report_step_reports_null(self):
        assert run('{"get": "x"}')[1] is None
        assert run() == ([], None)

    @pytest.mark.parametrize(
        ("value", "taken"),
        [
            (True, "then"),
            (1, "then"),
            ("a", "then"),
            ((0,), "then"),
            (False, "else"),
            (0, "else"),
            ("", "else"),
            ((), "else"),
            (None, "else"),
        ],
    )
    def test_branch_is_taken_by_truth_as_python_has_it(self, value, taken):
        step = '{"if": "v", "then": [{"report": "\'then\'"}], "else": [{"report": "\'else\'"}]}'
        assert run('{"get": "x", "as": "v"}', step, sent=(value,))[1] == taken

    def test_loop_takes_the_items_in_order_and_puts_them_in_paths(self):
        loop = '{"for": "n", "in": "v", "do": [{"get": "d/{n}/x{n}"}]}'
        calls, _ = run('{"list": "d", "as": "v"}', loop, sent=(("a", 7),))
        assert [dict(call.args)["path"] for call in calls] == ["d", "d/a/xa", "d/7/x7"]

    def test_loop_takes_the_list_as_it_was_when_the_loop_began(self):
        calls, report = run(
            '{"list": "d", "as": "v"}',
            '{"for": "n", "in": "v", "do": [{"get": "x", "as": "v"}]}',
            '{"report": "v"}',
            sent=(("a", "b"), 1, 2),
        )
        assert (len(calls), report) == (3, 2)

    @pytest.mark.parametrize("value", [None, True, "", "/a", "a/", (1,), (), "/"])
    def test_value_that_fits_no_path_ends_the_agent_with_an_error(self, value):
        calls, report = run('{"get": "x", "as": "v"}', '{"put": "d/{v}", "value": "1"}', '{"get": "x"}', sent=(value,))
        assert len(calls) == 1
        assert isinstance(report, Failure) and "'d/{v}' cannot be formed" in report.message

    @pytest.mark.parametrize(("value", "path"), [(-3, "d/-3"), ("a/b", "d/a/b"), ("{v}", "d/{v}"), ("a b", "d/a b")])
    def test_integers_and_strings_fit_in_a_path(self, value, path):
        calls, _ = run('{"get": "x", "as": "v"}', '{"get": "d/{v}"}', sent=(value,))
        assert calls[1] == Call("get", (("path", path),))

    def test_value_that_puts_an_empty_name_in_a_path_ends_the_agent(self):
        assert isinstance(run('{"get": "x", "as": "v"}', '{"get": "{v}"}', sent=("a//b",))[1], Failure)

    @pytest.mark.parametrize("value", ["/a", "a/"])
    def test_slash_at_an_end_fits_no_path_even_where_it_would_make_one(self, value):
        assert isinstance(run('{"get": "x", "as": "v"}', '{"get": "d{v}d"}', sent=(value,))[1], Failure)

    @pytest.mark.parametrize("value", [3, "ab", None, True])
    def test_loop_over_what_is_no_list_ends_the_agent_with_an_error(self, value):
        _, report = run('{"get": "x", "as": "v"}', '{"for": "n", "in": "v", "do": []}', sent=(value,))
        assert isinstance(report, Failure) and "needs a list" in report.message

    def test_expression_without_a_value_ends_the_agent_and_keeps_what_it_did(self):
        calls, report = run(
            '{"report": "1"}', '{"get": "x", "as": "v"}', '{"add": "y", "by": "v + 1"}', '{"get": "z"}', sent=("a",)
        )
        assert len(calls) == 1
        assert report == Failure("'v + 1' cannot be evaluated: + of a string and an integer")
        assert report_out(report) == {"error": report.message}

    def test_loops_that_take_too_many_rounds_end_the_agent_with_an_error(self):
        many = '{{"for": "m", "in": "[0] * 200", "do": [{}]}}'.format('{"for": "n", "in": "[0] * 200", "do": []}')
        assert f"{MAX_ROUNDS:,} rounds" in run(many)[1].message

    def test_value_that_doubles_forever_ends_the_agent_with_an_error(self):
        double = '{"for": "n", "in": "[0] * 500", "do": [{"put": "x", "value": "v + v"}, {"get": "x", "as": "v"}]}'
        running = program(load_scenario(with_steps('{"get": "x", "as": "v"}', double), "f").agents[0])()
        intent, cell = next(running), "a"
        with pytest.raises(StopIteration) as stop:
            while True:
                cell = dict(intent.call.args).get("value", cell)
                intent = running.send(Result("ok", cell))
        assert isinstance(stop.value.value, Failure)

    def test_report_out_makes_lists_of_tuples(self):
        assert report_out((1, ("a", None))) == [1, ["a", None]]


def observed(script, results) -> list:
    """Everything an agent says when it is sent these results in turn: intents, then its report if it comes to one."""
    running, said = program(script)(), []
    try:
        said.append(next(running))
        for result in results:
            said.append(running.send(result))
    except StopIteration as stop:
        said.append(stop.value)
    return said


RESULTS = st.lists(
    st.builds(
        Result,
        st.sampled_from(["ok", "failed"]),
        st.none()
        | st.booleans()
        | st.integers(-3, 5)
        | st.sampled_from(["ok", "missing", "a", "b/c", ""])
        | st.lists(st.sampled_from(["a", "b", 1]), max_size=3).map(tuple),
    ),
    max_size=20,
)


@given(scenarios(), RESULTS)
def test_program_is_a_pure_function_of_what_it_observed(scenario, results):
    for script in scenario.agents:
        said = observed(script, results)
        assert said == observed(script, results)
        for count in range(len(results)):
            assert observed(script, results[:count]) == said[: count + 1]


def test_random_scenario_of_a_seed_is_always_the_same():
    assert random_scenario(7) == random_scenario(7)
    assert len({random_scenario(seed) for seed in range(50)}) == 50


def test_random_scenarios_use_every_call_and_every_kind_of_step():
    text = " ".join(repr(random_scenario(seed)) for seed in range(100))
    for tool in ("get", "list", "put", "create", "delete", "add", "copy", "send"):
        assert f"tool='{tool}'" in text
    assert all(kind in text for kind in ("If(", "For(", "Report(", "PathTemplate(source='d/{"))
