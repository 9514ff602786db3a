"""G2, write skew in a working tree: two agents each add the next migration, and both find the same number free.

The files have other names, so no write meets another: `git merge` of the two branches is clean, and the schema that
it makes calls itself version 7 after eight migrations.
"""

import re
from collections.abc import Generator, Mapping
from functools import partial

from coagent.live.targets import git_tree
from coagent.live.targets.git_tree import REPO
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.git_tool import GIT_TOOLS, create, write
from workloads.row import at

NAME = "g2-same-migration-number"
FOLDER = "migrations"
COLUMNS = {"A": "email", "B": "phone"}
"""What each agent adds to the customers."""

BEGUN = ("name", "street", "city", "country", "birthday", "language")
"""A column for each migration at the start, from the first."""

TESTS = 4
"""How many tests the project has in the end."""

SCHEMA = '''"""The schema in SQLite: all migrations by name, each of which sets the version that it leads to."""

import sqlite3
from pathlib import Path


def migrations():
    return sorted(Path(__file__).with_name("migrations").glob("*.sql"))


def schema():
    connection = sqlite3.connect(":memory:")
    for file in migrations():
        connection.executescript(file.read_text(encoding="utf-8"))
    return connection


def columns():
    return [row[1] for row in schema().execute("PRAGMA table_info(customers)")]


def version():
    return schema().execute("PRAGMA user_version").fetchone()[0]
'''
SCHEMA_TEST = """import unittest

from schema import migrations, version


class Migrations(unittest.TestCase):
    def test_the_numbers_count_the_migrations(self):
        numbers = [int(file.name.split("_")[0]) for file in migrations()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_the_version_is_the_number_of_the_last(self):
        self.assertEqual(version(), len(migrations()))
"""


def migration(number: int, column: str) -> str:
    """The SQL of a migration that adds a column, the first with its table."""
    change = "ALTER TABLE customers ADD COLUMN" if number > 1 else "CREATE TABLE customers (id INTEGER PRIMARY KEY,"
    return f"{change} {column} TEXT{'' if number > 1 else ')'};\nPRAGMA user_version = {number};\n"


def column_test(column: str) -> str:
    """The test that there is a column."""
    return f'''import unittest

from schema import columns


class {column.title()}(unittest.TestCase):
    def test_customers_have_it(self):
        self.assertEqual(columns().count("{column}"), 1)
'''


def place(number: int, column: str) -> str:
    """The file of a migration."""
    return f"{FOLDER}/{number:04}_{column}.sql"


def migrate(column: str, comments: bool) -> Generator[Intent, Result, Value]:
    """One agent: list the migrations, add the next one, and a test that the column is there. Reports the number."""
    names = (yield Intent(call=Call("list", (("path", at(REPO, FOLDER)),)))).value
    number = 1 + max((int(name[:4]) for name in names if re.match(r"\d{4}_", name)), default=0)
    yield Intent(call=create(place(number, column), migration(number, column)))
    yield Intent(call=create(f"test_{column}.py", column_test(column)))
    if comments:
        yield Intent(call=write(place(1, BEGUN[0]), f"-- The first.\n{migration(1, BEGUN[0])}"))
    return number


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The project's tests pass, and they ask for both columns."""
    ran = git_tree.run_tests(git_tree.files(state))
    return ran.passed and ran.tests == TESTS


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then adds a comment to the first migration, of which B has read the name only."""
    texts = {place(number, column): migration(number, column) for number, column in enumerate(BEGUN, start=1)}
    tree = {**texts, "schema.py": SCHEMA, "test_schema.py": SCHEMA_TEST}
    return Workload(
        name=NAME,
        story="A and B each add the next migration, and number 0007 is free for both.",
        state=tuple((at(REPO, file), text) for file, text in tree.items()),
        agents=tuple(
            Agent(name=name, program=partial(migrate, column, irrelevant and name == "A"))
            for name, column in COLUMNS.items()
        ),
        tools=GIT_TOOLS,
        invariant=holds,
        merge=git_tree.merged,
    )
