"""Watches a live run while it goes on: a journal in memory, and a view that grows with what is written there.

Decides nothing about the run, and holds it up no longer than it takes to keep a record.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from coagent.bad_input import BadInput
from coagent.history import VERSION, History, Record
from coagent.live.journal import MemoryJournal
from coagent.notebook.viewer import StepperView
from coagent.workload import Workload

EVERY_S = 0.2
"""Seconds for which records are gathered before the view is drawn anew."""


class Spectator:
    """A journal for `run_live`, and what there is to see of the run: `await begun()`, then show `view()`."""

    def __init__(self, workload: Workload) -> None:
        self._names = [one.name for one in workload.agents]
        self._kept, self._begun = MemoryJournal(), asyncio.Event()
        self._view: StepperView | None = None
        self._shown, self._waiting = 0, False

    @property
    def head(self) -> Mapping[str, object]:
        """What was said when the run was opened."""
        return self._kept.head

    async def open(self, head: Mapping[str, object]) -> None:
        """Begin the run."""
        await self._kept.open(head)

    async def append(self, records: Sequence[Record]) -> None:
        """Put records at the end, and show them soon."""
        await self._kept.append(records)
        self._begun.set()
        if self._view is not None and not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(EVERY_S, self._show)

    def records(self) -> Iterable[Record]:
        """All records, in order."""
        return self._kept.records()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def begun(self) -> None:
        """Wait until there is something to see."""
        await self._begun.wait()

    def view(self) -> StepperView:
        """The view, which grows until `ended`. Raises BadInput before anything was recorded."""
        if self._view is None:
            records = tuple(self.records())
            if not records:
                raise BadInput("nothing has happened in this run yet; await begun() first")
            self._view, self._shown = StepperView(History(self._header(), records)), len(records)
        return self._view

    def ended(self, history: History) -> StepperView:
        """The view of the finished run: the rest of its history, so that it can be judged."""
        view = self.view()
        view.extend(history.records[self._shown :])
        self._shown = len(history.records)
        return view

    def _show(self) -> None:
        self._waiting = False
        fresh = list(self.records())[self._shown :]
        if fresh:
            self._shown += len(fresh)
            self._view.extend(fresh)

    def _header(self) -> Mapping[str, object]:
        head = self._kept.head
        return {
            "history": "coagent",
            "version": VERSION,
            "sealed": True,
            "simulated": False,
            "workload": head["name"],
            "protocol": head["protocol"],
            "seed": 0,
            "schedule": "clock",
            "agents": [{"name": name, "rank": [place]} for place, name in enumerate(self._names, 1)],
            "state": dict(head["start"] or {}),
            "order": head["order"],
        }
