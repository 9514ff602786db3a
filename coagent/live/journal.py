"""The journal of a live run: the history's records in order, each there for good before it is acted upon.

It is the history: what is exported is what was written. Here the contract, and the journal that lives in memory; see
`sqlite_journal` and `postgres_journal` for those that outlive the process.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from coagent.bad_input import BadInput
from coagent.history import Record

DAMAGED = "the journal is damaged: put back a copy (of a file with its -wal file), or begin a new run"


class Journal(Protocol):
    """Where the records of one run go. One writer at a time."""

    @property
    def head(self) -> Mapping[str, object]:
        """What was said when the run was opened: protocol, targets, tools, workload, the start state; {}: a new one."""
        ...

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin a run. Raises BadInput when there is one already."""
        ...

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, all or none. Raises JournalFailed when they cannot be kept."""
        ...

    def records(self) -> Iterable[Record]:
        """All records, in order."""
        ...

    async def close(self) -> None:
        """Let go of the file or the connection."""
        ...


class JournalFailed(Exception):
    """The journal cannot be written: nothing more is done until it can, and what it holds is enough to go on from."""


class MemoryJournal:
    """A journal that is lost with the process."""

    def __init__(self) -> None:
        self.head: Mapping[str, object] = {}
        self._records: list[Record] = []

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        self.head = head

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end."""
        self._records.extend(records)

    def records(self) -> Iterable[Record]:
        """All records, in order."""
        return iter(self._records)

    async def close(self) -> None:
        """Nothing to let go of."""


def sealed(bodies: Iterable[Mapping[str, object]], crc: int) -> list[tuple[str, int]]:
    """Heads or records as they are kept: their text, and a checksum over it and all before, which began as `crc`."""
    rows = []
    for body in bodies:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        crc = zlib.crc32(text.encode(), crc)
        rows.append((text, crc))
    return rows


def unsealed(text: str, crc: int, before: int, what: str) -> Record:
    """A head or record that is kept with this checksum, after another. Raises BadInput, naming it as `what`."""
    try:
        if zlib.crc32(text.encode(), before) != crc:
            raise BadInput(f"{what} is not as it was written; {DAMAGED}")
        found = json.loads(text)
    except BadInput:
        raise
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"{what} is no record ({error}); {DAMAGED}") from error
    if not isinstance(found, dict):
        raise BadInput(f"{what} is {text[:40]!r}, which is no record; {DAMAGED}")
    return found


async def journal_at(where: str, *, new: bool | None = None, durable: bool = False) -> Journal:
    """The journal at a file's path, or at `postgresql://HOST/DATABASE#RUN`. `new`: it must not be there (True), or must
    (False). `durable`: a file outlives a power cut too. Raises BadInput in one sentence."""
    if not where.strip():
        raise BadInput("the journal has no name; give a file's, or postgresql://HOST/DATABASE#RUN")
    if where.startswith(("postgresql://", "postgres://")):
        from coagent.live.postgres_journal import PostgresJournal

        return await PostgresJournal.connected(where, new=new)
    from coagent.live.sqlite_journal import SqliteJournal

    return SqliteJournal(where, durable=durable, new=new)
