"""O2, a phantom in the office: one agent gives Fatima's tasks to Dmitri, who is being signed off by another.

A looks whether Dmitri is out, B lists what Dmitri has: without control tasks land on Dmitri after B has
listed them. A gives one task at a time, B all in one call, so that B has six calls whatever A has given by then.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_table import IN_PROGRESS, TASKS, TODAY
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "o2-sick-cover-vs-away"
STORY = (
    "A gives the tasks that Fatima has in progress to Dmitri, or to Carlos if Dmitri is out, while B gives Dmitri's to "
    "Carlos and puts an out-of-office event in."
)
OUT = "Out of office"
DATE = TODAY.isoformat()
AWAY_MIN = office.CLOSES_MIN - office.OPENS_MIN
TASK_A = (
    'Fatima is sick today, {date}. List the tasks that {fatima} has on the list "In Progress". Look whether {dmitri} '
    'has an event on {date} that is named "Out of office": if so, {carlos} takes the tasks over, and otherwise '
    '{dmitri}. Hand each of the listed tasks over to whoever takes them, rows of the table "tasks", one task a call. '
    "Report the address of who took them over, as a string."
)
ALSO_A = ' Before you report, put the text "urgent" at the path tasks/{labelled}/label.'
TASK_B = (
    'Dmitri is away today, {date}. List the tasks that {dmitri} has on the list "In Progress". Look whether {carlos} '
    'has an event on {date} that is named "Out of office": if so, {kofi} takes the tasks over, and otherwise '
    '{carlos}. Hand all of the listed tasks over in one call, rows of the table "tasks"; if there are none, make no '
    'such call. Then list what the person who takes over has on the list "In Progress". Then look whether {dmitri} '
    'has an event on {date} that is named "Out of office", and if not, put one in: its id is "out-of-office", its '
    'name "Out of office", its participant {dmitri}, its start "{date} 09:00", and it takes 540 minutes. Report how '
    'many tasks the person who takes over had on the list "In Progress" when you listed them, as an integer.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The addresses of the three, and of who takes over when Carlos is out as well."""

    fatima: str
    dmitri: str
    carlos: str
    kofi: str


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over tasks and calendar: WorkBench's in `folder`, else generated ones.

    With `irrelevant`, A then labels a task of Dmitri's: that lies in what B listed, and changes nothing B saw.
    """
    state = office.state([TASKS, office.CALENDAR], folder=folder)
    names = ("fatima", "dmitri", "carlos", "kofi")
    staff = Staff(**{name: office.person(dict(state), name.title()) for name in names})
    begun = {who: _begun(dict(state), who) for who in (staff.fatima, staff.dmitri)}
    for who, tasks in begun.items():
        if not tasks:
            raise BadInput(f"{who} has no task in progress, and the cell is about some; check --tables")
    labelled = begun[staff.dmitri][0] if irrelevant else None
    return Workload(
        name=NAME,
        story=STORY,
        state=state,
        agents=(
            Agent(
                name="A",
                program=partial(_cover, staff, labelled),
                task=_task(TASK_A + ALSO_A * irrelevant, staff, labelled),
            ),
            Agent(name="B", program=partial(_sign_off, staff), task=_task(TASK_B, staff, labelled)),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(covered, staff, dict(state)),
    )


def _task(words: str, staff: Staff, labelled: str | None) -> str:
    people = {name: getattr(staff, name) for name in ("fatima", "dmitri", "carlos", "kofi")}
    return words.format(date=DATE, labelled=labelled, **people)


def covered(
    staff: Staff, before: Mapping[str, Value], state: Mapping[str, Value], reports: Mapping[str, object]
) -> bool:
    """Dmitri is out by exactly one event; what he and Fatima had in progress is Carlos's, and all else whose it was."""
    names = office.below(state, "calendar", "name")
    new = [event for event in names if f"calendar/{event}/name" not in before]
    out = [(names[event], state[f"calendar/{event}/participant"], state[f"calendar/{event}/start"]) for event in new]
    moved = (*_begun(before, staff.fatima), *_begun(before, staff.dmitri))
    due = {**office.below(before, "tasks", "owner"), **dict.fromkeys(moved, staff.carlos)}
    away = (OUT, staff.dmitri, f"{DATE} {office.clock(office.OPENS_MIN)}")
    return out == [away] and office.below(state, "tasks", "owner") == due


def _begun(state: Mapping[str, Value], who: str) -> tuple[str, ...]:
    owners = office.below(state, "tasks", "owner")
    return tuple(name for name in owners if (owners[name], state[f"tasks/{name}/list"]) == (who, IN_PROGRESS))


def _cover(staff: Staff, labelled: str | None) -> Generator[Intent, Result, Value]:
    """A: list what Fatima has in progress, look whether Dmitri is out, give the tasks one by one. Reports to whom."""
    tasks = (yield Intent(call=call("tasks_of", owner=staff.fatima, list=IN_PROGRESS))).value
    taker = staff.carlos if (yield from _is_out(staff.dmitri)) else staff.dmitri
    for name, _ in tasks:
        yield Intent(call=call("hand_over", table="tasks", rows=(name,), to=taker))
    if labelled:
        yield Intent(call=call("put", path=f"tasks/{labelled}/label", value="urgent"))
    return taker


def _sign_off(staff: Staff) -> Generator[Intent, Result, Value]:
    """B: give all that Dmitri has in progress to Carlos, and put an event in unless there is one.

    Reports how many tasks Carlos then has in progress.
    """
    tasks = (yield Intent(call=call("tasks_of", owner=staff.dmitri, list=IN_PROGRESS))).value
    taker = staff.kofi if (yield from _is_out(staff.carlos)) else staff.carlos
    if tasks:
        rows = tuple(name for name, _ in tasks)
        yield Intent(call=call("hand_over", table="tasks", rows=rows, to=taker))
    load = (yield Intent(call=call("tasks_of", owner=taker, list=IN_PROGRESS))).value
    if not (yield from _is_out(staff.dmitri)):
        at = f"{DATE} {office.clock(office.OPENS_MIN)}"
        away = {"event": "out-of-office", "name": OUT, "participant": staff.dmitri, "start": at, "minutes": AWAY_MIN}
        yield Intent(call=call("create_event", **away))
    return len(load)


def _is_out(who: str) -> Generator[Intent, Result, bool]:
    """Whether there is an out-of-office event of somebody today."""
    return bool((yield Intent(call=call("find_event", person=who, date=DATE, name=OUT))).value)
