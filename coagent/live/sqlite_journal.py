"""A journal in a SQLite file (write-ahead log): it outlives `kill -9`, and with `durable` also a power cut."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.journal import DAMAGED, JournalFailed, sealed, unsealed

_TABLES = """
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, crc INTEGER NOT NULL);
"""
_COLUMNS = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name IN ('head', 'record')"
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
        self._db = self._connected()
        try:
            head, last = self._begun(durable)
            self.head: Mapping[str, object] = unsealed(*head, 0, f"the head of {self.file}") if head else {}
        except BaseException as error:
            self._db.close()
            raise self._said(error) from error
        self._zero = head[1] if head else 0
        self._crc = last[0] if last else self._zero

    def _connected(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self.file, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._said(error) from error

    def _begun(self, durable: bool) -> tuple[tuple | None, tuple | None]:
        """The rows of the head and of the last record's checksum, from tables that are there now."""
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._check_tables()
        self._db.executescript(_TABLES)
        head = self._db.execute("SELECT body, crc FROM head").fetchone()
        return head, self._db.execute("SELECT crc FROM record ORDER BY seq DESC LIMIT 1").fetchone()

    def _said(self, error: BaseException) -> BaseException:
        match error:
            case sqlite3.OperationalError() if "locked" in str(error):
                return BadInput(f"another runtime has {self.file} open; end that one first")
            case sqlite3.OperationalError():
                return BadInput(f"{self.file} cannot be opened ({error})")
            case sqlite3.DatabaseError():
                return BadInput(f"{self.file} is no journal ({error}); give a new name, or a journal of coagent's")
            case _:
                return error

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        if self.head:
            raise BadInput(f"{self.file} holds a run already; recover it, or name a new file")
        rows = sealed([head], 0)
        self._do("INSERT INTO head VALUES (1, ?, ?)", rows)
        self.head, self._zero, self._crc = head, rows[0][1], rows[0][1]

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, in one transaction."""
        rows = sealed(records, self._crc)
        self._do("INSERT INTO record (body, crc) VALUES (?, ?)", rows)
        self._crc = rows[-1][1] if rows else self._crc

    def records(self) -> Iterable[Record]:
        """All records, in order. Raises BadInput where one is missing, or is not as it was written."""
        before = self._zero
        try:
            rows = self._db.execute("SELECT seq, body, crc FROM record ORDER BY seq")
            for number, (seq, body, crc) in enumerate(rows, 1):
                if seq != number:
                    raise BadInput(f"{self.file} lacks its record {number}; {DAMAGED}")
                yield unsealed(body, crc, before, f"record {number} of {self.file}")
                before = crc
        except sqlite3.DatabaseError as error:
            raise BadInput(f"{self.file} cannot be read to its end ({error}); {DAMAGED}") from error

    async def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _check_tables(self) -> None:
        """Raises BadInput for a file of which a table is gone, or one that another version wrote."""
        found: dict[str, set[str]] = {}
        for table, column in self._db.execute(_COLUMNS):
            found.setdefault(table, set()).add(column)
        if found and set(found) != {"head", "record"}:
            raise BadInput(f"{self.file} lacks a table of a journal; {DAMAGED}")
        if any("crc" not in columns for columns in found.values()):
            raise BadInput(f"{self.file} is of an earlier version, without checksums; recover it with that version")

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
