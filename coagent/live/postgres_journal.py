"""A journal in a PostgreSQL database, for a runtime that may be started again on another machine.

Each run has a name there. Who writes holds an advisory lock, which goes with the connection: a second runtime on the
same run is refused, and one that was killed does not stand in the way.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urldefrag

from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.journal import JournalFailed

_TABLES = """
CREATE TABLE IF NOT EXISTS coagent_head (run text PRIMARY KEY, body text NOT NULL);
CREATE TABLE IF NOT EXISTS coagent_record (
    run text NOT NULL, seq bigint NOT NULL, body text NOT NULL, PRIMARY KEY (run, seq)
);
"""


class PostgresJournal:
    """The journal of one run in a database; make it with `connected`."""

    def __init__(self, connection: object, url: str, run: str, head: Mapping[str, object], count: int) -> None:
        self._connection, self._url, self.run = connection, url, run
        self.head, self._count = head, count

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
            held = await _one(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", f"coagent/{run}")
            body = await _one(connection, "SELECT body FROM coagent_head WHERE run = %s", run)
            count = await _one(connection, "SELECT count(*) FROM coagent_record WHERE run = %s", run)
        except psycopg.Error as error:
            raise BadInput(f"the journal of {run!r} cannot be opened ({_words(error)})") from error
        if not held:
            problem = f"another runtime has the run {run!r} open; end that one first"
        elif new is True and body:
            problem = f"there is a run {run!r} already; recover it, or give a new name"
        elif new is False and not body:
            problem = f"there is no run {run!r} in this database; check the name"
        else:
            return cls(connection, url, run, json.loads(body) if body else {}, count)
        await connection.close()
        raise BadInput(problem)

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        if self.head:
            raise BadInput(f"the run {self.run!r} is there already; recover it, or give a new name")
        await self._do("INSERT INTO coagent_head VALUES (%s, %s)", [(self.run, _text(head))])
        self.head = head

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, in one transaction."""
        rows = [(self.run, self._count + at, _text(record)) for at, record in enumerate(records, 1)]
        await self._do("INSERT INTO coagent_record VALUES (%s, %s, %s)", rows)
        self._count += len(rows)

    def records(self) -> Iterable[Record]:
        """All records, in order."""
        import psycopg

        with psycopg.connect(self._url) as connection:
            rows = connection.execute("SELECT body FROM coagent_record WHERE run = %s ORDER BY seq", (self.run,))
            return [json.loads(body) for (body,) in rows]

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


async def _one(connection: object, sql: str, value: str) -> object:
    row = await (await connection.execute(sql, (value,))).fetchone()
    return row and row[0]


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _words(error: Exception) -> str:
    """The first line of what the driver says; it names host and user, never the password."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
