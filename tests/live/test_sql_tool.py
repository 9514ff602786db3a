"""The tools on rows: each does what it says in the database, and putting back what was there undoes just that."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from coagent.live.targets.sql_tool import SQL_TOOLS, sql_tools
from coagent.operation import Result, Value
from coagent.path import overlap
from tests.live.sql_base import SHOWN, Base, made_base, postgres_database, postgres_server  # noqa: F401

TABLES = ("orders", "lines", "cells")
TOOLS = sql_tools({"orders": SHOWN, "lines": ("amount",)})
APPLES = (
    ("count", 3),
    ("due", "2026-03-01"),
    ("item", "apples"),
    ("paid", True),
    ("photo", "\\x00ff"),
    ("tags", (1, "a", (True,))),
    ("weight", "0.1"),
)
"""The first order but for its price, of which PostgreSQL says `1.50` and SQLite `1.5`."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A reading as a tool sees it."""

    cells: Mapping[str, Value]

    def cell(self, path: str) -> tuple:
        return (self.cells[path],) if path in self.cells else ()

    def below(self, path: str) -> Iterator[str]:
        return iter(sorted(name for name in self.cells if name.startswith(path + "/")))


def performed(base: Base, tool: str, args: Mapping[str, Value]) -> tuple[Result, dict, dict]:
    """The result, and what the tables were after it; then everything is put back, and must be as it was."""

    async def run() -> tuple[Result, dict, dict]:
        target = base.target()
        await target.read(("x",))
        before = base.whole(*TABLES)
        declared = TOOLS[tool].declare(args)
        reading = await target.read(declared.footprint)
        result, writes = TOOLS[tool].exec(Cells(reading.cells), args)
        assert all(any(path == one or path.startswith(one + "/") for one in declared.writes) for path, _ in writes)
        old = {path: Cells(reading.cells).cell(path) for path, _ in writes}
        await target.write(dict(writes), seen=reading.memo, restore={})
        after = base.whole(*TABLES)
        # Another row and another cell change before the undo, and must stay changed after it.
        outside = "UPDATE lines SET amount = 60 WHERE shop = 1 AND name = 'a,b/c%'"
        touches = any(overlap(one, "lines/1,a%2Cb%2Fc%25") for one in declared.writes)
        if not touches:
            base.run(outside)
        await target.write(old, seen={}, restore=reading.memo)
        if not touches:
            assert base.whole(*TABLES) != before
            base.run(outside.replace("60", "6"))
        assert base.whole(*TABLES) == before
        await target.close()
        return result, before, after

    return asyncio.run(run())


CASES = {
    "insert": ("insert_row", {"table": "orders", "key": 9, "values": (("item", "figs"), ("count", 2))}, "ok", 1),
    "insert there": ("insert_row", {"table": "orders", "key": 1, "values": (("item", "figs"),)}, "exists", 0),
    "insert a column": ("insert_row", {"table": "orders", "key": 9, "values": (("no", 1),)}, "no such column", 0),
    "insert two keys": ("insert_row", {"table": "lines", "key": (3, "a/b,c%"), "values": (("amount", 1),)}, "ok", 1),
    "update": ("update_row", {"table": "orders", "key": 1, "values": (("count", 5), ("due", None))}, "ok", 1),
    "update none": ("update_row", {"table": "orders", "key": 8, "values": (("count", 5),)}, "missing", 0),
    "add": ("add_to", {"table": "orders", "key": "1", "column": "count", "by": -3}, 0, 1),
    "add to text": ("add_to", {"table": "orders", "key": 1, "column": "item", "by": 1}, "type", 0),
    "add to none": ("add_to", {"table": "orders", "key": 8, "column": "count", "by": 1}, "missing", 0),
    "delete": ("delete_row", {"table": "orders", "key": 2}, "ok", 1),
    "delete none": ("delete_row", {"table": "orders", "key": 8}, "missing", 0),
    "get none": ("get_row", {"table": "orders", "key": 8}, None, 0),
}


@pytest.mark.parametrize("tool, args, value, changed", CASES.values(), ids=CASES.keys())
def test_each_tool_does_what_it_says_and_is_undone_exactly(base: Base, tool, args, value, changed) -> None:
    base.fill()
    result, before, after = performed(base, tool, args)
    assert result.value == value
    assert (after != before) == bool(changed)
    Draft202012Validator(TOOLS[tool].schema).validate(listed(args))


