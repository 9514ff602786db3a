"""Carries out effects on the simulated store: one effect in, the new store, the engine's event and the records out.

Knows nothing of agents or order; C2 has been seen to by whoever picked the effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from immutables import Map

from coagent import fork, store
from coagent.effect import Merge, Perform
from coagent.event import Merged, Performed
from coagent.operation import Call, Cell, Result, Value
from coagent.recording import cells_out, entries_out, outcome_out
from coagent.tool import Tool

LOST = Result("failed", "lost")
"""What an execution turns out to be that never reached the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The live store, what each operation captured for its undo, its last result with what it saw and its route, and
    the forks of the live store by agent.

    `sees`: what operations see is noted; without, nobody will ask, and sightings are empty.
    """

    cells: Map = Map()
    captured: Map = Map()
    results: Map = Map()
    forks: Map = Map()
    sees: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A completed effect: the store after it, the event for the engine, and (kind, fields) of the records to write."""

    live: Live
    event: Performed | Merged
    records: tuple[tuple[str, dict], ...]


def opened(state: tuple[tuple[str, Value], ...], sees: bool = True) -> Live:
    """The store at the start."""
    return Live(cells=store.opened(state), sees=sees)


def perform(
    live: Live, flight: Perform, tools: Mapping[str, Tool], lost: Mapping[str, bool], recorded: bool = True
) -> Done:
    """Complete an effect. `lost` names the operations whose execution answers `unknown`, and whether it took effect.

    `recorded`: somebody keeps the history; without, records may be missing or have only their operation.
    """
    match flight.act:
        case _ if flight.place is not None:
            return _on_fork(live, flight, tools, recorded)
        case "undo":
            return _undo(live, flight)
        case "inherit":
            return _inherit(live, flight)
        case "exec" if flight.op in lost:
            after = _act(live, flight, tools)[0] if lost[flight.op] else live
            records = (("exec", {"op": flight.op, "status": "unknown", "wrote": {}}),) if flight.writes else ()
            return Done(live=after, event=_answer(flight, Result("unknown")), records=records)
        case "resolve" if flight.writes:
            return _resolve(live, flight)
        case _:
            return _execute(live, flight, tools, recorded)


def forked(live: Live, agent: str) -> Live:
    """The store with a fresh fork for an agent."""
    return replace(live, forks=live.forks.set(agent, fork.taken(live.cells)))


def dropped(live: Live, agent: str) -> Live:
    """The store without an agent's fork, if it has one."""
    return replace(live, forks=live.forks.delete(agent)) if agent in live.forks else live


def merge(live: Live, flight: Merge, attempt: int, own: fork.Merge | None) -> Done:
    """Complete the merge of an agent's fork, which is gone then. `own` is the workload's way (None: cell by cell)."""
    agent = flight.agent
    found, conflicts = fork.merged(fork.of(live.forks, agent), live.cells, own)
    fields = {"agent": agent, "attempt": attempt, "conflicts": list(conflicts), "wrote": entries_out(found.items())}
    after = replace(live, cells=live.cells.update(found), forks=live.forks.delete(agent))
    return Done(live=after, event=Merged(agent=agent, conflicts=conflicts), records=(("merge", fields),))


def answer_blind(
    live: Live, op: str, call: Call, tools: Mapping[str, Tool]
) -> tuple[Live, tuple[tuple[str, Cell], ...]]:
    """The result and writes of a blind write that stays off the store: they need nothing but the arguments."""
    flight = Perform(op=op, act="exec", call=call, reads=(), writes=())
    _, result, wrote, saw, _ = store.execute(live.cells, tools[call.tool], flight, {}, live.sees)
    return replace(live, results=live.results.set(op, (result, saw, "live"))), wrote


def _act(live: Live, flight: Perform, tools: Mapping[str, Tool]) -> tuple[Live, tuple[tuple[str, Cell], ...]]:
    if flight.route == "recorded":
        result, saw, _ = live.results[flight.recorded]
        return replace(live, results=live.results.set(flight.op, (result, saw, "recorded"))), ()
    corrected = store.corrections(live.captured, flight.overrides)
    cells, result, wrote, saw, captured = store.execute(
        live.cells, tools[flight.call.tool], flight, corrected, live.sees
    )
    kept = live.captured.set(flight.op, captured) if flight.writes else live.captured
    results, forks = live.results.set(flight.op, (result, saw, flight.route)), live.forks
    if flight.fork is not None:
        own = fork.taken_over(fork.of(forks, flight.fork), cells, (path for path, _ in wrote))
        forks = forks.set(flight.fork, own)
    return replace(live, cells=cells, captured=kept, results=results, forks=forks), wrote


