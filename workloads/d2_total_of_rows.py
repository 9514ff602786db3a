"""D2, write skew in a document: one agent edits rows and corrects the total if there is one, another writes the total.

Whoever writes the total does so of rows that it has read. What B says of it is part of the outcome: A puts a total
right that B took in the middle of its edits, but cannot take back that B has reported it.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import field_of
from workloads.document import DOCUMENT_TOOLS, ROWS, TOTAL, call, note
from workloads.row import at

NAME = "d2-total-of-rows"
PLANNED = {"catering": 640, "hall": 1200, "hotel": 900, "travel": 480}
"""The rows at the start, in euros."""

PAID = {"hotel": 875, "travel": 530}
"""The bills that A enters."""

TASK_A = (
    "Enter two bills into the rows of the budget. List the rows with their amounts. If there is a row hotel, set its "
    "amount to 875; if there is a row travel, set its amount to 530. Then get the value at the path doc/total. If it "
    "is not null, put the sum of all rows there, the amounts as you listed them but for the bills that you entered. "
    "Report how many bills you entered, as an integer."
)
ALSO_A = ' Before you report, put the text "looked at" at the path doc/rows/travel/note.'
TASK_B = (
    "Write the total of the budget. List the rows with their amounts, and put the sum of the amounts at the path "
    "doc/total, as an integer. Report that sum, as an integer."
)

THINK_B_S = 11.0
"""Seconds before each of B's calls: by the clock A, who takes the usual five, looks for a total before there is one."""


def enter(notes: bool) -> Generator[Intent, Result, Value]:
    """A: list the rows, set those that have a bill, and write the total anew if there is one. Reports their number."""
    rows = dict((yield Intent(call=call("amounts"))).value)
    bills = {name: amount for name, amount in PAID.items() if name in rows}
    for name, amount in bills.items():
        yield Intent(call=call("set_amount", name=name, amount=amount))
    if (yield Intent(call=call("get", path=TOTAL))).value is not None:
        yield Intent(call=call("put", path=TOTAL, value=sum({**rows, **bills}.values())))
    if notes:
        yield Intent(call=note(at(ROWS, "travel")))
    return len(bills)


def total() -> Generator[Intent, Result, Value]:
    """B: list the rows, and write what they come to. Reports it."""
    rows = (yield Intent(call=call("amounts"))).value
    found = sum(amount for _, amount in rows)
    yield Intent(call=call("put", path=TOTAL, value=found))
    return found


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The bills are entered, the total is that of the rows, and what B reported was it before the bills or after."""
    paid = {**PLANNED, **PAID}
    entered = field_of(state, ROWS, "amount") == paid and state[TOTAL] == sum(paid.values())
    return entered and reports["B"] in (sum(PLANNED.values()), sum(paid.values()))


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then puts a note on a row: it is in what B listed, and changes nothing B saw."""
    return Workload(
        name=NAME,
        story="A enters bills into the rows of a budget, whose total it corrects, while B writes the total.",
        state=tuple((at(ROWS, name, "amount"), amount) for name, amount in PLANNED.items()),
        agents=(
            Agent(name="A", program=partial(enter, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=total, think_s=THINK_B_S, task=TASK_B),
        ),
        tools=DOCUMENT_TOOLS,
        invariant=holds,
    )
