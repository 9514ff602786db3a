"""What every protocol keeps of a run: its agents, their operations, who touches which object.

Decides only the lifecycle of agents (a table) and the bookkeeping of places and flights; what may
overtake what is each protocol's own business. `Run` is a frozen value; `Turn` is the scratch copy
that one step works on, so that a step is a pure function with short sentences inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from immutables import Map

from coagent.change import changed
from coagent.effect import Bury, Commit, Effect, GiveUp, Perform, Place, Reply, Restart
from coagent.event import Died, Event, Finished, IllegalEvent, Inferring, Invoked, Merged, Performed, Retracted
from coagent.operation import Call, Cell, Declaration, Notice, Position, Result, between, following
from coagent.path import PathIndex

CALLS = frozenset({"Start", "Place", "Perform", "Reply", "Bury", "Commit"})
"""The effects that every protocol may emit."""
WAITS = frozenset({"Park", "Release"})
"""Calls may be made to wait."""
RESTARTS = frozenset({"Restart", "GiveUp"})
"""Attempts may be thrown away."""
NOTICES = frozenset({"Notify", "Deliver", "Hold", "Remove", "Withdraw"})
"""Agents may be told, held back, and repair."""
FORKS = frozenset({"Fork", "Merge"})
"""Agents may work on forks of the live state."""
SLOTS = frozenset({"Mask", "Cancel"})
"""Late writes may be slotted in under what took effect above them."""


class Phase(Enum):
    """Where an agent stands."""

    READY = "ready"  # may begin an inference
    INFERRING = "inferring"
    WAITING = "waiting"  # its call has not been answered
    PARKED = "parked"  # its call waits for something else than the store
    FINISHED = "finished"  # reported, may be reopened
    MERGING = "merging"  # reported, and its fork is being merged
    DONE = "done"  # committed, given up or dead

    __hash__ = object.__hash__


LEGAL = {
    Inferring: {Phase.READY},
    Invoked: {Phase.INFERRING},
    Retracted: {Phase.INFERRING},
    Finished: {Phase.INFERRING},
    Merged: {Phase.MERGING},
    Died: {Phase.READY, Phase.INFERRING},
}
"""Which agent events are allowed in which phase; anything else is an IllegalEvent."""


class Standing(Enum):
    """Where an operation stands."""

    PARKED = "parked"
    FLYING = "flying"  # emitted and not answered yet
    APPLIED = "applied"
    FAILED = "failed"  # no effect
    MASKED = "masked"  # in the write trajectory, not in the live store
    CANCELLED = "cancelled"  # undone by a late write, its agent's to reissue
    REMOVED = "removed"  # retracted, rewritten or aborted

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent of a run. `ops` are its operations in program order, `awaits` the one it waits for an answer about;
    `flights` counts unanswered effects on them."""

    name: str
    rank: Position
    phase: Phase = Phase.READY
    attempt: int = 1
    ops: tuple[str, ...] = ()
    inbox: tuple[Notice, ...] = ()
    awaits: str | None = None
    invoked: int = 0
    flights: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One tool call placed in the order. `told` is the result its agent knows or has been sent, `cover` the write
    that hides a masked one; while a read is `refreshing`, `stale` names the newest reason to do it once more."""

    name: str
    agent: str
    position: Position
    call: Call
    declaration: Declaration
    standing: Standing = Standing.FLYING
    told: Result | None = None
    wrote: tuple[tuple[str, Cell], ...] = ()
    cover: str | None = None
    flights: int = 0
    refreshing: bool = False
    stale: str | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Declared read set."""
        return self.declaration.reads

    @property
    def writes(self) -> tuple[str, ...]:
        """Declared write set."""
        return self.declaration.writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The engine's whole state. `readers` and `writers` index the operations that still count, by path;
    `leaving` those whose undo is under way; `order` names the agents in pre-order, the first `settled` of them
    committed or given up; `extra` is a protocol's own (locks, logs), hashable."""

    agents: Map = Map()
    ops: Map = Map()
    readers: PathIndex = PathIndex()
    writers: PathIndex = PathIndex()
    leaving: PathIndex = PathIndex()
    order: tuple[str, ...] = ()
    settled: int = 0
    extra: object = None


