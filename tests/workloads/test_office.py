"""The office tables: generated ones have the shape of WorkBench's, and files that are not such tables are refused."""

from collections import Counter
from datetime import date

import pytest

from coagent.bad_input import BadInput
from workloads import office, workload
from workloads.o5_double_booked_slot import Day, busy_day, first_free

HEADING = "event_id,event_name,participant_email,event_start,duration\n"


def spans(rows):
    """(day, first minute, minute after the last) of each row."""
    starts = [(row["event_start"][:16], int(row["duration"])) for row in rows]
    return [(at[:10], office.minute_of_day(at), office.minute_of_day(at) + minutes) for at, minutes in starts]


def shape(rows):
    """What generated and real calendars have in common."""
    return {
        "rows": len(rows),
        "ids": {row["event_id"] for row in rows},
        "columns": {tuple(row) for row in rows},
        "people": len({row["participant_email"] for row in rows}),
        "sorted": spans(rows) == sorted(spans(rows)),
        "durations": {row["duration"] for row in rows},
        "starts": {row["event_start"][11:] for row in rows},
        "weekdays": {date.fromisoformat(row["event_start"][:10]).weekday() for row in rows},
        "clashes": sum(
            left[0] == right[0] and right[1] < left[2] for left in spans(rows) for right in spans(rows) if left < right
        ),
    }


def refused(folder, text):
    (folder / office.CALENDAR.file).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        office.state([office.CALENDAR], folder=folder)
    return str(caught.value).removeprefix(str(folder / office.CALENDAR.file))


def test_the_generated_calendar_is_the_same_for_the_same_seed():
    assert office.generated(office.CALENDAR) == office.generated(office.CALENDAR, 0)
    assert office.generated(office.CALENDAR) != office.generated(office.CALENDAR, 1)


def test_the_generated_calendar_has_300_events_of_20_people_that_never_clash():
    rows = office.generated(office.CALENDAR)
    found = shape(rows)
    assert (found["rows"], len(found["ids"]), found["people"], found["clashes"]) == (300, 300, 20, 0)
    assert found["columns"] == {("event_id", "event_name", "participant_email", "event_start", "duration")}
    assert min(Counter(row["duration"] for row in rows).values()) > 30


@pytest.mark.parametrize("seed", range(5))
def test_the_generated_calendar_has_the_shape_of_workbench(workbench, seed):
    real = office.read_table(office.CALENDAR, workbench)
    assert shape(office.generated(office.CALENDAR, seed)) == shape(real)


def test_the_generated_texts_are_not_those_of_workbench(workbench):
    real, own = office.read_table(office.CALENDAR, workbench), office.generated(office.CALENDAR)
    for column in ("event_name", "participant_email"):
        assert not {row[column].lower() for row in real} & {row[column].lower() for row in own}


def test_the_people_of_the_stories_are_employees_in_both(workbench):
    for rows in (office.read_table(office.CALENDAR, workbench), office.generated(office.CALENDAR)):
        first = Counter(address.split(".")[0] for address in {row["participant_email"] for row in rows})
        assert all(first[name] == 1 for name in ("carlos", "dmitri", "fatima", "kofi", "nadia", "sofia"))


def test_a_row_becomes_four_cells(tmp_path):
    (tmp_path / office.CALENDAR.file).write_text(HEADING + "7,talk,ann@x.example,2023-08-01 09:00:00,30\n")
    assert office.state([office.CALENDAR], folder=tmp_path) == (
        ("calendar/7/minutes", 30),
        ("calendar/7/name", "talk"),
        ("calendar/7/participant", "ann@x.example"),
        ("calendar/7/start", "2023-08-01 09:00"),
    )


def test_the_folder_of_the_tables_is_said_and_nothing_else_decides(tmp_path):
    (tmp_path / office.CALENDAR.file).write_text(
        HEADING + "".join(f"{hour},talk,ann@x.example,2023-08-01 {hour:02}:00:00,60\n" for hour in range(9, 12))
    )
    given = dict(workload("o5-double-booked", tables=str(tmp_path)).state)
    assert {path.split("/")[1] for path in given} == {"9", "10", "11"}
    assert len(workload("o5-double-booked").state) == 1200
    assert workload("k3-flag", tables=str(tmp_path)).state == workload("k3-flag").state
    with pytest.raises(BadInput, match="there is no such folder"):
        workload("o5-double-booked", tables=str(tmp_path / "none"))


def test_a_folder_without_the_table_is_refused(tmp_path):
    with pytest.raises(BadInput, match="the calendar cannot be read"):
        office.state([office.CALENDAR], folder=tmp_path)


@pytest.mark.parametrize(
    "row, message",
    [
        ("1,talk,ann@x.example,2023-08-01 09:00:00", ":2: the row has not the 5 values"),
        ("1,talk,ann@x.example,2023-08-01 09:00:00,30,6", ":2: the row has not the 5 values"),
        ("1,talk,ann@x.example,nine,30", ":2: 'nine' cannot be the event_start"),
        ("1,talk,ann@x.example,2023-08-01 09:00:00,0", ":2: '0' cannot be the duration"),
        ("1,talk,ann@x.example,2023-08-01 09:00:00,half", ":2: 'half' cannot be the duration"),
        ("a/b,talk,ann@x.example,2023-08-01 09:00:00,30", ":2: the event_id 'a/b' cannot be part of a path"),
        ("{n},talk,ann@x.example,2023-08-01 09:00:00,30", ":2: the event_id '{n}' cannot be part of a path"),
    ],
)
def test_a_row_that_is_none_is_refused_with_its_line(tmp_path, row, message):
    assert refused(tmp_path, HEADING + row + "\n").startswith(message)


def test_other_columns_and_repeated_ids_are_refused(tmp_path):
    assert refused(tmp_path, "id,name\n1,talk\n").startswith(":1: the columns are id, name, not event_id, event_name")
    assert refused(tmp_path, "").startswith(":1: the columns are missing, not event_id")
    row = "1,talk,ann@x.example,2023-08-01 09:00:00,30\n"
    assert refused(tmp_path, HEADING + row + row).startswith(":3: the event_id '1' is there twice")


@pytest.mark.parametrize(
    "taken, start",
    [
        ([], 540),
        ([(540, 30)], 570),
        ([(570, 60)], 540),
        ([(550, 30)], 580),
        ([(540, 30), (590, 60)], 650),
        ([(480, 90)], 570),
        ([(540, 120), (570, 30)], 660),
        ([(540, 510)], 1050),
        ([(540, 511)], None),
        ([(540, 540)], None),
        ([(480, 30)], 540),
    ],
)
def test_the_first_free_slot_is_the_first_that_fits_between_nine_and_six(taken, start):
    assert first_free(taken) == start
    assert first_free(reversed(taken)) == start


def test_a_calendar_without_events_is_refused():
    with pytest.raises(BadInput, match="the calendar has no events"):
        busy_day({})


def test_the_busy_day_begins_at_nine_where_there_is_one():
    def event(name, person, start):
        return {f"calendar/{name}/participant": person, f"calendar/{name}/start": start}

    full = event("1", "ann", "2023-08-01 10:00") | event("2", "ann", "2023-08-01 11:00")
    assert busy_day(full) == Day(person="ann", date="2023-08-01", first_event="1")
    late = event("3", "bob", "2023-08-03 09:00")
    assert busy_day(full | late) == Day(person="bob", date="2023-08-03", first_event="3")
    earlier = event("4", "eve", "2023-08-02 09:00")
    assert busy_day(full | late | earlier) == Day(person="eve", date="2023-08-02", first_event="4")
