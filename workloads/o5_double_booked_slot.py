"""O5, write skew in the office: two agents each book half an hour in the first free slot of one person's day.

Each lists the day and creates an event under an id of its own, so that no two writes ever meet, and without
control both take the same slot.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.tool import TOOLS
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_tool import CREATE_EVENT, EVENTS_ON

NAME = "o5-double-booked-slot"
STORY = "A and B each book half an hour in the first free slot of one person's day. It is {person}'s {day}."

OPENS_MIN, CLOSES_MIN, MEETING_MIN = office.OPENS_MIN, office.CLOSES_MIN, 30
"""Minutes of the day between which a meeting fits, and the length of one."""

TASK = (
    "Book a meeting of 30 minutes in the first free slot of {person} on {date}. The day goes from 09:00 to 18:00. "
    "List the events of the day; the slot begins at 09:00, or else where an event ends, at the earliest time from "
    'which 30 minutes are free before 18:00. Put an event in with the id "new-{name}", the name "meeting of {name}", '
    'the participant {person}, the start as "YYYY-MM-DD HH:MM", and 30 minutes. Report the start as a string '
    '"HH:MM". If no slot is free, put nothing in and report "no free slot".'
)
ALSO_A = ' Before you report, put the text "room 2" at the path calendar/{event}/label.'

Span = tuple[int, int]
"""When something begins and how long it lasts, in minutes of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Whose day it is (an address), the date as YYYY-MM-DD, and the id of its first event."""

    person: str
    date: str
    first_event: str


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over the office calendar: WorkBench's in `folder`, else the generated one.

    With `irrelevant`, A then labels an event of the day: that lies in what B listed, and changes nothing B saw.
    """
    state = office.state([office.CALENDAR], folder=folder)
    day = busy_day(dict(state))
    return Workload(
        name=NAME,
        story=STORY.format(person=day.person, day=day.date),
        state=state,
        agents=(
            Agent(
                name="A", program=partial(_book, "A", day, irrelevant), task=_task(TASK + ALSO_A * irrelevant, "A", day)
            ),
            Agent(name="B", program=partial(_book, "B", day, False), task=_task(TASK, "B", day)),
        ),
        tools={**TOOLS, **{tool.name: tool for tool in (EVENTS_ON, CREATE_EVENT)}},
        invariant=partial(both_booked, day),
    )


def _task(words: str, name: str, day: Day) -> str:
    return words.format(name=name, person=day.person, date=day.date, event=day.first_event)


def busy_day(state: Mapping[str, Value]) -> Day:
    """The fullest day of one person that begins at nine, or of any; ties go to the earliest, then by name."""
    if not state:
        raise BadInput("the calendar has no events, and the cell needs somebody's day; check --tables")
    days: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in {path.split("/")[1] for path in state}:
        at = f"calendar/{name}"
        start = state[f"{at}/start"]
        key = (start[:10], state[f"{at}/participant"])
        days.setdefault(key, []).append((office.minute_of_day(start), name))
    (date, person), events = min(days.items(), key=lambda item: (min(item[1])[0] != OPENS_MIN, -len(item[1]), item[0]))
    return Day(person=person, date=date, first_event=min(events)[1])


def first_free(taken: Iterable[Span]) -> int | None:
    """The first minute of the day at which a meeting fits beside what is taken, or None."""
    start = OPENS_MIN
    for begin, minutes in sorted(taken):
        if start + MEETING_MIN <= begin:
            break
        start = max(start, begin + minutes)
    return start if start + MEETING_MIN <= CLOSES_MIN else None


def both_booked(day: Day, state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Both new events exist, last half an hour within the day, and nothing of the person's day overlaps."""
    made = [(state.get(f"calendar/new-{name}/start"), state.get(f"calendar/new-{name}/minutes")) for name in "AB"]
    if made != [(f"{day.date} {reports.get(name)}", MEETING_MIN) for name in "AB"]:
        return False
    names = {path.split("/")[1] for path in state if path.startswith("calendar/")}
    spans = sorted(_spans(state, names, day))
    inside = OPENS_MIN <= spans[0][0] and sum(spans[-1]) <= CLOSES_MIN
    return inside and all(sum(span) <= after[0] for span, after in pairwise(spans))


def _spans(state: Mapping[str, Value], names: Iterable[str], day: Day) -> Iterator[Span]:
    """The spans of those named events that are the person's on that date."""
    for name in names:
        start = state.get(f"calendar/{name}/start")
        if start and start.startswith(day.date) and state.get(f"calendar/{name}/participant") == day.person:
            yield office.minute_of_day(start), state.get(f"calendar/{name}/minutes")


def _book(name: str, day: Day, labels: bool) -> Generator[Intent, Result, Value]:
    """One agent: list the person's day, create an event in its first free slot, and report when it starts."""
    listed = (yield Intent(call=Call("events_on", (("person", day.person), ("date", day.date))))).value
    start = first_free((office.minute_of_day(start), minutes) for start, minutes in listed)
    if start is None:
        return "no free slot"
    yield Intent(
        call=Call(
            "create_event",
            (
                ("event", f"new-{name}"),
                ("name", f"meeting of {name}"),
                ("participant", day.person),
                ("start", f"{day.date} {office.clock(start)}"),
                ("minutes", MEETING_MIN),
            ),
        )
    )
    if labels:
        label = f"calendar/{day.first_event}/label"
        yield Intent(call=Call("put", (("path", label), ("value", "room 2"))))
    return office.clock(start)
