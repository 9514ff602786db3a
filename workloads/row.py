"""Tools over rows, objects side by side below one path with a cell for each field: list, read, create, set one field.

Each is declared as data too (`Meaning`), from the same fields. What the rows are about is the business of who asks.
"""

from collections.abc import Mapping

from coagent.argument_schema import PART, TEXT, Schema, arguments
from coagent.operation import Declaration, Result
from coagent.tool import OK, Args, Case, Meaning, Tool, View, Writes, children, failed

Fields = tuple[str, ...]
"""Where a row keeps its values, as paths below it; the empty path is the row's own."""


def at(rows: str, name: str, field: str = "") -> str:
    """The path of a field of a row below `rows`."""
    return "/".join(part for part in (rows, name, field) if part)


def argument(field: str) -> str:
    """What the argument is called that a field takes its value from: the last part of its path, `value` without any."""
    return field.rpartition("/")[2] or "value"


def listing(name: str, rows: str, fields: Fields, says: str) -> Tool:
    """Lists (row, value of each field) of the rows that have all these fields, by name; reads all below `rows`."""
    paths = [at(rows, "{name}", field) for field in fields]

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        found = ((row, *(view.cell(at(rows, row, field)) for field in fields)) for row in children(view, rows))
        return Result("ok", tuple((row, *(cell[0] for cell in cells)) for row, *cells in found if all(cells))), ()

    shown = ", ".join(["name", *(f"value('{path}')" for path in paths)])
    there = " and ".join(f"present('{path}')" for path in paths)
    meaning = Meaning((Case(value=f"[[{shown}] for name in children('{rows}') if {there}]"),))
    return Tool(name, lambda args: Declaration(reads=(rows,)), run, says, meaning, arguments())


def reading(name: str, rows: str, field: str, says: str) -> Tool:
    """Reads one field of the row `name`, null when absent; declares the whole row, as fetching an object does."""
    path = at(rows, "{name}", field)

    def declare(args: Args) -> Declaration:
        return Declaration(reads=(at(rows, args["name"]),))

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        cell = view.cell(at(rows, args["name"], field))
        return Result("ok", cell[0] if cell else None), ()

    meaning = Meaning((Case(f"present('{path}')", value=f"value('{path}')"), Case(value="null")))
    return Tool(name, declare, run, says, meaning, arguments(name=PART))


def creating(name: str, rows: str, fields: Fields, says: str, kinds: Mapping[str, Schema] | None = None) -> Tool:
    """Creates the row `name` with all its fields, or fails with 'exists' where the first of them is there.

    `kinds` are those of the arguments that are no text, by name.
    """

    def declare(args: Args) -> Declaration:
        row = (at(rows, args["name"]),)
        return Declaration(reads=row, writes=row)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        if view.cell(at(rows, args["name"], fields[0])):
            return failed("exists"), ()
        return OK, tuple((at(rows, args["name"], field), (args[argument(field)],)) for field in fields)

    exists = Case(f"present('{at(rows, '{name}', fields[0])}')", "failed", "'exists'")
    writes = tuple((at(rows, "{name}", field), argument(field)) for field in fields)
    kinds = {argument(field): (kinds or {}).get(argument(field), TEXT) for field in fields}
    return Tool(name, declare, run, says, Meaning((exists, Case(writes=writes))), arguments(name=PART, **kinds))


def setting(name: str, rows: str, field: str, says: str, kind: Schema = TEXT) -> Tool:
    """Sets one field of the row `name` to a value of `kind`, or fails with 'missing' where there is none."""
    path, value = at(rows, "{name}", field), argument(field)

    def declare(args: Args) -> Declaration:
        cell = (at(rows, args["name"], field),)
        return Declaration(reads=cell, writes=cell)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        cell = at(rows, args["name"], field)
        return (OK, ((cell, (args[value],)),)) if view.cell(cell) else (failed("missing"), ())

    missing = Case(f"not present('{path}')", "failed", "'missing'")
    meaning = Meaning((missing, Case(writes=((path, value),))))
    return Tool(name, declare, run, says, meaning, arguments(name=PART, **{value: kind}))
