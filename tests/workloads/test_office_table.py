"""Tasks, customers and mail of the office: generated ones are shaped like WorkBench's; the tools keep their word."""

from collections import Counter

import pytest

from checker.oracle import Ledger
from coagent.bad_input import BadInput
from coagent.path import overlap
from workloads import office
from workloads.office_names import EMPLOYEES, SALES
from workloads.office_table import BACKLOG, CUSTOMERS, FIXED, LISTS, MAILS, TASKS, TODAY
from workloads.office_tool import OFFICE_TOOLS, call

TABLES = (TASKS, CUSTOMERS, MAILS)
SIZES = {"tasks": 300, "customers": 200, "inbox": 500}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_generated_table_is_the_same_for_the_same_seed_and_has_the_size_and_columns_of_workbench(table, workbench):
    rows, real = office.generated(table), office.read_table(table, workbench)
    assert rows == office.generated(table, 0) != office.generated(table, 1)
    assert len(rows) == len(real) == len({row[table.key] for row in rows}) == SIZES[table.name]
    assert {tuple(row) for row in real} == {table.columns}
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(table.columns))}


@pytest.mark.parametrize("seed", range(5))
def test_the_people_of_the_stories_have_as_many_tasks_as_in_workbench(seed, workbench):
    for rows in (office.generated(TASKS, seed), office.read_table(TASKS, workbench)):
        begun = Counter(
            (row["assigned_to_email"].split(".")[0], row["list_name"])
            for row in rows
            if row["list_name"] != BACKLOG or row["due_date"] < str(TODAY)
        )
        assert {key: begun[key[0].split(".")[0], key[1]] for key in FIXED} == FIXED


@pytest.mark.parametrize("seed", range(5))
def test_the_generated_board_has_a_hundred_tasks_a_board_and_its_lists_are_filled(seed):
    rows = office.generated(TASKS, seed)
    assert set(Counter(row["board"] for row in rows).values()) == {100}
    assert Counter(row["list_name"] for row in rows) == LISTS
    assert {row["assigned_to_email"].split("@")[0] for row in rows} == set(EMPLOYEES)
    assert [row["due_date"] for row in rows] == sorted(row["due_date"] for row in rows)


def test_the_generated_values_are_those_that_workbench_knows_and_its_texts_are_not(workbench):
    for table, known in ((TASKS, ("list_name", "board")), (CUSTOMERS, ("status", "product_interest"))):
        real, own = office.read_table(table, workbench), office.generated(table)
        for column in known:
            assert {row[column] for row in own} == {row[column] for row in real}
        texts = "task_name" if table is TASKS else "customer_name"
        assert not {row[texts].lower() for row in own} & {row[texts].lower() for row in real}
    assert {row["assigned_to_email"].split("@")[0] for row in office.generated(CUSTOMERS)} == set(SALES)


def test_a_column_that_is_not_kept_is_read_all_the_same(tmp_path):
    heading = ",".join(CUSTOMERS.columns)
    row = "7,ann@x.example,Bo Ek,bo@ek.example,,{day},Training,Won,2023-12-01,\n"
    file = tmp_path / CUSTOMERS.file
    file.write_text(f"{heading}\n{row.format(day='2023-11-01')}")
    assert office.state([CUSTOMERS], folder=tmp_path) == (
        ("customers/7/interest", "Training"),
        ("customers/7/name", "Bo Ek"),
        ("customers/7/notes", ""),
        ("customers/7/owner", "ann@x.example"),
        ("customers/7/status", "Won"),
    )
    file.write_text(f"{heading}\n{row.format(day='yesterday')}")
    with pytest.raises(BadInput, match=r":2: 'yesterday' cannot be the last_contact_date"):
        office.state([CUSTOMERS], folder=tmp_path)
    file.write_text(f"{heading}\n{row.format(day='2023-11-01') * 2}")
    with pytest.raises(BadInput, match=r":3: the customer_id '7' is there twice"):
        office.state([CUSTOMERS], folder=tmp_path)


def test_a_person_is_found_by_first_name_or_refused():
    state = {
        "tasks/1/owner": "ann.day@x.example",
        "tasks/2/owner": "ann.lee@x.example",
        "tasks/3/owner": "bo.ek@x.example",
    }
    assert office.person(state, "Bo") == "bo.ek@x.example"
    with pytest.raises(BadInput, match="one Ann, and the tables have ann.day@x.example, ann.lee@x.example"):
        office.person(state, "Ann")
    with pytest.raises(BadInput, match="one Eve, and the tables have nobody"):
        office.person(state, "Eve")


