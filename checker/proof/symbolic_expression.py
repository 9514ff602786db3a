"""Expressions over tracked values, from their syntax trees: Python's own meaning, term by term.

Mirrors what `coagent.arithmetic` and `coagent.expression` decide; a test holds the two to each other. What a
term cannot say is pinned, so the worst that happens is a narrow path.
"""

import ast
from collections.abc import Callable, Mapping, Sequence

from checker.proof.tracked import NoValue, Trace, Tracked, WrongTerm
from coagent.operation import show

Names = Mapping[str, Tracked]
Function = Callable[["Reader", ast.Call], Tracked]

_WORDS = {"true": True, "false": False, "null": None}
_NUMBERS = ("whole", "truth")
_LISTS = ("nil", "cons")
_ORDERED = {ast.Lt: (False, False), ast.Gt: (True, False), ast.LtE: (True, True), ast.GtE: (False, True)}
"""`a < b`, and the other three from it: with the sides swapped, and denied."""


class Reader:
    """Evaluates one expression after the other over the same names; `functions` are what a caller adds."""

    def __init__(self, names: Names, trace: Trace, functions: Mapping[str, Function] | None = None) -> None:
        self.names, self.trace = dict(names), trace
        self.terms = trace.numbering
        self._more = functions or {}

    def read(self, tree: ast.expr) -> Tracked:
        """The value of an expression. Raises NoValue where Python would raise, after pinning what that depends on."""
        match tree:
            case ast.Constant(value=value):
                return self.trace.tracked(value)
            case ast.Name(id=name):
                return self.trace.tracked(_WORDS[name]) if name in _WORDS else self.named(name)
            case ast.List(elts=elements):
                return self.list_of([self.read(one) for one in elements])
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(type(op), self.read(left), self.read(right))
            case ast.UnaryOp(op=op, operand=operand):
                return self.unary(type(op), self.read(operand))
            case ast.BoolOp(op=op, values=values):
                return self.joined(isinstance(op, ast.Or), values)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self.compared(left, [type(op) for op in ops], rights)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.read(body if self.read(test).truthy() else orelse)
            case ast.Subscript(value=value, slice=index):
                return self.indexed(self.read(value), self.read(index))
            case ast.ListComp(elt=element, generators=[one]):
                return self.gathered(element, one)
            case ast.Call(func=ast.Name(id=name), args=args):
                if name in self._more:
                    return self._more[name](self, tree)
                return _FUNCTIONS[name](self, [self.read(one) for one in args])
        raise WrongTerm(f"{type(tree).__name__} cannot be translated")

    def named(self, name: str) -> Tracked:
        if name not in self.names:
            raise NoValue
        return self.names[name]

    def list_of(self, items: Sequence[Tracked]) -> Tracked:
        """A list of tracked values."""
        value = tuple(one.value for one in items)
        return Tracked(value, self.terms.chain(one.number for one in items), self.trace)

    def whole(self, value: int, number: int) -> Tracked:
        """An integer from its term."""
        return Tracked(value, self.terms.made("whole", number), self.trace)

    def text(self, value: str, number: int) -> Tracked:
        """A text from its term."""
        return Tracked(value, self.terms.made("text", number), self.trace)

    def truth(self, value: bool, number: int) -> Tracked:
        """A boolean from its term."""
        return Tracked(value, self.terms.made("truth", number), self.trace)

    def refuse(self, *values: Tracked) -> NoValue:
        """There is no value, and that depends on the kinds of these."""
        for one in values:
            one.pin_kind()
        return NoValue()

    # operators

    def binary(self, op: type, left: Tracked, right: Tracked) -> Tracked:
        kinds = (left.made, right.made)
        if all(kind in _NUMBERS for kind in kinds):
            return self.arithmetic(op, left, right)
        if op is ast.Add and kinds == ("text", "text"):
            number = self.terms.joined((left.part("text"), right.part("text")))
            return self.text(left.value + right.value, number)
        if op is ast.Add and all(kind in _LISTS for kind in kinds):
            return self.list_of([*left.items(), *right.items()])
        if op is ast.Mult:
            for many, times in ((left, right), (right, left)):
                if many.made in ("text", *_LISTS) and times.made in _NUMBERS:
                    return self.repeated(many, times.pin())
        raise self.refuse(left, right)

    def repeated(self, many: Tracked, times: int) -> Tracked:
        if many.made == "text":
            return self.text(many.value * times, self.terms.joined([many.part("text")] * times))
        return self.list_of(many.items() * times)

    def arithmetic(self, op: type, left: Tracked, right: Tracked) -> Tracked:
        one, other, terms = left.count(), right.count(), self.terms
        if op is ast.Add:
            return self.whole(left.value + right.value, terms.plus(one, other))
        if op is ast.Sub:
            return self.whole(left.value - right.value, terms.plus(one, other, -1))
        if op is ast.Mult:
            return self.whole(left.value * right.value, terms.times(one, other))
        if self.trace.decide(terms.equal_wholes(other, terms.whole(0)), right.value == 0):
            raise NoValue
        if op is ast.FloorDiv:
            return self.whole(left.value // right.value, terms.divided("//", one, other))
        return self.whole(left.value % right.value, terms.divided("%", one, other))

    def unary(self, op: type, value: Tracked) -> Tracked:
        if op is ast.Not:
            return self.truth(not value.value, self.terms.negated(self.terms.truthy(value.number)))
        if value.made not in _NUMBERS:
            raise self.refuse(value)
        sign = -1 if op is ast.USub else 1
        return self.whole(sign * value.value, self.terms.plus(self.terms.whole(0), value.count(), sign))

    def joined(self, wanted: bool, trees: Sequence[ast.expr]) -> Tracked:
        for tree in trees[:-1]:
            value = self.read(tree)
            if value.truthy() is wanted:
                return value
        return self.read(trees[-1])

    # comparisons: each gives the term of a truth and how it comes out

    def compared(self, first: ast.expr, ops: Sequence[type], rights: Sequence[ast.expr]) -> Tracked:
        left = self.read(first)
        for place, (op, tree) in enumerate(zip(ops, rights, strict=True)):
            right = self.read(tree)
            number, holds = self.relation(op, left, right)
            if place == len(ops) - 1:
                return self.truth(holds, number)
            if not self.trace.decide(number, holds):
                return self.trace.tracked(False)
            left = right
        raise WrongTerm("a comparison without sides")

    def relation(self, op: type, left: Tracked, right: Tracked) -> tuple[int, bool]:
        if op in (ast.Eq, ast.NotEq, ast.In, ast.NotIn):
            ask = self.equal if op in (ast.Eq, ast.NotEq) else self.member
            number, holds = ask(left, right)
            return (self.terms.negated(number), not holds) if op in (ast.NotEq, ast.NotIn) else (number, holds)
        swapped, denied = _ORDERED[op]
        number, holds = self.below(right, left) if swapped else self.below(left, right)
        return (self.terms.negated(number), not holds) if denied else (number, holds)

    def equal(self, left: Tracked, right: Tracked) -> tuple[int, bool]:
        """Python's `==`; of two lists item by item, because booleans in them equal integers."""
        terms = self.terms
        both = left.made in _LISTS and right.made in _LISTS
        self.trace.decide(terms.all_of((terms.listed(left.number), terms.listed(right.number))), both)
        if not both:
            return terms.equal(left.number, right.number), left.value == right.value
        ones, others = left.items(), right.items()
        if len(ones) != len(others):
            return terms.false, False
        pairs = [self.equal(one, other)[0] for one, other in zip(ones, others, strict=True)]
        return terms.all_of(pairs), left.value == right.value

    def member(self, item: Tracked, many: Tracked) -> tuple[int, bool]:
        if many.made in _LISTS:
            found = [self.equal(one, item)[0] for one in many.items()]
            return self.terms.any_of(found), item.value in many.value
        if many.made == item.made == "text":
            return self.terms.contains(many.part("text"), item.part("text")), item.value in many.value
        raise self.refuse(item, many)

    def below(self, left: Tracked, right: Tracked) -> tuple[int, bool]:
        """Python's `<`. The other three follow from it, as every order here is total."""
        kinds = (left.made, right.made)
        if all(kind in _NUMBERS for kind in kinds):
            return self.terms.below(left.count(), right.count()), left.value < right.value
        if kinds == ("text", "text"):
            return self.terms.text_below(left.part("text"), right.part("text")), left.value < right.value
        if not all(kind in _LISTS for kind in kinds):
            raise self.refuse(left, right)
        ones, others = left.items(), right.items()
        for one, other in zip(ones, others, strict=False):
            if not self.trace.decide(*self.equal(one, other)):
                return self.below(one, other)
        return self.terms.known(len(ones) < len(others)), len(ones) < len(others)

    def indexed(self, many: Tracked, index: Tracked) -> Tracked:
        if many.made not in ("text", *_LISTS) or index.made not in _NUMBERS:
            raise self.refuse(many, index)
        at = int(index.pin())
        if not -len(many.value) <= at < len(many.value):
            many.pin()
            raise NoValue
        if many.made != "text":
            return many.items()[at]
        terms, text = self.terms, many.part("text")
        length = terms.length(text)
        self.trace.decide(terms.below(terms.whole(at if at >= 0 else -at - 1), length), True)
        where = terms.whole(at) if at >= 0 else terms.plus(length, terms.whole(at))
        return self.text(many.value[at], terms.character(text, where))

    def gathered(self, element: ast.expr, over: ast.comprehension) -> Tracked:
        """A list built from another; only the meanings of tools have such."""
        source, found = self.read(over.iter), []
        for item in source.items():
            inner = Reader({**self.names, over.target.id: item}, self.trace, self._more)
            if all(inner.read(test).truthy() for test in over.ifs):
                found.append(inner.read(element))
        return self.list_of(found)

    # functions

    def length(self, values: Sequence[Tracked]) -> Tracked:
        [value] = values
        if value.made == "text":
            return self.whole(len(value.value), self.terms.length(value.part("text")))
        if value.made in _LISTS:
            return self.trace.tracked(len(value.items()))
        raise self.refuse(value)

    def magnitude(self, values: Sequence[Tracked]) -> Tracked:
        [value] = values
        if value.made not in _NUMBERS:
            raise self.refuse(value)
        return self.whole(abs(value.value), self.terms.magnitude(value.count()))

    def extreme(self, values: Sequence[Tracked], greatest: bool) -> Tracked:
        if len(values) == 1 and values[0].made == "text":
            return self.pinned(max if greatest else min, values)
        if len(values) == 1:
            if values[0].made != "cons":
                raise self.refuse(*values)
            values = values[0].items()
        best = values[0]
        for one in values[1:]:
            pair = (best, one) if greatest else (one, best)
            if self.trace.decide(*self.below(*pair)):
                best = one
        return best

    def total(self, values: Sequence[Tracked]) -> Tracked:
        many, *start = values
        if many.made not in _LISTS or (start and start[0].made == "text"):
            return self.pinned(sum, values)
        found = start[0] if start else self.trace.tracked(0)
        for item in many.items():
            found = self.binary(ast.Add, found, item)
        return found

    def sorted(self, values: Sequence[Tracked]) -> Tracked:
        [many] = values
        if many.made not in _LISTS:
            return self.pinned(lambda one: tuple(sorted(one)), values)
        items = many.items()
        try:
            order = sorted(range(len(items)), key=lambda at: items[at].value)
        except TypeError:
            many.pin()
            raise NoValue from None
        for at, then in zip(order, order[1:], strict=False):
            # Neighbours that kept their order may be equal; those that changed it may not.
            pair = (items[then], items[at]) if at < then else (items[at], items[then])
            self.trace.decide(*self.below(*pair))
        return self.list_of([items[at] for at in order])

    def spelled(self, values: Sequence[Tracked]) -> Tracked:
        [value] = values
        if value.made == "text":
            return value
        return self.text(show(value.value), self.shown(value))

    def shown(self, value: Tracked) -> int:
        """The text that a scenario would write for a value."""
        terms = self.terms
        match value.made:
            case "whole":
                return terms.digits(value.part("whole"))
            case "text":
                return terms.joined((terms.text("'"), value.part("text"), terms.text("'")))
            case "nil" | "cons":
                parts = [part for item in value.items() for part in (terms.text(", "), self.shown(item))]
                return terms.joined((terms.text("["), *parts[1:], terms.text("]")))
        return terms.text(show(value.pin()))

    def pinned(self, function: Callable, values: Sequence[Tracked]) -> Tracked:
        """A function of known values."""
        try:
            return self.trace.tracked(function(*[one.pin() for one in values]))
        except (TypeError, ValueError):
            raise NoValue from None


_FUNCTIONS: Mapping[str, Callable[[Reader, Sequence[Tracked]], Tracked]] = {
    "len": Reader.length,
    "min": lambda reader, values: reader.extreme(values, False),
    "max": lambda reader, values: reader.extreme(values, True),
    "sum": Reader.total,
    "sorted": Reader.sorted,
    "abs": Reader.magnitude,
    "str": Reader.spelled,
}
