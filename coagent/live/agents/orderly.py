"""A model whose answers are handed out one by one, each when what came of the last is done.

On a target in memory that takes no time worth the name, and the order of answers then decides the whole run: played
again from a recording, it is the same run.
"""

import asyncio
from collections.abc import Mapping, Sequence

from coagent.live.agents.completion import Completion, Message, Model, ToolSpec
from coagent.live.session import Session

ROUNDS = 20
"""Rounds of the event loop for which a session is idle before nobody is about to make the next call of several."""


class Orderly:
    """A model in front of which answers wait for the session to be idle, in the order in which they came."""

    def __init__(self, model: Model, live: Session) -> None:
        self._model, self._live, self._next = model, live, asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def settings(self) -> Mapping[str, object]:
        """The model's settings."""
        return self._model.settings

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        """The model's answer, or its failure, when its turn comes."""
        try:
            return await self._model.complete(messages, tools)
        finally:
            # Whoever waits for the lock is woken after the caller has acted on this answer.
            async with self._next:
                await self._settled()

    async def _settled(self) -> None:
        rounds = 0
        while rounds < ROUNDS:
            await self._live.idle()
            await asyncio.sleep(0)
            rounds = 0 if self._live.busy else rounds + 1
