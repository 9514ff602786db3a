"""The family `readers`: one agent moves an event's start and end, and N - 1 others each write an agenda from both.

A reader reads twice, and the writer's two writes can come between: an agenda then has an event that never was. The
writer is in the middle of the order: who is below it has its reads filtered, who is above is told.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

START, END = "event/start", "event/end"
BEFORE, AFTER = (630, 690), (840, 900)
"""The event's start and end in minutes after midnight, before it is moved and after."""

MOVES_S = 3.0
"""Seconds that the writer thinks before each write; by the clock its two writes come between a reader's two reads."""

READS_S = (2.0, 6.0)
"""Seconds that a reader thinks before it reads the start, and before it reads the end."""

STORY = (
    "One agent moves an event's start and end while {readers} others each write an agenda from both; the writer leaves "
    "a note on the start."
)


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents, one of them the writer.

    With `irrelevant` the writer also writes a note below the start: what the others read declares it, and does not
    show it.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    writer = names[(agents - 1) // 2]
    return Workload(
        name="readers",
        story=STORY.format(readers=agents - 1),
        state=((START, BEFORE[0]), (END, BEFORE[1])),
        agents=tuple(
            Agent(name=name, program=partial(_move, irrelevant) if name == writer else partial(_note, name))
            for name in names
        ),
        invariant=partial(all_agendas_true, tuple(name for name in names if name != writer)),
    )


def all_agendas_true(readers: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The event has moved, and each agenda, which its reader reports, has it as it was before or as it is after."""
    agendas = {name: state.get(f"agendas/{name}") for name in readers}
    true = all(agenda in (BEFORE, AFTER) and agenda == reports.get(name) for name, agenda in agendas.items())
    return true and (state.get(START), state.get(END)) == AFTER


def _move(leaves_note: bool) -> Generator[Intent, Result, Value]:
    """The writer: move the start, then the end."""
    for path, value in zip((START, END), AFTER, strict=True):
        yield Intent(call=Call("put", (("path", path), ("value", value))), think_s=MOVES_S)
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{START}/note"), ("value", "moved"))))
    return None


def _note(name: str) -> Generator[Intent, Result, Value]:
    """A reader: read start and end, and write them down. Reports them."""
    found = []
    for path, think_s in zip((START, END), READS_S, strict=True):
        found.append((yield Intent(call=Call("get", (("path", path),)), think_s=think_s)).value)
    yield Intent(call=Call("put", (("path", f"agendas/{name}"), ("value", tuple(found)))))
    return tuple(found)
