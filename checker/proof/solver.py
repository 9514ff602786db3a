"""Asks z3 about terms: translates the cone of what is asked, within a time limit, and reads models back as values.

One solver context a proof, seeds fixed, so that the same question gets the same answer. Strings are z3's, integers
unbounded; unknown cells are absent, scalars, or lists of at most `items_max` scalars.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Timer

import z3

from checker.proof.term import Numbering
from checker.proof.tracked import WrongTerm
from coagent.operation import Cell

SECONDS = 5.0
"""Seconds that one query may take."""

ITEMS_MAX = 2
"""Items that a list of the start state may have."""

GRACE_S = 0.3
"""Seconds beyond the limit before z3 is interrupted."""

NEAR_MOST, NEAR_LONGEST, NEAR_S = 24, 200, 0.2
"""Symbols that a model is drawn near to the start state in, the longest value tried, and the seconds for each."""

_LARGEST_CHARACTER = 0x2FFFF
"""The last character that z3's strings have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`unsat`, `sat` with cells by symbol, or `unknown` with z3's reason."""

    status: str
    cells: Mapping[str, Cell]
    reason: str = ""


class Solver:
    """Queries over the terms of one numbering."""

    def __init__(self, terms: Numbering, *, seconds: float = SECONDS, items_max: int = ITEMS_MAX) -> None:
        self.terms, self.seconds, self.items_max = terms, seconds, items_max
        self.queries = 0
        self._z3 = z3.Context()
        self._value = _values(self._z3)
        self._done: dict[int, z3.ExprRef] = {}
        self._functions: dict[tuple[str, int], z3.FuncDeclRef] = {}
        self.never_absent: set[str] = set()

    def ask(self, truths: Iterable[int], like: Mapping[str, Cell] | None = None) -> Answer:
        """Whether all these truths can hold at once; a model stays as near to the cells of `like` as it easily can."""
        self.queries += 1
        truths = list(truths)
        names = self.terms.symbols(truths)
        asserted = [*map(self.translated, truths), *map(self._domain, names)]
        found, model = self._checked(asserted, self.seconds)
        if found == z3.unsat:
            return Answer(status="unsat", cells={})
        if model is None:
            return Answer(status="unknown", cells={}, reason=found if isinstance(found, str) else "unknown")
        model = self._near(asserted, model, names, like or {})
        return Answer(status="sat", cells={name: self._cell(model, name) for name in names})

    def _checked(
        self, asserted: Iterable[z3.BoolRef], seconds: float
    ) -> tuple[z3.CheckSatResult | str, z3.ModelRef | None]:
        """One check within a time limit: unsat, sat with a model, or z3's reason for neither.

        z3 looks at its own limit between steps only, and a step over long texts may take minutes; so it is
        interrupted from outside as well.
        """
        solver = z3.Solver(ctx=self._z3)
        solver.set("random_seed", 0)
        solver.set("timeout", max(1, int(seconds * 1000)))
        alarm = Timer(seconds + GRACE_S, self._z3.interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            solver.add(*asserted)
            found = solver.check()
            if found == z3.unknown:
                return solver.reason_unknown(), None
            return found, solver.model() if found == z3.sat else None
        except z3.Z3Exception:
            return "timeout", None
        finally:
            alarm.cancel()
            alarm.join()

    def _near(
        self, asserted: list[z3.BoolRef], model: z3.ModelRef, names: Iterable[str], like: Mapping[str, Cell]
    ) -> z3.ModelRef:
        """A model in which as many symbols as possible, tried one by one, are what they are in `like`."""
        for name in [name for name in names if name in like][:NEAR_MOST]:
            cell = like[name]
            if self._cell(model, name) == cell or len(repr(cell)) > NEAR_LONGEST:
                continue
            nearer = [*asserted, self._symbol(name) == self._constant(cell)]
            found, better = self._checked(nearer, min(self.seconds, NEAR_S))
            if better is not None:
                asserted, model = nearer, better
        return model

    def value(self, number: int, cells: Mapping[str, Cell]) -> object:
        """What a term comes to over known cells, by z3's own simplifier; a cell, an integer, a text or a truth."""
        pairs = [(self._symbol(name), self._constant(cell)) for name, cell in cells.items()]
        found = z3.simplify(z3.substitute(self.translated(number), *pairs))
        if z3.is_bool(found):
            return {"True": True, "False": False}.get(str(found))
        if z3.is_int_value(found):
            return found.as_long()
        return _unescaped(found) if z3.is_string_value(found) else self._read(found)

    def _symbol(self, name: str) -> z3.ExprRef:
        return z3.Const(name, self._value)

    def _domain(self, name: str) -> z3.BoolRef:
        make, here = self._value, self._symbol(name)
        first = z3.Not(make.is_absent(here)) if name in self.never_absent else z3.BoolVal(True, self._z3)
        parts = [first]
        rest = here
        for _ in range(self.items_max):
            item = make.head(rest)
            scalar = z3.Not(z3.Or(make.is_absent(item), make.is_nil(item), make.is_cons(item)))
            after = make.tail(rest)
            parts.append(z3.Implies(make.is_cons(rest), z3.And(scalar, z3.Or(make.is_nil(after), make.is_cons(after)))))
            rest = after
        guard = here
        longest = []
        for _ in range(self.items_max):
            longest.append(make.is_cons(guard))
            guard = make.tail(guard)
        parts.append(z3.Implies(z3.And(*longest), make.is_nil(guard)) if longest else z3.Not(make.is_cons(here)))
        return z3.And(*parts)

    def _constant(self, cell: Cell) -> z3.ExprRef:
        if not cell:
            return self._value.absent
        return self.translated(self.terms.constant(cell[0]))

    def _cell(self, model: z3.ModelRef, name: str) -> Cell:
        return self._read(model.eval(self._symbol(name), model_completion=True))

    def _read(self, found: z3.ExprRef) -> Cell:
        match found.decl().name():
            case "absent":
                return ()
            case "null":
                return (None,)
            case "truth":
                return (z3.is_true(found.arg(0)),)
            case "whole":
                return (found.arg(0).as_long(),)
            case "text":
                return (_unescaped(found.arg(0)),)
            case "nil":
                return ((),)
            case "cons":
                head, tail = self._read(found.arg(0)), self._read(found.arg(1))
                return ((*head, *tail[0]),)
        raise WrongTerm("a model that holds no value")

    def translated(self, number: int) -> z3.ExprRef:
        """The z3 expression of a term."""
        todo = [number]
        while todo:
            here = todo[-1]
            parts = [part for part in self.terms.parts(self.terms.rows[here]) if part not in self._done]
            if parts:
                todo += parts
                continue
            todo.pop()
            if here not in self._done:
                self._done[here] = self._translate(here, self.terms.rows[here])
        return self._done[number]

    def _translate(self, number: int, row: tuple) -> z3.ExprRef:
        make, done = self._value, self._done
        match row[0]:
            case "symbol":
                return self._symbol(row[1])
            case "known":
                return z3.BoolVal(row[1], self._z3)
            case "letters":
                return z3.StringVal(_escaped(row[1]), self._z3)
            case "applied":
                key = (row[1], len(row) - 2)
                if key not in self._functions:
                    self._functions[key] = z3.Function(row[1], *[make] * (len(row) - 1))
                return self._functions[key](*[done[one] for one in row[2:]])
            case "absent" | "null" | "nil":
                return getattr(make, row[0])
            case "is":
                return getattr(make, f"is_{row[1]}")(done[row[2]])
            case "sum":
                return self._sum(row[1], row[2])
            case "joined":
                return z3.Concat(*[done[one] for one in row[1:]])
            case "and":
                return z3.And(*[done[one] for one in row[1:]])
        return self._operation(row[0], *[done[one] for one in row[1:]])

    def _sum(self, constant: int, atoms: Iterable[tuple[int, int]]) -> z3.ArithRef:
        total = z3.IntVal(constant, self._z3)
        for atom, times in atoms:
            one = self._done[atom]
            one = self._value.whole_of(one) if one.sort() == self._value else one
            total = total + times * one
        return total

    def _operation(self, name: str, *parts: z3.ExprRef) -> z3.ExprRef:
        make, zero = self._value, z3.IntVal(0, self._z3)
        match name, *parts:
            case "truth" | "whole" | "text" | "cons" | "truth_of" | "text_of" | "head" | "tail", *_:
                return getattr(make, name)(*parts)
            case "*", left, right:
                return left * right
            case "//", left, right:
                return _floor(left, right)
            case "%", left, right:
                return left - right * _floor(left, right)
            case "abs", one:
                return z3.If(one < zero, -one, one)
            case "bit", one:
                return z3.If(one, z3.IntVal(1, self._z3), zero)
            case "length", one:
                return z3.Length(one)
            case "character", text, index:
                return z3.SubString(text, index, z3.IntVal(1, self._z3))
            case "digits", one:
                minus = z3.StringVal("-", self._z3)
                return z3.If(one < zero, z3.Concat(minus, z3.IntToStr(-one)), z3.IntToStr(one))
            case "not", one:
                return z3.Not(one)
            case "truthy", one:
                return self._truthy(one)
            case "same" | "text=" | "truth=", left, right:
                return left == right
            case "equal", left, right:
                both = z3.And(self._counts(left), self._counts(right))
                return z3.Or(left == right, z3.And(both, self._count(left) == self._count(right)))
            case "zero", one:
                return one == zero
            case "negative", one:
                return one < zero
            case "text<", left, right:
                return left < right
            case "contains", text, part:
                return z3.Contains(text, part)
        raise WrongTerm(f"the term {name!r} cannot be translated")

    def _truthy(self, one: z3.ExprRef) -> z3.BoolRef:
        make = self._value
        empty = z3.StringVal("", self._z3)
        return z3.Or(
            make.is_cons(one),
            z3.And(make.is_truth(one), make.truth_of(one)),
            z3.And(make.is_whole(one), make.whole_of(one) != 0),
            z3.And(make.is_text(one), make.text_of(one) != empty),
        )

    def _counts(self, one: z3.ExprRef) -> z3.BoolRef:
        return z3.Or(self._value.is_whole(one), self._value.is_truth(one))

    def _count(self, one: z3.ExprRef) -> z3.ArithRef:
        make = self._value
        bit = z3.If(make.truth_of(one), z3.IntVal(1, self._z3), z3.IntVal(0, self._z3))
        return z3.If(make.is_whole(one), make.whole_of(one), bit)


def _floor(left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
    """Python rounds down; z3 keeps the remainder from being negative, which differs for negative divisors."""
    return z3.If(right > 0, left / right, (-left) / (-right))


def _values(context: z3.Context) -> z3.DatatypeSortRef:
    sort = z3.Datatype("Value", ctx=context)
    sort.declare("absent")
    sort.declare("null")
    sort.declare("truth", ("truth_of", z3.BoolSort(context)))
    sort.declare("whole", ("whole_of", z3.IntSort(context)))
    sort.declare("text", ("text_of", z3.StringSort(context)))
    sort.declare("nil")
    sort.declare("cons", ("head", sort), ("tail", sort))
    return sort.create()


def _escaped(text: str) -> str:
    """A text as z3 reads it; a backslash must not begin an escape."""
    if any(ord(one) > _LARGEST_CHARACTER for one in text):
        raise WrongTerm("z3 has no characters above U+2FFFF")
    return "".join(one if " " <= one <= "~" and one != "\\" else f"\\u{{{ord(one):x}}}" for one in text)


def _unescaped(found: z3.SeqRef) -> str:
    """A text as z3 shows it, with its escapes undone."""
    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda hit: chr(int(hit[1], 16)), found.as_string())