def listed(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {name: listed(one) for name, one in value.items()}
    return [listed(one) for one in value] if isinstance(value, tuple) else value


def test_a_row_and_the_rows_that_match_are_told_with_their_keys(base: Base) -> None:
    base.fill()
    row = performed(base, "get_row", {"table": "orders", "key": 1})[0].value
    assert tuple(pair for pair in row if pair[0] != "price") == APPLES

    def selected(**where: Value) -> list:
        found = performed(base, "select", {"table": "orders", "where": tuple(where.items())})[0].value
        return [key for key, _ in found]

    assert selected() == ["1", "2", "30"]
    assert selected(paid=True) == ["1"]
    assert selected(paid=None, count=None) == ["2"]
    assert selected(paid=1) == selected(nothing=1) == selected(count=3, item="figs") == []
    lines = performed(base, "select", {"table": "lines", "where": (("amount", 6),)})[0].value
    assert lines == ((("1", "a,b/c%"), (("amount", 6),)),)


def test_a_selection_reads_the_table_so_that_any_row_that_comes_to_match_is_in_it() -> None:
    declared = TOOLS["select"].declare({"table": "orders", "where": (("count", 3),)})
    inserted = TOOLS["insert_row"].declare({"table": "orders", "key": 77, "values": (("item", "a"),)})
    assert declared.reads == ("orders",) and not declared.writes
    assert overlap(declared.reads[0], inserted.writes[0])


def test_a_row_of_no_table_is_not_inserted() -> None:
    args = {"table": "no", "key": 9, "values": (("a", 1),)}
    assert TOOLS["insert_row"].exec(Cells({}), args) == (Result("failed", "no such table"), ())


def test_two_columns_of_a_row_may_be_updated_at_once_and_a_deletion_may_not() -> None:
    count, paid = (TOOLS["update_row"].declare({"table": "t", "key": 1, "values": ((one, 1),)}) for one in "ab")
    delete = TOOLS["delete_row"].declare({"table": "t", "key": 1})
    assert not any(overlap(one, other) for one in count.footprint for other in paid.footprint)
    assert all(overlap(one, other) for one in count.footprint for other in delete.footprint)


def test_tools_say_whether_their_captures_serve_older_reads() -> None:
    args = {"table": "t", "key": 1}
    assert SQL_TOOLS["delete_row"].declare(args).versioned
    assert not sql_tools(versioned=False)["delete_row"].declare(args).versioned


@pytest.mark.parametrize("tool", SQL_TOOLS.values(), ids=SQL_TOOLS.keys())
def test_schemas_refuse_what_is_missing_or_too_much(tool) -> None:
    check = Draft202012Validator(tool.schema)
    check.check_schema(tool.schema)
    assert tool.says
    assert not check.is_valid({})
    assert not check.is_valid({"table": "t", "key": 1, "where": [], "values": [["a", 1]], "column": "a", "more": 1})


NAMES = st.sampled_from([1, 2, 30, 7])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.fixed_dictionaries(
    {"item": TEXTS, "count": st.none() | st.integers(0, 2**31 - 1), "tags": st.lists(TEXTS, max_size=2).map(tuple)}
).map(lambda one: tuple(one.items()))
CALLS = st.one_of(
    st.tuples(st.just("insert_row"), st.builds(lambda key, values: {"key": key, "values": values}, NAMES, VALUES)),
    st.tuples(st.just("update_row"), st.builds(lambda key, values: {"key": key, "values": values}, NAMES, VALUES)),
    st.tuples(st.just("delete_row"), st.builds(lambda key: {"key": key}, NAMES)),
    st.tuples(
        st.just("add_to"),
        st.builds(lambda key, by: {"key": key, "column": "count", "by": by}, NAMES, st.integers(0, 99)),
    ),
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CALLS)
def test_any_call_is_undone_exactly(base: Base, call: tuple) -> None:
    base.run("DROP TABLE IF EXISTS orders")
    base.run("DROP TABLE IF EXISTS lines")
    base.fill()
    tool, args = call
    result, before, after = performed(base, tool, {"table": "orders", **args})
    assert result.status == "ok" or after == before
