"""Times of calendars: what DTSTART, DTEND and DUE say, as text for cells and back, in the zone that the line names.

A cell shows the wall clock of the line's own zone. Knows nothing of whole events.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from coagent.live.target import Refused
from coagent.live.targets.content_line import Line
from coagent.operation import Value

DATE, UTC, FLOATING = "DATE", "UTC", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A wall clock without zone, and where it is one: a TZID, `UTC`, `DATE` for a whole day, empty for floating."""

    wall: datetime
    zone: str = FLOATING


def moment(line: Line) -> Moment | None:
    """What a line says, or None when that is no time."""
    try:
        if re.fullmatch(r"\d{8}", line.value):
            return Moment(wall=datetime.strptime(line.value, "%Y%m%d"), zone=DATE)
        if not re.fullmatch(r"\d{8}T\d{6}Z?", line.value):
            return None
        wall = datetime.strptime(line.value[:15], "%Y%m%dT%H%M%S")
    except ValueError:
        return None
    return Moment(wall=wall, zone=UTC if line.value.endswith("Z") else line.parameter("TZID"))


def timed(name: str, parameters: str, at: Moment) -> Line:
    """The line of a moment; of the old parameters those stay that are not about its zone or type."""
    kept = Line(name=name, parameters=Line(name=name, parameters=parameters).without("VALUE")).without("TZID")
    day, clock = f"{at.wall.year:04}{at.wall:%m%d}", f"T{at.wall:%H%M%S}"
    match at.zone:
        case "DATE":
            return Line(name=name, parameters=f"{kept};VALUE=DATE", value=day)
        case "UTC":
            return Line(name=name, parameters=kept, value=f"{day}{clock}Z")
        case "":
            return Line(name=name, parameters=kept, value=day + clock)
    zone = Line(name=name, parameters=parameters).parameter("TZID")
    return Line(name=name, parameters=parameters if zone else f"{kept};TZID={at.zone}", value=day + clock)


def shown(at: Moment, *, days: bool = False) -> str:
    """`YYYY-MM-DD HH:MM`, with seconds where there are some; a whole day without its clock if `days`."""
    if days and at.zone == DATE:
        return at.wall.date().isoformat()
    return at.wall.isoformat(" ", "seconds" if at.wall.second else "minutes")


def told(value: Value, old: Moment | None, *, days: bool = False) -> Moment:
    """The moment that a cell means, in the zone of the old one. Raises Refused for what is no time."""
    try:
        if not isinstance(value, str):
            raise ValueError(value)
        if days and len(value) == len("YYYY-MM-DD"):
            day = date.fromisoformat(value)
            at = Moment(wall=datetime(day.year, day.month, day.day), zone=DATE)
        else:
            at = Moment(wall=datetime.fromisoformat(value), zone=old.zone if old else FLOATING)
            if at.zone == DATE and (days or at.wall.time() != datetime.min.time()):
                at = replace(at, zone=FLOATING)
        if at.wall.tzinfo or shown(at, days=days) != value:
            raise ValueError(value)
    except ValueError:
        raise Refused(f"{value!r} is no time; write it as YYYY-MM-DD HH:MM") from None
    return at


def between(start: Moment, end: Moment) -> timedelta | None:
    """How long it is from one to the other, None when their zones cannot be compared."""
    if start.zone == end.zone:
        return end.wall - start.wall
    zones = _zone(start.zone), _zone(end.zone)
    if None in zones:
        return None
    return end.wall.replace(tzinfo=zones[1]) - start.wall.replace(tzinfo=zones[0])


def after(start: Moment, length: timedelta, zone: str) -> Moment:
    """The moment a length after the start, in a zone if it can be compared with the start's."""
    plain = Moment(wall=start.wall + length, zone=start.zone)
    if start.zone == DATE and length % timedelta(days=1):
        raise Refused("the event is of whole days; give it a start with a clock first")
    zones = _zone(start.zone), _zone(zone)
    if zone == start.zone or None in zones:
        return plain
    end = (start.wall.replace(tzinfo=zones[0]).astimezone(_zone(UTC)) + length).astimezone(zones[1])
    return Moment(wall=end.replace(tzinfo=None), zone=zone)


def _zone(name: str):
    """The zone of a TZID, also of those that Windows gives, or None."""
    from icalendar.timezone import tzp

    return None if name in (DATE, FLOATING) else tzp.timezone(name)


def duration(value: str) -> timedelta | None:
    """What a DURATION says."""
    from icalendar.prop import vDuration

    try:
        return vDuration.from_ical(value)
    except ValueError:
        return None
