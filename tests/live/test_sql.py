"""A database as cells, SQLite and PostgreSQL alike: the laws, what cannot be said in cells, and what outsiders do."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Refused
from coagent.live.targets.path_part import key_part
from coagent.live.targets.sql import SqlTarget
from tests.live.laws import check_laws
from tests.live.sql_base import SHOWN, Base, made_base, postgres_database, postgres_server  # noqa: F401

TABLES = ("orders", "lines", "cells")
REPEATED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def laws(base: Base, writes: dict) -> None:
    async def checked() -> None:
        target = base.target()
        await target.read(("x",))

        async def fingerprint() -> object:
            return base.whole(*TABLES)

        await check_laws(target, writes, fingerprint)
        await target.close()

    asyncio.run(checked())


def row(name: str, **values: object) -> dict:
    return {f"orders/{name}/{column}": (values.get(column),) for column in SHOWN}


def gone(name: str) -> dict:
    return {f"orders/{name}/{column}": () for column in SHOWN}


WRITES = {
    "a column": {"orders/1/count": (9,)},
    "null": {"orders/1/count": (None,), "orders/1/tags": (None,)},
    "each kind": row(
        "1",
        item="pears",
        count=1,
        paid=False,
        price="2.25",
        weight="0.25",
        due="2026-12-24",
        photo="\\xab",
        tags=(1, "b", None, (True, ())),
    ),
    "other JSON": {"orders/2/tags": ('{"z": 1.50}',), "orders/1/tags": ('"text"',)},
    "a new row": row("7", item="plums"),
    "a row away": gone("1"),
    "a row away that holds what cells do not say": gone("2"),
    "several rows and tables": gone("30") | row("-5", item="a") | {"lines/1,x/amount": (None,), "x": (1,)},
    "a key of two columns": {"lines/1,a%2Cb%2Fc%25/amount": (7,), "lines/9,%/amount": (1,)},
    "plain paths": {
        "x": (("a", (None, True)),),
        "stock/apples": (2**70,),
        "stock": (None,),
        "stock/a b/é": ("\ud800\0",),
    },
    "nothing that was there": {"stock/none": (), **gone("99")},
}


@pytest.mark.parametrize("writes", WRITES.values(), ids=WRITES.keys())
def test_every_write_is_read_and_put_back_exactly(base: Base, writes: dict) -> None:
    base.fill()
    laws(base, writes)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS, lambda one: st.lists(one, max_size=3).map(tuple)
)
COUNTS = st.none() | st.integers(0, 2**31 - 1)
EDITS = st.one_of(
    st.builds(
        lambda name, item, count, tags: row(str(name), item=item, count=count, tags=tags),
        st.sampled_from([1, 2, 7]),
        TEXTS,
        COUNTS,
        st.lists(JSONS, max_size=3).map(tuple),
    ),
    st.sampled_from([1, 2, 7]).map(lambda name: gone(str(name))),
    st.builds(
        lambda shop, name, amount: {f"lines/{key_part((shop, name))}/amount": (amount,)},
        st.integers(-3, 3),
        TEXTS,
        st.none() | st.integers(100, 2**31 - 1),
    ),
    st.builds(lambda name, value: {f"stock/{name}": (value,)}, st.sampled_from("ab"), JSONS),
)


@REPEATED
@given(st.lists(EDITS, min_size=1, max_size=3))
def test_any_edits_obey_the_laws(base: Base, edits: list) -> None:
    base.run("DROP TABLE IF EXISTS orders")
    base.run("DROP TABLE IF EXISTS lines")
    base.fill()
    writes: dict = {}
    for edit in edits:
        writes.update(edit)
    amounts = [cell for path, cell in writes.items() if path.startswith("lines/") and cell != (None,)]
    if len(set(amounts)) == len(amounts):
        laws(base, writes)


def test_a_row_comes_back_whole_after_another_process_read_the_memo(base: Base) -> None:
    base.fill()

    async def taken() -> str:
        target = base.target()
        reading = await target.read(("orders",))
        await target.write({**gone("1"), **gone("2"), **gone("30")}, seen=reading.memo, restore={})
        assert base.run("SELECT count(*) FROM orders") == [(0,)]
        spec = {name: value for name, value in target.spec.items() if name != "kind"}
        return json.dumps({"spec": spec, "cells": reading.cells, "memo": reading.memo})

    before = base.whole(*TABLES[:2])
    text = asyncio.run(taken())
    program = """
