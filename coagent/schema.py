"""The JSON Schema of a recorded history, made from the format's own table; run as a module, it prints the file."""

import json
from collections.abc import Mapping

from coagent.history import HEADER, RECORDS, VERSION

_VALUE = {"$ref": "#/$defs/value"}
_POSITION = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
_NAME = {"type": "string", "minLength": 1}

_KINDS: Mapping[str, object] = {
    "const:coagent": {"const": "coagent"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "any": {},
    "object": {"type": "object"},
    "agent": {"type": "string"},
    "op": _NAME,
    "new": _NAME,
    "ops": {"type": "array", "items": _NAME},
    "names": {"enum": ["declared", "any"]},
    "status": {"enum": ["ok", "failed", "unknown"]},
    "decision": {"enum": ["keep", "rewrite", "retract", "insert"]},
    "action": {"enum": ["rewrite", "retract", "insert"]},
    "position": _POSITION,
    "paths": {"type": "array", "items": _NAME},
    "texts": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "array", "items": {"type": "integer"}},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "cells": {"type": "object", "additionalProperties": _VALUE},
    "values": {"type": "object", "additionalProperties": _VALUE},
    "cellmap": {"type": "object", "additionalProperties": {"$ref": "#/$defs/cell"}},
    "sightings": {"type": "object", "additionalProperties": {"$ref": "#/$defs/sighting"}},
    "schedule": {"oneOf": [{"enum": ["clock", "random"]}, {"type": "array", "items": {"type": "integer"}}]},
    "agents": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "rank": _POSITION},
            "required": ["name", "rank"],
            "additionalProperties": False,
        },
    },
}
"""The schema of each kind of field in the table; a kind that is not here is a KeyError."""

_DEFS = {
    "value": {
        "anyOf": [{"type": ["integer", "string", "boolean", "null"]}, {"type": "array", "items": _VALUE}],
    },
    "cell": {"type": "object", "properties": {"value": _VALUE}, "additionalProperties": False},
    "sighting": {
        "type": "object",
        "properties": {"value": _VALUE, "writer": {"type": ["string", "null"]}},
        "required": ["writer"],
        "additionalProperties": False,
    },
}

_SEAL = {"type": "string", "pattern": "^[0-9a-f]{8}$"}


def history_schema() -> dict[str, object]:
    """The schema of one line of a history: the header, or a record of one of the kinds."""
    head = _line(HEADER, {"version": {"const": VERSION}})
    kinds = [_line(fields, {"at": {"type": "number"}, "event": {"const": kind}}) for kind, fields in RECORDS.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a coagent history (NDJSON): the header first, then the records",
        "oneOf": [head, *kinds],
        "$defs": _DEFS,
    }


def schema_text() -> str:
    """The schema as the file beside the format holds it."""
    return json.dumps(history_schema(), indent=1) + "\n"


def _line(fields: Mapping[str, str], more: Mapping[str, object]) -> dict[str, object]:
    properties = {name: _KINDS[kind.removeprefix("?")] for name, kind in fields.items()}
    required = [name for name, kind in fields.items() if not kind.startswith("?")]
    return {
        "type": "object",
        "properties": {**properties, **more, "crc": _SEAL},
        "required": [*required, *(name for name in more if name not in fields)],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    print(schema_text(), end="")
