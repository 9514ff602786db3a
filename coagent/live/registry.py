"""The tools of a live run by name, and the one door through which calls from outside come: names, arguments, sizes.

Decides what is no call at all. It knows nothing of who calls, of the order, or of what state there is.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from coagent.argument_schema import PART, PATH
from coagent.bad_input import BadInput
from coagent.operation import Call, Value
from coagent.tool import Tool

MAX_BYTES = 1_048_576
"""Of all arguments of a call together: UTF-8 of texts and names, digits of integers, one for each item."""

MAX_DEPTH = 8
"""Lists inside one another."""

MAX_DIGITS = 1_000
"""Of an integer."""

_LARGEST = 10**MAX_DIGITS
_ANY_SIZE = 2**62
_PATHS = (PATH["pattern"], PART["pattern"])
_NO_PART = ("", ".", "..")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KINDS = {
    "string": "a text",
    "integer": "an integer",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "number": "a number",
}
_SHOWN = 60


class BadCall(ValueError):
    """A call that cannot be made. The message is one sentence for the agent: what is wrong, and what is expected."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Tools by name, each with what checks its arguments; made by `of`."""

    tools: Mapping[str, Tool]
    _errors: Mapping[str, Callable[[Mapping[str, Value]], Iterator[object]]]

    @classmethod
    def of(cls, tools: Mapping[str, Tool] | Iterable[Tool]) -> "Registry":
        """The registry of these tools. Raises BadInput for two of one name, and for one without a usable schema."""
        listed = list(tools.values() if isinstance(tools, Mapping) else tools)
        found = {tool.name: tool for tool in listed}
        if len(found) < len(listed):
            twice = next(name for name in found if sum(tool.name == name for tool in listed) > 1)
            raise BadInput(f"two tools are named {twice!r}; calls go by name, so give one of them another")
        return cls(found, {tool.name: _compiled(tool) for tool in listed})

    def checked(self, name: object, args: object) -> Call:
        """The call of the tool `name` with these arguments by name, in the schema's order, lists as tuples.

        Raises BadCall when there is no such tool, when the arguments are not those of its schema, hold a fraction,
        an object, a NUL or half a surrogate pair, are too large or too deep, or when a path is not a plain one.
        """
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise BadCall(self._unknown(name))
        if not isinstance(args, Mapping):
            raise BadCall(f"{tool.name}: the arguments are {_brief(args)}; they have to be an object, by name")
        frozen = _frozen(tool.name, args)
        for error in self._errors[tool.name](frozen):
            raise BadCall(f"{tool.name}: {_sentence(error, tool.schema)}")
        return Call(tool.name, tuple((one, frozen[one]) for one in tool.schema["properties"] if one in frozen))

    def _unknown(self, name: object) -> str:
        near = get_close_matches(name[:_SHOWN], self.tools, n=3, cutoff=0.5) if isinstance(name, str) else []
        way_out = f"did you mean {_either(near)}?" if near else f"there are {', '.join(sorted(self.tools))}."
        return f"no tool is named {_brief(name)}; {way_out}"


def _frozen(tool: str, args: Mapping[object, object]) -> dict[str, Value]:
    """The arguments with lists as tuples. Raises BadCall for what no cell could hold, and for too much."""
    left, frozen = MAX_BYTES, {}
    for name, value in args.items():
        if type(name) is not str:
            raise BadCall(f"{tool}: an argument is named {_brief(name)}; names are texts")
        try:
            left -= len(name.encode())
            frozen[name], left = _froze(value, left, 0)
        except UnicodeEncodeError:
            raise BadCall(f"{tool}: {_named(name)} has half a surrogate pair in it; send valid Unicode") from None
        except _Unfit as unfit:
            raise BadCall(f"{tool}: {_named(name)} {unfit}") from None
    return frozen


def fit(value: object) -> Value:
    """A value as cells and reports hold it, lists as tuples. Raises BadCall for what none can hold."""
    try:
        return _froze(value, _ANY_SIZE, 0)[0]
    except UnicodeEncodeError:
        raise BadCall("the value has half a surrogate pair in it; send valid Unicode") from None
    except _Unfit as unfit:
        raise BadCall(f"the value {unfit}") from None


class _Unfit(Exception):
    """What is wrong with a value, as the end of a sentence about it."""


def _froze(value: object, left: int, depth: int) -> tuple[Value, int]:
    """The value, and how many bytes are left after it."""
    # Exact types: a subclass may compare and hash as it likes, and what is kept here outlives the call.
    kind = type(value)
    if kind is str:
        left -= len(value.encode())
        if "\x00" in value:
            raise _Unfit("has a NUL character in it; leave it out")
    elif kind is bool or value is None:
        left -= 1
    elif kind is int:
        if not -_LARGEST < value < _LARGEST:
            raise _Unfit(f"is an integer of more than {MAX_DIGITS:,} digits; send a smaller one")
        left -= 1 + value.bit_length() // 3
    elif kind is list or kind is tuple:
        if depth == MAX_DEPTH:
            raise _Unfit(f"has lists nested more than {MAX_DEPTH} deep; flatten them")
        items, left = [], left - 1
        for item in value:
            one, left = _froze(item, left, depth + 1)
            items.append(one)
        value = tuple(items)
    else:
        raise _Unfit(f"has {_brief(value)} in it; values are texts, integers, true, false, null and lists of those")
    if left < 0:
        raise _Unfit(f"takes the call past {MAX_BYTES:,} bytes of arguments; send less")
    return value, left


