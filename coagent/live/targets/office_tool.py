"""Tools for a calendar, a task list, an address book and a mail account: what an assistant does in an office.

Pure functions over cells, as every tool is. They make do with objects of other clients, of which any field may be
missing; a field that holds several people holds each of them.
"""

from collections.abc import Iterator, Mapping, Sequence

from coagent.operation import Declaration, Result, Value
from coagent.tool import OK, Args, Tool, View, Writes, children, failed

TEXT, MINUTES = {"type": "string"}, {"type": "integer", "minimum": 0}
DATE = {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$", "description": "YYYY-MM-DD"}
TIME = {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}$", "description": "YYYY-MM-DD HH:MM"}
NAME = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$", "description": "an id: letters, digits, - _ ."}
PEOPLE = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}], "description": "an address or several"}

COMPLETED = "COMPLETED"
"""The status of a task that is done (RFC 5545 section 3.8.1.11)."""


def _schema(needed: Mapping[str, object], optional: Mapping[str, object] | None = None) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


def _listing(name: str, rows: str, shows: Sequence[str], wanted, says: str, schema: Mapping[str, object]) -> Tool:
    """Lists [id, value of each field of `shows`, null where there is none] of the rows that are wanted."""

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        found = (row for row in _rows(view, rows) if wanted(row, args))
        return Result("ok", tuple((row["id"], *(row.get(field) for field in shows)) for row in found)), ()

    return Tool(name, lambda args: Declaration(reads=(rows,)), run, says, schema=schema)


def _rows(view: View, rows: str) -> Iterator[Mapping[str, Value]]:
    """Every row as its fields, by id."""
    for name in children(view, rows):
        start = f"{rows}/{name}/"
        fields = {path.removeprefix(start): view.cell(path)[0] for path in view.below(f"{rows}/{name}")}
        yield {**fields, "id": name}


def _holds(value: Value, one: Value) -> bool:
    return value == one or isinstance(value, tuple) and one in value


def _row_of(rows: str):
    """Declares a read-modify-write of the row `id`."""

    def declare(args: Args) -> Declaration:
        row = (f"{rows}/{args['id']}",)
        return Declaration(reads=row, writes=row)

    return declare


def _creating(name: str, rows: str, says: str, schema: Mapping[str, object]) -> Tool:
    """Creates the row `id` with the fields that are given, or fails with 'exists'."""

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        if children(view, f"{rows}/{args['id']}"):
            return failed("exists"), ()
        return OK, tuple((f"{rows}/{args['id']}/{field}", (value,)) for field, value in args.items() if field != "id")

    return Tool(name, _row_of(rows), run, says, schema=schema)


def _setting(name: str, rows: str, says: str, schema: Mapping[str, object], more: Mapping[str, Value]) -> Tool:
    """Sets the fields that are given, and `more`, of the row `id`, or fails with 'missing'."""

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        if not children(view, f"{rows}/{args['id']}"):
            return failed("missing"), ()
        fields = {**{field: value for field, value in args.items() if field != "id"}, **more}
        return OK, tuple((f"{rows}/{args['id']}/{field}", (value,)) for field, value in fields.items())

    return Tool(name, _row_of(rows), run, says, schema=schema)


def _deleting(name: str, rows: str, says: str) -> Tool:
    """Deletes the row `id`, or fails with 'missing'."""

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        paths = tuple(view.below(f"{rows}/{args['id']}"))
        return (OK, tuple((path, ()) for path in paths)) if paths else (failed("missing"), ())

    return Tool(name, _row_of(rows), run, says, schema=_schema({"id": NAME}))


def _on(row: Mapping[str, Value], args: Args) -> bool:
    starts = isinstance(row.get("start"), str) and row["start"].startswith(args["date"])
    return starts and ("person" not in args or _holds(row.get("participant"), args["person"]))


def _among(row: Mapping[str, Value], args: Args) -> bool:
    return all(_holds(row.get(field), value) for field, value in args.items())


def _called(row: Mapping[str, Value], args: Args) -> bool:
    values = (value if isinstance(value, tuple) else (value,) for value in (row.get("name"), row.get("email")))
    return any(args["text"].casefold() in str(one).casefold() for items in values for one in items if one is not None)


def _declare_send(args: Args) -> Declaration:
    row = (f"outbox/{args['id']}",)
    return Declaration(reads=row, writes=row, recoverable=False)


_MAIL = _schema({"id": NAME, "to": PEOPLE, "subject": TEXT, "body": TEXT}, {"cc": PEOPLE})
_NEW_MAIL = _creating("send_mail", "outbox", "send a mail, which cannot be undone, or fail with 'exists'", _MAIL)

OFFICE_TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        _listing(
            "list_events",
            "calendar",
            ("name", "participant", "start", "minutes", "place"),
            _on,
            "id, name, participants, start, minutes and place of the events of a date, or of somebody's",
            _schema({"date": DATE}, {"person": TEXT}),
        ),
        _creating(
            "create_event",
            "calendar",
            "put an event into the calendar, or fail with 'exists'",
            _schema(
                {"id": NAME, "name": TEXT, "start": TIME, "minutes": MINUTES},
                {"participant": PEOPLE, "place": TEXT, "notes": TEXT},
            ),
        ),
        _setting(
            "move_event",
            "calendar",
            "set when an event starts, and how long it is if that is given, or fail with 'missing'",
            _schema({"id": NAME, "start": TIME}, {"minutes": MINUTES}),
            {},
        ),
        _deleting("delete_event", "calendar", "take an event out of the calendar, or fail with 'missing'"),
        _listing(
            "list_tasks",
            "tasks",
            ("name", "owner", "due", "list", "status"),
            _among,
            "id, name, owner, due date, list and status of all tasks, or of those of an owner or on a list",
            _schema({}, {"owner": TEXT, "list": TEXT}),
        ),
        _creating(
            "create_task",
            "tasks",
            "put a task on a list, or fail with 'exists'",
            _schema({"id": NAME, "name": TEXT}, {"owner": PEOPLE, "due": DATE, "list": TEXT, "notes": TEXT}),
        ),
        _setting(
            "complete_task",
            "tasks",
            "say that a task is done, or fail with 'missing'",
            _schema({"id": NAME}),
            {"status": COMPLETED},
        ),
        _listing(
            "find_contact",
            "contacts",
            ("name", "email", "phone"),
            _called,
            "id, name, addresses and telephones of the contacts whose name or address has a text in it",
            _schema({"text": TEXT}),
        ),
        Tool("send_mail", _declare_send, _NEW_MAIL.exec, _NEW_MAIL.says, schema=_MAIL),
    )
}
"""By name. Their results are lists with null for what an object does not say."""
