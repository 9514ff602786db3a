"""O1, dirty read in the office: one agent marks a customer Won until finance says no, another invites whoever is Won.

Without control an onboarding is booked for a customer who was Won only for a moment.
"""

from collections.abc import Generator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import office
from workloads.office_table import CUSTOMERS, MAILS, PROPOSAL, TODAY, WON
from workloads.office_tool import OFFICE_TOOLS, call

NAME = "o1-onboard-tentative-won"
STORY = (
    "A marks a customer Won and takes it back when finance says no, while B books an onboarding for every Won customer "
    "of Sofia's in Consulting. The customer is {customer}."
)
INTEREST, YES, NO = "Consulting", "Approved.", "Rejected."
ONBOARDING, ONBOARDING_MIN = "Onboarding", 30
FINANCE = "finance"
"""Who approves; the one mail that the cell adds to those of the tables is from there."""

B_THINK_S = 7.0
"""B looks a little after A has marked the customer."""

TASK_A = (
    'Try to win the customer {name}, whose id is {customer}. First set the customer\'s status to "Won". Then look '
    'up the mails that came in on the subject "{subject}". If one of them is from "finance" and its text is exactly '
    '"Approved.", leave it at that; otherwise set the status back to "Proposal". Report the status that the customer '
    'then has, "Won" or "Proposal", as a string.'
)
ALSO_A = ' Before you report, put the text "finance would not approve" at the path customers/{customer}/notes.'
TASK_B = (
    'Book an onboarding for every customer of {sofia} whose status is "Won" and whose interest is "Consulting". List '
    "those customers; then put all the events in with one call, in the order in which the customers are listed. An "
    'event has the id "onboarding-" followed by the customer\'s id, the name "Onboarding " followed by the '
    "customer's name, the participant {sofia}, and 30 minutes; the first starts at {day} 09:00, and each one 30 "
    'minutes after the one before it, written as "YYYY-MM-DD HH:MM". If there is no such customer, put nothing in. '
    "Report the number of events that you put in, as an integer."
)


def workload(*, irrelevant: bool = False, folder: Path | None = None) -> Workload:
    """The cell over customers, calendar and mail: WorkBench's in `folder`, else generated.

    With `irrelevant`, A then takes a note on the customer: that lies in what B listed, and changes nothing B saw.
    """
    tables = office.state([CUSTOMERS, office.CALENDAR, MAILS], folder=folder)
    sofia = office.person(dict(tables), "Sofia")
    customer = _first(dict(tables), sofia, PROPOSAL)
    _first(dict(tables), sofia, WON)
    name = dict(tables)[f"customers/{customer}/name"]
    mail = {"sender": FINANCE, "subject": _about(name), "body": NO}
    state = tuple(sorted((*tables, *((f"inbox/finance-1/{field}", said) for field, said in mail.items()))))
    return Workload(
        name=NAME,
        story=STORY.format(customer=name),
        state=state,
        agents=(
            Agent(
                name="A",
                program=partial(_try, customer, name, irrelevant),
                task=(TASK_A + ALSO_A * irrelevant).format(name=name, customer=customer, subject=_about(name)),
            ),
            Agent(
                name="B",
                program=partial(_onboard, sofia),
                think_s=B_THINK_S,
                task=TASK_B.format(sofia=sofia, day=TODAY + timedelta(days=1)),
            ),
        ),
        tools=OFFICE_TOOLS,
        invariant=partial(onboarded, sofia, dict(state)),
    )


def onboarded(
    sofia: str, before: Mapping[str, Value], state: Mapping[str, Value], reports: Mapping[str, object]
) -> bool:
    """One onboarding for each Won customer of Sofia's in Consulting and none else; all customers are as they were."""
    names = office.below(state, "calendar", "name")
    booked = sorted(name for event, name in names.items() if f"calendar/{event}/name" not in before)
    due = sorted(f"{ONBOARDING} {state[f'customers/{one}/name']}" for one in _all(state, sofia, WON))
    status = office.below(state, "customers", "status")
    return booked == due and status == office.below(before, "customers", "status")


def _all(state: Mapping[str, Value], owner: str, status: str) -> list[str]:
    """The customers in Consulting whom somebody looks after and who have a status, by id."""
    wanted = {"owner": owner, "status": status, "interest": INTEREST}
    names = office.below(state, "customers", "name")
    return [one for one in names if all(state[f"customers/{one}/{field}"] == value for field, value in wanted.items())]


def _first(state: Mapping[str, Value], owner: str, status: str) -> str:
    found = _all(state, owner, status)
    if not found:
        raise BadInput(f"{owner} has no customer in {INTEREST} who is {status}, and the cell needs one; check --tables")
    return found[0]


def _about(name: str) -> str:
    return f"Approval of {name}"


def _try(customer: str, name: str, notes: bool) -> Generator[Intent, Result, Value]:
    """A: mark the customer Won, look what finance says, and put it back unless they approve. Reports the status."""
    yield Intent(call=call("set_status", name=customer, status=WON))
    mails = (yield Intent(call=call("mails_about", subject=_about(name)))).value
    status = WON if any((sender, body) == (FINANCE, YES) for _, sender, body in mails) else PROPOSAL
    if status != WON:
        yield Intent(call=call("set_status", name=customer, status=status))
    if notes:
        yield Intent(call=call("put", path=f"customers/{customer}/notes", value="finance would not approve"))
    return status


def _onboard(sofia: str) -> Generator[Intent, Result, Value]:
    """B: list who is Won, and book an onboarding for each in Consulting, all in one call. Reports how many."""
    won = (yield Intent(call=call("customers_of", owner=sofia, status=WON))).value
    welcome = [(customer, name) for customer, name, interest in won if interest == INTEREST]
    day = TODAY + timedelta(days=1)
    events = tuple(
        (
            f"onboarding-{customer}",
            f"{ONBOARDING} {name}",
            sofia,
            f"{day} {office.clock(office.OPENS_MIN + place * ONBOARDING_MIN)}",
            ONBOARDING_MIN,
        )
        for place, (customer, name) in enumerate(welcome)
    )
    if events:
        yield Intent(call=call("create_events", events=events))
    return len(events)