def _compiled(tool: Tool) -> Callable[[Mapping[str, Value]], Iterator[object]]:
    """What gives the errors of arguments. Raises BadInput when the tool's schema is none for an object by name."""
    # Only who makes a registry needs it, and importing it takes longer than the rest of the package.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import extend
    from referencing import Registry as Documents

    def is_list(checker: object, value: object) -> bool:
        return isinstance(value, tuple)

    schema = tool.schema
    if schema is None or schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        raise BadInput(f"the tool {tool.name!r} has no JSON Schema of an object; a live tool needs one as its schema")
    if schema.get("additionalProperties") is not False:
        raise BadInput(
            f"the schema of the tool {tool.name!r} lets any argument in; say additionalProperties: false, so that a "
            "mistyped one is told"
        )
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise BadInput(f"the schema of the tool {tool.name!r} is no JSON Schema: {error.message}") from None
    types = Draft202012Validator.TYPE_CHECKER.redefine("array", is_list)
    kind = extend(Draft202012Validator, {"pattern": _pattern}, type_checker=types)
    # Without documents of its own a validator fetches what a schema refers to, from wherever that is.
    return kind(schema, registry=Documents()).iter_errors


def _pattern(validator: object, pattern: str, value: object, schema: object) -> Iterator[object]:
    """As JSON Schema's `pattern`; of paths also what a pattern does not say."""
    from jsonschema.exceptions import ValidationError

    if not isinstance(value, str):
        return
    if pattern not in _PATHS:
        if not re.search(pattern, value):
            yield ValidationError(f"which does not match {pattern}")
    elif problem := path_problem(value, PATH["pattern"] == pattern):
        yield ValidationError(problem)


def path_problem(text: str, slashes: bool = True) -> str:
    """What keeps a text from outside from being a path (without `slashes`: one part of one), or nothing.

    Two spellings of one object would be two objects to the order, so that `.` is refused as `..` is.
    """
    parts = text.split("/")
    if len(parts) > 1 and not slashes:
        return "which has a slash in it; send one name without slashes"
    for part in parts:
        if part in _NO_PART:
            what = f"a part that is {part!r}" if part else "an empty part"
            return f"which has {what}; paths look like stock/apples" if slashes else f"which has {what}; send a name"
    if _CONTROL.search(text):
        return "which has a control character in it; leave it out"
    return ""


def _sentence(error: object, schema: Mapping[str, object]) -> str:
    """What jsonschema found, in words."""
    expected = schema["properties"]
    if not error.absolute_path:
        match error.validator:
            case "required":
                missing = next(name for name in error.validator_value if name not in error.instance)
                return f"the argument {missing!r} is missing; it takes {_names(expected)}"
            case "additionalProperties":
                surplus = next(name for name in error.instance if name not in expected)
                near = get_close_matches(surplus[:_SHOWN], expected, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                return f"there is no argument {_brief(surplus)}{hint}; it takes {_names(expected)}"
            case _:
                return f"the arguments have to keep to {error.validator}; it takes {_names(expected)}"
    where, *inside = error.absolute_path
    place = "".join(f"[{key}]" for key in inside)
    return f"the argument {where!r}{place} is {_brief(error.instance)}, {_problem(error)}"


def _problem(error: object) -> str:
    """What is wrong with one value, after a comma."""
    match error.validator:
        case "type":
            kinds = error.validator_value
            words = [_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
            return f"but has to be {_either(words, quote=False)}"
        case "enum":
            return f"but has to be {_either([_brief(one) for one in error.validator_value], quote=False)}"
        case "minItems" | "maxItems":
            few = "at least" if error.validator == "minItems" else "at most"
            return f"but has to have {few} {error.validator_value} items"
        case "pattern":
            return error.message
        case _:
            return f"but has to keep to {error.validator} {json.dumps(error.validator_value, default=str)}"


def _named(name: str) -> str:
    return f"the argument {_brief(name)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _either(words: list[str], *, quote: bool = True) -> str:
    words = [repr(word) for word in words] if quote else words
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _brief(value: object) -> str:
    """A value in a sentence, as ASCII, never more than a line of it."""
    match value:
        case None | bool():
            return json.dumps(value)
        case int() if not -_LARGEST < value < _LARGEST:
            return "an enormous integer"
        case str() | int() | float():
            shown = ascii(value[: _SHOWN + 1] if isinstance(value, str) else value)
            return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        case list() | tuple():
            return f"a list of {len(value)}"
        case Mapping():
            return "an object"
        case _:
            return f"a {type(value).__name__}"
