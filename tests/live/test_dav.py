"""Calendars, tasks and contacts on a real CalDAV and CardDAV server (Radicale) are cells that come back exactly."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Gone, Refused
from coagent.live.targets.dav import DavTarget
from tests.live.faulty_proxy import faulty_proxy
from tests.live.laws import check_laws
from tests.live.radicale_server import COLLECTIONS, PASSWORD, PASSWORD_ENV, USER, DavServer, radicale
from workloads import (
    o1_onboard_tentative_won,
    o2_sick_cover_vs_away,
    o3_push_back_twice,
    o4_agenda_during_swap,
    o5_double_booked_slot,
    x1_crossed_handover,
    x2_nag_on_stale_tasks,
)

pytestmark = pytest.mark.xdist_group("dav")

EVENT = {
    "calendar/a/name": ("Review, first; part",),
    "calendar/a/participant": ("nadia@office.example",),
    "calendar/a/start": ("2023-08-01 09:30",),
    "calendar/a/minutes": (30,),
}
OTHER = {"calendar/b/name": ("b",), "calendar/b/start": ("2023-08-02 09:30",)}
THUNDERBIRD = """BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
CREATED:20230711T080000Z
LAST-MODIFIED:20230711T080100Z
DTSTAMP:20230711T080100Z
UID:5f0c
SUMMARY:Stand-up with everybody who is in the house on that day and wants to
  come\\, coffee included
RRULE:FREQ=WEEKLY;UNTIL=20231001T073000Z
ORGANIZER;CN=Ana:mailto:ana@office.example
ATTENDEE;CN=Ana;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:ana@office.example
ATTENDEE;CN="Li, Wei";PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:li@office.example
DTSTART;TZID=Europe/Berlin:20230801T093000
DTEND;TZID=Europe/Berlin:20230801T101500
X-MOZ-GENERATION:3
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Mozilla Standardbeschreibung
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20230711T080100Z
UID:5f0c
SUMMARY:Stand-up\\, late
RECURRENCE-ID;TZID=Europe/Berlin:20230808T093000
DTSTART;TZID=Europe/Berlin:20230808T110000
DTEND;TZID=Europe/Berlin:20230808T114500
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    pytest.importorskip("radicale", reason="the CalDAV server Radicale is not installed")
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def server(running: DavServer, monkeypatch: pytest.MonkeyPatch) -> DavServer:
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD)
    running.clear()
    return running


