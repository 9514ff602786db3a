"""Tools over the rows of tables as cells, `TABLE/KEY/COLUMN`: insert, get, select, update, add, delete.

Names and keys are data: they become single parts of paths here, whatever they hold, and never text of a statement.
"""

from collections.abc import Callable, Mapping, Sequence

from coagent.live.targets.path_part import key_of, key_part, name_of, part
from coagent.operation import Declaration, Result, Value, same
from coagent.tool import OK, Args, Tool, View, Writes, children, failed

Run = Callable[[View, Args], tuple[Result, Writes]]
Paths = Callable[[Args], tuple[str, ...]]


def sql_tools(columns: Mapping[str, Sequence[str]] | None = None, *, versioned: bool = True) -> Mapping[str, Tool]:
    """The tools by name. `columns` are those shown of each table; a row inserted then gets null where none is given.

    Without `columns` the database fills what is not given, and the cells that come of it are nobody's writes: so only
    for tables whose rows are always given whole. With `versioned=False` the declarations say that what prepare
    captured cannot serve reads of older states: reads that need those then take the recorded route or the undo route.
    """

    def made(name: str, run: Run, says: str, given: tuple[str, ...], reads: Paths | None, writes: Paths | None) -> Tool:
        def declare(args: Args) -> Declaration:
            return Declaration(
                reads=reads(args) if reads else (), writes=writes(args) if writes else (), versioned=versioned
            )

        return Tool(name, declare, run, says, schema=_schema(given))

    tools = (
        made("insert_row", _inserting(columns), INSERT_SAYS, ("table", "key", "values"), _row, _row),
        made("get_row", _get, "the columns and values of a row, or null", ("table", "key"), _row, None),
        made("select", _select, "the rows that have these values, or all", ("table", "where"), _table, None),
        made("update_row", _update, "set columns of a row, or fail", ("table", "key", "values"), _cells, _cells),
        made("add_to", _add, "add to an integer column, or fail", ("table", "key", "column", "by"), _cell, _cell),
        made("delete_row", _delete, "delete a row, or fail with 'missing'", ("table", "key"), _row, _row),
    )
    return {tool.name: tool for tool in tools}


INSERT_SAYS = "insert a row with these values, or fail with 'exists'"


def _table(args: Args) -> tuple[str, ...]:
    """What a selection reads: the whole table, as any row may come to match, never only the rows found."""
    return (part(args["table"]),)


def row_path(args: Args) -> str:
    """The path of the row with the arguments `table` and `key`."""
    return f"{part(args['table'])}/{key_part(args['key'])}"


def _row(args: Args) -> tuple[str, ...]:
    return (row_path(args),)


def _cells(args: Args) -> tuple[str, ...]:
    return tuple(f"{row_path(args)}/{part(column)}" for column, _ in args["values"])


def _cell(args: Args) -> tuple[str, ...]:
    return (f"{row_path(args)}/{part(args['column'])}",)


def _found(view: View, path: str) -> tuple[tuple[str, Value], ...]:
    """(column, value) of a row, by column."""
    cells = ((name, view.cell(f"{path}/{name}")) for name in children(view, path))
    return tuple((name_of(name), cell[0]) for name, cell in cells if cell)


def _inserting(columns: Mapping[str, Sequence[str]] | None) -> Run:
    def run(view: View, args: Args) -> tuple[Result, Writes]:
        path, values = row_path(args), dict(args["values"])
        if columns is not None and args["table"] not in columns:
            return failed("no such table"), ()
        names = values if columns is None else columns[args["table"]]
        if not names or not values.keys() <= set(names):
            return failed("no such column"), ()
        if any(view.below(path)):
            return failed("exists"), ()
        return OK, tuple((f"{path}/{part(name)}", (values.get(name),)) for name in names)

    return run


def _get(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", _found(view, row_path(args)) or None), ()


def _select(view: View, args: Args) -> tuple[Result, Writes]:
    """(key, (column, value) pairs) of each row that has all the values of `where`, by key."""
    (table,) = _table(args)
    rows = ((key, _found(view, f"{table}/{key}")) for key in children(view, table))
    return Result("ok", tuple((key_of(key), row) for key, row in rows if _matches(dict(row), args["where"]))), ()


def _matches(row: Mapping[str, Value], where: Sequence[tuple[str, Value]]) -> bool:
    return all(column in row and same(row[column], value) for column, value in where)


def _update(view: View, args: Args) -> tuple[Result, Writes]:
    paths = _cells(args)
    if not paths or not all(view.cell(path) for path in paths):
        return failed("missing"), ()
    return OK, tuple((path, (value,)) for path, (_, value) in zip(paths, args["values"], strict=True))


def _add(view: View, args: Args) -> tuple[Result, Writes]:
    (path,) = _cell(args)
    cell = view.cell(path)
    if not cell:
        return failed("missing"), ()
    if any(isinstance(one, bool) or not isinstance(one, int) for one in (cell[0], args["by"])):
        return failed("type"), ()
    total = cell[0] + args["by"]
    return Result("ok", total), ((path, (total,)),)


def _delete(view: View, args: Args) -> tuple[Result, Writes]:
    paths = tuple(view.below(row_path(args)))
    return (OK, tuple((path, ()) for path in paths)) if paths else (failed("missing"), ())


_NAME = {"type": "string", "minLength": 1}
_KEY = {"anyOf": [{"type": ["string", "integer", "boolean"]}, {"type": "array", "minItems": 2}]}
_PAIRS = {
    "type": "array",
    "items": {"type": "array", "prefixItems": [_NAME, {}], "minItems": 2, "maxItems": 2},
}
_ARGUMENTS: Mapping[str, Mapping[str, object]] = {
    "table": {**_NAME, "description": "the table"},
    "key": {**_KEY, "description": "the primary key; a list, where it has several columns"},
    "values": {**_PAIRS, "minItems": 1, "description": "[column, value] pairs"},
    "where": {**_PAIRS, "description": "[column, value] pairs that a row must all have; none for every row"},
    "column": {**_NAME, "description": "the column"},
    "by": {"type": "integer", "description": "what to add"},
}


def _schema(given: Sequence[str]) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {name: _ARGUMENTS[name] for name in given},
        "required": list(given),
        "additionalProperties": False,
    }


SQL_TOOLS: Mapping[str, Tool] = sql_tools()
"""The tools for rows that are always given whole."""
