"""O4, read skew in the office: one agent swaps the times of two events, another writes an agenda from both.

The times are set one after the other and read one after the other, so that without control an agenda
can have both events at one time, or each at the time of neither.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.history import plain
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "o4-agenda-during-swap"
STORY = (
    "A swaps the times of two events while B writes an agenda from both. It is {person}'s {date}: {first}, {second}."
)
AGENDA = "agenda"
"""The path of what B writes: [start, name] of both events, by start."""

B_THINK_S = 9.0
"""B thinks longer over every call than it takes A to swap the times."""

TASK_A = (
    'Swap the times of two events of {person} on {date}: "{first}" and "{second}". List the events of the day. Then '
    'set the start of "{first}" to that at which "{second}" was listed, and after it the start of "{second}" to that '
    'at which "{first}" was listed, each written as "YYYY-MM-DD HH:MM". Report a list of two strings "HH:MM": when '
    '"{first}" now starts, and when "{second}" now starts. If one of the two is not there, change nothing and report '
    '"no such event".'
)
ALSO_A = (
    ' Before you report, put the text "room 2" at the path calendar/ID/label, where ID is the id of the event '
    '"{first}".'
)
TASK_B = (
    'Write the agenda of two events of {person} on {date}: "{first}" and "{second}". Look up the one, then the '
    'other. The agenda is a list with a list [start, name] for each of the two, the start as "HH:MM", the earlier '
    "one first. Put it at the path agenda, and report the same list. If one of the two is not there, write nothing "
    'and report "no such event".'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two events of one person (an address) and date (YYYY-MM-DD) that last equally long: their ids and names."""

    person: str
    date: str
    events: tuple[str, str]
    names: tuple[str, str]


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over the office calendar: WorkBench's in `folder`, else the generated one.

    With `irrelevant`, A then labels the first event: that lies in what B looked up, and changes nothing B saw.
    """
    state = office.state([office.CALENDAR], folder=folder)
    pair = swappable(dict(state))
    first, second = pair.names
    return Workload(
        name=NAME,
        story=STORY.format(person=pair.person, date=pair.date, first=first, second=second),
        state=state,
        agents=(
            Agent(name="A", program=partial(_swap, pair, irrelevant), task=_task(TASK_A + ALSO_A * irrelevant, pair)),
            Agent(name="B", program=partial(_write, pair), think_s=B_THINK_S, task=_task(TASK_B, pair)),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(one_snapshot, pair, dict(state)),
    )


def _task(words: str, pair: Pair) -> str:
    first, second = pair.names
    return words.format(person=pair.person, date=pair.date, first=first, second=second)


def swappable(state: Mapping[str, Value]) -> Pair:
    """The first two events of one person's day that last equally long and can be told apart by name."""
    days: dict[tuple[str, str], list[str]] = {}
    starts = office.below(state, "calendar", "start")
    for event in sorted(starts, key=lambda event: (starts[event], event)):
        days.setdefault((starts[event][:10], state[f"calendar/{event}/participant"]), []).append(event)
    for (date, person), events in days.items():
        names = [state[f"calendar/{event}/name"] for event in events]
        for one, other in combinations(range(len(events)), 2):
            lengths = {state[f"calendar/{events[place]}/minutes"] for place in (one, other)}
            if len(lengths) == 1 and names.count(names[one]) == names.count(names[other]) == 1:
                chosen, known = (events[one], events[other]), (names[one], names[other])
                return Pair(person=person, date=date, events=chosen, names=known)
    raise BadInput("nobody has two equally long events on a day, and the cell needs them; check --tables")


def one_snapshot(
    pair: Pair, before: Mapping[str, Value], state: Mapping[str, Value], reports: Mapping[str, object]
) -> bool:
    """The two times are swapped and nothing else has changed; the agenda is that of before or that of after."""
    first, second = (f"calendar/{event}/start" for event in pair.events)
    after = {**before, first: before[second], second: before[first]}
    kept = {path: state.get(path) for path in before}
    return kept == after and plain(state.get(AGENDA)) in (_agenda(pair, before), _agenda(pair, after))


def _agenda(pair: Pair, state: Mapping[str, Value]) -> list[list[Value]]:
    rows = zip(pair.events, pair.names, strict=True)
    return sorted([state[f"calendar/{event}/start"][-5:], name] for event, name in rows)


def _swap(pair: Pair, labels: bool) -> Generator[Intent, Result, Value]:
    """A: list the day, give each of the two events the other's time, and report the times as they now are."""
    day = (yield Intent(call=call("day_of", person=pair.person, date=pair.date))).value
    events = [next((event for event in day if event[1] == name), None) for name in pair.names]
    if None in events:
        return "no such event"
    (first, _, early, _), (second, _, late, _) = events
    yield Intent(call=call("move_event", name=first, start=f"{pair.date} {late}"))
    yield Intent(call=call("move_event", name=second, start=f"{pair.date} {early}"))
    if labels:
        yield Intent(call=call("put", path=f"calendar/{first}/label", value="room 2"))
    return late, early


def _write(pair: Pair) -> Generator[Intent, Result, Value]:
    """B: look both events up, one after the other, and write the agenda, which is the report too."""
    lines = []
    for name in pair.names:
        found = (yield Intent(call=call("find_event", person=pair.person, date=pair.date, name=name))).value
        if not found:
            return "no such event"
        lines.append((found[0][2], name))
    agenda = tuple(sorted(lines))
    yield Intent(call=call("put", path=AGENDA, value=agenda))
    return agenda