import asyncio, json, sys
from coagent.live.targets.sql import SqlTarget
told = json.load(sys.stdin)
tuples = lambda one: tuple(map(tuples, one)) if isinstance(one, list) else one
cells = {path: (tuples(value),) for path, value in told["cells"].items()}
asyncio.run(SqlTarget(**told["spec"]).write(cells, seen={}, restore=told["memo"]))
"""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], input=text, text=True, check=True, cwd=root)
    assert base.whole(*TABLES[:2]) == before


OUTSIDE = {
    "the cell": (("orders/1/count",), "UPDATE orders SET count = 4 WHERE id = 1", True),
    "another cell of the row": (("orders/1/count",), "UPDATE orders SET item = 'b' WHERE id = 1", False),
    "a cell of a row read whole": (("orders/1",), "UPDATE orders SET item = 'b' WHERE id = 1", True),
    "a column not shown": (("orders/1",), "UPDATE orders SET made = 'b' WHERE id = 1", True),
    "a row away": (("orders/1/count",), "DELETE FROM orders WHERE id = 1", True),
    "a row that was absent": (("orders/9",), "INSERT INTO orders (id, item) VALUES (9, 'b')", True),
    "a row that only a listing has": (("orders",), "INSERT INTO orders (id, item) VALUES (9, 'b')", True),
    "another table": (("orders",), "UPDATE lines SET amount = 70 WHERE shop = 1 AND name = 'x'", False),
    "a path that was absent": (("x",), "INSERT INTO cells VALUES ('x', '1')", True),
    "a path below": (("stock",), "INSERT INTO cells VALUES ('stock/pears', '1')", True),
    "a path beside": (("stock",), "INSERT INTO cells VALUES ('stocks', '1')", False),
}


@pytest.mark.parametrize("paths, statement, conflict", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_what_an_outsider_changed_of_what_was_read_is_a_conflict(base, paths, statement, conflict) -> None:
    base.fill()

    async def written() -> None:
        target = base.target()
        reading = await target.read(paths)
        base.run(statement)
        before = base.whole(*TABLES)
        # What is written is elsewhere: the reading it was worked out from must hold all the same.
        cells = {"orders/30/count": (77,), "lines/2,x/amount": (77,)}
        if not conflict:
            await target.write(cells, seen=reading.memo, restore={})
            assert base.run("SELECT count FROM orders WHERE id = 30") == [(77,)]
            return
        with pytest.raises(Conflict):
            await target.write(cells, seen=reading.memo, restore={})
        assert base.whole(*TABLES) == before

    asyncio.run(written())


REFUSED = {
    "not null": ({"orders/1/item": (None,)}, "(?i)not null"),
    "check": ({"orders/1/count": (-1,)}, "(?i)check"),
    "unique": ({"lines/2,x/amount": (6,)}, "(?i)unique"),
    "half a row": ({"orders/1/item": ()}, "lose"),
    "no such table": ({"customers/1/name": (1,)}, "there is no 'customers'"),
    "no such column": ({"orders/1/nothing": (1,)}, "no cell"),
    "a generated column": ({"orders/1/doubled": (1,)}, "no cell"),
    "a column not shown": ({"orders/1/made": ("b",)}, "no cell"),
    "too deep": ({"orders/1/item/more": (1,)}, "no cell"),
    "a row as a cell": ({"orders/1": (1,)}, "no cell"),
    "a key with too few columns": ({"lines/1/amount": (1,)}, "no cell"),
    "a list where text goes": ({"orders/1/item": ((1,),)}, "would read"),
    "a number where text goes": ({"orders/1/item": (5,)}, "would read"),
    "an integer where a boolean goes": ({"orders/1/paid": (1,)}, "would read|boolean"),
    "another layout of a number": ({"orders/1/weight": ("00.5",)}, "would read"),
    "a list as text": ({"orders/1/tags": ("[1]",)}, "would read"),
    "another spelling of a key": ({**row("007", item="b")}, "not let|would read|no cell|invalid|equal"),
    "a number too large": ({"orders/1/count": (2**64,)}, "(?i)range|large"),
    "text without UTF-8": ({"orders/1/item": ("\ud800",)}, "cannot keep"),
    "a deleted parent": (gone("1"), "refer to it|refer to orders/1"),
    "a trigger's doing": ({"orders/2/item": ("trigger",)}, "would change too"),
}
TRIGGER = {
    "sqlite": (
        "CREATE TRIGGER more AFTER UPDATE ON orders WHEN new.item = 'trigger' "
        "BEGIN UPDATE orders SET count = 99 WHERE id = new.id; END",
    ),
    "postgresql": (
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.count = 99; RETURN new; END'",
        "CREATE TRIGGER more BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.item = 'trigger') EXECUTE FUNCTION more()",
    ),
}


@pytest.mark.parametrize("writes, word", REFUSED.values(), ids=REFUSED.keys())
def test_nonsense_is_refused_in_a_short_sentence_and_nothing_of_the_write_is_done(base, writes, word) -> None:
    base.fill()
    base.run("CREATE TABLE parcels (id integer PRIMARY KEY, of integer REFERENCES orders ON DELETE CASCADE)")
    base.run("INSERT INTO parcels VALUES (1, 1)")
    for statement in TRIGGER[base.kind]:
        base.run(statement)

    async def written() -> None:
        target = base.target()
        await target.read(("x",))
        before = base.whole(*TABLES, "parcels")
        with pytest.raises(Refused, match=word) as caught:
            await target.write({"x": (1,), "lines/1,x/amount": (1000,), **writes}, seen={}, restore={})
        assert len(str(caught.value)) <= 250 and "\n" not in str(caught.value)
        assert base.whole(*TABLES, "parcels") == before

    asyncio.run(written())


def test_concurrent_writes_of_different_rows_columns_and_paths_are_all_done(base: Base) -> None:
    base.fill()
    rows, paths = range(100, 116), range(16)

    async def written() -> None:
        target = base.target()
        await asyncio.gather(
            *(target.write(row(str(name), item=f"item {name}"), seen={}, restore={}) for name in rows),
            *(target.write({f"stock/{name}": (name,)}, seen={}, restore={}) for name in paths),
            target.write({"orders/1/count": (8,)}, seen={}, restore={}),
            target.write({"orders/1/paid": (None,)}, seen={}, restore={}),
        )
        await asyncio.gather(*(add(target, f"orders/{name}/count") for name in rows))
        reading = await target.read(("orders", "stock"))
        assert all(reading.cells[f"orders/{name}/count"] == 1 for name in rows)
        assert all(reading.cells[f"stock/{name}"] == name for name in paths)
        assert (reading.cells["orders/1/count"], reading.cells["orders/1/paid"]) == (8, None)

    async def add(target: SqlTarget, path: str) -> None:
        reading = await target.read((path,))
        await target.write({path: ((reading.cells[path] or 0) + 1,)}, seen=reading.memo, restore={})

    asyncio.run(written())


def test_two_that_add_to_one_row_lose_nothing_when_they_read_again_after_a_conflict(base: Base) -> None:
    base.fill()
    conflicts = []

    async def add(target: SqlTarget) -> None:
        for _ in range(5):
            while True:
                reading = await target.read(("orders/1/count",))
                total = reading.cells["orders/1/count"] + 1
                try:
                    await target.write({"orders/1/count": (total,)}, seen=reading.memo, restore={})
                    break
                except Conflict:
                    conflicts.append(total)

    async def both() -> None:
        await asyncio.gather(*(add(base.target()) for _ in range(3)))

    asyncio.run(both())
    assert base.run("SELECT count FROM orders WHERE id = 1") == [(18,)]


def test_waiting_in_vain_for_a_lock_leaves_open_what_happened(base: Base) -> None:
    base.fill()
    asyncio.run(base.target().read(("x",)))
    held = base.connect()
    held.execute("BEGIN IMMEDIATE" if base.kind == "sqlite" else "SELECT 1 FROM orders WHERE id = 1 FOR UPDATE")

    async def written() -> None:
        target = base.target(patience_s=0.3, cells=None)
        reading = await target.read(("orders/1/count",))
        begun = time.monotonic()
        with pytest.raises(OperationalError):
            await target.write({"orders/1/count": (9,)}, seen=reading.memo, restore={})
        assert 0.2 < time.monotonic() - begun < 5
        held.rollback()
        held.close()
        await target.write({"orders/1/count": (9,)}, seen=reading.memo, restore={})

    asyncio.run(written())
    assert base.run("SELECT count FROM orders WHERE id = 1") == [(9,)]


def test_a_reading_is_of_one_moment_while_others_write(base: Base) -> None:
    base.fill()
    base.run("UPDATE orders SET count = 0")

    async def watched() -> None:
        target, other = base.target(), base.target()
        await target.read(("x",))

        async def moved() -> None:
            for number in range(1, 25):
                cells = {f"orders/{name}/count": (number,) for name in (1, 2, 30)}
                await other.write(cells, seen={}, restore={})

        moving = asyncio.create_task(moved())
        while not moving.done():
            cells = (await target.read(("orders/1", "orders/2/count", "orders/30"))).cells
            assert len({cells[f"orders/{name}/count"] for name in (1, 2, 30)}) == 1

    asyncio.run(watched())


INJECTIONS = (
    "'; DROP TABLE orders; --",
    '"; DROP TABLE orders; --',
    "1); DELETE FROM orders; --",
    "x' OR '1'='1",
    "%s %(id)s :id ? $1 {0} %%",
    "\\'; DROP TABLE orders; --",
    "`; DROP TABLE orders; `",
    "]; DROP TABLE orders; [",
    "E'\\x27'; --",
    "a/**/b",
    "../../orders",
    "ünï🎉\u202e",
    "n" * 50_000,
)


@pytest.mark.parametrize("text", INJECTIONS, ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_injected_text_is_a_key_and_a_value_and_nothing_else(base: Base, text: str) -> None:
    base.fill()
    base.run("CREATE TABLE named (name text PRIMARY KEY, said text)")
    short = text[:2000]
    path, plain = f"named/{key_part(short)}/said", f"stock/{key_part(short)}"

    async def written() -> None:
        target = base.target(tables=("orders", "named"))
        whole = base.whole("orders")
        await target.write({path: (text,), plain: (text,)}, seen={}, restore={})
        assert base.run("SELECT name, said FROM named") == [(short, text)]
        reading = await target.read((path, plain, "stock", "named"))
        assert dict(reading.cells) == {path: text, plain: text}
        for wrong in (f"named/a/{short}", f"{short}/a/said", f"orders/{key_part(short)}/item"):
            with pytest.raises(Refused):
                await target.write({wrong: ("a",)}, seen={}, restore={})
        await target.write({path: (), plain: ()}, seen=reading.memo, restore={})
        assert base.run("SELECT count(*) FROM named") == [(0,)]
        assert base.whole("orders") == whole

    asyncio.run(written())


@pytest.mark.parametrize("name", ["or\"d'er; --", "50% :x %(y)s", "a/b,c", "Größe", "select"])
def test_tables_and_columns_may_be_called_anything(base: Base, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    columns = f'{quoted} text PRIMARY KEY, {quoted[:-1]}2" integer'
    connection = base.connect()
    connection.execute(f"CREATE TABLE {quoted} ({columns})")
    connection.commit()
    target = base.target(tables=(name,), cells=None)

    async def written() -> None:
        (root,) = target.roots
        (column,) = (f"{root.removesuffix('%')}2",)
        await target.write({f"{root}/k/{column}": (1,)}, seen={}, restore={})
        reading = await target.read(target.roots)
        assert dict(reading.cells) == {f"{root}/k/{column}": 1}
        await target.write({f"{root}/k/{column}": (2,)}, seen=reading.memo, restore={})
        await target.write({f"{root}/k/{column}": ()}, seen={}, restore={})
        assert not (await target.read(target.roots)).cells

    asyncio.run(written())
    connection.close()


def test_a_row_with_an_identity_comes_back_with_it(base: Base) -> None:
    identity = "integer GENERATED ALWAYS AS IDENTITY" if base.kind == "postgresql" else "integer"
    base.run(f"CREATE TABLE tickets (id {identity} PRIMARY KEY, title text, secret text DEFAULT 's')")
    base.run("INSERT INTO tickets (title, secret) VALUES ('a', 'b')")
    before = base.whole("tickets")

    async def written() -> None:
        target = base.target(tables={"tickets": ["title"]}, cells=None)
        reading = await target.read(("tickets/1",))
        await target.write({"tickets/1/title": ()}, seen=reading.memo, restore={})
        assert base.whole("tickets") == {"tickets": []}
        await target.write({"tickets/1/title": ("a",)}, seen={}, restore=reading.memo)

    asyncio.run(written())
    assert base.whole("tickets") == before


def test_a_table_that_is_all_key_shows_its_key(base: Base) -> None:
    base.run("CREATE TABLE members (team text, person text, PRIMARY KEY (team, person))")

    async def written() -> None:
        target = base.target(tables=("members",), cells=None)
        cells = {"members/red,Ann/team": ("red",), "members/red,Ann/person": ("Ann",)}
        await target.write(cells, seen={}, restore={})
        assert dict((await target.read(("members",))).cells) == {path: cell[0] for path, cell in cells.items()}
        with pytest.raises(Refused):
            await target.write({"members/red,Ann/person": ("Bob",)}, seen={}, restore={})

    asyncio.run(written())
    assert base.run("SELECT * FROM members") == [("red", "Ann")]


WRONG = {
    "no URL": ("nothing", {}, "no database URL"),
    "another database": ("mysql://host/name", {}, "mysql"),
    "memory": ("sqlite://", {}, "in memory"),
    "two of a root": ("sqlite:///a", {"tables": ("x",), "cells": {"roots": ["x"]}}, "same root"),
}


@pytest.mark.parametrize("url, options, word", WRONG.values(), ids=WRONG.keys())
def test_a_target_that_cannot_be_says_why(url: str, options: dict, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        SqlTarget(url, **options)


UNSHOWABLE = [(("none",), "no table"), (("keyless",), "primary key"), ({"orders": ["no"]}, "no column")]


@pytest.mark.parametrize("tables, word", UNSHOWABLE)
def test_a_table_that_cannot_be_shown_says_why(base: Base, tables: object, word: str) -> None:
    base.fill()
    base.run("CREATE TABLE keyless (a integer)")
    with pytest.raises(BadInput, match=word):
        asyncio.run(base.target(tables=tables).read(("x",)))


def test_a_spec_holds_no_password() -> None:
    target = SqlTarget("postgresql://me:secret1@localhost/base?password=secret2", tables=("a",))
    assert "secret" not in json.dumps(target.spec)
    assert SqlTarget(**{name: value for name, value in target.spec.items() if name != "kind"}).spec == target.spec
