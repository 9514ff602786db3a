"""Writes under way on a target: one attempt at a time for an operation, and none is cancelled.

A write that takes too long goes on, in a thread or in a server, and would land behind the back of whoever writes next.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from coagent.live.joined import JoinedTarget
from coagent.operation import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient the runtime is with its targets. `read_s` and `write_s` are seconds for one attempt; `tries` the
    attempts at a read, an undo, or a write that met a conflict; `pause_s` the seconds before the second, then doubled.
    """

    read_s: float = 30.0
    write_s: float = 60.0
    tries: int = 5
    pause_s: float = 0.05


PATIENCE = Limits()
"""How patient the runtime is unless told otherwise."""


class Stuck(Exception):
    """An effect that can neither be done nor left undone: a person has to look. The message says why."""


class Writing:
    """The writes under way, by operation."""

    def __init__(self, target: JoinedTarget, limits: Limits) -> None:
        self.target, self.limits = target, limits
        self._late: dict[str, asyncio.Task] = {}

    async def write(self, op: str, cells: Mapping[str, Cell], *, seen: Mapping, restore: Mapping) -> None:
        """One attempt, begun when the one before has ended. Raises TimeoutError, and the write goes on; Stuck."""
        await self.ended(op)
        writing = asyncio.ensure_future(self.target.write(cells, seen=seen, restore=restore))
        self._late[op] = writing
        try:
            await asyncio.wait_for(asyncio.shield(writing), self.limits.write_s)
        finally:
            if writing.done():
                self._forget(op)

    async def ended(self, op: str) -> None:
        """Wait until an operation's write has ended: nothing else may be done before. Raises Stuck."""
        if writing := self._late.get(op):
            await asyncio.wait({writing}, timeout=self.limits.write_s * self.limits.tries)
            if not writing.done():
                raise Stuck(f"a write of {op} is still under way; try again when it has ended")
            self._forget(op)

    async def all_ended(self) -> None:
        """Wait until no write is under way any more, though nobody waits for its answer; not for ever."""
        if self._late:
            await asyncio.wait(self._late.values(), timeout=self.limits.write_s)
        for op in [op for op, writing in self._late.items() if writing.done()]:
            self._forget(op)

    def _forget(self, op: str) -> None:
        writing = self._late.pop(op)
        if not writing.cancelled():
            writing.exception()
