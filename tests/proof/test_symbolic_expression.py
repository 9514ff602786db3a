"""Expressions as terms mean what expressions mean: where a path's condition holds, its term comes to Python's value.

The value is worked out by z3's own simplifier, so that the translation into z3 is tested and nothing beside it.
"""

from random import Random

import pytest

from checker.proof.solver import Solver
from checker.proof.symbolic_expression import Reader
from checker.proof.term import Numbering
from checker.proof.tracked import NoValue, Trace, Tracked, WrongTerm
from coagent.arithmetic import EvaluationError
from coagent.bad_input import BadInput
from coagent.expression import Expression, parse_expression
from coagent.operation import Value, same

VALUES = (0, 1, 2, -1, -3, 7, True, False, None, "", "a", "b", "ab", "ok", "é\\u{41}", (), (1,), (1, 2), ("a",))
VALUES += ((True,), (0, "a"), (3, -1), (2, 2), ((1,), (True,)))
ATOMS = ("v", "w", "u", "v", "w", "0", "1", "2", "-3", "'a'", "'ab'", "true", "null", "[1, 2]", "[]")
BINARY = ("+", "-", "*", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or")
UNARY = ("len", "min", "max", "sum", "sorted", "abs", "str")


def written(random: Random, depth: int) -> str:
    """A random expression over u, v and w."""
    if depth == 0 or random.random() < 0.2:
        return random.choice(ATOMS)
    one, two, three = (written(random, depth - 1) for _ in range(3))
    common = [f"({one} {random.choice(BINARY)} {two})"] * 6 + [f"{random.choice(UNARY)}({one})"] * 2
    rare = [f"(not {one})", f"(-{one})", f"[{one}, {two}]", f"({one} if {two} else {three})", f"{one}[{two}]"]
    return random.choice([*common, *rare, f"max({one}, {two})", f"sum({one}, {two})", f"({one} < {two} <= {three})"])


def real(expression: Expression, names: dict[str, Value]) -> Value | EvaluationError:
    """What the expression itself says."""
    try:
        return expression.evaluate(names)
    except EvaluationError as error:
        return error


def read(expression: Expression, names: dict[str, Value]) -> tuple[Trace, Tracked | None]:
    """The expression over unknowns that are, here, these values; None when it has no value."""
    trace = Trace(Numbering())
    tracked = {name: Tracked(value, trace.numbering.symbol(name), trace) for name, value in names.items()}
    try:
        return trace, Reader(tracked, trace).read(expression.tree)
    except NoValue:
        return trace, None


def assert_faithful(random: Random, expression: Expression, tries: int) -> int:
    """The term comes to the value here, and wherever else its path goes; returns in how many other places it did."""
    here = {name: random.choice(VALUES) for name in "uvw"}
    trace, found = read(expression, here)
    due = real(expression, here)
    assert (found is None) is isinstance(due, EvaluationError), (expression, here)
    assert found is None or same(found.value, due), (expression, here)
    solver, elsewhere = Solver(trace.numbering), 0
    for turn in range(tries):
        there = {name: value if random.random() < 0.5 else random.choice(VALUES) for name, value in here.items()}
        there = here if turn == 0 else there
        cells = {name: (value,) for name, value in there.items()}
        holds = [solver.value(truth, cells) for truth in trace.condition()]
        assert turn or all(holds), (expression, here)
        if False in holds:
            continue
        elsewhere += turn > 0 and there != here
        due = real(expression, there)
        if found is None:
            assert str(due) == str(real(expression, here)), (expression, here, there)
        else:
            assert same(solver.value(found.number, cells), (due,)), (expression, here, there)
    return elsewhere


def expressions(random: Random, count: int) -> list[Expression]:
    """Random expressions that a scenario may hold."""
    found = []
    while len(found) < count:
        try:
            found.append(parse_expression(written(random, random.randint(1, 3))))
        except BadInput:
            continue
    return found


def test_a_term_comes_to_what_the_expression_does_wherever_its_path_goes() -> None:
    random = Random(7)
    assert sum(assert_faithful(random, one, 5) for one in expressions(random, 200)) > 200


@pytest.mark.nightly
def test_a_term_comes_to_what_the_expression_does_at_length() -> None:
    random = Random(8)
    assert sum(assert_faithful(random, one, 8) for one in expressions(random, 20_000)) > 20_000


@pytest.mark.parametrize(
    ("source", "v", "w"),
    [
        ("v // w", 7, -2),
        ("v // w", -7, 2),
        ("v % w", 7, -2),
        ("v % w", -7, 2),
        ("v % w", -7, -2),
        ("abs(v) + w", -3, 0),
    ],
)
def test_division_rounds_as_python_does(source: str, v: int, w: int) -> None:
    expression = parse_expression(source)
    trace, found = read(expression, {"v": 1, "w": 1})
    assert Solver(trace.numbering).value(found.number, {"v": (v,), "w": (w,)}) == (real(expression, {"v": v, "w": w}),)


def test_a_boolean_equals_an_integer_in_an_expression_and_is_not_the_same_in_a_cell() -> None:
    trace, found = read(parse_expression("v == 1"), {"v": 1})
    solver = Solver(trace.numbering)
    assert solver.value(found.number, {"v": (True,)}) == (True,)
    terms = trace.numbering
    assert solver.value(terms.same(terms.symbol("v"), terms.constant(1)), {"v": (True,)}) is False


def test_sums_in_another_order_have_the_same_number() -> None:
    terms = Numbering()
    x = terms.part("whole", terms.symbol("x"))
    one = terms.plus(terms.plus(x, terms.whole(3)), terms.whole(-1))
    assert one == terms.plus(terms.plus(x, terms.whole(-1)), terms.whole(3))
    assert one != terms.plus(x, terms.whole(3))


def test_a_term_that_says_otherwise_than_its_value_is_found_out() -> None:
    trace = Trace(Numbering())
    wrong = Tracked(3, trace.numbering.constant(4), trace)
    with pytest.raises(WrongTerm):
        wrong.pin()


def test_known_values_are_compared_as_an_expression_compares_them() -> None:
    terms = Numbering()
    assert terms.equal(terms.constant(True), terms.constant(1)) == terms.true
    assert terms.same(terms.constant(True), terms.constant(1)) == terms.false
    assert terms.equal(terms.constant("1"), terms.constant(1)) == terms.false


def test_a_sorted_list_holds_on_the_paths_of_its_order_only() -> None:
    trace, found = read(parse_expression("sorted([v, w])"), {"v": 1, "w": 2})
    solver = Solver(trace.numbering)
    whole = trace.numbering.all_of(trace.condition())
    assert solver.value(whole, {"v": (3,), "w": (5,)}) is True
    assert solver.value(whole, {"v": (5,), "w": (3,)}) is False
    assert solver.value(found.number, {"v": (3,), "w": (5,)}) == ((3, 5),)
