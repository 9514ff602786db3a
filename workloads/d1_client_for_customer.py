"""D1, a phantom in a document: one agent lets "customer" be "client" everywhere, another adds a section on customers.

A finds the sections that use the word, and B, which looks what the document calls them, writes one that A has not
found. A changes one section at a time, and a section more where it found B's.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.document import DOCUMENT_TOOLS, SECTIONS, call, note, sections, texts
from workloads.row import at

NAME = "d1-client-for-customer"
OLD, NEW = "customer", "client"
ADDED = "refunds"
TASK_A = (
    'Let the document say "client" instead of "customer". Search the sections for the text "customer"; then, in each '
    'section that was found, replace "customer" by "client" wherever it is. Report a list of the names of these '
    "sections, in the order in which they were found."
)
ALSO_A = ' Before you report, put the text "looked at" at the path doc/sections/shipping/note.'
TASK_B = (
    "Add a section on refunds to the document, in the document's own words. Search the sections for the text "
    '"customer". If any has it, the word is "customer", and otherwise "client". Put the section in at the end '
    '(before: null): its name is "refunds", its title "Refunds", and its text "A WORD who sends a parcel back gets '
    'the money back.", with the word in place of WORD. Report the word, as a string.'
)
BEGUN = (
    ("terms", "Terms", "A customer is whoever has an order with us."),
    ("orders", "Orders", "An order is accepted when the customer has our confirmation."),
    ("shipping", "Shipping", "Parcels leave on the day after the order."),
    ("payment", "Payment", "Every customer pays within 14 days; new customers pay in advance."),
)
"""The sections at the start."""


def refunds(term: str) -> str:
    """The text of the section that B adds."""
    return f"A {term} who sends a parcel back gets the money back."


def rename(notes: bool) -> Generator[Intent, Result, Value]:
    """A: find the sections with the old word and replace it in each. Reports the sections."""
    found = (yield Intent(call=call("search", text=OLD))).value
    for name, _ in found:
        yield Intent(call=call("replace", name=name, old=OLD, new=NEW))
    if notes:
        yield Intent(call=note(at(SECTIONS, "shipping")))
    return tuple(name for name, _ in found)


def extend() -> Generator[Intent, Result, Value]:
    """B: look whether the document says "customer", and add a section in its words. Reports the word."""
    found = (yield Intent(call=call("search", text=OLD))).value
    term = OLD if found else NEW
    yield Intent(call=call("insert", name=ADDED, title="Refunds", text=refunds(term), before=None))
    return term


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every section is there, the new one last, and says "client" where it would have said "customer"."""
    due = {name: text.replace(OLD, NEW) for name, _, text in BEGUN} | {ADDED: refunds(NEW)}
    return list(texts(state).items()) == list(due.items())


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then puts a note on a section: B searched it too, and finds nothing in it."""
    return Workload(
        name=NAME,
        story='A lets "customer" be "client" in the whole document while B adds a section that uses the word.',
        state=sections(*BEGUN),
        agents=(
            Agent(name="A", program=partial(rename, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=extend, task=TASK_B),
        ),
        tools=DOCUMENT_TOOLS,
        invariant=holds,
    )
