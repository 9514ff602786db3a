"""A journal in a SQLite file (write-ahead log): it outlives `kill -9`, and with `durable` also a power cut."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.journal import JournalFailed

_TABLES = """
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
WAIT_S = 5.0
"""How long another process may hold the file before it counts as in use."""


class SqliteJournal:
    """The journal in one file. The file is locked while it is open: a second runtime on it is refused."""

    def __init__(self, file: str | Path, *, durable: bool = False, new: bool | None = None) -> None:
        """Open the file. `new`: it must not exist (True), or must (False). Raises BadInput in one sentence."""
        self.file = Path(file)
        exists = self.file.exists()
        if new is True and exists:
            raise BadInput(f"there is a file {self.file} already; recover that run, or name a new file")
        if new is False and not exists:
            raise BadInput(f"there is no journal {self.file}; check the name")
        try:
            self._db = sqlite3.connect(self.file, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.executescript(_TABLES)
            row = self._db.execute("SELECT body FROM head").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BadInput(f"another runtime has {self.file} open; end that one first") from error
            raise BadInput(f"{self.file} cannot be opened ({error})") from error
        except sqlite3.DatabaseError as error:
            raise BadInput(
                f"{self.file} is no journal ({error}); give a new name, or a journal of coagent's"
            ) from error
        self.head: Mapping[str, object] = json.loads(row[0]) if row else {}

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        if self.head:
            raise BadInput(f"{self.file} holds a run already; recover it, or name a new file")
        self._do("INSERT INTO head VALUES (1, ?)", [(_text(head),)])
        self.head = head

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, in one transaction."""
        self._do("INSERT INTO record (body) VALUES (?)", [(_text(record),) for record in records])

    def records(self) -> Iterable[Record]:
        """All records, in order."""
        return (json.loads(body) for (body,) in self._db.execute("SELECT body FROM record ORDER BY seq"))

    async def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _do(self, sql: str, rows: list[tuple]) -> None:
        try:
            self._db.execute("BEGIN")
            self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise JournalFailed(
                f"the journal {self.file} cannot be written ({error}); make room and recover"
            ) from error


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
