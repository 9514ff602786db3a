"""The family `dies`: N agents each book the first free seat, with a ticket and a bill, and one dies before its bill.

What it did is part of a booking, so that it has to go; those above who counted its seat as taken move up by one.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

SEATS, TICKETS, BILLS = "seats", "tickets", "bills"
HOUSE = "the house"
"""Who holds seat 0, which is there so that a note on it can be written."""

DIES_AFTER = 3
"""Calls after which the first agent dies: it has listed the seats and taken one, and has written the ticket."""

STORY = (
    "{agents} agents each book the first free seat, with a ticket and a bill; the first dies as its ticket is written. "
    "The second leaves a note on seat 0, which is the house's."
)


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents, the first of whom dies after its ticket and before its bill.

    Run serially, the others hold the seats 1 to N - 1 with a ticket and a bill each, and the dead agent has done
    nothing. With `irrelevant` the second agent also writes a note below seat 0: it lies in what the others list, and
    changes nothing that they see.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="dies",
        story=STORY.format(agents=agents),
        state=((f"{SEATS}/0", HOUSE),),
        agents=tuple(
            Agent(
                name=name,
                program=partial(_book, name, irrelevant and name == names[1]),
                dies_after=DIES_AFTER if name == names[0] else None,
            )
            for name in names
        ),
        invariant=partial(all_seated, names[1:]),
    )


def all_seated(lived: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Those who lived hold the first seats, each the one that its ticket, bill and report say; nobody else has any."""
    seats = {path.removeprefix(f"{SEATS}/"): name for path, name in state.items() if path.startswith(f"{SEATS}/")}
    seats.pop("0/note", None)
    papers = {path: seat for path, seat in state.items() if path.startswith((f"{TICKETS}/", f"{BILLS}/"))}
    held = {str(reports.get(name)): name for name in lived}
    due = {f"{kind}/{name}": reports.get(name) for name in lived for kind in (TICKETS, BILLS)}
    return seats == {"0": HOUSE, **held} and papers == due and held.keys() == {*map(str, range(1, len(lived) + 1))}


def _book(name: str, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: list, take the lowest free seat, write ticket and bill. Reports the seat."""
    taken = (yield Intent(call=Call("list", (("path", SEATS),)))).value
    seat = next(number for number in range(len(taken) + 1) if str(number) not in taken)
    yield Intent(call=Call("put", (("path", f"{SEATS}/{seat}"), ("value", name))))
    for kind in (TICKETS, BILLS):
        yield Intent(call=Call("put", (("path", f"{kind}/{name}"), ("value", seat))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{SEATS}/0/note"), ("value", "please keep tidy"))))
    return seat
