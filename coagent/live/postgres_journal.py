"""A journal in a PostgreSQL database, for a runtime that may be started again on another machine.

Each run has a name there. Who writes holds an advisory lock, which goes with the connection: a second runtime on the
same run is refused, and one that was killed does not stand in the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urldefrag

from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.journal import DAMAGED, JournalFailed, sealed, unsealed

_TABLES = """
CREATE TABLE IF NOT EXISTS coagent_head (
    run text PRIMARY KEY, body text NOT NULL, crc bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS coagent_record (
    run text NOT NULL, seq bigint NOT NULL, body text NOT NULL, crc bigint NOT NULL, PRIMARY KEY (run, seq)
);
"""


_LAST = "SELECT seq, crc FROM coagent_record WHERE run = %s ORDER BY seq DESC LIMIT 1"
_ALL = "SELECT seq, body, crc FROM coagent_record WHERE run = %s ORDER BY seq"

Row = tuple[object, int]


class PostgresJournal:
    """The journal of one run in a database; make it with `connected`."""

    def __init__(self, connection: object, url: str, run: str, head: Row | None, last: Row | None) -> None:
        """`head` is its text and checksum, `last` the number and checksum of the last record; None: there is none."""
        self._connection, self._url, self.run = connection, url, run
        self.head: Mapping[str, object] = unsealed(*head, 0, f"the head of {run!r}") if head else {}
        self._zero = head[1] if head else 0
        self._count, self._crc = last or (0, self._zero)

    @classmethod
    async def connected(cls, where: str, *, new: bool | None = None) -> "PostgresJournal":
        """The journal at `postgresql://USER@HOST/DATABASE#RUN`. `new`: the run must not be there (True), or must
        (False).

        Raises BadInput in one sentence, in which there is no password.
        """
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise BadInput("a journal in PostgreSQL needs psycopg; install coagent-mtpo[live]") from error
        url, run = urldefrag(where)
        if not run:
            raise BadInput("a journal in PostgreSQL needs the run's name, as postgresql://HOST/DATABASE#RUN")
        try:
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
            await connection.execute(_TABLES)
            (held,) = await _one(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", f"coagent/{run}")
            head = await _one(connection, "SELECT body, crc FROM coagent_head WHERE run = %s", run)
            last = await _one(connection, _LAST, run)
        except psycopg.Error as error:
            raise BadInput(f"the journal of {run!r} cannot be opened ({_words(error)})") from error
        if not held:
            problem = f"another runtime has the run {run!r} open; end that one first"
        elif new is True and head:
            problem = f"there is a run {run!r} already; recover it, or give a new name"
        elif new is False and not head:
            problem = f"there is no run {run!r} in this database; check the name"
        else:
            try:
                return cls(connection, url, run, head, last)
            except BadInput as error:
                problem = error.what
        await connection.close()
        raise BadInput(problem)

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        if self.head:
            raise BadInput(f"the run {self.run!r} is there already; recover it, or give a new name")
        rows = sealed([head], 0)
        await self._do("INSERT INTO coagent_head VALUES (%s, %s, %s)", [(self.run, *rows[0])])
        self.head, self._zero, self._crc = head, rows[0][1], rows[0][1]

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, in one transaction."""
        kept = sealed(records, self._crc)
        rows = [(self.run, self._count + at, *row) for at, row in enumerate(kept, 1)]
        await self._do("INSERT INTO coagent_record VALUES (%s, %s, %s, %s)", rows)
        self._count, self._crc = self._count + len(rows), kept[-1][1] if kept else self._crc

    def records(self) -> Iterable[Record]:
        """All records, in order. Raises BadInput where one is missing, or is not as it was written."""
        import psycopg

        try:
            with psycopg.connect(self._url) as connection:
                rows = connection.execute(_ALL, (self.run,)).fetchall()
        except psycopg.Error as error:
            raise BadInput(f"the journal of {self.run!r} cannot be read ({_words(error)})") from error
        before, found = self._zero, []
        for number, (seq, body, crc) in enumerate(rows, 1):
            if seq != number:
                raise BadInput(f"{self.run!r} lacks its record {number}; {DAMAGED}")
            found.append(unsealed(body, crc, before, f"record {number} of {self.run!r}"))
            before = crc
        return found

    async def close(self) -> None:
        """Close the connection, and with it let go of the run."""
        await self._connection.close()

    async def _do(self, sql: str, rows: list[tuple]) -> None:
        import psycopg

        try:
            async with self._connection.transaction(), self._connection.cursor() as cursor:
                await cursor.executemany(sql, rows)
        except psycopg.Error as error:
            problem = f"the journal of {self.run!r} cannot be written ({_words(error)})"
            raise JournalFailed(f"{problem}; see to the database and recover") from error


async def _one(connection: object, sql: str, value: str) -> tuple | None:
    return await (await connection.execute(sql, (value,))).fetchone()


def _words(error: Exception) -> str:
    """The first line of what the driver says; it names host and user, never the password."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
