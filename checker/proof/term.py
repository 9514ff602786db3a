"""Value numbering: every value that a run computes becomes a number, and equal numbers mean equal values.

Terms are hash-consed, with sums of integers in one normal form, so that most equalities need no solver at all.
Four sorts: values as cells hold them (absence included), integers, texts, truths. Knows no tool and no run.
"""

from collections.abc import Iterable

from coagent.operation import Value

KINDS = ("absent", "null", "truth", "whole", "text", "nil", "cons")
"""How a value is made; lists are chains of `cons` that end in `nil`."""

_PART = {"truth": "truth_of", "whole": "whole_of", "text": "text_of"}

Row = tuple
"""An operator and what it is applied to: numbers of terms, or plain constants for leaves."""


class Numbering:
    """Terms by number; the same term always has the same number."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._numbers: dict[Row, int] = {}
        self.false, self.true = self._node("known", False), self._node("known", True)
        self._constants: dict[str, int] = {}

    def _node(self, *row: object) -> int:
        number = self._numbers.get(row)
        if number is None:
            number = self._numbers[row] = len(self.rows)
            self.rows.append(row)
        return number

    # values

    def symbol(self, name: str) -> int:
        """An unknown value, or absence."""
        return self._node("symbol", name)

    def applied(self, function: str, parts: Iterable[int]) -> int:
        """What an unknown function comes to; equal parts give equal values, whatever the function means."""
        return self._node("applied", function, *parts)

    def constant(self, value: Value) -> int:
        """A known value."""
        key = repr(value)
        if key not in self._constants:
            self._constants[key] = self._constant(value)
        return self._constants[key]

    def _constant(self, value: Value) -> int:
        match value:
            case None:
                return self._node("null")
            case bool():
                return self.made("truth", self.known(value))
            case int():
                return self.made("whole", self.whole(value))
            case str():
                return self.made("text", self.text(value))
        return self.chain([self.constant(item) for item in value])

    @property
    def absent(self) -> int:
        """What a cell that holds nothing is."""
        return self._node("absent")

    def made(self, kind: str, part: int) -> int:
        """A value of a kind, from its truth, integer or text."""
        return self._node(kind, part)

    def chain(self, items: Iterable[int]) -> int:
        """The list of these values."""
        found = self._node("nil")
        for item in reversed(list(items)):
            found = self._node("cons", item, found)
        return found

    def part(self, kind: str, value: int) -> int:
        """What a value of the kind `truth`, `whole` or `text` was made from; means nothing of another kind."""
        row = self.rows[value]
        if row[0] == kind:
            return row[1]
        return self.linear(0, {value: 1}) if kind == "whole" else self._node(_PART[kind], value)

    def head(self, value: int) -> int:
        """The first item of a list that has one."""
        return self.rows[value][1] if self.rows[value][0] == "cons" else self._node("head", value)

    def tail(self, value: int) -> int:
        """The list without its first item."""
        return self.rows[value][2] if self.rows[value][0] == "cons" else self._node("tail", value)

    # integers: a constant and multiples of atoms; an atom is a value's integer or an operation on integers

    def whole(self, number: int) -> int:
        """A known integer."""
        return self.linear(number, {})

    def linear(self, constant: int, atoms: dict[int, int]) -> int:
        """A sum in normal form."""
        return self._node("sum", constant, tuple(sorted((at, times) for at, times in atoms.items() if times)))

    def plus(self, left: int, right: int, times: int = 1) -> int:
        """`left + times * right`."""
        _, low, atoms = self.rows[left]
        _, high, more = self.rows[right]
        total = dict(atoms)
        for atom, count in more:
            total[atom] = total.get(atom, 0) + times * count
        return self.linear(low + times * high, total)

    def times(self, left: int, right: int) -> int:
        """The product."""
        for one, other in ((left, right), (right, left)):
            if (factor := self.integer(one)) is not None:
                return self.plus(self.whole(0), other, factor)
        return self._atom("*", *sorted((left, right)))

    def divided(self, operator: str, left: int, right: int) -> int:
        """`//` or `%` as Python has them, for a divisor that is not zero."""
        low, high = self.integer(left), self.integer(right)
        if low is not None and high:
            return self.whole(low // high if operator == "//" else low % high)
        return self._atom(operator, left, right)

    def magnitude(self, number: int) -> int:
        """The absolute value."""
        known = self.integer(number)
        return self.whole(abs(known)) if known is not None else self._atom("abs", number)

    def bit(self, truth: int) -> int:
        """A truth as the integer 0 or 1."""
        row = self.rows[truth]
        return self.whole(int(row[1])) if row[0] == "known" else self._atom("bit", truth)

    def length(self, text: int) -> int:
        """Characters of a text."""
        row = self.rows[text]
        return self.whole(len(row[1])) if row[0] == "letters" else self._atom("length", text)

    def _atom(self, *row: object) -> int:
        return self.linear(0, {self._node(*row): 1})

    def integer(self, number: int) -> int | None:
        """The integer that a sum is known to be, or None."""
        _, constant, atoms = self.rows[number]
        return None if atoms else constant

    # texts

    def text(self, text: str) -> int:
        """A known text."""
        return self._node("letters", text)

    def joined(self, parts: Iterable[int]) -> int:
        """Texts one after the other."""
        flat: list[int] = []
        for part in parts:
            row = self.rows[part]
            for one in row[1:] if row[0] == "joined" else (part,):
                here = self.rows[one]
                last = self.rows[flat[-1]] if flat else ("",)
                if here == ("letters", ""):
                    continue
                if here[0] == last[0] == "letters":
                    flat[-1] = self.text(last[1] + here[1])
                else:
                    flat.append(one)
        if len(flat) < 2:
            return flat[0] if flat else self.text("")
        return self._node("joined", *flat)

    def character(self, text: int, index: int) -> int:
        """The character at an index that the text has, counted from 0."""
        known, at = self.rows[text], self.integer(index)
        if known[0] == "letters" and at is not None:
            return self.text(known[1][at])
        return self._node("character", text, index)

    def digits(self, number: int) -> int:
        """An integer as text, with `-` in front of a negative one."""
        known = self.integer(number)
        return self.text(str(known)) if known is not None else self._node("digits", number)

    # truths

    def known(self, truth: bool) -> int:
        """A known truth."""
        return self.true if truth else self.false

    def negated(self, truth: int) -> int:
        """Not."""
        row = self.rows[truth]
        if row[0] == "known":
            return self.known(not row[1])
        return row[1] if row[0] == "not" else self._node("not", truth)

    def all_of(self, truths: Iterable[int]) -> int:
        """And."""
        parts = sorted(set(truths) - {self.true})
        if self.false in parts or any(self.negated(one) in parts for one in parts):
            return self.false
        return parts[0] if len(parts) == 1 else self._node("and", *parts) if parts else self.true

    def any_of(self, truths: Iterable[int]) -> int:
        """Or."""
        return self.negated(self.all_of(self.negated(one) for one in truths))

    def is_a(self, kind: str, value: int) -> int:
        """Whether a value is of a kind, one of KINDS."""
        made = self.rows[value][0]
        return self.known(made == kind) if made in KINDS else self._node("is", kind, value)

    def listed(self, value: int) -> int:
        """Whether a value is a list."""
        return self.any_of((self.is_a("nil", value), self.is_a("cons", value)))

    def truthy(self, value: int) -> int:
        """Whether Python takes a value for true."""
        row = self.rows[value]
        match row[0]:
            case "truth":
                return row[1]
            case "whole":
                return self.negated(self.equal_wholes(row[1], self.whole(0)))
            case "text":
                return self.negated(self.equal_texts(row[1], self.text("")))
            case "null" | "nil" | "cons":
                return self.known(row[0] == "cons")
        return self._node("truthy", value)

    def same(self, left: int, right: int) -> int:
        """Whether two values are the same, booleans and integers apart, absence the same as absence."""
        if left == right:
            return self.true
        one, other = self.rows[left], self.rows[right]
        if one[0] in KINDS and other[0] in KINDS:
            if one[0] != other[0]:
                return self.false
            match one[0]:
                case "truth":
                    return self.equal_truths(one[1], other[1])
                case "whole":
                    return self.equal_wholes(one[1], other[1])
                case "text":
                    return self.equal_texts(one[1], other[1])
                case "cons":
                    return self.all_of((self.same(one[1], other[1]), self.same(one[2], other[2])))
        return self._node("same", *sorted((left, right)))

    def equal(self, left: int, right: int) -> int:
        """Whether Python's `==` holds of two values that are not both lists: as `same`, but a boolean is 0 or 1."""
        one, other = self.rows[left][0], self.rows[right][0]
        if left == right:
            return self.true
        if one in KINDS and other in KINDS:
            if {one, other} == {"truth", "whole"}:
                return self.equal_wholes(self.count(left), self.count(right))
            return self.same(left, right)
        return self._node("equal", *sorted((left, right)))

    def count(self, value: int) -> int:
        """The integer that a known boolean or integer counts as."""
        row = self.rows[value]
        return self.bit(row[1]) if row[0] == "truth" else row[1]

    def equal_wholes(self, left: int, right: int) -> int:
        """Whether two integers are equal."""
        difference = self.plus(left, right, -1)
        known = self.integer(difference)
        if known is not None:
            return self.known(known == 0)
        return self._node("zero", min(difference, self.plus(right, left, -1)))

    def below(self, left: int, right: int) -> int:
        """Whether one integer is less than another."""
        difference = self.plus(left, right, -1)
        known = self.integer(difference)
        return self.known(known < 0) if known is not None else self._node("negative", difference)

    def equal_texts(self, left: int, right: int) -> int:
        """Whether two texts are equal."""
        return self._texts("text=", *sorted((left, right)), lambda one, other: one == other)

    def text_below(self, left: int, right: int) -> int:
        """Whether one text comes before another, character by character."""
        return self._texts("text<", left, right, lambda one, other: one < other)

    def contains(self, text: int, part: int) -> int:
        """Whether a text has another inside."""
        return self._texts("contains", text, part, lambda one, other: other in one)

    def _texts(self, operator: str, left: int, right: int, decide: object) -> int:
        one, other = self.rows[left], self.rows[right]
        if one[0] == other[0] == "letters":
            return self.known(decide(one[1], other[1]))
        if left == right:
            return self.known(operator != "text<")
        return self._node(operator, left, right)

    def equal_truths(self, left: int, right: int) -> int:
        """Whether two truths are equal."""
        for one, other in ((left, right), (right, left)):
            row = self.rows[one]
            if row[0] == "known":
                return other if row[1] else self.negated(other)
        return self.true if left == right else self._node("truth=", *sorted((left, right)))

    def symbols(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The unknowns that terms are made of, sorted: their cone of influence."""
        found, seen, todo = set(), set(), list(numbers)
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            row = self.rows[number]
            if row[0] == "symbol":
                found.add(row[1])
            todo += self.parts(row)
        return tuple(sorted(found))

    @staticmethod
    def parts(row: Row) -> list[int]:
        """The terms that a term is made of."""
        match row[0]:
            case "symbol" | "known" | "letters":
                return []
            case "sum":
                return [atom for atom, _ in row[2]]
            case "is" | "applied":
                return list(row[2:])
        return list(row[1:])
