"""The family `slots`: N agents each book the first free slot, by listing what is taken and naming the next.

A booking overwrites whatever is there, so that without control two agents book one slot and nothing says so.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

HOUSE = "the house"
"""Who holds slot 0, which is there so that a note on it can be written."""

STORY = "{agents} agents each book the first free slot; slot 0 is the house's, and the first agent leaves a note on it."


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents.

    Run serially, agent i books slot i and reports the number. With `irrelevant` the first agent also writes a
    note below slot 0: it lies in what the others list, and changes nothing that they see.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="slots",
        story=STORY.format(agents=agents),
        state=(("slots/0", HOUSE),),
        agents=tuple(Agent(name=name, program=partial(_book, name, irrelevant and name == names[0])) for name in names),
        invariant=partial(everybody_booked, names),
    )


def everybody_booked(names: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every agent holds exactly one slot, the one that it reports."""
    held = {path: name for path, name in state.items() if path.startswith("slots/") and name in names}
    return len(held) == len(names) and held == {f"slots/{reports.get(name)}": name for name in names}


def _book(name: str, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: list, book the lowest free number, and report it."""
    taken = (yield Intent(call=Call("list", (("path", "slots"),)))).value
    slot = next(number for number in range(len(taken) + 1) if str(number) not in taken)
    yield Intent(call=Call("put", (("path", f"slots/{slot}"), ("value", name))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", "slots/0/note"), ("value", "please keep tidy"))))
    return slot
