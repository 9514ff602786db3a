"""O3, lost update in the office: two agents each push the same meeting back, one by 90 minutes, one by 30.

Each looks the meeting up and moves it to a time of its own reckoning, so that without control the
second move takes the first one back. A replay that adds once more what was moved already ends at 14:00.
"""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "o3-push-back-twice"
STORY = "A pushes a meeting back by 90 minutes and B the same one by 30. It is {person}'s 10:30 {name} of {date}."
BEGINS, ENDS = "10:30", "12:30"
PUSH_MIN = {"A": 90, "B": 30}
TASK = (
    'Push the event "{name}" of {person} on {date} back by {minutes} minutes. Look the event up; then set its start '
    'to {minutes} minutes after the start that you found, written as "YYYY-MM-DD HH:MM". Report the new start as a '
    'string "HH:MM". If there is not exactly one such event, change nothing and report "no such meeting"; if it '
    'would then end after 18:00, change nothing and report "too late in the day".'
)
ALSO_A = ' Before you report, put the text "room 2" at the path calendar/ID/label, where ID is the id of the event.'


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over the office calendar: WorkBench's in `folder`, else the generated one.

    With `irrelevant`, A then labels the meeting: that lies in what B looked up, and changes nothing B saw.
    """
    state = office.state([office.CALENDAR], folder=folder)
    event = _meeting(dict(state))
    person, name, date = _known_by(dict(state), event)
    return Workload(
        name=NAME,
        story=STORY.format(person=person, name=name, date=date),
        state=state,
        agents=tuple(
            Agent(
                name=agent,
                program=partial(_push, (person, name, date), minutes, irrelevant and agent == "A"),
                task=TASK.format(person=person, name=name, date=date, minutes=minutes)
                + ALSO_A * (irrelevant and agent == "A"),
            )
            for agent, minutes in PUSH_MIN.items()
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(pushed, event, dict(state)),
    )


def pushed(event: str, before: Mapping[str, Value], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The meeting begins at 12:30 of its day, and nothing else of the calendar has changed."""
    moved = f"calendar/{event}/start"
    kept = {path: state.get(path) for path in before}
    return kept == {**before, moved: f"{before[moved][:10]} {ENDS}"}


def _meeting(state: Mapping[str, Value]) -> str:
    """The id of the first meeting at 10:30 whose person has no other of that name on the day."""
    known = [_known_by(state, event) for event in office.below(state, "calendar", "start")]
    starts = office.below(state, "calendar", "start")
    found = [event for event, start in starts.items() if start[-5:] == BEGINS]
    single = [event for event in found if known.count(_known_by(state, event)) == 1]
    if not single:
        raise BadInput(f"no meeting begins at {BEGINS}, and the cell needs one; check --tables")
    return min(single, key=lambda event: (starts[event], event))


def _known_by(state: Mapping[str, Value], event: str) -> tuple[str, str, str]:
    """Person, name and date, by which the agents look the event up."""
    participant, name, start = (state[f"calendar/{event}/{field}"] for field in ("participant", "name", "start"))
    return participant, name, start[:10]


def _push(known: tuple[str, str, str], minutes: int, labels: bool) -> Generator[Intent, Result, Value]:
    """One agent: look the meeting up, move it, and report when it now begins."""
    person, name, date = known
    found = (yield Intent(call=call("find_event", person=person, date=date, name=name))).value
    if len(found) != 1:
        return "no such meeting"
    event, _, start, length = found[0]
    later = office.minute_of_day(start) + minutes
    if later + length > office.CLOSES_MIN:
        return "too late in the day"
    yield Intent(call=call("move_event", name=event, start=f"{date} {office.clock(later)}"))
    if labels:
        yield Intent(call=call("put", path=f"calendar/{event}/label", value="room 2"))
    return office.clock(later)
