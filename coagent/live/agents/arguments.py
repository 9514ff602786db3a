"""From the text of a model's tool call to a call that may be carried out, or to what the model is told is wrong.

The schema is the tool's own; what passes holds values that cells can hold.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

from coagent.bad_input import BadInput
from coagent.live.agents.completion import ToolCall, ToolSpec
from coagent.operation import Call, Value
from coagent.tool import Tool

MOST_CHARACTERS = 1_000_000
"""Of the text of arguments; more is not read."""

MOST_DEPTH = 32
"""Of lists and objects in each other."""

DEEP = f"lists and objects are nested more than {MOST_DEPTH} deep"

MOST_SAID = 5
"""Of the things that are wrong; a model that has mended so many learns of the others."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a call is not carried out, said to the model: which field, what is wrong with it, what is expected."""

    why: str


def spec(tool: Tool) -> ToolSpec:
    """A tool as a model is shown it. Raises BadInput for a tool without a schema."""
    if tool.schema is None:
        raise BadInput(f"the tool {tool.name!r} has no schema of its arguments, which a model needs; give it one")
    return ToolSpec(name=tool.name, says=tool.says, schema=tool.schema)


def checked(call: ToolCall, tools: Mapping[str, ToolSpec]) -> Call | Malformed:
    """The call with its arguments as values, in the order in which the schema has them, or what is wrong with it."""
    if call.name not in tools:
        offered = ", ".join(sorted(tools))
        return Malformed(f"there is no tool {_brief(call.name)}; the tools are: {offered}")
    tool = tools[call.name]
    found = _read(call)
    if isinstance(found, Malformed):
        return found
    wrong = list(dict.fromkeys((*_problems(found, tool.schema), *_no_values(found, tool))))
    if wrong:
        more = f" (and {len(wrong) - MOST_SAID} more)" if len(wrong) > MOST_SAID else ""
        return Malformed(f"{call.name}: {'; '.join(wrong[:MOST_SAID])}{more}")
    order = [*tool.schema.get("properties", {})]
    known = [name for name in order if name in found] + [name for name in found if name not in order]
    return Call(call.name, tuple((name, _value(found[name])) for name in known))


def _read(call: ToolCall) -> dict[str, object] | Malformed:
    """The arguments as an object of JSON."""
    expected = 'the arguments have to be one JSON object, such as {"name": "x"}'
    if len(call.arguments) > MOST_CHARACTERS:
        return Malformed(f"{call.name}: the arguments are longer than {MOST_CHARACTERS} characters; write less at once")
    try:
        # A call without arguments comes as an empty text from some servers.
        found = json.loads(call.arguments.strip() or "{}", object_pairs_hook=_once, parse_constant=_constant)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        return Malformed(f"{call.name}: the arguments are not JSON ({error.msg} at {at}); {expected}")
    except (ValueError, RecursionError) as error:
        why = DEEP if isinstance(error, RecursionError) else str(error)
        return Malformed(f"{call.name}: the arguments cannot be read ({why}); {expected}")
    if not isinstance(found, dict):
        return Malformed(f"{call.name}: the arguments are {_kind(found)}; {expected}")
    if _deeper(found, MOST_DEPTH):
        return Malformed(f"{call.name}: the arguments cannot be read ({DEEP}); {expected}")
    return found


def _deeper(found: object, depth: int) -> bool:
    """Whether something is nested deeper than that; level by level, since a call for each could be too many."""
    level = [found]
    for _ in range(depth + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"the field {_brief(twice)} is there twice")
    return found


def _constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _problems(found: object, schema: Mapping[str, object]) -> Iterator[str]:
    """A sentence for each way in which the arguments are not of the schema."""
    validator = _jsonschema().Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(found), key=lambda one: [str(part) for part in one.absolute_path]):
        yield _sentence(error, schema)


def _sentence(error: object, schema: Mapping[str, object]) -> str:
    where = _field(error.absolute_path)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            names = ", ".join(f"{_brief(name)} ({_expected(_of(error.schema, name))})" for name in missing)
            return f"{where}: missing {names}" if error.absolute_path else f"missing {names}"
        case "additionalProperties":
            known = error.schema.get("properties", {})
            strange = ", ".join(_brief(name) for name in error.instance if name not in known)
            fields = ", ".join(known) or "none"
            return f"{where}: there is no field {strange}; the fields are: {fields}".removeprefix("the arguments: ")
        case "type":
            return f"{where} is {_kind(error.instance)}, {_brief(error.instance)}; expected {_expected(error.schema)}"
        case _:
            return f"{where} is {_brief(error.instance)}; expected {_expected(error.schema)}"


def _of(schema: Mapping[str, object], name: str) -> Mapping[str, object]:
    return schema.get("properties", {}).get(name, {})


def _field(path: Sequence[object]) -> str:
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"the field {parts!r}" if parts else "the arguments"


def _expected(schema: object) -> str:
    """What a schema asks for, in words as far as there are some, else as it stands."""
    if not isinstance(schema, Mapping) or not schema:
        return "any value"
    said = {name: value for name, value in schema.items() if name not in ("description", "title", "type")}
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    words = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    rest = json.dumps(said, default=str) if said else ""
    about = schema.get("description")
    return " ".join(part for part in (words, f"of {rest}" if words and rest else rest, about and f"({about})") if part)


_KINDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


def _kind(found: object) -> str:
    match found:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number with a fraction"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _no_values(found: Mapping[str, object], tool: ToolSpec) -> Iterator[str]:
    """A sentence for each argument that no cell could hold; an object is right where the schema itself asks for one."""
    for name, value in found.items():
        if _of(tool.schema, name).get("type") != "object" and not _is_value(value):
            yield (
                f"the field {name!r} is {_brief(value)}; values are strings of whole characters, integers, true, "
                "false, null, and lists of those"
            )


def _is_value(found: object) -> bool:
    match found:
        case dict():
            return False
        case list():
            return all(map(_is_value, found))
        case float():
            return found.is_integer()
        case str():
            return not any("\ud800" <= char <= "\udfff" for char in found)
        case _:
            return True


def _value(found: object) -> Value:
    """Lists as tuples, 2.0 as 2; an object stays what it is."""
    match found:
        case list():
            return tuple(map(_value, found))
        case float():
            return int(found)
        case _:
            return found


def _brief(found: object) -> str:
    text = json.dumps(found)
    return text if len(text) <= 60 else f"{text[:57]}..."


@lru_cache(maxsize=1)
def _jsonschema() -> ModuleType:
    try:
        import jsonschema
    except ImportError:
        raise BadInput("the package jsonschema is not installed; `pip install '.[models]'` brings it") from None
    return jsonschema
