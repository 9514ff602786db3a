"""X2, an unrecoverable send in the office: one agent takes Kofi's overdue tasks off him, another mails him about them.

A mail cannot be taken back, so it must not nag about tasks that Kofi is just being relieved of.
"""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_table import BACKLOG, TASKS, TODAY
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "x2-nag-on-stale-tasks"
STORY = "A gives Kofi's overdue, unstarted tasks to Carlos unless Kofi was mailed, while B mails Kofi about them."
NAG, PRAISE = "Overdue tasks", "Good work"
TASK_A = (
    "Relieve {kofi} of his overdue tasks, unless a mail was sent to him. Look first which mails were sent to {kofi}: "
    'if there is any, change nothing and report 0. Otherwise list the tasks that he has on the list "Backlog"; those '
    'due before {today} are overdue. Hand each overdue task over to {carlos}, rows of the table "tasks", one task a '
    "call. Report how many tasks you handed over, as an integer."
)
ALSO_A = ' Before you report, put the text "talked about" at the path tasks/{labelled}/label.'
TASK_B = (
    'Send {kofi} one mail about his tasks. List the tasks that he has on the list "Backlog". If any of them is due '
    'before {today}, the subject of the mail is "Overdue tasks", and otherwise "Good work". Send it under the name '
    '"mail-of-B" to {kofi}. A mail cannot be taken back. Report its subject, as a string.'
)


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over the office's tasks: WorkBench's in `folder`, else generated ones.

    With `irrelevant`, A then labels one of the tasks: that lies in what B listed, and changes nothing B saw.
    """
    state = office.state([TASKS], folder=folder)
    kofi, carlos = (office.person(dict(state), name) for name in ("Kofi", "Carlos"))
    tasks = overdue_of(kofi, dict(state))
    if not tasks:
        raise BadInput(f"{kofi} has no overdue task, and the cell is about some; check --tables")
    labelled = tasks[0] if irrelevant else None
    return Workload(
        name=NAME,
        story=STORY,
        state=state,
        agents=(
            Agent(
                name="A",
                program=partial(_relieve, kofi, carlos, labelled),
                task=(TASK_A + ALSO_A * irrelevant).format(kofi=kofi, carlos=carlos, today=TODAY, labelled=labelled),
            ),
            Agent(name="B", program=partial(_mail, kofi), task=TASK_B.format(kofi=kofi, today=TODAY)),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(one_true_mail, kofi, carlos, dict(state)),
    )


def overdue_of(who: str, state: Mapping[str, Value]) -> tuple[str, ...]:
    """The tasks of somebody that should be done by now and are not begun, by id."""
    return tuple(
        name
        for name, owner in office.below(state, "tasks", "owner").items()
        if (owner, state[f"tasks/{name}/list"]) == (who, BACKLOG) and _overdue(state[f"tasks/{name}/due"])
    )


def one_true_mail(
    kofi: str, carlos: str, before: Mapping[str, Value], state: Mapping[str, Value], reports: Mapping[str, object]
) -> bool:
    """Kofi was mailed once, and what the mail says is so; his overdue tasks are all with him or all with Carlos."""
    moved, owners = overdue_of(kofi, before), office.below(state, "tasks", "owner")
    old = office.below(before, "tasks", "owner")
    left = overdue_of(kofi, state)
    mails = [(state[f"outbox/{name}/to"], what) for name, what in office.below(state, "outbox", "subject").items()]
    apart = [{**old, **dict.fromkeys(moved, who)} for who in (kofi, carlos)]
    return mails == [(kofi, NAG if left else PRAISE)] and owners in apart


def _overdue(due: str) -> bool:
    return due < TODAY.isoformat()


def _relieve(kofi: str, carlos: str, labelled: str | None) -> Generator[Intent, Result, Value]:
    """A: unless Kofi was mailed, list what he has not begun and give the overdue tasks to Carlos, one by one.

    Reports how many were given.
    """
    mailed = (yield Intent(call=call("mails_to", to=kofi))).value
    late = ()
    if not mailed:
        tasks = (yield Intent(call=call("tasks_of", owner=kofi, list=BACKLOG))).value
        late = tuple(name for name, due in tasks if _overdue(due))
    for name in late:
        yield Intent(call=call("hand_over", table="tasks", rows=(name,), to=carlos))
    if labelled:
        yield Intent(call=call("put", path=f"tasks/{labelled}/label", value="talked about"))
    return len(late)


def _mail(kofi: str) -> Generator[Intent, Result, Value]:
    """B: list what Kofi has not begun, and mail him what there is to say of it, which is the report too."""
    tasks = (yield Intent(call=call("tasks_of", owner=kofi, list=BACKLOG))).value
    subject = NAG if any(_overdue(due) for _, due in tasks) else PRAISE
    yield Intent(call=call("send_mail", name="mail-of-B", to=kofi, subject=subject))
    return subject
