"""The family `disjoint`, a control: N agents each close the tasks that are theirs, and no two meet.

A search by owner declares the whole table and looks at one owner's tasks, so that by footprint everybody's writes make
everybody's searches stale, and every notice is a false positive. Nothing ever fails here, not even without control;
what differs between protocols is what they spend on conflicts that are none.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.argument_schema import PART, arguments
from coagent.operation import Call, Declaration, Result, Value
from coagent.program import Intent
from coagent.tool import TOOLS, Args, Case, Meaning, Tool, View, Writes, children
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

TASKS = "tasks"
EACH = 2
"""Tasks that every agent has."""

OPEN, CLOSED = "open", "closed"
STORY = "{agents} agents each close their own tasks in one table; the first agent leaves a note in it."


def _search(view: View, args: Args) -> tuple[Result, Writes]:
    mine = f"{TASKS}/{args['owner']}"
    cells = ((name, view.cell(f"{mine}/{name}")) for name in children(view, mine))
    return Result("ok", tuple((name, cell[0]) for name, cell in cells if cell)), ()


_MINE = f"{TASKS}/{{owner}}"
_TASK = f"{_MINE}/{{name}}"
SEARCH = Tool(
    "tasks_of",
    lambda args: Declaration(reads=(TASKS,)),
    _search,
    "an owner's tasks with their status",
    Meaning((Case(value=f"[[name, value('{_TASK}')] for name in children('{_MINE}') if present('{_TASK}')]"),)),
    arguments(owner=PART),
)


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents; every schedule comes to the same state and reports.

    With `irrelevant` the first agent also writes a note into the table: everybody's search declares it, and none looks
    at it.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="disjoint",
        story=STORY.format(agents=agents),
        state=tuple((task(name, number), OPEN) for name in names for number in range(EACH)),
        agents=tuple(
            Agent(name=name, program=partial(_close, name, irrelevant and name == names[0])) for name in names
        ),
        tools={**TOOLS, SEARCH.name: SEARCH},
        invariant=partial(all_closed, names),
    )


def task(name: str, number: int) -> str:
    """The path of one of an agent's tasks, counted from 0."""
    return f"{TASKS}/{name}/{number}"


def all_closed(names: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every task is closed, and every agent reports that it closed all of its own."""
    closed = all(state.get(task(name, number)) == CLOSED for name in names for number in range(EACH))
    return closed and all(reports.get(name) == EACH for name in names)


def _close(name: str, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: search its open tasks and close them. Reports how many there were."""
    mine = (yield Intent(call=Call(SEARCH.name, (("owner", name),)))).value
    still = [one for one, status in mine if status == OPEN]
    for one in still:
        yield Intent(call=Call("put", (("path", f"{TASKS}/{name}/{one}"), ("value", CLOSED))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{TASKS}/note"), ("value", "well done"))))
    return len(still)
