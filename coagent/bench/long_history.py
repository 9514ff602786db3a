"""A long history of many agents under one protocol, for measuring: days that the engine recorded, one after the other.

Each day is a simulated run of the same agents on objects of that day, a few of them shared; a handful of days are
recorded and told again and again with other objects, names and times. Nothing in it is made up by hand.
"""

from collections.abc import Generator
from dataclasses import replace
from functools import partial

import numpy as np

from coagent.bench.long_table import Day, joined
from coagent.compaction import compacted
from coagent.judge import drawn
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.table import KIND, Table
from coagent.workload import Agent, Workload
from coagent.world import Setting

AGENTS, CALLS, SHARED, DAYS = 16, 120, 0.06, 3
"""Agents, steps of each in a day, share of the steps that are on shared objects, days that are recorded."""


def long_history(
    operations: int, *, seed: int = 0, protocol_name: str = "mtpo", calls: int = CALLS, days: int = DAYS
) -> Table:
    """A history of at least that many operations, in columns; same arguments, same history.

    `days` of `calls` steps an agent are recorded, and then come in turn.
    """
    days = [recorded(f"{seed}/{day}", protocol_name, calls) for day in range(days)]
    chosen, done = [], 0
    while done < operations:
        chosen.append(days[len(chosen) % len(days)])
        done += chosen[-1].operations
    return joined(chosen)


def recorded(seed: str, protocol_name: str = "mtpo", calls: int = CALLS) -> Day:
    """A day as the engine records it under a protocol."""
    agents = tuple(
        Agent(name=f"agent-{index:02}", program=partial(_working, seed, index, calls), think_s=1 + index / 100)
        for index in range(AGENTS)
    )
    state = tuple((f"shared/stock/{number}", 100) for number in range(AGENTS)) + (("shared/desk/lamp", 1),)
    workload = Workload(name="long", state=state, agents=agents)
    run = simulate(Setting(workload=workload, protocol=protocol(protocol_name)), Clock(0.1), max_steps=10**9)
    return Day(compacted(run.history))


def misled(table: Table) -> Table:
    """The same history with one fault: a read in the middle of it saw, and told, a version that had been replaced,
    and nobody gave notice of it. Raises LookupError when no read has such a version behind it.
    """
    columns = {name: column.copy() for name, column in table.columns.items()}
    gets = [number for number, form in enumerate(table.forms) if form.tool == "get"]
    reads = np.flatnonzero((columns["kind"] == KIND["call"]) & np.isin(columns["form"], gets) & (columns["saw"] == 1))
    spoken = np.bincount(columns["op"][columns["op"] >= 0], minlength=len(table.owners))
    reads = reads[spoken[columns["op"][reads]] == 1]
    entry = table.starts("saw")[reads]
    middle = len(reads) // 2
    for at in (*range(middle, len(reads)), *range(middle)):
        path, saw = columns["saw_path"][entry[at]], columns["saw_value"][entry[at]]
        writes = np.flatnonzero(columns["wrote_path"] == path)
        rows = np.searchsorted(table.starts("wrote"), writes, side="right") - 1
        older = writes[
            (rows < reads[at]) & (columns["wrote_value"][writes] != saw) & (columns["wrote_value"][writes] >= 0)
        ]
        if saw >= 0 and len(older):
            columns["saw_value"][entry[at]] = columns["value"][reads[at]] = columns["wrote_value"][older[0]]
            return replace(table, columns=columns)
    raise LookupError("no read of something that was written twice")


def _working(seed: str, index: int, calls: int) -> Generator[Intent, Result, Value]:
    """One agent's day: mostly on its own objects; now and then it builds on a shared one, which may move under it."""
    for step in range(calls):
        lot, which = drawn("long", (seed, index, step)), drawn("which", (seed, index, step))
        mine = f"own/{index}/{int(which * 10)}"
        stock = f"shared/stock/{int(which * AGENTS)}"
        if lot >= SHARED:
            yield Intent(call=_own(mine, int(lot * 1e6), step))
            continue
        match int(lot / SHARED * 6):
            case 0:
                found = yield Intent(call=_call("get", path=stock))
                yield Intent(call=_call("put", path=mine, value=f"{stock} holds {found.value}"))
            case 1 | 2:
                yield Intent(call=_call("add", path=stock, by=-1))
            case 3:
                yield Intent(call=_call("put", path=stock, value=100 + step))
            case 4:
                yield Intent(call=_call("copy", path=stock, to=mine))
            case _:
                found = yield Intent(call=_call("list", path="shared/desk"))
                if f"note-{index}" in found.value:
                    yield Intent(call=_call("delete", path=f"shared/desk/note-{index}"))
                else:
                    yield Intent(call=_call("create", path=f"shared/desk/note-{index}", value=step))


def _own(path: str, number: int, step: int) -> Call:
    match number % 4:
        case 0:
            return _call("put", path=path, value=f"draft {number}" if step % 3 else step)
        case 1:
            return _call("add", path=path, by=step)
        case 2:
            return _call("create", path=path, value=step)
        case _:
            return _call("get", path=path)


def _call(tool: str, **args: Value) -> Call:
    return Call(tool, tuple(args.items()))
