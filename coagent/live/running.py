"""Runs a workload live: its scripted agents through the middleware, on targets that are seeded with its start state."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from coagent.history import History
from coagent.live.journal import Journal
from coagent.live.limits import PATIENCE, Limits
from coagent.live.opening import history_of, session
from coagent.live.reaching import cells_of, seed
from coagent.live.scripted import play
from coagent.live.target import Target
from coagent.operation import Value
from coagent.workload import Workload

__all__ = ["LiveRun", "run_live", "seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """What came of it: the history, the targets' cells at the end, and the agents' reports."""

    history: History
    final_state: dict[str, Value]
    reports: dict[str, object]
    gave_up: tuple[str, ...]


async def run_live(
    workload: Workload,
    protocol: object,
    *targets: Target,
    journal: Journal | None = None,
    think_s: float = 0.0,
    limits: Limits = PATIENCE,
    more: Mapping[str, object] | None = None,
) -> LiveRun:
    """Play the workload's agents against targets that hold its start state, until GlobalQuiet.

    `think_s`: seconds of inference before an action that names none (0: no inference takes time). `more` is kept in the
    journal's head.
    """
    opened = session(
        *targets,
        tools=workload.tools,
        protocol=protocol,
        journal=journal,
        name=workload.name,
        whole=True,
        limits=limits,
        more=more,
    )
    async with opened as live:
        handles = [await live.launch(one.name, rank) for rank, one in enumerate(workload.agents, 1)]
        plays = [play(agent, one.program, think_s=think_s) for agent, one in zip(handles, workload.agents, strict=True)]
        await asyncio.gather(*plays)
        await live.quiet()
        history = await history_of(live)
        seats = live.ledger.seats.values()
        return LiveRun(
            history=history,
            final_state=await cells_of(live.target, live.target.roots, limits),
            reports={one.name: one.report for one in seats},
            gave_up=tuple(one.name for one in seats if one.gave_up),
        )
