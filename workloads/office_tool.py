"""The tools of the office: looking rows up by what they hold, changing them one or several at a time, and sending mail.

A look-up declares its whole table, since a row that comes to match is what it has to hear of; a change
declares the rows that it names. Only a mail that was sent cannot be undone.
"""

from collections.abc import Iterator, Mapping

from coagent.argument_schema import INTEGER, PART, TEXT, arguments, described, listed, row
from coagent.operation import Call, Declaration, Result, Value
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, children, failed
from workloads.row import creating, setting

EVENT = ("name", "participant", "start", "minutes")
"""The fields of an event, in the order in which `create_events` takes them after the id."""


def matching(name: str, table: str, by: tuple[str, ...], shows: tuple[str, ...], says: str) -> Tool:
    """Finds (id, value of each field of `shows`) of the rows whose fields `by` are the arguments of those names."""
    fields = (*by, *shows)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        wanted = [(args[field],) for field in by]
        rows = ((row, [view.cell(f"{table}/{row}/{field}") for field in fields]) for row in children(view, table))
        found = ((row, cells[len(by) :]) for row, cells in rows if all(cells) and cells[: len(by)] == wanted)
        return Result("ok", tuple((row, *(cell[0] for cell in cells)) for row, cells in found)), ()

    schema = arguments(**dict.fromkeys(by, TEXT))
    return Tool(name, lambda args: Declaration(reads=(table,)), run, says, schema=schema)


def _declare_calendar(args: Args) -> Declaration:
    return Declaration(reads=("calendar",))


def _events_on(view: View, args: Args) -> tuple[Result, Writes]:
    """(start, minutes) of the person's events on a date, sorted; what an agent sees is the predicate, not the rows."""
    found = []
    for name in children(view, "calendar"):
        at = f"calendar/{name}"
        start, participant, minutes = (view.cell(f"{at}/{field}") for field in ("start", "participant", "minutes"))
        if participant == (args["person"],) and start[0].startswith(args["date"]):
            found.append((start[0][-5:], minutes[0]))
    return Result("ok", tuple(sorted(found))), ()


def _declare_create_event(args: Args) -> Declaration:
    at = (f"calendar/{args['event']}",)
    return Declaration(reads=at, writes=at)


def _create_event(view: View, args: Args) -> tuple[Result, Writes]:
    """Create all cells of an event, or fail with 'exists'."""
    at = f"calendar/{args['event']}"
    if children(view, at):
        return failed("exists"), ()
    return OK, tuple((f"{at}/{field}", (args[field],)) for field in EVENT)


_CREATE_MEANS = Meaning(
    (
        Case("children('calendar/{event}')", "failed", "'exists'"),
        Case(writes=tuple((f"calendar/{{event}}/{field}", field) for field in EVENT)),
    )
)
_DATE = described(TEXT, "YYYY-MM-DD")
_START = described(TEXT, "YYYY-MM-DD HH:MM")
_DAY = arguments(person=TEXT, date=_DATE)
_FIELDS = {"name": TEXT, "participant": TEXT, "start": _START, "minutes": INTEGER}
_EVENTS = described(listed(row(PART, *_FIELDS.values())), f"each event is its id, {', '.join(EVENT)}")

EVENTS_ON = Tool(
    "events_on",
    _declare_calendar,
    _events_on,
    "start and minutes of a person's events on a date",
    schema=_DAY,
)
CREATE_EVENT = Tool(
    "create_event",
    _declare_create_event,
    _create_event,
    "put an event in, or fail with 'exists'",
    _CREATE_MEANS,
    arguments(event=PART, **_FIELDS),
)


def _day_of(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", tuple(sorted(_events(view, args), key=lambda event: event[2]))), ()


def _find_event(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", tuple(event for event in _events(view, args) if event[1] == args["name"])), ()


def _events(view: View, args: Args) -> Iterator[tuple[Value, ...]]:
    """(id, name, start as HH:MM, minutes) of the person's events on a date, by id."""
    for event in children(view, "calendar"):
        name, participant, start, minutes = (view.cell(f"calendar/{event}/{field}") for field in EVENT)
        if participant == (args["person"],) and start[0].startswith(args["date"]):
            yield event, name[0], start[0][-5:], minutes[0]


def _declare_events(args: Args) -> Declaration:
    rows = tuple(f"calendar/{event[0]}" for event in args["events"])
    return Declaration(reads=rows, writes=rows)


def _create_events(view: View, args: Args) -> tuple[Result, Writes]:
    """Create all of the events or, where one is there already, none."""
    if any(children(view, f"calendar/{event[0]}") for event in args["events"]):
        return failed("exists"), ()
    rows = (
        (event, field, value) for event, *values in args["events"] for field, value in zip(EVENT, values, strict=True)
    )
    return OK, tuple((f"calendar/{event}/{field}", (value,)) for event, field, value in rows)


def _declare_hand_over(args: Args) -> Declaration:
    cells = tuple(f"{args['table']}/{row}/owner" for row in args["rows"])
    return Declaration(reads=cells, writes=cells)


def _hand_over(view: View, args: Args) -> tuple[Result, Writes]:
    """Give all of the rows to somebody or, where one has no owner, none."""
    cells = _declare_hand_over(args).writes
    if not all(view.cell(path) for path in cells):
        return failed("missing"), ()
    return OK, tuple((path, (args["to"],)) for path in cells)


def _declare_send(args: Args) -> Declaration:
    row = (f"outbox/{args['name']}",)
    return Declaration(reads=row, writes=row, recoverable=False)


_SEND = creating("send_mail", "outbox", ("to", "subject"), "send a mail, which cannot be undone, or fail with 'exists'")

OFFICE_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    **{
        tool.name: tool
        for tool in (
            EVENTS_ON,
            CREATE_EVENT,
            Tool(
                "day_of",
                _declare_calendar,
                _day_of,
                "id, name, start and minutes of a person's events on a date",
                schema=_DAY,
            ),
            Tool(
                "find_event",
                _declare_calendar,
                _find_event,
                "the same of those events that have a name",
                schema=arguments(person=TEXT, date=_DATE, name=TEXT),
            ),
            Tool(
                "create_events",
                _declare_events,
                _create_events,
                "put several events in, or fail with 'exists'",
                schema=arguments(events=_EVENTS),
            ),
            setting("move_event", "calendar", "start", "set when an event begins, or fail with 'missing'", _START),
            Tool(
                "hand_over",
                _declare_hand_over,
                _hand_over,
                "give rows to somebody, or fail with 'missing'",
                schema=arguments(table=PART, rows=listed(PART), to=TEXT),
            ),
            matching("tasks_of", "tasks", ("owner", "list"), ("due",), "somebody's tasks on a list, with due dates"),
            matching(
                "customers_of", "customers", ("owner", "status"), ("name", "interest"), "somebody's customers by status"
            ),
            setting("set_status", "customers", "status", "set what a customer is, or fail with 'missing'"),
            matching("mails_about", "inbox", ("subject",), ("sender", "body"), "the mails that came in on a subject"),
            matching("mails_to", "outbox", ("to",), ("subject",), "the mails that were sent to somebody"),
            Tool(_SEND.name, _declare_send, _SEND.exec, _SEND.says, _SEND.meaning, _SEND.schema),
        )
    },
}
"""The scenario calls and the office's own."""


def call(tool: str, **args: Value) -> Call:
    """A call of a tool with named arguments."""
    return Call(tool, tuple(args.items()))
