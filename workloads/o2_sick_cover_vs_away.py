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
            Agent(name="A", program=partial(_cover, staff, labelled)),
            Agent(name="B", program=partial(_sign_off, staff)),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(covered, staff, dict(state)),
    )


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
