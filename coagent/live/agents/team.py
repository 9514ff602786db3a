"""Lets models act as the agents of a live run, all at once: one model, a task for each agent, one bill.

A model that fails for good is taken out of the run, which goes on without it; why is said and kept.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion, Model, NoCompletion
from coagent.live.agents.price import Bill
from coagent.live.agents.prompt import opening
from coagent.live.agents.worker import BOUNDS, Astray, Bounds, work
from coagent.live.session import Session
from coagent.live.trouble import Stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What the models took, by agent why its model failed, and what a person has to look at before the run can go on
    (empty: nothing)."""

    bill: Bill
    failed: Mapping[str, str]
    stuck: str = ""


async def drive(live: Session, tasks: Mapping[str, str], model: Model, *, bounds: Bounds = BOUNDS) -> Driven:
    """Let a model do these tasks, by agent, until each of those agents has committed, given up or failed.

    When an effect is stuck, the run ends short. The agents have been launched; those with a past, in a run that goes on
    after its runtime was stopped, go on from it. A failed agent is buried. Raises BadInput for a task that cannot be
    shown to a model.
    """
    check_tasks(tasks)
    drive = _Drive(live, model, bounds)
    stuck = await _unless_stuck(live, [drive.one(name, task) for name, task in tasks.items()])
    return Driven(bill=drive.bill, failed=drive.failed, stuck=stuck)


async def _unless_stuck(live: Session, plays: Iterable[Coroutine[None, None, None]]) -> str:
    """Let them all come to their end; or end them, and say why, when an effect is stuck that they would wait for."""
    working, quiet = asyncio.gather(*plays), asyncio.ensure_future(live.quiet())
    try:
        await asyncio.wait({working, quiet}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await quiet
        await working
    except Stuck as error:
        return str(error)
    finally:
        working.cancel()
        quiet.cancel()
        await asyncio.gather(working, quiet, return_exceptions=True)
    return ""


def check_tasks(tasks: Mapping[str, str]) -> None:
    """Raise BadInput for an agent without a task in words, or with one that cannot be shown."""
    for name, task in tasks.items():
        opening(name, task)


class _Drive:
    """A drive under way: the bill and the failures so far."""

    def __init__(self, live: Session, model: Model, bounds: Bounds) -> None:
        self.bill, self.failed = Bill(), {}
        self._live, self._model, self._bounds = live, model, bounds

    async def one(self, name: str, task: str) -> None:
        """One agent, to its end."""
        records = self._live.journal.records
        try:
            more = {"records": records, "bounds": self._bounds, "counted": self._count}
            await work(self._live.agent(name), self._model, task, **more)
        except (NoCompletion, Astray, BadInput) as error:
            self.failed[name] = str(error)
            await self._live.bury(name, str(error))

    def _count(self, name: str, completion: Completion) -> None:
        self.bill = self.bill.add(name, completion)
