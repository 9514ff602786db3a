"""What is known of acts that cannot be taken back: a file each, written before the act, and a lock while it goes on.

The lock goes with its process, so that what a dead one has begun is told from what a live one is still doing.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep

from coagent.history import frozen, plain
from coagent.operation import Value

BEGUN, DONE = "begun", "done"
_POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An act: its name, the cells that it makes so, and `begun` or `done`."""

    name: str
    cells: Mapping[str, Value]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A folder of entries. Entries reach the disk before a call returns."""

    folder: Path
    timeout_s: float

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Keep everybody else from an act, in this process and others. Raises TimeoutError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, until = os.open(self._file(name, ".lock"), os.O_CREAT | os.O_RDWR, 0o600), monotonic() + self.timeout_s
        try:
            while not _locked(handle):
                if monotonic() > until:
                    raise TimeoutError(f"{name} is being sent by somebody else")
                sleep(_POLL_S)
            yield
        finally:
            os.close(handle)

    def find(self, name: str) -> Entry | None:
        """The entry of an act, or None: it was never begun."""
        try:
            return _entry(self._file(name, ".json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """The names of all acts that have an entry, sorted."""
        return sorted(_entry(file.read_text(encoding="utf-8")).name for file in self.folder.glob("*.json"))

    def put(self, entry: Entry) -> None:
        """Write an entry in place of the one that there was."""
        cells = {field: plain(value) for field, value in entry.cells.items()}
        text = json.dumps({"name": entry.name, "cells": cells, "state": entry.state})
        new = self._file(entry.name, ".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._file(entry.name, ".json"))
        self._reach_disk()

    def remove(self, name: str) -> None:
        """Take an entry out: the act did not happen."""
        self._file(name, ".json").unlink()
        self._reach_disk()

    def _file(self, name: str, suffix: str) -> Path:
        return self.folder / (sha256(name.encode()).hexdigest() + suffix)

    def _reach_disk(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _entry(text: str) -> Entry:
    read = json.loads(text)
    cells = {field: frozen(value) for field, value in read["cells"].items()}
    return Entry(name=read["name"], cells=cells, state=read["state"])


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
