"""OCC-saga: writes go live at once, reads are validated when the agent finishes, and who loses is compensated.

The rule in one sentence: an agent that finishes commits unless somebody who committed before it wrote
what it had read; then its inverses run, last in first out, and it begins again. The cost in one
sentence: whole runs are thrown away, inference included. (P1 section 6, baselines; Kung and
Robinson 1981, backward validation.)

Because writes are visible before commit, two rules more keep it correct: whoever read an uncommitted
write commits after its writer and aborts with it, and a write over another's uncommitted write aborts
the later writer. An unrecoverable call first makes its agent irrevocable, one at a time: it has then
read nothing uncommitted, whoever overwrote what it read is aborted, and conflicting calls wait for it.
"""

from dataclasses import dataclass, replace

from immutables import Map

from coagent.effect import Effect, Park, Perform, Release, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Performed, Retracted
from coagent.protocols.naive import answered, refuse_repair
from coagent.protocols.run import CALLS, RESTARTS, WAITS, Operation, Phase, Run, Standing, Turn, check_legal

DIED = "it died"
"""Why an attempt is aborted that nobody is there to begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Between running agents. `read_from[a]`: whose uncommitted writes `a` read; `overwritten_by[a]`: who wrote what
    `a` had read before; `stale`: whose reads somebody committed has overwritten; `waiting`: parked operations, and
    `finished`: agents that have reported, in order of arrival, which alone decides between them."""

    read_from: Map = Map()
    overwritten_by: Map = Map()
    stale: Map = Map()
    waiting: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    irrevocable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimistic:
    """The protocol; `restarts` is how often an agent may begin again before it gives up."""

    name: str = "occ"
    restarts: int = 5
    promises: str = "any"
    emits: frozenset[str] = CALLS | WAITS | RESTARTS
    anonymous = True
    symmetric = True

    def start(self) -> Run:
        """An empty run."""
        return Run(extra=Dependencies())

    def private(self, run: Run, what: Perform | Event) -> bool:
        """A completion answers its own agent alone; who reads from whom was noted when the call was let through."""
        return isinstance(what, Perform)

    def step(self, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
        """One event: the new run and the effects."""
        check_legal(run, event)
        turn = Turn(run)
        match event:
            case Launched():
                turn.launch(event.agent, event.rank)
                turn.emit(Start(agent=event.agent))
            case Inferring():
                turn.set_agent(event.agent, phase=Phase.INFERRING)
            case Invoked():
                self._request(turn, turn.place(event))
                self._advance(turn)
            case Finished():
                turn.set_agent(event.agent, phase=Phase.FINISHED)
                turn.extra = replace(turn.extra, finished=(*turn.extra.finished, event.agent))
                self._advance(turn)
            case Died():
                self._abort(turn, {event.agent: DIED})
                self._advance(turn)
            case Performed():
                answered(turn, event)
            case Retracted():
                refuse_repair(event)
        return turn.result()

    def _request(self, turn: Turn, op: Operation) -> None:
        """Let a call act, wait behind an irrevocable agent, or lose to an uncommitted write."""
        firm = turn.extra.irrevocable
        if not op.declaration.recoverable and firm != op.agent:
            self._firm_up(turn, op)
            return
        others = {other.agent for other in _conflicting(turn, op)}
        if firm and firm != op.agent and firm in others:
            _park(turn, op)
            return
        over = {other.agent for other in turn.writing(op.writes)} - {op.agent}
        if firm == op.agent:
            written = {other.agent for other in turn.writing(op.declaration.footprint)} - {op.agent}
            self._abort(
                turn, {name: f"{op.agent} acts irrevocably and needs what {name} wrote" for name in sorted(written)}
            )
        elif over:
            why = f"a write over an uncommitted write of {' and '.join(sorted(over))}"
            self._abort(turn, {op.agent: why})
            return
        _act(turn, op)

    def _firm_up(self, turn: Turn, op: Operation) -> None:
        """Make the caller irrevocable, as soon as it can be."""
        deps = turn.extra
        if deps.irrevocable or deps.read_from.get(op.agent):
            _park(turn, op)
        elif op.agent in deps.stale:
            self._abort(turn, {op.agent: _why_stale(turn, op.agent)})
        else:
            over = sorted(deps.overwritten_by.get(op.agent, ()))
            self._abort(
                turn, {name: f"{op.agent} acts irrevocably and had read what {name} overwrote" for name in over}
            )
            turn.extra = replace(turn.extra, irrevocable=op.agent)
            self._request(turn, op)

    def _advance(self, turn: Turn) -> None:
        """Commit and abort whoever is ready to, first come first, and retry parked calls, until nothing changes."""
        moved = True
        while moved:
            moved = any(self._validate(turn, name) for name in turn.extra.finished) or self._retry(turn)
            if not moved and (cycle := _waiting_cycle(turn)):
                came = [*(turn.ops[op].agent for op in turn.extra.waiting), *turn.extra.finished]
                why = f"{' and '.join(cycle)} read each other's uncommitted writes"
                self._abort(turn, {max(cycle, key=came.index): why})
                moved = True

    def _validate(self, turn: Turn, name: str) -> bool:
        deps = turn.extra
        if deps.read_from.get(name):
            return False
        if name in deps.stale:
            self._abort(turn, {name: _why_stale(turn, name)})
        else:
            _commit(turn, name)
        return True

    def _retry(self, turn: Turn) -> bool:
        """Give each parked call that nothing blocks any more another try."""
        for waiting in turn.extra.waiting:
            op = turn.ops[waiting]
            firm = turn.extra.irrevocable
            needs_firm = not op.declaration.recoverable
            blocked = turn.extra.read_from.get(op.agent) if needs_firm else None
            if blocked or (firm and (needs_firm or firm in {one.agent for one in _conflicting(turn, op)})):
                continue
            rest = tuple(name for name in turn.extra.waiting if name != waiting)
            turn.extra = replace(turn.extra, waiting=rest)
            turn.set_agent(op.agent, phase=Phase.WAITING)
            turn.emit(Release(agent=op.agent, op=waiting))
            self._request(turn, turn.set_op(waiting, standing=Standing.FLYING))
            return True
        return False

    def _abort(self, turn: Turn, because: dict[str, str]) -> None:
        """Abort attempts, each for its reason, and whoever read, at any remove, what they wrote; the furthest first."""
        doomed = dict(because)
        for source in (queue := [*doomed]):
            for other in turn.order:
                if other not in doomed and source in turn.extra.read_from.get(other, ()):
                    doomed[other] = f"{other} read what {source} wrote, and {source} aborted"
                    queue.append(other)
        for one in reversed(doomed):
            turn.extra = _forgotten(turn, one)
            if doomed[one] == DIED:
                turn.compensate(one)
                turn.bury(one)
            else:
                turn.abort(one, doomed[one], self.restarts)


def _conflicting(turn: Turn, op: Operation) -> list[Operation]:
    """The running agents' operations that conflict with `op`."""
    return [*turn.writing(op.declaration.footprint), *turn.reading(op.writes)]


def _act(turn: Turn, op: Operation) -> None:
    """Emit the call, and note whom it reads from and whose reads it overwrites."""
    deps = turn.extra
    sources = {other.agent for other in turn.writing(op.reads)} - {op.agent}
    readers = {other.agent for other in turn.reading(op.writes)} - {op.agent}
    read_from = deps.read_from.set(op.agent, deps.read_from.get(op.agent, frozenset()) | sources)
    overwritten = deps.overwritten_by
    for reader in readers:
        overwritten = overwritten.set(reader, overwritten.get(reader, frozenset()) | {op.agent})
    turn.extra = replace(deps, read_from=read_from, overwritten_by=overwritten)
    turn.index(op)
    turn.perform(op.name, "exec")


def _park(turn: Turn, op: Operation) -> None:
    turn.set_op(op.name, standing=Standing.PARKED)
    turn.set_agent(op.agent, phase=Phase.PARKED)
    turn.extra = replace(turn.extra, waiting=(*turn.extra.waiting, op.name))
    turn.emit(Park(agent=op.agent, op=op.name))


def _commit(turn: Turn, name: str) -> None:
    """Make a run final; whoever had read what it overwrote will fail its own validation."""
    for op in turn.agents[name].ops:
        turn.unindex(turn.ops[op])
    stale = turn.extra.stale
    for reader, writers in turn.extra.overwritten_by.items():
        if name in writers:
            stale = stale.set(reader, (*stale.get(reader, ()), name))
    turn.extra = replace(_forgotten(turn, name), stale=stale.delete(name) if name in stale else stale)
    turn.commit(name)


def _forgotten(turn: Turn, name: str) -> Dependencies:
    """The dependencies without an agent that is no longer running."""
    deps = turn.extra
    read_from, overwritten = (
        Map({one: others - {name} for one, others in table.items() if one != name and others - {name}})
        for table in (deps.read_from, deps.overwritten_by)
    )
    return Dependencies(
        read_from=read_from,
        overwritten_by=overwritten,
        stale=deps.stale.delete(name) if name in deps.stale else deps.stale,
        waiting=tuple(op for op in deps.waiting if turn.ops[op].agent != name),
        finished=tuple(one for one in deps.finished if one != name),
        irrevocable=None if deps.irrevocable == name else deps.irrevocable,
    )


def _why_stale(turn: Turn, name: str) -> str:
    return f"validation: {' and '.join(turn.extra.stale[name])} committed a write over what {name} had read"


def _waiting_cycle(turn: Turn) -> tuple[str, ...]:
    """Agents that all wait for one another's commit, in pre-order; empty when there are none."""
    parked = {turn.ops[op].agent for op in turn.extra.waiting}
    waits = {
        name: turn.extra.read_from.get(name, frozenset())
        for name in turn.order
        if turn.agents[name].phase is Phase.FINISHED or name in parked
    }
    while shrunk := {name: on for name, on in waits.items() if on and on & set(waits)}:
        if len(shrunk) == len(waits):
            return tuple(waits)
        waits = shrunk
    return ()
