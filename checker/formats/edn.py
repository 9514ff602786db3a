"""Reads EDN, as much of it as Jepsen histories use, without recursion.

Decides nothing about histories. Keywords keep their colon (`:x` is the string ":x"), vectors,
lists and sets become tuples, maps dicts, nil None; tags are dropped and their value kept.
"""

import re

from coagent.bad_input import BadInput

DEPTH = 64
"""Levels of nesting that are read; no history needs ten."""

DIGITS = 40
"""Digits of the longest integer that is read."""

_TOKEN = re.compile(
    r"""(?:[\s,]++|;[^\n]*+)*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|\#\{|\#_|[\[\](){}]|\\.[^\s,;"\[\](){}]*|[^\s,;"\[\](){}]++|.|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_CLOSES = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_WORDS = {"nil": None, "true": True, "false": False}
_NUMBER = re.compile(r"[+-]?\d+[NM]?|[+-]?\d+\.\d*(?:[eE][+-]?\d+)?M?|[+-]?\d+[eE][+-]?\d+M?")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_DISCARD = object()


class _Fault(Exception):
    """What is wrong with the token being read; its place is found only then."""


def read_all(text: str, where: str) -> list[tuple[int, object]]:
    """Every top-level form with the number of the line it ends on. Raises BadInput at `where:line`.

    A file of one vector is one form. Linear in the text; depth and integers are limited.
    """
    tokens = _TOKEN.findall(text)
    done: list[int] = []
    try:
        forms = _forms(tokens, done)
    except _Fault as fault:
        raise BadInput(str(fault), f"{where}:{_line(text, done[-1])}") from None
    return list(zip(_lines(text, done), forms, strict=True))


def _forms(tokens: list[str], done: list[int]) -> list[object]:
    """The top-level forms; `done` gets the number of each one's last token, or of the faulty one at the end."""
    top: list[object] = []
    forms, stack, atoms, discarding = top, [], dict(_WORDS), False
    for place, token in enumerate(tokens):
        try:
            if token in atoms:
                top.append(atoms[token])
            elif token in _CLOSES:
                if len(stack) == DEPTH:
                    raise _Fault(
                        f"nests deeper than {DEPTH} levels, which no history does; is it another kind of file?"
                    )
                stack.append((top, token))
                top = []
            elif token in ("]", ")", "}"):
                top = _close(stack, top, token, discarding)
            elif token == "":
                if stack:
                    raise _Fault(
                        f"the file ends inside a {stack[-1][1]!r}, so it was probably cut; copy or record it again"
                    )
                break
            elif token == "#_":
                discarding = True
                top.append(_DISCARD)
            elif token[0] != "#":
                value = atoms[token] = _atom(token)
                top.append(value)
        except _Fault:
            done.append(place)
            raise
        if top is forms and len(forms) > len(done):
            done.append(place)
    if discarding:
        kept = [place for place, _ in _kept(list(zip(done, forms, strict=True)), second=True)]
        forms[:], done[:] = _kept(forms), kept
    return forms


def _close(stack: list, items: list, token: str, discarding: bool) -> list:
    """The enclosing list, with the container that `token` closes appended."""
    if not stack:
        raise _Fault(f"a {token!r} closes nothing; the start of the file may be missing")
    outer, opened = stack.pop()
    if _CLOSES[opened] != token:
        raise _Fault(f"{opened!r} is closed by {token!r}; something between them may be missing")
    if discarding:
        items = _kept(items)
    outer.append(_map(items) if opened == "{" else tuple(items))
    return outer


def _map(items: list) -> dict:
    if len(items) % 2:
        raise _Fault("a map has a key without a value; something may be missing")
    try:
        return dict(zip(items[::2], items[1::2], strict=True))
    except TypeError:
        raise _Fault("a map has a map as a key, which no history has") from None


def _kept(items: list, second: bool = False) -> list:
    """The items without each discard mark and the one item after it."""
    kept, skip = [], 0
    for item in items:
        if (item[1] if second else item) is _DISCARD:
            skip += 1
        elif skip:
            skip -= 1
        else:
            kept.append(item)
    if skip:
        raise _Fault("a '#_' has nothing after it to leave out")
    return kept


def _atom(token: str) -> object:
    """A string, number, character, keyword or symbol."""
    if token[0] == '"':
        if len(token) == 1:
            raise _Fault("a string is not closed, so the file was probably cut; copy or record it again")
        return _ESCAPE.sub(_unescaped, token[1:-1])
    if _NUMBER.fullmatch(token):
        if len(token) > DIGITS:
            raise _Fault(f"a number has {len(token)} digits, more than the {DIGITS} that are read")
        bare = token.rstrip("NM")
        return int(bare) if bare.lstrip("+-").isdigit() else float(bare)
    if not token.isprintable():
        raise _Fault("holds bytes that are not text; is it a compressed or binary file?")
    return token


def _unescaped(match: re.Match) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)


def _ends(text: str, numbers: list[int]) -> list[int]:
    """Where in the text the tokens with these ascending numbers end."""
    wanted, ends = iter(numbers), []
    want = next(wanted, None)
    for place, match in enumerate(_TOKEN.finditer(text)):
        if place == want:
            ends.append(match.end(1))
            want = next(wanted, None)
    return ends


def _line(text: str, number: int) -> int:
    return text.count("\n", 0, _ends(text, [number])[0]) + 1


def _lines(text: str, numbers: list[int]) -> list[int]:
    lines, line, last = [], 1, 0
    for end in _ends(text, numbers):
        line += text.count("\n", last, end)
        last = end
        lines.append(line)
    return lines
