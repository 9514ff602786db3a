"""Changing fields of a body leaves every other byte alone, and putting them back gives the body."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coagent.live.target import Refused
from coagent.live.targets.content_line import Line, cell_line, cell_of, is_plain, lines_of, made, parsed
from coagent.live.targets.dav_object import CONTACT, EVENT, TASK, Kind, cells_of, changed
from tests.live.test_dav import ANY, THUNDERBIRD

ALL_DAY = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20230801\nDTEND;VALUE=DATE:20230803\nEND:VEVENT\n"
UTC = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20230801T073000Z\nDURATION:P1DT2H\nSUMMARY:x\nEND:VEVENT\n"
ZONES = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:z\r\nDTSTART;TZID=Europe/Berlin:20230801T093000\r\n"
    'DTEND;X-P="a:b;c";TZID=W. Europe Standard Time:20230801T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
)
TODO = (
    "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY;LANGUAGE=de:Bericht\r\nCATEGORIES:Work\\, hard,Home\r\n"
    "DUE;TZID=Europe/Berlin:20231130T170000\r\nSTATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:van Dyk;Ana;;;\r\nFN:Ana van Dyk\r\nitem1.EMAIL;TYPE=INTERNET:ana@x.example\r\n"
    "item1.X-ABLabel:_$!<Work>!$_\r\nEMAIL;TYPE=HOME,PREF:a@y.example\r\nTEL;CELL:+31 6\r\nORG:Ex\\, Inc.;Sales\r\n"
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMD\r\n BAYEBAQEBAgGBgUGCQgKCgkI\r\n"
    "END:VCARD\r\n"
)
BODIES = (
    (THUNDERBIRD, EVENT),
    (THUNDERBIRD.replace("\r\n", "\n"), EVENT),
    (ALL_DAY, EVENT),
    (UTC, EVENT),
    (ZONES, EVENT),
    (TODO, TASK),
    (CARD, CONTACT),
)
TIMES = st.datetimes().map(lambda at: at.isoformat(" ", "seconds" if at.second else "minutes"))


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Kind, dict]:
    body, kind = draw(st.sampled_from(BODIES))
    fields = {name: st.tuples(ANY) | st.just(()) for name in ("name", "notes", "label", "participant", "email", "list")}
    if kind is EVENT and "VALUE=DATE" not in body:
        fields |= {"start": st.tuples(TIMES), "minutes": st.tuples(st.integers(0, 5000)) | st.just(())}
    return body, kind, draw(st.fixed_dictionaries({}, optional=fields))


@given(edits())
def test_fields_are_as_written_and_put_back_the_body_is_the_same_bytes(edit: tuple[str, Kind, dict]) -> None:
    body, kind, writes = edit
    before = cells_of(body, kind.component)
    new = changed(body, kind, "x", writes, None)
    expected = {name: value for name, value in before.items() if name not in writes}
    expected |= {name: cell[0] for name, cell in writes.items() if cell}
    assert new is None or repr(sorted(cells_of(new, kind.component).items())) == repr(sorted(expected.items()))
    assert changed(new, kind, "x", writes, None) == new
    old = {name: (before[name],) if name in before else () for name in writes}
    whole = {name: (value,) for name, value in before.items()} if new is None else old
    assert changed(new, kind, "x", whole, body) == body


@given(edits())
def test_lines_that_are_not_about_a_changed_field_stay_as_they_are_in_their_order(edit: tuple[str, Kind, dict]) -> None:
    body, kind, writes = edit
    properties = {"SUMMARY", "DESCRIPTION", "DTSTART", "DTEND", "DURATION", "ATTENDEE", "CATEGORIES", "FN", "N", "NOTE"}
    properties |= {"EMAIL"}

    def others(text: str) -> list[str]:
        inside = re.sub(r"BEGIN:VALARM.*?END:VALARM", "", text, flags=re.DOTALL)
        lines = [raw for raw in lines_of(inside) if parsed(raw).name not in properties]
        return [raw for raw in lines if not parsed(raw).name.startswith("X-COAGENT")]

    new = changed(body, kind, "x", writes, None)
    assert new is None or others(new) == others(body)
    assert new is None or re.findall(r"BEGIN:VALARM.*?END:VALARM", new, re.DOTALL) == re.findall(
        r"BEGIN:VALARM.*?END:VALARM", body, re.DOTALL
    )


@pytest.mark.parametrize(
    "body, kind, cells",
    [
        (ALL_DAY, EVENT, {"start": "2023-08-01 00:00", "minutes": 2880}),
        (UTC, EVENT, {"name": "x", "start": "2023-08-01 07:30", "minutes": 1560}),
        (ZONES, EVENT, {"start": "2023-08-01 09:30", "minutes": 30}),
        (
            TODO,
            TASK,
            {"name": "Bericht", "list": ("Work, hard", "Home"), "due": "2023-11-30 17:00", "status": "IN-PROCESS"},
        ),
        (CARD, CONTACT, {"name": "Ana van Dyk", "email": ("ana@x.example", "a@y.example"), "phone": "+31 6"}),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:nonsense\nSUMMARY\nEND:VEVENT\n", EVENT, {}),
        ("", EVENT, {}),
    ],
)
def test_body_of_another_client_shows_sensible_cells(body: str, kind: Kind, cells: dict) -> None:
    assert cells_of(body, kind.component) == cells


@pytest.mark.parametrize(
    "body, writes, lines",
    [
        (ALL_DAY, {"start": "2023-08-05 00:00"}, ["DTSTART;VALUE=DATE:20230805", "DTEND;VALUE=DATE:20230807"]),
        (ALL_DAY, {"start": "2023-08-05 10:00"}, ["DTSTART:20230805T100000", "DTEND:20230807T100000"]),
        (ALL_DAY, {"minutes": 1440}, ["DTEND;VALUE=DATE:20230802"]),
        (UTC, {"start": "2023-08-01 08:00"}, ["DTSTART:20230801T080000Z"]),
        (UTC, {"minutes": 90}, ["DURATION:PT90M"]),
        (
            ZONES,
            {"start": "2023-12-01 09:30"},
            [
                "DTSTART;TZID=Europe/Berlin:20231201T093000",
                'DTEND;X-P="a:b;c";TZID=W. Europe Standard Time:20231201T100000',
            ],
        ),
    ],
)
def test_moved_event_keeps_its_length_its_zone_and_its_kind_of_time(body: str, writes: dict, lines: list[str]) -> None:
    new = changed(body, EVENT, "x", {name: (value,) for name, value in writes.items()}, None)
    assert sorted(set(new.splitlines()) - set(body.splitlines())) == sorted(lines)


def test_attendee_who_stays_keeps_the_answer_that_was_given() -> None:
    people = ("new@x.example", "li@office.example")
    new = changed(THUNDERBIRD, EVENT, "x", {"participant": (people,)}, None)
    assert 'ATTENDEE;CN="Li, Wei";PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:li@office.example\r\n' in new.replace(
        "\r\n ", ""
    )
    assert cells_of(new, "VEVENT")["participant"] == people


def test_sorted_name_of_a_contact_follows_only_where_it_was_made_from_the_full_one() -> None:
    assert "N:van Dyk;Ana;;;" in changed(CARD, CONTACT, "x", {"name": ("Eva Roos",)}, None)
    new = changed(None, CONTACT, "x", {"name": ("Eva Roos",)}, None)
    assert "N:Roos;Eva;;;" in new and "N:Bos;Eva;;;" in changed(new, CONTACT, "x", {"name": ("Eva Bos",)}, None)


@pytest.mark.parametrize("minutes", [-5, True, "5", None, 2**40])
def test_length_that_is_none_is_refused(minutes: object) -> None:
    with pytest.raises(Refused):
        changed(UTC, EVENT, "x", {"minutes": (minutes,)}, None)


@given(st.text(max_size=400))
def test_lines_of_any_text_are_the_text(text: str) -> None:
    assert "".join(lines_of(text)) == text


@given(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=300))
def test_folded_line_is_short_and_means_the_same(value: str) -> None:
    raw = made(Line(name="SUMMARY", value=value))
    assert all(len(line.encode()) <= 75 for line in raw.split("\r\n"))
    assert parsed(raw) == Line(name="SUMMARY", value=value)


@given(st.text(min_size=1, max_size=20).filter(lambda field: "\ud800" not in field), ANY)
def test_any_value_of_any_field_comes_back_from_a_property_of_ours(field: str, value: object) -> None:
    line = cell_line(field, value)
    assert repr(cell_of(parsed(made(line)))) == repr((field, value))
    assert is_plain(line.value) or not line.value.strip()
