"""Tools over texts kept side by side: find those that say something, and say it otherwise in one of them.

Where the texts are, the files of a folder or a field of each row, is the business of who asks.
"""

from coagent.argument_schema import PART, PATH, TEXT, arguments
from coagent.arithmetic import FUNCTIONS
from coagent.operation import Declaration, Result
from coagent.tool import OK, Args, Case, Meaning, Tool, View, Writes, children, failed

_spelled, *_ = FUNCTIONS["str"]


def _at(rows: str, name: str, field: str) -> str:
    return "/".join(part for part in (rows, name, field) if part)


def searching(name: str, rows: str, field: str, says: str) -> Tool:
    """Finds (row, text) of the rows whose field has the argument `text` in it, by name; reads all below `rows`."""
    path = _at(rows, "{name}", field)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        cells = ((row, view.cell(_at(rows, row, field))) for row in children(view, rows))
        wanted = _spelled(args["text"])
        return Result("ok", tuple((row, cell[0]) for row, cell in cells if cell and wanted in _spelled(cell[0]))), ()

    found = f"present('{path}') and str(text) in str(value('{path}'))"
    meaning = Meaning((Case(value=f"[[name, value('{path}')] for name in children('{rows}') if {found}]"),))
    return Tool(name, lambda args: Declaration(reads=(rows,)), run, says, meaning, arguments(text=TEXT))


def replacing(name: str, rows: str, field: str, says: str) -> Tool:
    """Replaces `old` by `new` wherever it is in a row's field, or fails with 'missing' where it is not in any text."""

    def declare(args: Args) -> Declaration:
        cell = (_at(rows, args["name"], field),)
        return Declaration(reads=cell, writes=cell)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        path = _at(rows, args["name"], field)
        cell = view.cell(path)
        if not cell or not isinstance(cell[0], str) or args["old"] not in cell[0]:
            return failed("missing"), ()
        return OK, ((path, (cell[0].replace(args["old"], args["new"]),)),)

    # Files lie in folders, rows do not.
    where = PART if field else PATH
    return Tool(name, declare, run, says, schema=arguments(name=where, old=TEXT, new=TEXT))
