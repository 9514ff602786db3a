"""The journal of a live run: the history's records in order, each there for good before it is acted upon.

It is the history: what is exported is what was written. Here the contract, and the journal that lives in memory; see
`sqlite_journal` and `postgres_journal` for those that outlive the process.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from coagent.history import Record


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