class Turn:
    """The working copy of one step: change it, then take `result()`."""

    def __init__(self, run: Run) -> None:
        self.agents, self.ops, self.order, self.settled = run.agents, run.ops, run.order, run.settled
        self.readers, self.writers, self.leaving, self.extra = run.readers, run.writers, run.leaving, run.extra
        self.effects: list[Effect] = []

    def result(self) -> tuple[Run, tuple[Effect, ...]]:
        """The new run and what is to be done, in order."""
        run = Run(
            agents=self.agents,
            ops=self.ops,
            readers=self.readers,
            writers=self.writers,
            leaving=self.leaving,
            order=self.order,
            settled=self.settled,
            extra=self.extra,
        )
        return run, tuple(self.effects)

    def emit(self, effect: Effect) -> None:
        """Ask the world for something."""
        self.effects.append(effect)

    def set_agent(self, name: str, **changes: object) -> Agent:
        """Change fields of an agent; returns it."""
        agent = changed(self.agents[name], changes)
        self.agents = self.agents.set(name, agent)
        return agent

    def set_op(self, name: str, **changes: object) -> Operation:
        """Change fields of an operation; returns it."""
        op = changed(self.ops[name], changes)
        self.ops = self.ops.set(name, op)
        return op

    def launch(self, name: str, rank: Position) -> None:
        """Add an agent; the order stays sorted by rank."""
        if name in self.agents:
            raise IllegalEvent(f"agent {name!r} is launched twice")
        self.agents = self.agents.set(name, Agent(name=name, rank=rank))
        self.order = tuple(sorted((*self.order, name), key=lambda one: self.agents[one].rank))

    def place(self, event: Invoked) -> Operation:
        """Give the call its name and its place in the order, in front of, instead of, or after the agent's others."""
        agent = self.agents[event.agent]
        ops = agent.ops
        where = event.replaces or event.before
        if where is not None and where not in ops:
            raise IllegalEvent(f"{event.agent!r} has no operation {where!r} to place a call at")
        index = len(ops) if where is None else ops.index(where)
        if event.replaces:
            position = self.ops[event.replaces].position
        elif where is None:
            position = following(agent.rank, self.ops[ops[-1]].position if ops else None)
        else:
            low = self.ops[ops[index - 1]].position if index else agent.rank
            position = between(low, self.ops[where].position)
        op = Operation(
            name=f"{event.agent}.{agent.invoked + 1}",
            agent=event.agent,
            position=position,
            call=event.call,
            declaration=event.declaration,
        )
        self.ops = self.ops.set(op.name, op)
        kept = ops[index + 1 :] if event.replaces else ops[index:]
        self.set_agent(
            event.agent,
            ops=(*ops[:index], op.name, *kept),
            invoked=agent.invoked + 1,
            phase=Phase.WAITING,
            awaits=op.name,
        )
        self.emit(
            Place(
                agent=event.agent,
                op=op.name,
                position=position,
                attempt=agent.attempt,
                replaces=event.replaces,
                before=event.before,
            )
        )
        return op

    def index(self, op: Operation) -> None:
        """Count the operation in: its reads and writes are found by path from now on."""
        self.readers = self.readers.add(op.reads, op.name)
        self.writers = self.writers.add(op.writes, op.name)

    def unindex(self, op: Operation) -> None:
        """Count the operation out."""
        self.readers = self.readers.remove(op.reads, op.name)
        self.writers = self.writers.remove(op.writes, op.name)

    def perform(self, name: str, act: str, **details: object) -> None:
        """Ask for an effect on the store, and expect one answer."""
        op = self.set_op(name, flights=self.ops[name].flights + 1)
        self.set_agent(op.agent, flights=self.agents[op.agent].flights + 1)
        reads = () if act in ("undo", "inherit") else op.reads
        writes = () if act == "refresh" else op.writes
        self.emit(Perform(op=name, act=act, call=op.call, reads=reads, writes=writes, **details))

    def landed(self, event: Performed) -> Operation:
        """Note that an effect was answered; returns its operation."""
        op = self.set_op(event.op, flights=self.ops[event.op].flights - 1)
        self.set_agent(op.agent, flights=self.agents[op.agent].flights - 1)
        return op

    def reply(self, op: Operation) -> None:
        """Tell the agent its result; it may infer again."""
        self.set_agent(op.agent, phase=Phase.READY, awaits=None)
        self.emit(Reply(agent=op.agent, op=op.name))

    def commit(self, name: str) -> None:
        """Make an agent's run final."""
        self.set_agent(name, phase=Phase.DONE)
        self.emit(Commit(agent=name))

    def reading(self, paths: Iterable[str]) -> list[Operation]:
        """The counted operations whose read set overlaps the paths."""
        return [self.ops[name] for name in self.readers.overlapping(paths)]

    def writing(self, paths: Iterable[str]) -> list[Operation]:
        """The counted operations whose write set overlaps the paths."""
        return [self.ops[name] for name in self.writers.overlapping(paths)]

    def compensate(self, name: str) -> None:
        """Undo an agent's writes, last in first out; what cannot be undone stays."""
        for op in [self.ops[one] for one in reversed(self.agents[name].ops)]:
            self.unindex(op)
            emitted = op.standing is Standing.APPLIED or (op.standing is Standing.FLYING and op.flights)
            if op.writes and emitted and op.declaration.recoverable:
                self.perform(op.name, "undo")
            self.set_op(op.name, standing=Standing.REMOVED)

    def bury(self, name: str) -> None:
        """End a dead agent's run, with no notice waiting for it and nothing of it left to repair."""
        self.set_agent(name, phase=Phase.DONE, ops=(), inbox=(), awaits=None)
        self.emit(Bury(agent=name))

    def abort(self, name: str, because: str, restarts: int) -> None:
        """Undo an attempt's writes, last in first out, and let the agent begin again, or give up after `restarts`."""
        self.compensate(name)
        self.again(name, because, restarts)

    def again(self, name: str, because: str, restarts: int) -> bool:
        """Let an agent begin again from nothing, or give up after `restarts`. Says whether it begins again."""
        agent = self.agents[name]
        if agent.attempt > restarts:
            self.set_agent(name, phase=Phase.DONE, ops=(), inbox=(), awaits=None)
            self.emit(GiveUp(agent=name, because=because))
            return False
        self.set_agent(name, phase=Phase.READY, ops=(), inbox=(), attempt=agent.attempt + 1, awaits=None)
        self.emit(Restart(agent=name, attempt=agent.attempt + 1, because=because))
        return True


def check_legal(run: Run, event: Event) -> None:
    """Raise IllegalEvent for an event that the lifecycle does not allow now; the run is untouched (contract C1)."""
    if isinstance(event, Performed):
        op = run.ops.get(event.op)
        if op is None or op.flights < 1:
            raise IllegalEvent(f"no effect on {event.op!r} is under way that {event.act!r} could answer")
    elif type(event) in LEGAL:
        agent = run.agents.get(event.agent)
        if agent is None:
            raise IllegalEvent(f"agent {event.agent!r} was never launched")
        if agent.phase not in LEGAL[type(event)]:
            raise IllegalEvent(f"{type(event).__name__} while {event.agent!r} is {agent.phase.value}")
