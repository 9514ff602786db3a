"""The kinds of field that a history record may have: what each accepts, and how to say what it is not."""

from collections.abc import Callable

Check = Callable[[object], bool]


def is_value(value: object) -> bool:
    """True for what a cell may hold, as JSON: integers, strings, booleans, null and lists of those."""
    if isinstance(value, list):
        return all(is_value(item) for item in value)
    return value is None or isinstance(value, bool | int | str)


def _mapping(test: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(test(item) for item in value.values())


def _listing(test: Check) -> Check:
    return lambda value: isinstance(value, list) and all(test(item) for item in value)


def _is_cell(value: object) -> bool:
    return isinstance(value, dict) and set(value) <= {"value"} and is_value(value.get("value"))


def _is_sighting(value: object) -> bool:
    return (
        isinstance(value, dict)
        and "writer" in value
        and set(value) <= {"value", "writer"}
        and is_value(value.get("value"))
        and (value["writer"] is None or isinstance(value["writer"], str))
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


CHECKS = {
    "const:coagent": lambda value: value == "coagent",
    "int": _is_integer,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "new": lambda value: isinstance(value, str) and bool(value),
    "names": lambda value: value in ("declared", "any"),
    "status": lambda value: value in ("ok", "failed", "unknown"),
    "decision": lambda value: value in ("keep", "rewrite", "retract", "insert"),
    "action": lambda value: value in ("rewrite", "retract", "insert"),
    "position": lambda value: _listing(_is_integer)(value) and bool(value),
    "paths": _listing(lambda path: isinstance(path, str) and bool(path)),
    "texts": _listing(lambda text: isinstance(text, str)),
    "integers": _listing(_is_integer),
    "numbers": _listing(lambda number: isinstance(number, float) or _is_integer(number)),
    "object": lambda value: isinstance(value, dict),
    "cells": _mapping(is_value),
    "values": _mapping(is_value),
    "cellmap": _mapping(_is_cell),
    "sightings": _mapping(_is_sighting),
    "schedule": lambda value: value in ("clock", "random") or _listing(_is_integer)(value),
    "agents": lambda value: (
        bool(value)
        and _listing(
            lambda one: (
                isinstance(one, dict)
                and set(one) == {"name", "rank"}
                and isinstance(one["name"], str)
                and "#" not in one["name"]
                and CHECKS["position"](one["rank"])
            )
        )(value)
        and len({one["name"] for one in value}) == len(value)
    ),
}

NAMED = {
    "const:coagent": "'coagent'",
    "int": "an integer",
    "bool": "true or false",
    "str": "a string",
    "new": "a name",
    "names": "'declared' or 'any'",
    "status": "'ok', 'failed' or 'unknown'",
    "decision": "'keep', 'rewrite', 'retract' or 'insert'",
    "action": "'rewrite', 'retract' or 'insert'",
    "position": "a non-empty list of integers",
    "paths": "a list of paths",
    "texts": "a list of strings",
    "integers": "a list of integers",
    "numbers": "a list of numbers",
    "object": "an object",
    "cells": "an object from paths to values",
    "values": "an object from names to values",
    "cellmap": "an object from paths to cells",
    "sightings": "an object from paths to {value, writer}",
    "schedule": "'clock', 'random' or a list of integers",
    "agents": "a non-empty list of {name, rank} with different names, none with a '#'",
}
