"""D3, write skew in a document: one agent puts a section in and renumbers the references, another writes a reference.

B looks a section's number up and writes it into a text. Without control A has read the texts before that, and
"see section 3" is about what A has put in; or A renumbers a reference that had the new number already.
"""

import re
from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.document import DOCUMENT_TOOLS, REFERENCE, SECTIONS, call, note, reference, sections, texts
from workloads.row import at

NAME = "d3-see-section"
ADDED, ADDED_TITLE, ADDED_TEXT = "shipping", "Shipping", "Parcels leave on the day after the order."
MEANT, CITING = "Refunds", "payment"
"""The title of the section that B refers to, and that A puts the new one in front of; where B writes."""

BEGUN = (
    ("terms", "Terms", f"For whom to ask, {reference(4, 'Contact')}."),
    (CITING, "Payment", "Orders are paid within 14 days."),
    ("refunds", MEANT, "Whoever sends a parcel back gets the money back."),
    ("contact", "Contact", f"Write to the office; for bills, {reference(2, 'Payment')}."),
)
"""The sections at the start."""

CITED = {"terms": ["Contact"], CITING: [MEANT], "contact": ["Payment"]}
"""In the end, the titles that a section refers to."""

TASK_A = (
    'Put a section on shipping into the document, in front of the section titled "Refunds". Look at the outline, '
    'where a section\'s number is its place, from 1. Put the section in before the one titled "Refunds": its name '
    'is "shipping", its title "Shipping", and its text "Parcels leave on the day after the order." Then search the '
    'sections for the text "see section". Wherever a text that was found says "see section N (TITLE)" with an N that '
    "is the number which Refunds had in the outline, or a higher one, that N has to be one higher now; set the text "
    "of each section in which something changes so, and leave the others alone. Report how many texts you set, as an "
    'integer. If no section is titled "Refunds", change nothing and report "no such section".'
)
ALSO_A = ' Before you report, put the text "looked at" at the path doc/sections/contact/note.'
TASK_B = (
    'Let the text of the section payment refer to the section titled "Refunds". Look at the outline, where a '
    "section's number is its place, from 1, for the number of Refunds. Fetch the text of the section payment. Then "
    'set its text to what it was, followed by a blank and "For money back, see section N (Refunds).", with the '
    "number in place of N. Report the number, as an integer. If one of the two is not there, change nothing and "
    'report "no such section".'
)

THINK_B_S = 6.0
"""Seconds before each of B's calls: by the clock A, who takes the usual five, looks for references a little before."""


def insert(notes: bool) -> Generator[Intent, Result, Value]:
    """A: put a section in before Refunds, find what refers to sections, and renumber it. Reports how many texts."""
    outline = (yield Intent(call=call("outline"))).value
    number = next((number for number, (_, title) in enumerate(outline, start=1) if title == MEANT), None)
    if number is None:
        return "no such section"
    where = {"name": ADDED, "title": ADDED_TITLE, "text": ADDED_TEXT, "before": outline[number - 1][0]}
    yield Intent(call=call("insert", **where))
    found = (yield Intent(call=call("search", text="see section"))).value
    changed = {name: _renumbered(text, number) for name, text in found}
    for name, text in found:
        if changed[name] != text:
            yield Intent(call=call("set_text", name=name, text=changed[name]))
    if notes:
        yield Intent(call=note(at(SECTIONS, "contact")))
    return sum(changed[name] != text for name, text in found)


def cite() -> Generator[Intent, Result, Value]:
    """B: look up which number Refunds has, and add a reference to the text on payment. Reports the number."""
    outline = (yield Intent(call=call("outline"))).value
    number = next((number for number, (_, title) in enumerate(outline, start=1) if title == MEANT), None)
    text = (yield Intent(call=call("text_of", name=CITING))).value
    if number is None or text is None:
        return "no such section"
    yield Intent(call=call("set_text", name=CITING, text=f"{text} For money back, {reference(number, MEANT)}."))
    return number


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The new section is there, each reference names the number and title of one section, and they are those meant."""
    found, cited = texts(state), {}
    titles = [state[at(SECTIONS, name, "title")] for name in found]
    for name, text in found.items():
        for number, title in REFERENCE.findall(text):
            cited.setdefault(name, []).append(title)
            if titles.index(title) != int(number) - 1:
                return False
    return cited == CITED and titles == ["Terms", "Payment", ADDED_TITLE, MEANT, "Contact"]


def _renumbered(text: str, number: int) -> str:
    """The text after a section got this number: references to it and to those after it are one higher."""

    def higher(found: re.Match) -> str:
        old = int(found[1])
        return reference(old + (old >= number), found[2])

    return REFERENCE.sub(higher, text)


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then puts a note on a section: it is in the outline, and not what B saw of it."""
    return Workload(
        name=NAME,
        story='A puts a section in and renumbers the references while B writes "see section 3".',
        state=sections(*BEGUN),
        agents=(
            Agent(name="A", program=partial(insert, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=cite, think_s=THINK_B_S, task=TASK_B),
        ),
        tools=DOCUMENT_TOOLS,
        invariant=holds,
    )