def curl(server: DavServer, method: str, place: str, content: str = "") -> bytes:
    """Another client of the same server; places are `COLLECTION/NAME`."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    kind = "text/vcard" if place.endswith(".vcf") else "text/calendar"
    headers = {"Authorization": f"Basic {login}", "Content-Type": f"{kind}; charset=utf-8"}
    connection.request(method, f"/{USER}/{place}", content.encode(), headers)
    answer = connection.getresponse()
    assert answer.status < 300, answer.status
    return answer.read()


def laws(server: DavServer, writes: dict, start: dict | None = None) -> None:
    """The laws on an empty server, or on one with these cells."""

    async def checked() -> None:
        target = server.target()
        await target.write(start or {}, seen={}, restore={})

        async def files() -> object:
            return server.files()

        await check_laws(target, writes, files)
        await target.close()

    server.clear()
    asyncio.run(checked())


WORDS = st.text(max_size=90)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | WORDS,
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
PEOPLE = st.sampled_from(("a@x.example", "b@x.example", "c+d@x.example")) | WORDS
STARTS = st.datetimes().map(lambda at: at.isoformat(" ", "seconds" if at.second else "minutes"))
FIELDS = {
    "name": ANY,
    "participant": PEOPLE | st.lists(PEOPLE, max_size=3).map(tuple),
    "start": STARTS,
    "minutes": st.integers(0, 10_000),
    "label": ANY,
    "notes": ANY,
    "cell": ANY,
    "Any_odd ü/field": ANY,
}


def some(fields: dict[str, st.SearchStrategy], root: str) -> st.SearchStrategy:
    """Cells of two objects, some of them absent."""
    cells = {name: st.just(()) | st.tuples(values) for name, values in fields.items() if name != "start"}
    start = {"start": st.tuples(fields["start"])} if "start" in fields else {}
    row = st.fixed_dictionaries(start, optional=cells)
    return st.tuples(row, row).map(
        lambda rows: {
            f"{root}/{name}/{field}": cell for name, row in zip("ab", rows, strict=True) for field, cell in row.items()
        }
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some(FIELDS, "calendar"), some(FIELDS, "calendar"))
def test_any_cells_of_events_obey_the_laws(server: DavServer, start: dict, writes: dict) -> None:
    laws(server, writes, start)


TASK = {"name": ANY, "owner": PEOPLE, "list": ANY, "due": st.dates().map(str) | STARTS, "status": ANY, "odd": ANY}
CARD = {"name": ANY, "email": PEOPLE, "phone": ANY, "notes": ANY, "owner": PEOPLE, "status": ANY}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some(TASK, "tasks"), some(TASK, "tasks"))
def test_any_cells_of_tasks_obey_the_laws(server: DavServer, start: dict, writes: dict) -> None:
    laws(server, writes, start)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some(CARD, "customers"), some(CARD, "customers"))
def test_any_cells_of_contacts_obey_the_laws(server: DavServer, start: dict, writes: dict) -> None:
    laws(server, writes, start)


CELLS = (
    o1_onboard_tentative_won,
    o2_sick_cover_vs_away,
    o3_push_back_twice,
    o4_agenda_during_swap,
    o5_double_booked_slot,
    x1_crossed_handover,
    x2_nag_on_stale_tasks,
)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.NAME)
def test_start_state_of_an_office_cell_is_read_as_it_was_written(server: DavServer, cell) -> None:
    state = {path: value for path, value in cell.workload().state if path.split("/")[0] in COLLECTIONS}
    kept = sorted({tuple(path.split("/")[:2]) for path in state})[::11]
    state = {path: value for path, value in state.items() if tuple(path.split("/")[:2]) in kept}

    async def seeded() -> None:
        target, other = server.target(), server.target()
        await target.write({path: (value,) for path, value in state.items()}, seen={}, restore={})
        found = dict((await other.read(other.roots)).cells)
        assert found == state and {path: type(value) for path, value in found.items()} == {
            path: type(value) for path, value in state.items()
        }
        await target.close()
        await other.close()

    asyncio.run(seeded())
    assert len(server.files()) == len(kept) > 15
    for name, content in server.files().items():
        assert not name.endswith(".ics") or not Calendar.from_ical(content).walk("VEVENT")[:1] or b"DTSTART" in content


def test_event_is_an_event_to_other_clients(server: DavServer) -> None:
    asyncio.run(_write(server, EVENT))
    (event,) = Calendar.from_ical(curl(server, "GET", "calendar/a.ics")).walk("VEVENT")
    assert event["SUMMARY"] == "Review, first; part" and event["ATTENDEE"] == "mailto:nadia@office.example"
    assert event.start.isoformat() == "2023-08-01T09:30:00" and event.duration.total_seconds() == 1800


async def _write(server: DavServer, cells: dict, **options) -> None:
    target = server.target(**options)
    await target.write(cells, seen={}, restore={})
    await target.close()


def test_event_of_another_client_shows_sensible_cells_and_keeps_the_rest(server: DavServer) -> None:
    curl(server, "PUT", "calendar/5f0c.ics", THUNDERBIRD)
    before = server.files()

    async def edited() -> None:
        target = server.target()
        cells = dict((await target.read(("calendar",))).cells)
        assert cells == {
            "calendar/5f0c/name": "Stand-up with everybody who is in the house on that day and wants to come, "
            "coffee included",
            "calendar/5f0c/participant": ("ana@office.example", "li@office.example"),
            "calendar/5f0c/start": "2023-08-01 09:30",
            "calendar/5f0c/minutes": 45,
        }
        captured = await target.read(("calendar/5f0c",))
        writes = {
            "calendar/5f0c/start": ("2023-08-01 11:00",),
            "calendar/5f0c/participant": ("li@office.example",),
            "calendar/5f0c/label": ("room 2",),
        }
        await target.write(writes, seen=captured.memo, restore={})
        assert (await target.read(("calendar/5f0c/minutes",))).cells == {"calendar/5f0c/minutes": 45}
        _only_differs_in(before["calendar/5f0c.ics"], server.files()["calendar/5f0c.ics"])
        old = {path: (captured.cells[path],) if path in captured.cells else () for path in writes}
        await target.write(old, seen={}, restore=json.loads(json.dumps(captured.memo)))
        assert server.files() == before
        await target.write({path: () for path in cells}, seen={}, restore={})
        assert server.files() == {}
        again = {path: (value,) for path, value in captured.cells.items()}
        await target.write(again, seen={}, restore=captured.memo)
        assert server.files() == before
        await target.close()

    asyncio.run(edited())


def _only_differs_in(old: bytes, new: bytes) -> None:
    """Only start, end, attendees and label are other lines."""
    lines = [set(body.decode().replace("\r\n ", "").split("\r\n")) for body in (old, new)]
    assert sorted(lines[0] - lines[1]) == [
        "ATTENDEE;CN=Ana;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:ana@office.example",
        "DTEND;TZID=Europe/Berlin:20230801T101500",
        "DTSTART;TZID=Europe/Berlin:20230801T093000",
    ]
    assert sorted(lines[1] - lines[0]) == [
        "DTEND;TZID=Europe/Berlin:20230801T114500",
        "DTSTART;TZID=Europe/Berlin:20230801T110000",
        "X-COAGENT-LABEL:room 2",
    ]


def test_two_fields_of_one_event_written_at_once_are_both_there(server: DavServer) -> None:
    async def both() -> None:
        target, other = server.target(), server.target()
        await target.write(EVENT, seen={}, restore={})
        seen = (await target.read(("calendar/a",))).memo
        writes = [{f"calendar/a/field{number}": (number,)} for number in range(12)]
        await asyncio.gather(*(target.write(one, seen=seen, restore={}) for one in writes))
        blind = [{f"calendar/a/other{number}": (number,)} for number in range(3)]
        await asyncio.gather(*(side.write(one, seen={}, restore={}) for side in (target, other) for one in blind))
        cells = (await other.read(("calendar",))).cells
        assert sum("field" in path for path in cells) == 12 and sum("other" in path for path in cells) == 3
        await target.close()
        await other.close()

    asyncio.run(both())


def test_what_somebody_else_changed_is_a_conflict_and_nothing_is_written(server: DavServer) -> None:
    async def outside() -> None:
        target = server.target()
        await target.write(EVENT | OTHER, seen={}, restore={})
        seen = (await target.read(("calendar/a", "calendar/b", "calendar/new"))).memo
        body = server.files()["calendar/b.ics"].decode()
        curl(server, "PUT", "calendar/b.ics", body.replace("SUMMARY:b", "SUMMARY:other"))
        curl(server, "PUT", "calendar/new.ics", body.replace("UID:b", "UID:new"))
        before = server.files()
        for name in ("b", "new"):
            writes = {"calendar/a/name": ("x",), f"calendar/{name}/label": ("y",)}
            with pytest.raises(Conflict):
                await target.write(writes, seen=seen, restore={})
            assert server.files() == before
        await target.close()

    asyncio.run(outside())


def test_conflict_in_the_middle_of_a_call_takes_the_rest_of_it_back(server: DavServer) -> None:
    async def raced() -> None:
        await _write(server, EVENT | OTHER)
        async with faulty_proxy(server.port) as proxy:
            target = server.target(proxy.port)
            seen = (await target.read(("calendar/a", "calendar/b"))).memo
            before = server.files()

            async def change() -> None:
                body = before["calendar/b.ics"].decode().replace("SUMMARY:b", "SUMMARY:other")
                await asyncio.to_thread(curl, server, "PUT", "calendar/b.ics", body)

            proxy.before["PUT"] = change
            with pytest.raises(Conflict):
                await target.write({"calendar/a/name": ("x",), "calendar/b/label": ("y",)}, seen=seen, restore={})
            assert server.files()["calendar/a.ics"] == before["calendar/a.ics"]
            assert b"other" in server.files()["calendar/b.ics"]
            await target.write({"calendar/b/label": ("y",)}, seen={}, restore={})
            assert b"other" in server.files()["calendar/b.ics"] and b"LABEL:y" in server.files()["calendar/b.ics"]
            await target.close()

    asyncio.run(raced())


def test_putting_back_keeps_what_others_changed_since(server: DavServer) -> None:
    async def kept() -> None:
        target = server.target()
        await target.write(EVENT, seen={}, restore={})
        captured = await target.read(("calendar/a/name", "calendar/a/label"))
        await target.write({"calendar/a/name": ("mine",), "calendar/a/label": ("mine",)}, seen={}, restore={})
        await target.write({"calendar/a/minutes": (60,)}, seen={}, restore={})
        old = {"calendar/a/name": EVENT["calendar/a/name"], "calendar/a/label": ()}
        await target.write(old, seen={}, restore=captured.memo)
        cells = {path: (value,) for path, value in (await target.read(("calendar",))).cells.items()}
        assert cells == EVENT | {"calendar/a/minutes": (60,)}
        await target.close()

    asyncio.run(kept())


@pytest.mark.parametrize("fault", ["cut before", "cut after", "silence", "503"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_after_a_fault_reading_tells_and_writing_again_makes_it_so(server: DavServer, fault: str, method: str) -> None:
    async def faulty() -> None:
        await _write(server, EVENT)
        async with faulty_proxy(server.port) as proxy:
            target = server.target(proxy.port, timeout_s=1.0)
            captured = await target.read(("calendar/a",))
            # a client library may send a request without an answer once more
            proxy.faults += [(method, fault)] * 2
            name = ("x",) if method == "PUT" else ()
            writes = {path: () for path in EVENT} if method == "DELETE" else {"calendar/a/name": name}
            with pytest.raises((ConnectionError, TimeoutError)) as raised:
                await target.write(writes, seen=captured.memo, restore={})
            assert PASSWORD not in repr(raised.value) and "Basic" not in repr(raised.value)
            now = (await target.read(("calendar/a",))).cells
            acted = fault in ("cut after", "silence")
            assert (now.get("calendar/a/name") == (name[0] if name else None)) is acted
            proxy.faults.clear()
            await target.write(writes, seen={}, restore={})
            assert (await target.read(("calendar/a/name",))).cells == ({"calendar/a/name": "x"} if name else {})
            old = {path: (value,) for path, value in captured.cells.items()}
            await target.write(old, seen={}, restore=captured.memo)
            assert server.files()["calendar/a.ics"].decode() == captured.memo["calendar/a"]["body"]
            await target.close()

    asyncio.run(faulty())


def test_request_that_the_client_library_repeats_is_no_conflict_with_itself(server: DavServer) -> None:
    async def repeated() -> None:
        await _write(server, EVENT)
        async with faulty_proxy(server.port) as proxy:
            target = server.target(proxy.port)
            seen = (await target.read(("calendar/a",))).memo
            proxy.faults.append(("PUT", "cut after"))
            await target.write({"calendar/a/name": ("x",)}, seen=seen, restore={})
            assert proxy.asked.count("PUT") == 2
            await target.close()

    asyncio.run(repeated())


def test_collection_is_read_in_few_requests(server: DavServer) -> None:
    async def read() -> None:
        cells = {f"calendar/e{number:03}/start": (f"2023-08-01 09:{number % 60:02}",) for number in range(120)}
        await _write(server, cells)
        async with faulty_proxy(server.port) as proxy:
            target = server.target(proxy.port)
            found = await target.read(("calendar",))
            assert {path: (value,) for path, value in found.cells.items()} == cells
            assert proxy.asked == ["PROPFIND", "REPORT"]
            curl(server, "DELETE", "calendar/e000.ics")
            assert len((await target.read(("calendar",))).cells) == 119
            assert proxy.asked[2:] == ["PROPFIND"]
            bodies = {f"calendar/{name[9:-4]}": content.decode() for name, content in server.files().items()}
            later = await target.read(("calendar",))
            assert {one: kept["body"] for one, kept in later.memo.items()} == bodies
            await target.close()

    asyncio.run(read())


def test_old_version_is_read_from_the_memo(server: DavServer) -> None:
    async def old() -> None:
        target = server.target()
        await target.write(EVENT, seen={}, restore={})
        memo = json.loads(json.dumps((await target.read(("calendar/a", "calendar/none"))).memo))
        await target.write({"calendar/a/start": ("2024-01-01 00:00",)}, seen={}, restore={})
        assert await target.read_at("calendar/a/start", memo) == EVENT["calendar/a/start"]
        assert await target.read_at("calendar/a/label", memo) == ()
        assert await target.read_at("calendar/none/name", memo) == ()
        with pytest.raises(Gone):
            await target.read_at("calendar/b/start", memo)
        await target.close()

    asyncio.run(old())


@pytest.mark.parametrize(
    "path, value",
    [
        ("calendar/a/start", "tomorrow"),
        ("calendar/a/start", "2023-08-01"),
        ("calendar/a/start", None),
        ("calendar/new/name", "without a start"),
        ("calendar/a/minutes", -1),
        ("calendar/a/minutes", "30"),
        ("calendar/a/minutes", True),
        ("tasks/a/due", "2023-02-30"),
        ("calendar/a", "whole"),
        ("calendar", "whole"),
        ("calendar/=../name", "escape"),
        ("calendar/=%2E%2E/name", "escape"),
        ("calendar/..%2Fx/name", "escape"),
        ("calendar/a\r\nX: y/name", "escape"),
        ("elsewhere/a/name", "x"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(server: DavServer, path: str, value) -> None:
    async def nonsense() -> None:
        target = server.target()
        await target.write(EVENT, seen={}, restore={})
        before = server.files()
        with pytest.raises(Refused):
            await target.write({path: (value,)}, seen={}, restore={})
        assert server.files() == before
        await target.close()

    asyncio.run(nonsense())


def test_password_is_in_no_spec_and_no_error(server: DavServer, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    target = server.target()
    assert PASSWORD not in repr(target.spec) and PASSWORD not in repr(vars(target))
    spec = {**json.loads(json.dumps(target.spec))}
    assert spec.pop("kind") == "dav"

    async def refused() -> None:
        again = DavTarget(**spec)
        monkeypatch.setenv(PASSWORD_ENV, PASSWORD + "-wrong")
        with pytest.raises(Refused) as raised:
            await again.read(("calendar",))
        assert PASSWORD not in repr(raised.value)
        await again.close()
        (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        by_file = DavTarget(**{**spec, "password_env": "", "netrc": str(tmp_path / "netrc")})
        assert dict((await by_file.read(("calendar",))).cells) == {}
        await by_file.close()
        monkeypatch.delenv(PASSWORD_ENV)
        with pytest.raises(BadInput):
            await DavTarget(**spec).read(("calendar",))

    asyncio.run(refused())


@pytest.mark.parametrize(
    "url", ["http://nadia:secret@127.0.0.1/", "http://dav.example/", "ftp://127.0.0.1/", "127.0.0.1:5232"]
)
def test_address_that_would_give_the_password_away_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput) as raised:
        DavTarget(url, collections=COLLECTIONS, user=USER, password_env=PASSWORD_ENV)
    assert "secret" not in str(raised.value)
