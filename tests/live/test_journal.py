"""Journals: what was appended is there again, all or none of a step, for one runtime at a time."""

import asyncio
import os
import sqlite3

import pytest

from coagent.bad_input import BadInput
from coagent.live.journal import JournalFailed, MemoryJournal, journal_at
from coagent.live.opening import history_of, resumed, session
from coagent.live.targets.memory import MemoryTarget
from tests.live.journal_edit import edited

KINDS = [pytest.param("file", id="sqlite"), pytest.param("database", marks=pytest.mark.xdist_group("postgres"))]


@pytest.fixture
def place(request, tmp_path):
    """Where a new journal may be."""
    if request.param == "file":
        return str(tmp_path / "run.db")
    return f"{request.getfixturevalue('postgres')}#run-{os.urandom(4).hex()}"


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_a_run_is_gone_on_with_from_its_journal(place):
    target = MemoryTarget([""], [("x", 1)])

    async def first():
        async with session(target, journal=await journal_at(place, new=True)) as live:
            agent = await live.launch("A")
            await agent.call("add", path="x", by=1)

    async def second():
        async with resumed(target, journal=await journal_at(place, new=False)) as live:
            agent = live.agent("A")
            assert (await agent.turn()).op == "A.1" and [entry.op for entry in agent.log] == ["A.1"]
            await agent.call("add", path="x", by=10)
            await agent.finish("done")
            await live.quiet()
            return await history_of(live)

    asyncio.run(first())
    history = asyncio.run(second())
    assert history.end["final_state"] == {"x": 12} and history.end["quiescent"]


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_a_journal_is_open_once(place):
    async def twice():
        held = await journal_at(place)
        try:
            with pytest.raises(BadInput, match="another runtime has"):
                await journal_at(place)
        finally:
            await held.close()
        await (await journal_at(place)).close()

    asyncio.run(twice())


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_one_journal_holds_one_run(place):
    async def opened_again():
        async with session(MemoryTarget([""]), journal=await journal_at(place)):
            pass
        journal = await journal_at(place)
        try:
            with pytest.raises(BadInput, match="already"):
                await journal.open({"name": "another"})
        finally:
            await journal.close()
        with pytest.raises(BadInput, match="already"):
            await journal_at(place, new=True)

    asyncio.run(opened_again())


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_records_come_back_as_they_were(place):
    records = [{"at": 0.5, "event": "x", "value": [1, True, None, "ä\u2028\"'"]}, {"at": 1.0, "event": "y"}]

    async def written():
        journal = await journal_at(place)
        await journal.open({"name": "run"})
        await journal.append(records[:1])
        await journal.append(records[1:])
        await journal.append([])
        await journal.close()
        again = await journal_at(place)
        found = list(again.records()), again.head
        await again.close()
        return found

    assert asyncio.run(written()) == (records, {"name": "run"})


def test_there_is_no_journal_where_none_is(tmp_path):
    for where, says in (
        (tmp_path / "nothing.db", "no journal"),
        (tmp_path / "text.db", "is no journal"),
        (tmp_path / "no" / "folder.db", "cannot be opened"),
    ):
        if where.name == "text.db":
            where.write_text("this is a text, and long enough not to be taken for an empty file\n" * 40)
        with pytest.raises(BadInput, match=says):
            asyncio.run(journal_at(str(where), new=None if "folder" in where.name else False))


async def _written(place: str) -> None:
    journal = await journal_at(place)
    await journal.open({"name": "run"})
    await journal.append([{"at": 0.5, "event": "x"}, {"at": 1.5, "event": "y"}])
    await journal.append([{"at": 2.5, "event": "z"}])
    await journal.close()


async def _read(place: str) -> list:
    journal = await journal_at(place)
    try:
        return list(journal.records())
    finally:
        await journal.close()


CHANGES = {
    "update TABLE set body = replace(body, '1.5', '1.6') where seq = 2": "record 2 of .* is not as it was written",
    "update TABLE set crc = 7 where seq = 3": "record 3 of .* is not as it was written",
    "delete from TABLE where seq = 2": "lacks its record 2",
    "update HEAD set body = replace(body, 'run', 'ruin')": "head of .* is not as it was written",
    "update HEAD set body = '[]', crc = 223132457": "head of .* is '\\[\\]', which is no record",
    "update TABLE set body = (select body from TABLE where seq = 3) where seq = 2": "record 2 of .* not as",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_a_record_that_is_not_as_it_was_written_is_named(place, change):
    asyncio.run(_written(place))
    assert [one["event"] for one in asyncio.run(_read(place))] == ["x", "y", "z"]
    if "#" in place:
        import psycopg

        url, _, run = place.partition("#")
        change_sql = change.replace("TABLE", "coagent_record").replace("HEAD", "coagent_head")
        change_sql = change_sql if "where" in change_sql else f"{change_sql} where true"
        with psycopg.connect(url) as connection:
            connection.execute(change_sql.replace("where", f"where run = '{run}' and"))
    else:
        edited(place, change.replace("TABLE", "record").replace("HEAD", "head"))
    with pytest.raises(BadInput, match=CHANGES[change]):
        asyncio.run(_read(place))


def test_a_journal_goes_on_with_its_checksums(tmp_path):
    async def gone_on() -> list:
        place = str(tmp_path / "run.db")
        await _written(place)
        journal = await journal_at(place)
        await journal.append([{"at": 3.5, "event": "w"}])
        await journal.close()
        return [one["event"] for one in await _read(place)]

    assert asyncio.run(gone_on()) == ["x", "y", "z", "w"]


def test_a_journal_without_its_table_or_of_an_earlier_version_is_refused(tmp_path):
    place = tmp_path / "run.db"
    asyncio.run(_written(str(place)))
    for change, says in (
        ("drop table record", "lacks a table"),
        ("create table record (seq integer primary key, body text)", "earlier version"),
    ):
        edited(place, change)
        with pytest.raises(BadInput, match=says):
            asyncio.run(_read(str(place)))


def test_a_journal_has_a_name():
    with pytest.raises(BadInput, match="no name"):
        asyncio.run(journal_at(""))


def test_a_database_journal_needs_a_name():
    with pytest.raises(BadInput, match="#RUN"):
        asyncio.run(journal_at("postgresql://localhost/x"))


def test_a_resumed_run_keeps_its_protocol():
    async def other():
        journal = MemoryJournal()
        async with session(MemoryTarget([""]), journal=journal):
            pass
        from coagent.protocols import protocol

        async with resumed(MemoryTarget([""]), journal=journal, protocol=protocol("naive")):
            pass

    with pytest.raises(BadInput, match="under mtpo"):
        asyncio.run(other())


def test_a_journal_that_cannot_be_written_says_so_and_keeps_what_it_has(tmp_path):
    file = tmp_path / "run.db"

    async def full():
        journal = await journal_at(str(file))
        await journal.open({"name": "run"})
        await journal.append([{"event": "kept"}])
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(JournalFailed, match="make room"):
            await journal.append([{"event": "x" * 100_000}, {"event": "lost"}])
        await journal.close()

    asyncio.run(full())
    with sqlite3.connect(file) as db:
        assert db.execute("SELECT count(*) FROM record").fetchone() == (1,)
