"""What the operators and functions of scenario expressions do to values, and how large a value may get.

Python's meaning throughout (so `true + 1` is 2), except that lists are tuples inside, that `%` formats no
strings, and that `str` spells booleans, null and lists as a scenario does.
"""

import ast
import operator
from collections.abc import Callable, Mapping

from coagent.operation import Value, show
from coagent.placed_json import MAX_DIGITS

MAX_CHARACTERS = 10_000
"""Characters an expression or a path may have."""

MAX_SIZE = 10_000
"""Characters and items, all told, that a value may have to be used in an expression; a long integer counts too."""

MAX_NESTING = 50
"""Lists inside one another that a value may have."""


Names = Mapping[str, Value]
"""What is bound, by name."""


class EvaluationError(Exception):
    """An expression or a path has no value over the names as they are bound; the message says why."""


def kind(value: Value) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case str():
            return "a string" if value else "an empty string"
        case _:
            return "a list" if value else "an empty list"


def bound(name: str, names: Names) -> Value:
    """The value a name is bound to. Raises EvaluationError when there is none, or one too large to work with."""
    if name not in names:
        raise EvaluationError(f"{name!r} is not bound")
    return bounded(names[name])


def bounded(value: Value) -> Value:
    """The value itself. Raises EvaluationError when it is too large to work with."""
    if isinstance(value, int):
        if abs(value) >= LARGEST:
            raise EvaluationError(f"an integer has more than {MAX_DIGITS:,} digits")
    elif value is not None and _size(value, 0) > MAX_SIZE:
        raise EvaluationError(f"{kind(value)} has more than {MAX_SIZE:,} items and characters")
    return value


def _size(value: Value, depth: int) -> int:
    """Items and characters all told, so that lists of long strings, or of lists, cannot explode."""
    match value:
        case str():
            return len(value)
        case tuple():
            if depth >= MAX_NESTING:
                raise EvaluationError(f"lists nest more than {MAX_NESTING} deep")
            return sum(1 + _size(item, depth + 1) for item in value)
        case int():
            return value.bit_length() // 4
    return 0


def _times(left: Value, right: Value) -> Value:
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | tuple) and isinstance(count, int) and _size(many, 0) * count > MAX_SIZE:
            raise EvaluationError(f"{kind(many)} repeated has more than {MAX_SIZE:,} items and characters")
    return left * right


def _remainder(left: Value, right: Value) -> Value:
    if isinstance(left, str):
        raise TypeError("% would format a string")
    return left % right


LARGEST = 10**MAX_DIGITS
"""The least integer that is too large."""

WORDS: Mapping[str, Value] = {"true": True, "false": False, "null": None}
"""Literals that JSON spells differently from Python; an expression may have either."""

UNARY = {ast.USub: ("-", operator.neg), ast.UAdd: ("+", operator.pos), ast.Not: ("not", operator.not_)}
ARITHMETIC = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", _times),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", _remainder),
}
COMPARED = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda item, many: item in many),
    ast.NotIn: ("not in", lambda item, many: item not in many),
}
"""The operators by their syntax: symbol, and what each does."""

FUNCTIONS: Mapping[str, tuple[Callable, int, float]] = {
    "len": (len, 1, 1),
    "min": (min, 1, float("inf")),
    "max": (max, 1, float("inf")),
    "sum": (sum, 1, 2),
    "sorted": (lambda many: tuple(sorted(many)), 1, 1),
    "abs": (abs, 1, 1),
    "str": (lambda value: value if isinstance(value, str) else show(value), 1, 1),
}
"""The seven functions: what each does, and how many arguments it takes at least and at most."""
