"""X1, livelock in the office: one agent moves Nadia's leads to Sofia, another moves Sofia's to Nadia.

Without control the leads are swapped; with notices both ways each hand-over makes the other one's
list stale, so that neither agent is ever done.
"""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_table import CUSTOMERS, LEAD
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "x1-crossed-handover"
STORY = "A moves all of Nadia's leads to Sofia while B moves all of Sofia's leads to Nadia."
TASK = (
    'Move all leads of {giver} to {taker}. List the customers of {giver} whose status is "Lead"; then hand all of '
    'them over to {taker} in one call, rows of the table "customers". If there are none, make no such call. Report '
    "how many there were, as an integer."
)
ALSO_A = ' Before you report, put the text "wants to be called in the morning" at the path customers/{noted}/notes.'


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over the office's customers: WorkBench's in `folder`, else generated ones.

    With `irrelevant`, A then takes a note on a lead of Sofia's: that lies in what B listed, and changes nothing B saw.
    """
    state = office.state([CUSTOMERS], folder=folder)
    nadia, sofia = (office.person(dict(state), name) for name in ("Nadia", "Sofia"))
    leads = {who: _leads(dict(state), who) for who in (nadia, sofia)}
    for who, found in leads.items():
        if not found:
            raise BadInput(f"{who} has no leads, and the cell needs some to hand over; check --tables")
    noted = leads[sofia][0] if irrelevant else None
    return Workload(
        name=NAME,
        story=STORY,
        state=state,
        agents=(
            Agent(
                name="A",
                program=partial(_move, nadia, sofia, noted),
                task=(TASK + ALSO_A * irrelevant).format(giver=nadia, taker=sofia, noted=noted),
            ),
            Agent(name="B", program=partial(_move, sofia, nadia, None), task=TASK.format(giver=sofia, taker=nadia)),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(one_owner, leads, dict(state)),
    )


def one_owner(
    leads: Mapping[str, tuple[str, ...]],
    before: Mapping[str, Value],
    state: Mapping[str, Value],
    reports: Mapping[str, object],
) -> bool:
    """All the leads of both are with one of them, and nobody else's customers have changed hands."""
    moved = [lead for found in leads.values() for lead in found]
    owners, old = (office.below(cells, "customers", "owner") for cells in (state, before))
    return any(owners == {**old, **dict.fromkeys(moved, who)} for who in leads)


def _leads(state: Mapping[str, Value], who: str) -> tuple[str, ...]:
    status = office.below(state, "customers", "status")
    return tuple(name for name in status if (status[name], state[f"customers/{name}/owner"]) == (LEAD, who))


def _move(giver: str, taker: str, noted: str | None) -> Generator[Intent, Result, Value]:
    """One agent: list somebody's leads, hand them over in one call, and report how many there were."""
    leads = (yield Intent(call=call("customers_of", owner=giver, status=LEAD))).value
    if leads:
        yield Intent(call=call("hand_over", table="customers", rows=tuple(name for name, *_ in leads), to=taker))
    if noted:
        yield Intent(call=call("put", path=f"customers/{noted}/notes", value="wants to be called in the morning"))
    return len(leads)
