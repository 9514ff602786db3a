"""A database for a test, filled and looked at by its driver alone, never by the target that is tested."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coagent.live.targets.sql import SqlTarget
from tests.live.postgres_server import postgres_database, postgres_server

__all__ = ["made_base", "postgres_database", "postgres_server"]

SHOWN = ("item", "count", "paid", "price", "weight", "due", "photo", "tags")
ORDERS = {
    "sqlite": """CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, count INTEGER CHECK (count >= 0),
        paid BOOLEAN, price DECIMAL(12, 2), weight REAL, due DATE, photo BLOB, tags JSON,
        made TEXT DEFAULT 'here', doubled INTEGER GENERATED ALWAYS AS (count * 2) STORED)""",
    "postgresql": """CREATE TABLE orders (id integer PRIMARY KEY, item text NOT NULL, count integer CHECK (count >= 0),
        paid boolean, price numeric(12, 2), weight double precision, due date, photo bytea, tags json,
        made text DEFAULT 'here', doubled integer GENERATED ALWAYS AS (count * 2) STORED)""",
}
LINES = """CREATE TABLE lines (shop integer, name varchar(40), amount integer UNIQUE, PRIMARY KEY (shop, name))"""
ROWS = (
    (1, "apples", 3, True, "1.5", 0.1, "2026-03-01", b"\x00\xff", '[1,  "a", [true]]', "by hand"),
    (2, "a/b, 'c' \"d\" é🎉", None, None, None, None, None, None, '{"b": 1.0,  "a": 2}', None),
    (30, "", 0, False, "20", 1e300, "1999-12-31", b"", "null", "x"),
)
"""By COLUMNS; the JSON is laid out as no cell says it."""
COLUMNS = ", ".join(("id", *SHOWN, "made"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A URL and what its database is; `run` goes by sqlite3 or psycopg, and commits."""

    kind: str
    url: str

    def connect(self):
        if self.kind == "sqlite":
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=5)
        import psycopg

        return psycopg.connect(self.url)

    def run(self, statement: str, *values: object) -> list[tuple]:
        connection = self.connect()
        try:
            text = statement.replace("?", "%s") if self.kind == "postgresql" and values else statement
            cursor = connection.execute(text, *([values] if values else []))
            found = cursor.fetchall() if cursor.description else []
            connection.commit()
            return found
        finally:
            connection.close()

    def whole(self, *tables: str) -> dict[str, list]:
        """Every column of every row, as the database writes it out itself."""
        if self.kind == "sqlite":
            return {name: self._written_out(name) for name in tables}
        return {name: sorted(self.run(f'SELECT t.*::text, t::text FROM "{name}" t'), key=repr) for name in tables}

    def _written_out(self, name: str) -> list[tuple]:
        columns = [row[1] for row in self.run(f'PRAGMA table_xinfo("{name}")')]
        shown = ", ".join(f'typeof("{one}"), quote("{one}")' for one in columns)
        return sorted(self.run(f'SELECT {shown} FROM "{name}"'))

    def fill(self) -> None:
        self.run(ORDERS[self.kind])
        self.run(LINES)
        for row in ROWS:
            self.run(f"INSERT INTO orders ({COLUMNS}) VALUES ({', '.join('?' * len(row))})", *row)
        self.run("INSERT INTO lines VALUES (1, 'x', 5), (1, 'a,b/c%', 6), (2, 'x', NULL)")

    def target(self, **more: object) -> SqlTarget:
        """The target on the tables of `fill`, and on plain paths `x` and `stock/...`."""
        tables = {"orders": SHOWN, "lines": None}
        return SqlTarget(self.url, **{"tables": tables, "cells": {"roots": ["x", "stock"]}, **more})


@pytest.fixture(name="base", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))])
def made_base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    """An empty database, of each kind."""
    if request.param == "sqlite":
        yield Base(kind="sqlite", url=f"sqlite:///{tmp_path}/base.db")
    else:
        yield Base(kind="postgresql", url=request.getfixturevalue("database"))
