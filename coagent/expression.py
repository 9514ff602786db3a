"""The expressions of a scenario: what is allowed, checked once when the file is read, and their value over bound names.

Knows the names bound so far and nothing else; what operators do to values is `coagent.arithmetic`'s.
"""

import ast
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from coagent.arithmetic import (
    ARITHMETIC,
    COMPARED,
    FUNCTIONS,
    MAX_CHARACTERS,
    UNARY,
    WORDS,
    EvaluationError,
    Names,
    bound,
    bounded,
    kind,
)
from coagent.bad_input import BadInput
from coagent.operation import Value, show
from coagent.placed_json import MAX_DIGITS, brief

MAX_DEPTH = 100
"""Operators inside one another; a sum of a hundred terms is that deep."""

Worth = Callable[[Names], Value]


class _Refused(Exception):
    """Something in the source is not allowed; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as written, the names it takes, and its meaning; equal when written the same."""

    source: str
    names: tuple[str, ...] = field(compare=False, repr=False)
    worth: Worth = field(compare=False, repr=False)

    def evaluate(self, names: Names) -> Value:
        """The value over these names. Raises EvaluationError."""
        try:
            return self.worth(names)
        except EvaluationError as error:
            raise EvaluationError(f"{brief(self.source)} cannot be evaluated: {error}") from None

    @property
    def tree(self) -> ast.expr:
        """The checked syntax tree, for those who translate it."""
        return _tree(self.source)

    def __reduce__(self):
        return parse_expression, (self.source,)


def parse_expression(source: str, where: str = "") -> Expression:
    """The expression, checked and ready. Raises BadInput with the reason when it is not one, or not an allowed one."""
    try:
        if len(source) > MAX_CHARACTERS:
            raise _Refused(f"it has {len(source):,} characters and may have {MAX_CHARACTERS:,}; shorten it")
        if not source.strip():
            raise _Refused("it is empty; write null for no value, '' for an empty string")
        tree = _tree(source)
        worth = _build(tree, 0)
    except _Refused as refusal:
        raise BadInput(f"the expression {brief(source)} is not allowed: {refusal}", where) from None
    calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in calls}
    return Expression(source, tuple(sorted(names - set(WORDS))), worth)


def _tree(source: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.strip(), mode="eval").body
    except (RecursionError, MemoryError):
        raise _Refused("it nests too deeply; take it apart") from None
    except (SyntaxError, ValueError) as error:
        if "int_max_str_digits" in str(error):
            raise _Refused(f"an integer has more than {MAX_DIGITS:,} digits; write a smaller one") from None
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise _Refused(f"it is no Python expression ({said}); text takes quotes of its own") from None


def _build(node: ast.expr, depth: int) -> Worth:
    if depth > MAX_DEPTH:
        raise _Refused(f"it nests more than {MAX_DEPTH} deep; take it apart")
    depth += 1
    match node:
        case ast.Constant(value=value):
            return _constant(value)
        case ast.Name(id=name):
            return _named(name)
        case ast.List(elts=elements):
            items = [_build(element, depth) for element in elements]
            return lambda names: bounded(tuple([item(names) for item in items]))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in ARITHMETIC:
            return _apply(*ARITHMETIC[type(op)], _build(left, depth), _build(right, depth))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return _apply(*UNARY[type(op)], _build(operand, depth))
        case ast.BoolOp(op=op, values=values):
            return _joined(isinstance(op, ast.Or), [_build(value, depth) for value in values])
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in COMPARED for op in ops):
            return _compared([COMPARED[type(op)] for op in ops], [_build(each, depth) for each in (left, *rights)])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            test, body, orelse = _build(test, depth), _build(body, depth), _build(orelse, depth)
            return lambda names: body(names) if test(names) else orelse(names)
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
            return _apply("an index", operator.getitem, _build(value, depth), _build(index, depth))
        case ast.Call():
            return _called(node, depth)
    raise _Refused(_reason(node))


