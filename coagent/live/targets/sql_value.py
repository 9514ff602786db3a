"""What a column holds as the value of a cell, and back, without loss: one table of forms for each database.

Raw is what the statement gives and takes: with PostgreSQL the server's own text of any value (what `pg_dump` relies
on), with SQLite the storage class itself. Knows nothing of rows.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coagent.operation import Value, same

Raw = int | float | str | bytes | None

_BYTES = re.compile(r"\\x(?:[0-9a-f]{2})*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a kind of column is shown. `encode` takes any value; what a column cannot hold reads back otherwise."""

    decode: Callable[[Raw], Value]
    encode: Callable[[Value], Raw]

    def says_all(self, raw: Raw) -> bool:
        """Whether the cell alone gives this raw value back."""
        return same(self.encode(self.decode(raw)), raw)


def compact(value: Value) -> str:
    """A value as JSON text; characters that have no UTF-8 are escaped, so that every value has a text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _no(text: object) -> object:
    raise ValueError("no value of a cell")


def _value(found: object) -> Value:
    match found:
        case list():
            return tuple(_value(item) for item in found)
        case dict():
            return _no(found)
        case _:
            return found


def _parsed(raw: Raw) -> Value:
    """JSON text as a value. Raises ValueError where it holds an object or a number with a fraction, or is no JSON."""
    if not isinstance(raw, str):
        return _no(raw)
    try:
        return _value(json.loads(raw, parse_float=_no, parse_constant=_no))
    except RecursionError:
        return _no(raw)


def _json_value(raw: Raw) -> Value:
    """Lists, integers and booleans are values; every other JSON is shown as its text, and SQL's NULL is null."""
    try:
        value = _parsed(raw)
    except ValueError:
        return _plain(raw)
    return value if isinstance(value, int | tuple) else raw


def _json_raw(value: Value) -> Raw:
    return compact(value) if isinstance(value, int | tuple) else value


def _any_value(raw: Raw) -> Value:
    try:
        return _parsed(raw)
    except ValueError:
        return _plain(raw)


def _plain(raw: Raw) -> Value:
    match raw:
        case float():
            return repr(raw)
        case bytes():
            return "\\x" + raw.hex()
        case _:
            return raw


def _as_text(value: Value) -> Raw:
    return value if value is None or isinstance(value, str) else compact(value)


def _stored(value: Value) -> Raw:
    return compact(value) if isinstance(value, tuple) else int(value) if isinstance(value, bool) else value


def _number(value: Value) -> Raw:
    """A text that is a number as the number; the database then decides how it keeps it."""
    if not isinstance(value, str):
        return _stored(value)
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _blob(value: Value) -> Raw:
    return bytes.fromhex(value[2:]) if isinstance(value, str) and _BYTES.match(value) else _stored(value)


_JSON = Form(decode=_json_value, encode=_json_raw)
_ANY = Form(decode=_any_value, encode=compact)

POSTGRESQL: Mapping[str, Form] = {
    "integer": Form(decode=lambda raw: raw if raw is None else int(raw), encode=_as_text),
    "boolean": Form(decode=lambda raw: raw if raw is None else raw == "true", encode=_as_text),
    "text": Form(decode=_plain, encode=_as_text),
    "number": Form(decode=_plain, encode=_as_text),
    "blob": Form(decode=_plain, encode=_as_text),
    "json": _JSON,
    "any": _ANY,
}
"""All but integers, booleans and JSON is the server's text of it: `1.50`, `2026-03-01`, `\\x6869`, `{1,2}`."""

SQLITE: Mapping[str, Form] = {
    "integer": Form(decode=_plain, encode=_stored),
    "boolean": Form(
        decode=lambda raw: bool(raw) if isinstance(raw, int) and raw in (0, 1) else _plain(raw), encode=_stored
    ),
    "text": Form(decode=_plain, encode=_stored),
    "number": Form(decode=lambda raw: str(raw) if isinstance(raw, int) else _plain(raw), encode=_number),
    "blob": Form(decode=_plain, encode=_blob),
    "json": _JSON,
    "any": _ANY,
}
"""Numbers with fractions are Python's shortest text of them, blobs `\\x` and hexadecimal digits, dates what is kept."""


def kept(raw: Raw) -> object:
    """A raw value as JSON, exactly."""
    match raw:
        case float():
            return {"real": raw.hex()}
        case bytes():
            return {"blob": raw.hex()}
        case _:
            return raw


def brought_back(found: object) -> Raw:
    """The raw value that `kept` made this of."""
    match found:
        case {"real": str(text)}:
            return float.fromhex(text)
        case {"blob": str(text)}:
            return bytes.fromhex(text)
        case _:
            return found


def digest(raws: Sequence[object]) -> str:
    """128 bits that tell these raw values (already `kept`) from others."""
    return hashlib.sha256(json.dumps(list(raws)).encode()).hexdigest()[:32]
