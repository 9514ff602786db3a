"""A document as cells and its tools: `doc/sections/ID/{title,text}` in the order `doc/order`, `doc/rows/ID/amount`.

A section's number is its place in the order, from 1, and is kept nowhere; a text that names one says so in words.
"""

import re
from collections.abc import Mapping

from coagent.argument_schema import INTEGER, PART, TEXT, arguments, described, either_null
from coagent.live.targets.text_tool import replacing, searching
from coagent.operation import Call, Declaration, Result, Value
from coagent.tool import OK, TOOLS, Args, Tool, View, Writes, failed
from workloads.row import at, listing, reading, setting

SECTIONS, ORDER = "doc/sections", "doc/order"
ROWS, TOTAL = "doc/rows", "doc/total"
REFERENCE = re.compile(r"see section (\d+) \(([^)]+)\)")
"""How a text refers to a section, by number and title."""


def sections(*given: tuple[str, str, str]) -> tuple[tuple[str, Value], ...]:
    """The cells of a document with these sections, each its id, title and text, in this order."""
    cells = [
        (at(SECTIONS, name, field), value) for name, *both in given for field, value in zip(FIELDS, both, strict=True)
    ]
    return (*cells, (ORDER, tuple(name for name, *_ in given)))


FIELDS = ("title", "text")


def texts(state: Mapping[str, Value]) -> dict[str, Value]:
    """The text of each section in the order of a final state. Raises KeyError for a section without one."""
    return {name: state[at(SECTIONS, name, "text")] for name in state[ORDER]}


def reference(number: int, title: str) -> str:
    """What a text says that refers to a section."""
    return f"see section {number} ({title})"


def _declare_insert(args: Args) -> Declaration:
    cells = (ORDER, at(SECTIONS, args["name"]))
    return Declaration(reads=cells, writes=cells)


def _insert(view: View, args: Args) -> tuple[Result, Writes]:
    """Put a section in before the one named, or at the end."""
    cell, before = view.cell(ORDER), args["before"]
    order = cell[0] if cell and isinstance(cell[0], tuple) else ()
    if args["name"] in order:
        return failed("exists"), ()
    if before is not None and before not in order:
        return failed("missing"), ()
    place = len(order) if before is None else order.index(before)
    cells = tuple((at(SECTIONS, args["name"], field), (args[field],)) for field in FIELDS)
    return OK, ((ORDER, ((*order[:place], args["name"], *order[place:]),)), *cells)


def _outline(view: View, args: Args) -> tuple[Result, Writes]:
    """(id, title) of the sections in their order; the title of one that has none is null."""
    cell = view.cell(ORDER)
    order = cell[0] if cell and isinstance(cell[0], tuple) else ()
    titles = ((name, view.cell(at(SECTIONS, name, "title"))) for name in order)
    return Result("ok", tuple((name, title[0] if title else None) for name, title in titles)), ()


_BEFORE = described(either_null(PART), "the section that it comes before, or null for the end")

DOCUMENT_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    **{
        tool.name: tool
        for tool in (
            Tool(
                "outline",
                lambda args: Declaration(reads=("doc",)),
                _outline,
                "the sections in order, with titles",
                schema=arguments(),
            ),
            searching("search", SECTIONS, "text", "the sections that have something in their text, with the text"),
            reading("text_of", SECTIONS, "text", "fetch a section for its text, or null"),
            setting("set_text", SECTIONS, "text", "set a section's text, or fail with 'missing'"),
            replacing("replace", SECTIONS, "text", "replace something wherever it is in a section's text, or fail"),
            Tool(
                "insert",
                _declare_insert,
                _insert,
                "put a section in, or fail with 'exists' or 'missing'",
                schema=arguments(name=PART, title=TEXT, text=TEXT, before=_BEFORE),
            ),
            listing("amounts", ROWS, ("amount",), "every row with its amount"),
            setting("set_amount", ROWS, "amount", "set a row's amount, or fail with 'missing'", INTEGER),
        )
    },
}
"""The scenario calls and the document's own."""


def call(tool: str, **args: Value) -> Call:
    """A call of a tool with named arguments."""
    return Call(tool, tuple(args.items()))


def note(path: str) -> Call:
    """Mark a section or a row as looked at."""
    return Call("put", (("path", at(path, "note")), ("value", "looked at")))
