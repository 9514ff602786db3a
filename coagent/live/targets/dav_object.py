"""One event, task or contact as cells: which fields a body shows, and a body in which some fields are changed.

Only the lines of the changed fields are made anew. Of a series, the cells are those of the series itself, not of
single occurrences that were moved. Knows no server.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from coagent.live.target import Refused
from coagent.live.targets.content_line import (
    Line,
    cell_line,
    cell_of,
    escaped,
    is_plain,
    lines_of,
    made,
    parsed,
    same_lines,
)
from coagent.live.targets.content_line import unescaped as text_of
from coagent.live.targets.moment import after, between, duration, moment, shown, timed, told
from coagent.operation import Cell, Value

Read = Callable[[Sequence[Line]], Value]
"""The value that the lines of a property show; None when they show none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a collection holds: the component, its names on the wire, and the fields with a property of their own.

    `texts` are single strings, `several` strings on a line each (two or more are a tuple), with the prefix there,
    `words` strings on one line, `days` times.
    """

    component: str
    extension: str
    content_type: str
    texts: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, str] = field(default_factory=dict)


EVENT = Kind(
    component="VEVENT",
    extension=".ics",
    content_type="text/calendar",
    texts={"name": "SUMMARY", "place": "LOCATION", "notes": "DESCRIPTION"},
    several={"participant": ("ATTENDEE", "mailto:")},
)
TASK = Kind(
    component="VTODO",
    extension=".ics",
    content_type="text/calendar",
    texts={"name": "SUMMARY", "notes": "DESCRIPTION", "status": "STATUS"},
    several={"owner": ("ATTENDEE", "mailto:")},
    words={"list": "CATEGORIES"},
    days={"due": "DUE"},
)
"""The owner is an attendee without an organizer, so that servers that send invitations send none."""

CONTACT = Kind(
    component="VCARD",
    extension=".vcf",
    content_type="text/vcard",
    texts={"name": "FN", "notes": "NOTE"},
    several={"email": ("EMAIL", ""), "phone": ("TEL", "")},
)


@lru_cache(maxsize=8192)
def cells_of(body: str, component: str) -> Mapping[str, Value]:
    """The fields of a body; none where it holds no such component."""
    kind = next(one for one in (EVENT, TASK, CONTACT) if one.component == component)
    lines = _Part.of(body, kind)
    return lines.cells() if lines else {}


def changed(body: str | None, kind: Kind, name: str, cells: Mapping[str, Cell], source: str | None) -> str | None:
    """The body with some fields changed; None stands for no object, before and after.

    A field that goes back to what it is in `source` gets its lines from there; where all is then as in `source`, the
    result is `source` itself. Raises Refused for what the formats cannot say.
    """
    start = body or source or _new(kind, name)
    part = _Part.of(start, kind)
    if part is None:
        raise Refused(f"the resource of {name} is no {kind.component}")
    old = _Part.of(source, kind) if source else None
    called = part.full_name()
    if body is None:
        cells = {**dict.fromkeys(part.cells(), ()), **cells}
    for one in sorted(cells, key=lambda one: ("start", "minutes").index(one) if one in ("start", "minutes") else -1):
        part.change(one, cells[one], old)
    if kind is CONTACT:
        part.named(called)
    text = "".join(part.lines)
    if source and same_lines(text, source):
        return source
    if not part.cells():
        return None
    if kind is EVENT and not part.find("DTSTART"):
        raise Refused("an event needs a start")
    return text


def _new(kind: Kind, name: str) -> str:
    if kind is CONTACT:
        lines = ("BEGIN:VCARD", "VERSION:3.0", f"UID:{escaped(name)}", "FN:", "N:;;;;", "END:VCARD")
    else:
        stamp = f"DTSTAMP:{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        begin = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//coagent//live//EN", f"BEGIN:{kind.component}")
        lines = (*begin, f"UID:{escaped(name)}", stamp, f"END:{kind.component}", "END:VCALENDAR")
    return "".join(made(parsed(line)) for line in lines)


class _Part:
    """The lines of a body, and where among them the own lines of the one component are."""

    def __init__(self, lines: list[str], kind: Kind, begin: int) -> None:
        self.lines, self.kind, self.begin = lines, kind, begin
        self.end_of_line = "\r\n" if lines[0].endswith("\r\n") else "\n"

    @classmethod
    def of(cls, body: str, kind: Kind) -> "_Part | None":
        """The component that is the object: of a series the one without RECURRENCE-ID. None where there is none."""
        lines = list(lines_of(body))
        found = [at for at, raw in enumerate(lines) if _is(raw, "BEGIN", kind.component)]
        parts = [cls(lines, kind, at) for at in found]
        return next((part for part in parts if not part.find("RECURRENCE-ID")), parts[0] if parts else None)

    def own(self) -> list[int]:
        """The places of the component's own lines, not those of what is in it (alarms)."""
        places, depth = [], 0
        for at in range(self.begin + 1, len(self.lines)):
            name = parsed(self.lines[at]).name
            if name == "END" and depth == 0:
                break
            if depth == 0 and name != "BEGIN":
                places.append(at)
            depth += {"BEGIN": 1, "END": -1}.get(name, 0)
        return places

    def find(self, *names: str) -> list[int]:
        return [at for at in self.own() if parsed(self.lines[at]).name in names]

    def lines_at(self, *names: str) -> list[Line]:
        return [parsed(self.lines[at]) for at in self.find(*names)]

    def put(self, places: Sequence[int], raws: Sequence[str]) -> None:
        """Replace lines by others, where the first was, else after the component's other own lines."""
        own = self.own()
        where = places[0] if places else (own[-1] if own else self.begin) + 1
        for at in reversed(places):
            del self.lines[at]
        self.lines[where:where] = raws

    def properties(self, name: str) -> tuple[str, ...]:
        """The properties that a field can have lines of, beside those of ours."""
        kind = self.kind
        if kind is EVENT and name in ("start", "minutes"):
            return ("DTSTART",) if name == "start" else ("DTEND", "DURATION")
        single = kind.texts.get(name) or kind.words.get(name) or kind.days.get(name)
        return (single,) if single else kind.several.get(name, ("",))[:1]

    def places(self, name: str) -> list[int]:
        """Where the lines of a field are."""
        properties = self.properties(name)
        shows = ((at, parsed(self.lines[at])) for at in self.own())
        return [at for at, line in shows if line.name in properties or (cell_of(line) or ("",))[0] == name]

    def cells(self) -> Mapping[str, Value]:
        """Every field that shows something."""
        kind = self.kind
        found: dict[str, Value] = {}
        for name, property in kind.texts.items():
            found[name] = next((text_of(line.value) for line in self.lines_at(property)), "") or None
        for name, (property, prefix) in kind.several.items():
            found[name] = _one_or_more([_item(line.value, prefix) for line in self.lines_at(property)])
        for name, property in kind.words.items():
            split = (re.findall(r"(?:[^,\\]|\\.)+", line.value) for line in self.lines_at(property))
            found[name] = _one_or_more([text_of(word) for words in split for word in words])
        for name, property in kind.days.items():
            at = next(map(moment, self.lines_at(property)), None)
            found[name] = shown(at, days=True) if at else None
        if kind is EVENT:
            start = next(map(moment, self.lines_at("DTSTART")), None)
            length = self.length()
            found["start"] = shown(start) if start else None
            found["minutes"] = length // timedelta(minutes=1) if length is not None else None
        shown_cells = {name: value for name, value in found.items() if value is not None}
        own = (cell_of(parsed(self.lines[at])) for at in self.own())
        return shown_cells | {name: value for name, value in filter(None, own)}

    def length(self) -> timedelta | None:
        """How long an event is, by its end or its duration."""
        start, end = (next(map(moment, self.lines_at(name)), None) for name in ("DTSTART", "DTEND"))
        if start and end:
            return between(start, end)
        return next((duration(line.value) for line in self.lines_at("DURATION")), None)

    def change(self, name: str, cell: Cell, source: "_Part | None") -> None:
        """Let a field be so; lines stay where it is so already."""
        now = self.cells()
        if repr((now[name],) if name in now else ()) == repr(cell):
            return
        old = source.cells() if source else {}
        if source and repr((old[name],) if name in old else ()) == repr(cell):
            raws = [source.lines[at] for at in source.places(name)]
        else:
            raws = [made(line, self.end_of_line) for line in self.told(name, cell[0])] if cell else []
        if name == "start" and self.kind is EVENT:
            self.start(raws)
        else:
            self.put(self.places(name), raws)

    def start(self, raws: Sequence[str]) -> None:
        """Replace the start; an end moves with it, so that the event stays as long as it was."""
        begin, end = (next(map(moment, self.lines_at(name)), None) for name in ("DTSTART", "DTEND"))
        length = self.length()
        self.put(self.places("start"), raws)
        if not (begin and end) or length is None:
            return
        (old,) = self.lines_at("DTEND")[:1]
        new = next((moment(parsed(raw)) for raw in raws), None)
        if new is None:
            line = Line(name="DURATION", value=_lasting(length))
        else:
            zone = new.zone if end.zone == begin.zone else end.zone
            line = timed("DTEND", old.parameters, after(new, length, zone))
        self.put(self.find("DTEND"), [made(line, self.end_of_line)])

    def told(self, name: str, value: Value) -> list[Line]:
        """The lines that say a value, in the field's own property if it can, else in one of ours."""
        kind = self.kind
        if kind is EVENT and name == "start":
            old = next(iter(self.lines_at("DTSTART")), Line(name="DTSTART"))
            return [timed("DTSTART", old.parameters, told(value, moment(old)))]
        if kind is EVENT and name == "minutes":
            return [self.lasting(value)]
        if property := kind.days.get(name):
            old = next(iter(self.lines_at(property)), Line(name=property))
            return [timed(property, old.parameters, told(value, moment(old), days=True))]
        items = value if isinstance(value, tuple) and len(value) > 1 else (value,)
        fits = all(map(is_plain, items))
        if fits and len(items) == 1 and (property := kind.texts.get(name)):
            old = next(iter(self.lines_at(property)), Line(name=property))
            return [Line(name=property, parameters=old.without("ALTREP"), value=escaped(value))]
        if fits and (property := kind.words.get(name)):
            return [Line(name=property, value=",".join(map(escaped, items)))]
        property, prefix = kind.several.get(name, ("", ""))
        if property and fits and all(_item(_said(item, prefix), prefix) == item for item in items):
            kept = {_item(line.value, prefix): line for line in self.lines_at(property)}
            return [kept.get(item) or Line(name=property, value=_said(item, prefix)) for item in items]
        return [cell_line(name, value)]

    def lasting(self, value: Value) -> Line:
        """The line that says how long an event is: an end where it has one, a duration otherwise."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
            raise Refused(f"{value!r} is no number of minutes")
        length = timedelta(minutes=value)
        begin = next(map(moment, self.lines_at("DTSTART")), None)
        end = next(iter(self.lines_at("DTEND")), None)
        if begin and end and (old := moment(end)):
            return timed("DTEND", end.parameters, after(begin, length, old.zone))
        return Line(name="DURATION", value=_lasting(length))

    def full_name(self) -> str:
        return next((text_of(line.value) for line in self.lines_at("FN")), "")

    def named(self, before: str) -> None:
        """Let a contact have the names that its format asks for; the sorted one follows if it was made from FN."""
        if not self.find("FN"):
            self.put([], [made(Line(name="FN"), self.end_of_line)])
        sort = self.find("N")
        if sort and parsed(self.lines[sort[0]]).value == _sorted_name(before):
            self.put(sort, [made(Line(name="N", value=_sorted_name(self.full_name())), self.end_of_line)])


def _is(raw: str, name: str, value: str) -> bool:
    line = parsed(raw)
    return line.name == name and line.value.upper() == value


def _one_or_more(items: Sequence[str]) -> Value:
    return (items[0] if len(items) == 1 else tuple(items)) if items else None


def _item(value: str, prefix: str) -> str:
    """What one line of several says."""
    if not prefix:
        return text_of(value)
    return value[len(prefix) :] if value.lower().startswith(prefix) else value


def _said(item: str, prefix: str) -> str:
    """The value of a line for one of several; an address only if it is one."""
    if not prefix:
        return escaped(item)
    return prefix + item if re.fullmatch(r"[^\s@,;:\"\\?%]+@[^\s@,;:\"\\?%]+", item) else ""


def _sorted_name(full: str) -> str:
    """Family name first, as the property N has it."""
    given, _, family = full.rpartition(" ")
    return f"{escaped(family)};{escaped(given)};;;"


def _lasting(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if minutes and minutes % 1440 == 0 and not seconds:
        return f"P{minutes // 1440}D"
    return f"PT{minutes}M" if not seconds else f"PT{minutes}M{seconds}S"
