"""JSON Schemas of the arguments of tools, made from the kind of each argument.

What a schema cannot say, such as that a path may not climb with `..`, is for whoever checks a call from outside.
"""

from collections.abc import Mapping

Schema = Mapping[str, object]
"""A JSON Schema, draft 2020-12, as plain JSON."""

_SCALARS = ("string", "integer", "boolean", "null")

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}

PATH: Schema = {"type": "string", "pattern": "^[^/]+(/[^/]+)*$"}
"""A whole path: parts with slashes between them, none of them empty."""

PART: Schema = {"type": "string", "pattern": "^[^/]+$"}
"""One part of a path: the name of a row, of an object, of a section."""


def either_null(kind: Schema) -> Schema:
    """The kind, or null."""
    return {**kind, "type": [kind["type"], "null"]}


def described(kind: Schema, words: str) -> Schema:
    """The kind with a sentence on what it is for, where the argument's name does not say it."""
    return {**kind, "description": words}


def listed(kind: Schema) -> Schema:
    """A list of any length, each item of the kind."""
    return {"type": "array", "items": kind}


def row(*kinds: Schema) -> Schema:
    """A list of exactly so many items, each of its own kind."""
    return {"type": "array", "prefixItems": list(kinds), "minItems": len(kinds), "maxItems": len(kinds)}


def _value(nesting: int) -> Schema:
    inner = {"items": _value(nesting - 1)} if nesting else {}
    return {"type": [*_SCALARS, *(["array"] if nesting else [])], **inner}


VALUE: Schema = _value(3)
"""Whatever a cell may hold: a text, an integer, a boolean, null, or lists of those, three deep at most.

It is written out and not recursive, because a reference costs a check more than the whole rest of it.
"""


def arguments(**kinds: Schema) -> dict[str, object]:
    """The schema of a tool's arguments: each of its kind, all of them required, in this order, and no others."""
    return {
        "type": "object",
        "properties": kinds,
        "required": list(kinds),
        "additionalProperties": False,
    }
