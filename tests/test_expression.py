"""Expressions: which are allowed, what they are worth, and when they have no value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.arithmetic import EvaluationError
from coagent.bad_input import BadInput
from coagent.expression import parse_expression
from tests.scenario_text import refusal, with_steps


def worth(source: str, **names: object) -> object:
    return parse_expression(source).evaluate(names)


NOT_ALLOWED = [
    ("1 / 2", "use '//'"),
    ("2 ** 3", "'**'"),
    ("1 | 2", "bit operators"),
    ("~1", "bit operators"),
    ("x.y", "'.y' looks inside"),
    ("[1][0:1]", "slices"),
    ("[n for n in []]", "comprehensions"),
    ("lambda: 1", "Lambda"),
    ("(1, 2)", "tuples"),
    ("{1: 2}", "Dict"),
    ("{1}", "Set"),
    ("1.5", "not an integer"),
    ("1j", "not an integer"),
    ("b'a'", "neither integer"),
    ("...", "neither integer"),
    ("f'{1}'", "f-strings"),
    ("1 is 1", "use =="),
    ("open('x')", "it calls open"),
    ("'a'.upper()", "it calls what is no name"),
    ("len", "len is a function"),
    ("len()", "takes one argument, not 0"),
    ("len([], [])", "not 2"),
    ("max()", "one argument or more"),
    ("sum(1, 2, 3)", "one or two"),
    ("len(x=[])", "plain arguments"),
    ("max(*[1])", "plain arguments"),
    ("[*[1]]", "may not unpack"),
    ("(v := 1)", "NamedExpr"),
    ("v = 1", "no Python expression"),
    ("1 +", "no Python expression"),
    ("a b", "no Python expression"),
    ("__import__('os')", "it calls __import__"),
    ("", "empty"),
    ("  ", "empty"),
    ("a\0b", "no Python expression"),
    ("'\\ud800'", "surrogate"),
    ("1" * 4001, "4,000 digits"),
    ("1" * 5000, "4,000 digits"),
    ("0x" + "f" * 4000, "4,000 digits"),
    ("1" + " " * 10_000, "10,001 characters"),
    ("(" * 300 + "1" + ")" * 300, "nested parentheses"),
    ("-" * 9000 + "1", "nests"),
    ("not " * 2000 + "1", "nests"),
    ("1" + "+1" * 4000, "nests"),
    ("[]" + "[0]" * 3000, "nests"),
    ("1 if 1 else " * 500 + "1", "nests"),
]


@pytest.mark.parametrize(("source", "says"), NOT_ALLOWED)
def test_expression_that_is_not_allowed_is_refused_with_line_and_reason(source, says):
    error = refusal(with_steps('{"get": "x"}', json.dumps({"report": source})))
    assert error.where == "f.json:3"
    assert says in error.what


WORTH = [
    ("3", 3),
    ("-3", -3),
    ("+3", 3),
    ("'a'", "a"),
    ("True", True),
    ("false", False),
    ("None", None),
    ("null", None),
    ("[1, [true, 'a']]", (1, (True, "a"))),
    ("[]", ()),
    ("1 + 2 * 3", 7),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("7 - 10", -3),
    ("'a' + 'b'", "ab"),
    ("[1] + [2]", (1, 2)),
    ("'ab' * 2", "abab"),
    ("2 * [0]", (0, 0)),
    ("[0] * -1", ()),
    ("1 < 2 < 3", True),
    ("1 < 3 < 2", False),
    ("1 == 1 != 2", True),
    ("[1, 2] == [1, 2]", True),
    ("'a' <= 'b'", True),
    ("1 >= 2 > 'a'", False),
    ("'b' in 'abc'", True),
    ("1 not in [2]", True),
    ("[1] in [[1]]", True),
    ("null == false", False),
    ("0 or 'a'", "a"),
    ("0 and 1 // 0", 0),
    ("1 or 1 // 0", 1),
    ("1 and 2 and 3", 3),
    ("0 or '' or []", ()),
    ("not []", True),
    ("1 if true else 1 // 0", 1),
    ("1 if '' else 2", 2),
    ("[5, 6][1]", 6),
    ("[5, 6][-1]", 6),
    ("'abc'[0]", "a"),
    ("[[1]][0][0]", 1),
    ("len('abc')", 3),
    ("len([1])", 1),
    ("min(2, 1)", 1),
    ("max([1, 3])", 3),
    ("sum([1, 2])", 3),
    ("sum([1], 5)", 6),
    ("sum([[1], [2]], [])", (1, 2)),
    ("sorted([2, 1])", (1, 2)),
    ("sorted('ba')", ("a", "b")),
    ("abs(-2)", 2),
    ("str(3)", "3"),
    ("str('a')", "a"),
    ("str(true)", "true"),
    ("str(null)", "null"),
    ("str([1, 'a', false])", "[1, 'a', false]"),
    ("true + 1", 2),
    ("'a' 'b'", "ab"),
    ("1  # one", 1),
    (" 1 ", 1),
]


@pytest.mark.parametrize(("source", "value"), WORTH)
def test_expression_is_worth_what_python_says(source, value):
    assert repr(worth(source)) == repr(value)


NO_WORTH = [
    ("1 // 0", "division by zero"),
    ("1 % 0", "division by zero"),
    ("1 + 'a'", "+ of an integer and a string"),
    ("[] - []", "- of an empty list and an empty list"),
    ("null < 1", "< of null and an integer"),
    ("-'a'", "- of a string"),
    ("'%d' % 3", "% of a string and an integer"),
    ("[1][5]", "a list of 1 has no item 5"),
    ("1[0]", "an index of an integer"),
    ("[1]['a']", "an index of a list and a string"),
    ("'a'[90]", "a string of 1 has no item 90"),
    ("1 in 2", "in of an integer and an integer"),
    ("len(3)", "len of an integer"),
    ("min([])", "min of an empty list"),
    ("max(1)", "max of an integer"),
    ("sum('a')", "sum of a string"),
    ("sorted([1, 'a'])", "sorted of a list"),
    ("abs(null)", "abs of null"),
    ("'a' * 1000000000", "repeated"),
    ("1000000000 * [0]", "repeated"),
    ("[[0] * 100] * 1000", "repeated"),
    ("'a' * 9999 + 'b' * 9999", "10,000 items and characters"),
    ("[['a' * 9000], ['a' * 9000]]", "10,000 items and characters"),
    ("str([0] * 9000)", "10,000 items and characters"),
    ("9" * 3000 + " * " + "9" * 3000, "4,000 digits"),
]


@pytest.mark.parametrize(("source", "says"), NO_WORTH)
def test_expression_without_a_value_says_why(source, says):
    with pytest.raises(EvaluationError) as caught:
        worth(source)
    assert says in str(caught.value)
    assert "cannot be evaluated" in str(caught.value)


def test_bound_value_too_large_or_too_deep_has_no_worth():
    deep = ()
    for _ in range(5000):
        deep = (deep,)
    for value in (10**4000, "a" * 10_001, (0,) * 10_001, deep):
        with pytest.raises(EvaluationError):
            worth("v", v=value)


def test_expression_names_what_it_takes_and_shows_its_tree():
    expression = parse_expression("len(v) + max(w, 1) if true else null")
    assert expression.names == ("v", "w")
    assert type(expression.tree).__name__ == "IfExp"


@given(st.text(max_size=30) | st.text("v+-*/%()[]<>=!'\"0123 ,.:andornotinif", max_size=40))
def test_any_text_is_an_expression_or_bad_input(source):
    try:
        expression = parse_expression(source, "f:1")
    except BadInput as error:
        assert error.where == "f:1"
        return
    try:
        expression.evaluate({"v": 3})
    except EvaluationError:
        pass
