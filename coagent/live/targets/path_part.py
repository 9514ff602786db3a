"""A name as one part of a path, and back: what a slash or a percent sign in it becomes.

`orders/a%2Fb/item` is the column `item` of the row whose key is `a/b`. Every name has exactly one form, so that two
paths never mean the same thing. Knows nothing of databases or documents.
"""

from coagent.operation import Value

_EMPTY = "%"
"""The empty name. No other name becomes a bare percent sign."""

_ESCAPES = {"%": "%25", "/": "%2F", ",": "%2C"}


def part(name: str) -> str:
    """A name as one part of a path: `a/b` is `a%2Fb`, `50%` is `50%25`, and the empty name is `%`."""
    return name.replace("%", "%25").replace("/", "%2F") or _EMPTY


def name_of(text: str) -> str:
    """The name that a part of a path stands for."""
    return "" if text == _EMPTY else text.replace("%2F", "/").replace("%2C", ",").replace("%25", "%")


def key_part(key: Value) -> str:
    """The key of a row as one part of a path; a key of several columns is a list, and joined by commas.

    Text is itself, with slashes, commas and percent signs escaped; integers are decimal; booleans `true` and `false`.
    """
    return ",".join(_one(item) for item in key) if isinstance(key, tuple) else _one(key)


def key_of(text: str) -> Value:
    """The key that a part of a path stands for, as text, or a list of texts for several columns."""
    names = tuple(name_of(item) for item in text.split(","))
    return names if len(names) > 1 else names[0]


def _one(item: Value) -> str:
    match item:
        case bool():
            return "true" if item else "false"
        case int():
            return str(item)
        case str():
            return "".join(_ESCAPES.get(letter, letter) for letter in item) or _EMPTY
        case _:
            raise ValueError(f"{item!r} is no key")
