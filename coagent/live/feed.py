"""What is streamed to an agent as it happens: its notices, numbered, so that a stream that broke goes on where it was.

Nothing depends on it: a turn carries the notices that it rests on, whether they were seen here or not.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

from coagent.history import Record
from coagent.live.session import Session

Numbered = tuple[int, str, Mapping[str, object]]
"""Number from 1, kind (`notice` or `over`), and the data."""


class Feed:
    """The notices of each agent and its last words, those of the journal and those to come."""

    def __init__(self, session: Session) -> None:
        self._of: dict[str, list[Numbered]] = {}
        self._more: dict[str, asyncio.Event] = {}
        self._take(session.journal.records())
        self._leave = session.listen(lambda step: self._take(step.records))

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            match record["event"]:
                case "notify":
                    result = None if record["cancelled"] else {key: record[key] for key in ("status", "value")}
                    told = {key: record[key] for key in ("agent", "op", "cause", "saw")}
                    self._append(record["agent"], "notice", {**told, "result": result})
                case "commit" | "give-up" as kind:
                    self._append(record["agent"], "over", {"kind": "committed" if kind == "commit" else "gave-up"})

    def _append(self, agent: str, kind: str, data: Mapping[str, object]) -> None:
        told = self._of.setdefault(agent, [])
        told.append((len(told) + 1, kind, data))
        if more := self._more.get(agent):
            more.set()

    async def after(self, agent: str, number: int, every_s: float) -> AsyncIterator[Numbered | None]:
        """What an agent is told after a number, for ever; None when nothing came for so many seconds."""
        more = self._more.setdefault(agent, asyncio.Event())
        while True:
            more.clear()
            for one in self._of.get(agent, ())[number:]:
                yield one
                number = one[0]
            if len(self._of.get(agent, ())) > number:
                continue
            try:
                await asyncio.wait_for(more.wait(), every_s)
            except TimeoutError:
                yield None

    def close(self) -> None:
        """Listen no more."""
        self._leave()
