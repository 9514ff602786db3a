"""JSON read together with the line of every place in it, so that a refusal can name file and line.

Stricter than the standard reader: no key twice, no NaN or Infinity, no half surrogate, bounded numbers
and nesting. Decides nothing about what the data means.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from json.decoder import scanstring

from coagent.bad_input import BadInput

MAX_DIGITS = 4_000
"""Digits an integer may have; Python refuses to write more than 4,300."""

MAX_DEPTH = 100
"""Objects and lists inside one another."""

Key = tuple[str | int, ...]
Lines = Mapping[Key, int]

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_]+|-[A-Za-z]+")
_WORDS = {"true": True, "false": False, "null": None}
_SLIPS = {
    "'": "strings take double quotes",
    "/": "JSON has no comments",
    "#": "JSON has no comments",
    "}": "a comma may be left over before it",
    "]": "a comma may be left over before it",
    ",": "a value is missing before it",
    ".": "write 0 before the point",
    "+": "leave the plus sign out",
    "True": "write true",
    "False": "write false",
    "None": "write null",
    "NaN": "there is no such number in JSON",
    "Infinity": "there is no such number in JSON",
    "-Infinity": "there is no such number in JSON",
    "-NaN": "there is no such number in JSON",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in data that is being read: `key` leads to it from the top, `where` names the file."""

    where: str
    lines: Lines = field(default_factory=dict)
    key: Key = ()

    def at(self, *key: str | int) -> "Spot":
        """The place further in."""
        return Spot(self.where, self.lines, self.key + key)

    def bad(self, what: str) -> BadInput:
        """The refusal of what is here; its line is that of the nearest enclosing place that has one."""
        return BadInput(what, self.place)

    @property
    def place(self) -> str:
        """`file:line`, or the file alone when no line is known."""
        for length in range(len(self.key), -1, -1):
            if self.key[:length] in self.lines:
                return f"{self.where}:{self.lines[self.key[:length]]}"
        return self.where


def parse_json(text: str, where: str) -> tuple[object, Lines]:
    """The data, and a line (from 1) for each key path into it; a member's line is that of its key.

    Raises BadInput, with file and line, for anything that is not one whole JSON value.
    """
    reader = _Reader(text, where)
    data, end = reader.value(reader.skip(0), ())
    if end < len(text):
        raise reader.bad("something follows the end of the JSON value; keep one in a file, and check its brackets", end)
    return data, reader.lines


def brief(source: str) -> str:
    """Source text quoted, and cut to what fits in a sentence."""
    return repr(source if len(source) <= 60 else source[:57] + "...")


def shown(data: object) -> str:
    """Data in a word or two, for a sentence about it."""
    match data:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[data]
        case int() if abs(data) >= 10**60:
            return "a very large number"
        case str():
            return brief(data)
    return repr(data)


class _Reader:
    __slots__ = ("_newlines", "_text", "_where", "lines")

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[Key, int] = {}

    def line(self, place: int) -> int:
        return bisect_left(self._newlines, place) + 1

    def bad(self, what: str, place: int) -> BadInput:
        return BadInput(what, f"{self._where}:{self.line(place)}")

    def skip(self, place: int) -> int:
        return _SPACE.match(self._text, place).end()

    def value(self, place: int, key: Key) -> tuple[object, int]:
        """The value that starts here, and where the next thing starts."""
        self.lines.setdefault(key, self.line(place))
        if len(key) > MAX_DEPTH:
            raise self.bad(f"lists and objects nest more than {MAX_DEPTH} deep; flatten them", place)
        match self._text[place : place + 1]:
            case '"':
                return self._string(place)
            case "{":
                return self._object(place, key)
            case "[":
                return self._list(place, key)
        if number := _NUMBER.match(self._text, place):
            return self._number(number), self.skip(number.end())
        word = _WORD.match(self._text, place)
        if word and word[0] in _WORDS:
            return _WORDS[word[0]], self.skip(word.end())
        raise self._unexpected("a value", place)

    def _unexpected(self, wanted: str, place: int) -> BadInput:
        if place >= len(self._text):
            opened = self._text.strip() and "; a bracket is not closed, so the file may have been cut"
            return self.bad(f"not JSON: the text ends where {wanted} should be{opened}", place)
        word = _WORD.match(self._text, place)
        found = word[0] if word else self._text[place]
        slip = _SLIPS.get(found, "strings take double quotes" if word else "check the line above too")
        return self.bad(f"not JSON: found {brief(found)} where {wanted} should be; {slip}", place)

    def _string(self, place: int) -> tuple[str, int]:
        try:
            value, end = scanstring(self._text, place + 1, True)
            value.encode()
        except JSONDecodeError as error:
            what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
            raise self.bad(f"not JSON: {what}; check its quotes and backslashes", error.pos) from None
        except UnicodeEncodeError:
            raise self.bad("the string holds half of a surrogate pair; write the whole character", place) from None
        return value, self.skip(end)

    def _number(self, number: re.Match) -> int | float:
        whole, fraction, exponent = number.groups()
        if fraction or exponent:
            return float(number[0])
        if len(whole.lstrip("-")) > MAX_DIGITS:
            raise self.bad(
                f"the integer has {len(whole.lstrip('-')):,} digits and may have {MAX_DIGITS:,}; write a smaller one",
                number.start(),
            )
        return int(whole)

    def _object(self, place: int, key: Key) -> tuple[dict, int]:
        members: dict[str, object] = {}
        place = self.skip(place + 1)
        if self._text.startswith("}", place):
            return members, self.skip(place + 1)
        while True:
            if not self._text.startswith('"', place):
                raise self._unexpected("a key in double quotes", place)
            start = place
            name, place = self._string(start)
            if name in members:
                raise self.bad(f"the key {name!r} stands twice in one object; rename or remove one", start)
            if not self._text.startswith(":", place):
                raise self._unexpected("a colon", place)
            self.lines[(*key, name)] = self.line(start)
            members[name], place = self.value(self.skip(place + 1), (*key, name))
            if self._text.startswith("}", place):
                return members, self.skip(place + 1)
            if not self._text.startswith(",", place):
                raise self._unexpected("a comma or a closing brace", place)
            place = self.skip(place + 1)

    def _list(self, place: int, key: Key) -> tuple[list, int]:
        items: list[object] = []
        place = self.skip(place + 1)
        if self._text.startswith("]", place):
            return items, self.skip(place + 1)
        while True:
            item, place = self.value(place, (*key, len(items)))
            items.append(item)
            if self._text.startswith("]", place):
                return items, self.skip(place + 1)
            if not self._text.startswith(",", place):
                raise self._unexpected("a comma or a closing bracket", place)
            place = self.skip(place + 1)
