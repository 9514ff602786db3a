"""Writes under way on a target: one attempt at a time for an operation, and none is cancelled.

A write that takes too long goes on, in a thread or in a server, and would land behind the back of whoever writes next.
"""

import asyncio
from collections.abc import Mapping

from coagent.live.joined import JoinedTarget
from coagent.live.limits import Limits
from coagent.live.trouble import Stuck
from coagent.operation import Cell


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
