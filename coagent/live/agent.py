"""An agent's side of a live run: it infers, and each inference ends in a call, a retraction or the report.

Every answer is a `Turn`: what came of it, and the notices that the next inference is to consider first. The same
interface is there in one process (`coagent.live.session`) and over the network (`coagent.live.client`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from coagent.actor import Entry
from coagent.event import Event, Finished, Invoked, Retracted
from coagent.live.seat import NO_USAGE, Seat, Turn
from coagent.operation import Call, Declaration, Value
from coagent.tool import Tool

Usage = Mapping[str, int]
"""Tokens of an inference: `prompt_tokens` (read anew), `cached_tokens`, `output_tokens`."""


class Runtime(Protocol):
    """What a handle needs of its session."""

    @property
    def tools(self) -> Mapping[str, Tool]: ...

    def call(self, tool: str, args: Mapping[str, Value]) -> Call: ...

    def declared(self, call: Call) -> Declaration: ...

    def seat(self, name: str) -> Seat: ...

    async def turn(self, name: str, after: int | None = None) -> Turn: ...

    async def act(self, name: str, what: Event, turn: int, usage: Usage = NO_USAGE) -> Turn: ...


class Agent:
    """The handle of one agent. Its calls are carried out one after the other, in the order in which they are made."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        self.name, self._runtime = name, runtime
        self._last: Turn | None = None
        self._lock = asyncio.Lock()

    @property
    def log(self) -> tuple[Entry, ...]:
        """Its operations that stand, in program order, each with the result it was told last (None: cancelled)."""
        return self._runtime.seat(self.name).log

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The tools that there are, by name."""
        return self._runtime.tools

    @property
    def past(self) -> bool:
        """Whether the turn that was seen last is past, so that what its inference comes to will not be done."""
        return self._last is not None and self._last.number != self._runtime.seat(self.name).turns

    async def turn(self) -> Turn:
        """What it infers on now; the first, or after the runtime was started again, the last that it was given."""
        return self._noted(await self._runtime.turn(self.name))

    async def call(
        self, tool: str, args: Mapping[str, Value] | None = None, /, *, usage: Usage = NO_USAGE, **more: Value
    ) -> Turn:
        """Call a tool, its arguments by keyword or in a mapping.

        The turn is `result`, or `held`, `restarted`, `gave-up`: then the call was not carried out.

        Raises BadCall, and nothing has happened, for a tool that there is not or arguments that do not fit.
        """
        return await self.invoke(self._runtime.call(tool, {**(args or {}), **more}), usage=usage)

    async def rewrite(self, op: str, tool: str, /, *, usage: Usage = NO_USAGE, **args: Value) -> Turn:
        """Call a tool in the place of one's own earlier operation, which is taken back."""
        return await self.invoke(self._runtime.call(tool, args), replaces=op, usage=usage)

    async def insert(self, op: str, tool: str, /, *, usage: Usage = NO_USAGE, **args: Value) -> Turn:
        """Call a tool at a place right before one's own earlier operation."""
        return await self.invoke(self._runtime.call(tool, args), before=op, usage=usage)

    async def calls(self, asked: Iterable[tuple[str, Mapping[str, Value]]]) -> list[Turn]:
        """The calls of one turn, in their order; a call that is not carried out is the last."""
        turns: list[Turn] = []
        for tool, args in asked:
            turns.append(await self.call(tool, args))
            if turns[-1].kind != "result" or turns[-1].notices:
                break
        return turns

    async def retract(self, op: str, *, usage: Usage = NO_USAGE) -> Turn:
        """Take back one's own operation; its effect is undone when the turn comes."""
        return await self._act(Retracted(agent=self.name, op=op), usage)

    async def drop(self, op: str, *, usage: Usage = NO_USAGE) -> Turn:
        """Say that a read, or a cancelled operation, no longer belongs, and go on with the same inference."""
        return await self._act(Retracted(agent=self.name, op=op, last=False), usage)

    async def finish(self, report: Value = None, *, usage: Usage = NO_USAGE) -> Turn:
        """Give the final report; returns when it is `committed`, or when there is more to do (`reopened`, ...)."""
        return await self._act(Finished(agent=self.name, report=report), usage)

    def checked(self, tool: str, args: Mapping[str, Value]) -> Call:
        """A call for `invoke`. Raises BadCall as `call` does, where the runtime is in another process only then."""
        return self._runtime.call(tool, args)

    async def invoke(
        self, call: Call, *, before: str | None = None, replaces: str | None = None, usage: Usage = NO_USAGE
    ) -> Turn:
        """Make a call that was checked already."""
        declaration = self._runtime.declared(call)
        what = Invoked(agent=self.name, call=call, declaration=declaration, before=before, replaces=replaces)
        return await self._act(what, usage)

    async def _act(self, what: Event, usage: Usage) -> Turn:
        """What the inference on the turn that was seen last came to; acts made at once wait for one another.

        One that waited is not carried out when what came of the one before has to be considered first.
        """
        if self._last is None:
            await self.turn()
        began = self._last
        async with self._lock:
            if self._last is not began and (self._last.kind != "result" or self._last.notices):
                return self._last
            return self._noted(await self._runtime.act(self.name, what, self._last.number, usage))

    def _noted(self, turn: Turn) -> Turn:
        self._last = turn
        return turn