def _constant(value: object) -> Worth:
    if isinstance(value, float | complex):
        raise _Refused(f"{value!r} is not an integer, and values hold no fractions; count in smaller units")
    if not (value is None or isinstance(value, bool | int | str)):
        raise _Refused(f"{brief(str(value))} is neither integer, string, boolean nor null")
    try:
        bounded(value)
        str(value).encode()
    except EvaluationError as error:
        raise _Refused(str(error)) from None
    except UnicodeEncodeError:
        raise _Refused("it holds half of a surrogate pair; write the whole character") from None
    return lambda names: value


def _named(name: str) -> Worth:
    if name in WORDS:
        return _constant(WORDS[name])
    if name in FUNCTIONS:
        raise _Refused(f"{name} is a function; write {name}(...)")
    return lambda names: bound(name, names)


def _called(node: ast.Call, depth: int) -> Worth:
    name = getattr(node.func, "id", "what is no name")
    if name not in FUNCTIONS:
        raise _Refused(f"it calls {name}; the functions are {', '.join(FUNCTIONS)}")
    function, least, most = FUNCTIONS[name]
    if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
        raise _Refused(f"{name} takes plain arguments only, neither name=value nor *list")
    if not least <= len(node.args) <= most:
        number = "one argument" if most == 1 else "one or two arguments" if most == 2 else "one argument or more"
        raise _Refused(f"{name} takes {number}, not {len(node.args)}")
    return _apply(name, function, *[_build(each, depth) for each in node.args])


def _apply(symbol: str, function: Callable, *worths: Worth) -> Worth:
    def worth(names: Names) -> Value:
        values = [each(names) for each in worths]
        try:
            return bounded(function(*values))
        except ZeroDivisionError:
            raise EvaluationError("division by zero") from None
        except IndexError:
            raise EvaluationError(f"{kind(values[0])} of {len(values[0])} has no item {show(values[1])[:20]}") from None
        except (TypeError, ValueError):
            raise EvaluationError(f"{symbol} of {' and '.join(map(kind, values))}") from None

    return worth


def _joined(wanted: bool, worths: list[Worth]) -> Worth:
    *firsts, last = worths

    def worth(names: Names) -> Value:
        for each in firsts:
            value = each(names)
            if bool(value) is wanted:
                return value
        return last(names)

    return worth


def _compared(pairs: list[tuple[str, Callable]], worths: list[Worth]) -> Worth:
    first, *rest = worths

    def worth(names: Names) -> Value:
        left = first(names)
        for (symbol, compare), each in zip(pairs, rest, strict=True):
            right = each(names)
            try:
                holds = compare(left, right)
            except TypeError:
                raise EvaluationError(f"{symbol} of {kind(left)} and {kind(right)}") from None
            if not holds:
                return False
            left = right
        return True

    return worth


def _reason(node: ast.expr) -> str:
    match node:
        case ast.BinOp(op=ast.Div()):
            return "'/' gives fractions; use '//'"
        case ast.BinOp(op=ast.Pow()):
            return "'**' is not among the operators; multiply"
        case ast.Compare():
            return "'is' compares objects, not values; use =="
        case ast.Subscript():
            return "slices are not among the expressions; use an index"
        case ast.Tuple():
            return "tuples are not among the values; write a list, [1, 2]"
        case ast.Starred():
            return "'*' may not unpack; join lists with +"
        case ast.JoinedStr():
            return "f-strings are not among the expressions; join strings with + and str(...)"
        case ast.Attribute():
            return f"'.{node.attr}' looks inside an object; values have no attributes or methods"
        case ast.BinOp() | ast.UnaryOp():
            return "bit operators are not among the operators, which are + - * // %"
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return "comprehensions are not among the expressions; use a for step"
    return f"{type(node).__name__} is not among the expressions: literals, names, operators, conditionals, calls"
