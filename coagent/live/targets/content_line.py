"""Bodies of iCalendar and vCard as logical lines that keep their bytes, and single lines taken apart and made.

Changing one property must leave every other byte of a body alone, which no library that parses a whole body and
writes it again does; so lines stay as they came, and only those that change are made. Knows no component's meaning.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from coagent.history import plain
from coagent.operation import Value

FOLD_OCTETS = 75
"""The longest physical line, without its end (RFC 5545 section 3.1, RFC 6350 section 3.2)."""

VOLATILE = ("DTSTAMP", "LAST-MODIFIED", "REV", "PRODID")
"""What servers and clients set on every write."""

_LOGICAL = re.compile(r"[^\n]*(?:\n|$)(?:[ \t][^\n]*(?:\n|$))*")
_PARAMETER = r'[^=:;",]+(?:=(?:"[^"\n]*"|[^";:,]*)(?:,(?:"[^"\n]*"|[^";:,]*))*)?'
_LINE = re.compile(rf"(?:[\w-]+\.)?([\w-]+)((?:;{_PARAMETER})*):(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line unfolded: name in capitals without its group, parameters as they stand (`;A=b;C=d`), raw value."""

    name: str
    parameters: str = ""
    value: str = ""

    def parameter(self, name: str) -> str:
        """The value of a parameter without its quotes, empty when it is not there."""
        found = re.search(rf';{name}=("[^"]*"|[^;]*)', self.parameters, re.IGNORECASE)
        return found[1].strip('"') if found else ""

    def without(self, name: str) -> str:
        """The parameters but this one, as they stand."""
        return re.sub(rf';{name}=("[^"]*"|[^;]*)', "", self.parameters, flags=re.IGNORECASE)


def lines_of(body: str) -> tuple[str, ...]:
    """The logical lines of a body with their folds and ends: joined, they are the body."""
    return tuple(line for line in _LOGICAL.findall(body) if line)


@lru_cache(maxsize=65_536)
def parsed(raw: str) -> Line:
    """A logical line taken apart; one that is no content line has an empty name and is all value."""
    text = re.sub(r"\r?\n[ \t]", "", raw).rstrip("\r\n")
    found = _LINE.fullmatch(text)
    return Line(name=found[1].upper(), parameters=found[2], value=found[3]) if found else Line(name="", value=text)


def made(line: Line, end: str = "\r\n") -> str:
    """A logical line, folded so that no character is cut."""
    pieces, size = [""], 0
    for character in f"{line.name}{line.parameters}:{line.value}":
        width = len(character.encode("utf-8", "surrogatepass"))
        if size + width > FOLD_OCTETS:
            pieces.append("")
            size = 1
        pieces[-1] += character
        size += width
    return (end + " ").join(pieces) + end


def same_lines(left: str, right: str) -> bool:
    """Whether two bodies say the same, whatever the order and the folds of their lines and when they were written."""
    return _content(left) == _content(right)


def _content(body: str) -> Counter:
    """How often each line is there, with the components that it is in."""
    found: Counter = Counter()
    within: tuple[str, ...] = ()
    for line in map(parsed, lines_of(body)):
        if line.name == "END":
            within = within[:-1]
        elif line.name not in VOLATILE:
            found[within, line] += 1
        if line.name == "BEGIN":
            within = (*within, line.value)
    return found


def escaped(text: str) -> str:
    """A string as a value of type TEXT."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def unescaped(value: str) -> str:
    """The string that a value of type TEXT means."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def is_plain(value: object) -> bool:
    """Whether a value is a string that servers and XML carry as it is: nothing unprintable, no blank at an end."""
    return isinstance(value, str) and bool(value) and value == value.strip() and all(map(_carried, value))


def _carried(character: str) -> bool:
    return character == "\n" or character.isprintable()


OWN, OTHER = "X-COAGENT-", "X-COAGENT-CELL"
"""Properties of fields that the formats have none for; the second one's parameter X-FIELD has the name in hex."""


def cell_line(field: str, value: Value) -> Line:
    """Any value of any field as a property of ours: strings as text, all else as JSON."""
    simple = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", field) and field != "cell"
    name, parameters = (OWN + field.upper(), "") if simple else (OTHER, f";X-FIELD={field.encode().hex()}")
    if isinstance(value, str) and is_plain(value):
        return Line(name=name, parameters=parameters, value=escaped(value))
    text = json.dumps(plain(value), separators=(",", ":"))
    return Line(name=name, parameters=f"{parameters};X-TYPE=JSON", value=escaped(text))


def cell_of(line: Line) -> tuple[str, Value] | None:
    """Field and value of a property of ours; None for every other line, and for one that was spoiled."""
    if not line.name.startswith(OWN):
        return None
    try:
        hidden = line.name == OTHER and line.parameter("X-FIELD")
        field = bytes.fromhex(hidden).decode() if hidden else line.name.removeprefix(OWN).lower()
        text = unescaped(line.value)
        return field, tupled(json.loads(text)) if line.parameter("X-TYPE") == "JSON" else text
    except ValueError:
        return None


def tupled(value: object) -> Value:
    """A value of JSON as a cell holds it. Raises ValueError for what no cell holds."""
    match value:
        case list():
            return tuple(tupled(item) for item in value)
        case None | bool() | int() | str():
            return value
        case _:
            raise ValueError(value)
