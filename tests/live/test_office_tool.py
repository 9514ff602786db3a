"""The office tools find, make, change and remove what they say, also among objects that other clients made."""

import pytest
from jsonschema import Draft202012Validator

from coagent.live.targets.office_tool import OFFICE_TOOLS
from coagent.operation import Result
from coagent.path import overlap

STATE = {
    "calendar/a/name": "Review",
    "calendar/a/participant": ("ana@x.example", "li@x.example"),
    "calendar/a/start": "2023-08-01 09:30",
    "calendar/a/minutes": 30,
    "calendar/foreign/start": "2023-08-01 11:00",
    "calendar/other/start": "2023-08-02 11:00",
    "calendar/undated/name": "no start",
    "contacts/c/name": "Ana Roos",
    "contacts/c/email": ("ana@x.example", "a@y.example"),
    "contacts/d/phone": "1",
    "tasks/t/name": "Report",
    "tasks/t/owner": "ana@x.example",
    "tasks/t/list": ("Backlog", "Home"),
    "tasks/u/name": "Call",
    "tasks/u/due": "2023-11-30",
    "outbox/m/to": "ana@x.example",
}
EVENT = {"id": "new", "name": "Lunch", "start": "2023-08-01 12:00", "minutes": 60}
MAIL = {"id": "n", "to": ("ana@x.example", "li@x.example"), "subject": "Hi", "body": "There."}


class Cells(dict):
    def cell(self, path: str) -> tuple:
        return (self[path],) if path in self else ()

    def below(self, path: str):
        return iter(sorted(one for one in self if one.startswith(path + "/")))


@pytest.mark.parametrize(
    "tool, args, result, writes",
    [
        (
            "list_events",
            {"date": "2023-08-01"},
            (
                ("a", "Review", ("ana@x.example", "li@x.example"), "2023-08-01 09:30", 30, None),
                ("foreign", None, None, "2023-08-01 11:00", None, None),
            ),
            {},
        ),
        (
            "list_events",
            {"date": "2023-08-01", "person": "li@x.example"},
            (("a", "Review", ("ana@x.example", "li@x.example"), "2023-08-01 09:30", 30, None),),
            {},
        ),
        (
            "create_event",
            EVENT,
            "ok",
            {f"calendar/new/{one}": (EVENT[one],) for one in EVENT if one != "id"},
        ),
        ("create_event", EVENT | {"id": "foreign"}, "exists", {}),
        (
            "move_event",
            {"id": "a", "start": "2023-08-01 10:00"},
            "ok",
            {"calendar/a/start": ("2023-08-01 10:00",)},
        ),
        ("move_event", {"id": "b", "start": "2023-08-01 10:00"}, "missing", {}),
        ("delete_event", {"id": "foreign"}, "ok", {"calendar/foreign/start": ()}),
        ("delete_event", {"id": "for"}, "missing", {}),
        (
            "list_tasks",
            {},
            (
                ("t", "Report", "ana@x.example", None, ("Backlog", "Home"), None),
                ("u", "Call", None, "2023-11-30", None, None),
            ),
            {},
        ),
        (
            "list_tasks",
            {"list": "Backlog", "owner": "ana@x.example"},
            (("t", "Report", "ana@x.example", None, ("Backlog", "Home"), None),),
            {},
        ),
        ("list_tasks", {"list": "Back"}, (), {}),
        ("create_task", {"id": "v", "name": "Do"}, "ok", {"tasks/v/name": ("Do",)}),
        ("complete_task", {"id": "u"}, "ok", {"tasks/u/status": ("COMPLETED",)}),
        ("complete_task", {"id": "v"}, "missing", {}),
        ("find_contact", {"text": "A@Y"}, (("c", "Ana Roos", ("ana@x.example", "a@y.example"), None),), {}),
        ("find_contact", {"text": "None"}, (), {}),
        ("send_mail", MAIL, "ok", {f"outbox/n/{name}": (MAIL[name],) for name in ("to", "subject", "body")}),
        ("send_mail", MAIL | {"id": "m"}, "exists", {}),
    ],
)
def test_tool_gives_and_writes_what_it_says(tool: str, args: dict, result: object, writes: dict) -> None:
    found, made = OFFICE_TOOLS[tool].exec(Cells(STATE), args)
    failed = isinstance(result, str) and result in ("exists", "missing")
    assert found == Result("failed" if failed else "ok", result) and dict(made) == writes
    declared = OFFICE_TOOLS[tool].declare(args)
    assert all(any(overlap(path, one) for one in declared.writes) for path in writes)
    assert declared.recoverable is (tool != "send_mail")
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in args.items()}
    Draft202012Validator(OFFICE_TOOLS[tool].schema).validate(plain)


@pytest.mark.parametrize("name", OFFICE_TOOLS)
def test_every_tool_says_what_it_does_and_takes_no_more_than_it_names(name: str) -> None:
    tool = OFFICE_TOOLS[name]
    Draft202012Validator.check_schema(tool.schema)
    assert tool.says and tool.name == name
    assert not Draft202012Validator(tool.schema).is_valid({"surprise": 1})