class Watched(Ledger):
    """A ledger that notes which paths were looked at."""

    def __init__(self, state):
        super().__init__(state)
        self.seen = []

    def cell(self, path):
        self.seen.append(path)
        return super().cell(path)

    def below(self, path):
        self.seen.append(path)
        return super().below(path)


STATE = {
    "calendar/1/name": "talk",
    "calendar/1/participant": "ann",
    "calendar/1/start": "2023-08-01 09:00",
    "calendar/1/minutes": 30,
    "calendar/2/name": "lunch",
    "calendar/2/participant": "ann",
    "calendar/2/start": "2023-08-01 08:00",
    "calendar/2/minutes": 60,
    "tasks/1/name": "paint",
    "tasks/1/owner": "ann",
    "tasks/1/list": "Backlog",
    "tasks/1/due": "2023-08-02",
    "tasks/2/owner": "bo",
    "tasks/3/label": "half a task",
    "customers/1/owner": "ann",
    "customers/1/name": "Eve",
    "customers/1/interest": "Training",
    "customers/1/status": "Lead",
    "inbox/1/sender": "bo",
    "inbox/1/subject": "rooms",
    "inbox/1/body": "none",
    "outbox/1/to": "bo",
    "outbox/1/subject": "hello",
}
EVENT = ("3", "tea", "bo", "2023-08-01 10:00", 30)
TAKEN = ("1", "tea", "bo", "2023-08-01 10:00", 30)

CALLS = [
    (call("day_of", person="ann", date="2023-08-01"), (("2", "lunch", "08:00", 60), ("1", "talk", "09:00", 30)), 0),
    (call("find_event", person="ann", date="2023-08-01", name="talk"), (("1", "talk", "09:00", 30),), 0),
    (call("find_event", person="bo", date="2023-08-01", name="talk"), (), 0),
    (call("create_events", events=(EVENT,)), "ok", 4),
    (call("create_events", events=(EVENT, TAKEN)), "exists", 0),
    (call("move_event", name="1", start="2023-08-01 11:00"), "ok", 1),
    (call("move_event", name="9", start="2023-08-01 11:00"), "missing", 0),
    (call("hand_over", table="tasks", rows=("1", "2"), to="eve"), "ok", 2),
    (call("hand_over", table="tasks", rows=("1", "3"), to="eve"), "missing", 0),
    (call("tasks_of", owner="ann", list="Backlog"), (("1", "2023-08-02"),), 0),
    (call("tasks_of", owner="ann", list="Completed"), (), 0),
    (call("customers_of", owner="ann", status="Lead"), (("1", "Eve", "Training"),), 0),
    (call("set_status", name="1", status="Won"), "ok", 1),
    (call("set_status", name="2", status="Won"), "missing", 0),
    (call("mails_about", subject="rooms"), (("1", "bo", "none"),), 0),
    (call("mails_to", to="bo"), (("1", "hello"),), 0),
    (call("send_mail", name="2", to="ann", subject="x"), "ok", 2),
    (call("send_mail", name="1", to="ann", subject="x"), "exists", 0),
]


@pytest.mark.parametrize("made, value, cells", CALLS, ids=lambda given: str(given)[:40])
def test_a_tool_does_what_it_says_and_stays_inside_its_footprint(made, value, cells):
    """What it answers, how many cells it writes, and that it looks at and writes nothing undeclared."""
    tool, args, ledger = OFFICE_TOOLS[made.tool], dict(made.args), Watched(STATE.items())
    declared = tool.declare(args)
    result, wrote = tool.exec(ledger, args)
    assert (result.value, len(wrote)) == (value, cells)
    assert result.status == ("failed" if value in ("exists", "missing") else "ok")
    for path in ledger.seen:
        assert any(path == read or path.startswith(f"{read}/") for read in declared.reads), path
    for path, _ in wrote:
        assert any(path == row or path.startswith(f"{row}/") for row in declared.writes), path
    assert all(any(overlap(row, read) for read in declared.reads) for row in declared.writes) and not declared.blind
    assert declared.recoverable == (made.tool != "send_mail")


def test_every_tool_of_the_office_is_tried_or_proved_elsewhere():
    tried = {made.tool for made, _, _ in CALLS}
    elsewhere = {"get", "list", "put", "create", "delete", "add", "copy", "send", "events_on", "create_event"}
    assert tried | elsewhere == set(OFFICE_TOOLS) and not tried & elsewhere