def _on_fork(live: Live, flight: Perform, tools: Mapping[str, Tool], recorded: bool) -> Done:
    """An execution on an agent's fork; the record keeps what stood there before, for nothing will undo it."""
    own = fork.of(live.forks, flight.fork)
    cells, result, wrote, saw, captured = store.execute(own.cells, tools[flight.call.tool], flight, {}, live.sees)
    forks = live.forks.set(flight.fork, fork.acted(own, flight.op, cells, (path for path, _ in wrote)))
    after = replace(live, results=live.results.set(flight.op, (result, saw, flight.route)), forks=forks)
    done = Done(live=after, event=_answer(flight, result, wrote, saw), records=())
    if not (recorded and flight.writes):
        return done
    fields = {"op": flight.op, "status": result.status, "captured": entries_out(captured), "wrote": cells_out(wrote)}
    return replace(done, records=(("forked", fields),))


def _execute(live: Live, flight: Perform, tools: Mapping[str, Tool], recorded: bool) -> Done:
    after, wrote = _act(live, flight, tools)
    result, saw, route = after.results[flight.op]
    if not recorded:
        small = (("redo", {"op": flight.op}),) if flight.act == "redo" else ()
        return Done(live=after, event=_answer(flight, result, wrote, saw), records=small)
    shown = outcome_out(result, route, saw)
    records = []
    if flight.writes:
        records.append(("prepare", {"op": flight.op, "captured": entries_out(after.captured[flight.op])}))
    match flight.act:
        case "redo":
            records.append(("redo", {"op": flight.op, "wrote": cells_out(wrote), **shown}))
        case "refresh":
            records.append(("refresh", {"op": flight.op, **shown}))
        case _ if flight.writes:
            records.append(("exec", {"op": flight.op, "status": result.status, "wrote": cells_out(wrote)}))
    return Done(live=after, event=_answer(flight, result, wrote, saw), records=tuple(records))


def _undo(live: Live, flight: Perform) -> Done:
    """Put back what was captured; an operation that had failed has nothing to put back."""
    cells = store.reverse(live.cells, live.captured.get(flight.op, ()))
    captured = live.captured.delete(flight.op) if flight.op in live.captured else live.captured
    after = replace(live, cells=cells, captured=captured)
    return Done(live=after, event=_answer(flight, Result("ok")), records=(("undo", {"op": flight.op}),))


def _inherit(live: Live, flight: Perform) -> Done:
    """The heir's inverse now restores what lay below the operation that leaves."""
    below = dict(live.captured[flight.op])
    taken = tuple((path, below.get(path, entry)) for path, entry in live.captured[flight.heir])
    after = replace(live, captured=live.captured.delete(flight.op).set(flight.heir, taken))
    records = (("inherit", {"op": flight.op, "heir": flight.heir}),)
    return Done(live=after, event=_answer(flight, Result("ok")), records=records)


def _resolve(live: Live, flight: Perform) -> Done:
    """Look at the target: did the operation take effect?"""
    result, saw, _ = live.results.get(flight.op, (LOST, (), "live"))
    captured = live.captured.get(flight.op, ())
    wrote = tuple((path, live.cells[path][0]) for path, _ in captured)
    after = replace(live, results=live.results.set(flight.op, (result, saw, "live")))
    records = (
        ("prepare", {"op": flight.op, "captured": entries_out(captured)}),
        ("exec", {"op": flight.op, "status": result.status, "wrote": cells_out(wrote)}),
    )
    return Done(live=after, event=_answer(flight, result, wrote, saw), records=records)


def _answer(flight: Perform, result: Result, wrote: tuple = (), saw: tuple = ()) -> Performed:
    return Performed(op=flight.op, act=flight.act, result=result, wrote=wrote, saw=saw, cause=flight.cause)
