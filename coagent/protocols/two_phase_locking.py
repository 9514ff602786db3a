"""2PL-saga: declared footprints are locks, shared for reads and exclusive for writes, held to commit.

The rule in one sentence: a call whose footprint conflicts with another agent's waits for that agent
to commit, and of agents that wait for each other the youngest is undone by its inverses and begins
again. The cost in one sentence: locks are held over inference, so waiting lasts minutes, and a
victim's work is lost. (P1 section 6, baselines; Eswaran et al. 1976; Garcia-Molina and Salem 1987.)

The granted operations in the path index are the locks. An agent that made an unrecoverable call can
no longer be a victim; hence only one agent at a time may be in that position, and others wait.
"""

from dataclasses import dataclass

from coagent.effect import Effect, Park, Perform, Release, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Performed, Retracted
from coagent.protocols.naive import answered, refuse_repair
from coagent.protocols.run import CALLS, RESTARTS, WAITS, Operation, Phase, Run, Standing, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """Who waits (operations in order of arrival), and who has acted irrevocably and must not be a victim."""

    waiting: tuple[str, ...] = ()
    irrevocable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPhaseLocking:
    """The protocol; `restarts` is how often a victim may begin again before it gives up."""

    name: str = "2pl"
    restarts: int = 5
    promises: str = "any"
    emits: frozenset[str] = CALLS | WAITS | RESTARTS
    anonymous = True

    def start(self) -> Run:
        """An empty run."""
        return Run(extra=Locks())

    def private(self, run: Run, what: Perform | Event) -> bool:
        """A completion answers its own agent alone; locks are asked for, and given up, when inferences end, and that
        may be at any time when nobody else can act: all others wait for locks, or have committed."""
        if isinstance(what, Perform):
            return True
        others = (one.phase for name, one in run.agents.items() if name != what.agent)
        return all(phase in (Phase.PARKED, Phase.DONE) for phase in others)

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
            case Finished():
                _release(turn, event.agent)
                turn.commit(event.agent)
                _admit(turn)
            case Died():
                _release(turn, event.agent)
                turn.compensate(event.agent)
                turn.bury(event.agent)
                _admit(turn)
            case Performed():
                answered(turn, event)
            case Retracted():
                refuse_repair(event)
        return turn.result()

    def _request(self, turn: Turn, op: Operation) -> None:
        if not blockers(turn, op):
            _grant(turn, op)
            return
        turn.set_op(op.name, standing=Standing.PARKED)
        turn.set_agent(op.agent, phase=Phase.PARKED)
        turn.extra = Locks(waiting=(*turn.extra.waiting, op.name), irrevocable=turn.extra.irrevocable)
        turn.emit(Park(agent=op.agent, op=op.name))
        while cycle := waiting_cycle(turn, op.agent):
            free = [name for name in cycle if name != turn.extra.irrevocable]
            victim = max(free, key=lambda name: turn.agents[name].rank)
            around = " waits for ".join([*cycle, cycle[0]])
            _release(turn, victim)
            turn.abort(victim, f"deadlock: {around}", self.restarts)
            _admit(turn)


def blockers(turn: Turn, op: Operation) -> set[str]:
    """The agents whose granted locks conflict with an operation's footprint."""
    touching = (*turn.writing(op.declaration.footprint), *turn.reading(op.writes))
    held = {other.agent for other in touching}
    if not op.declaration.recoverable and turn.extra.irrevocable:
        held.add(turn.extra.irrevocable)
    return held - {op.agent}


def waiting_cycle(turn: Turn, agent: str) -> tuple[str, ...]:
    """The agents that wait for each other in a circle through `agent`, shortest first; empty when there is none."""
    requests = {turn.ops[name].agent: turn.ops[name] for name in turn.extra.waiting}
    paths = [(agent,)]
    seen = set()
    while paths:
        path = paths.pop(0)
        if path[-1] not in requests:
            continue
        for other in sorted(blockers(turn, requests[path[-1]])):
            if other == agent:
                return path
            if other not in seen:
                seen.add(other)
                paths.append((*path, other))
    return ()


def _grant(turn: Turn, op: Operation) -> None:
    turn.index(op)
    if not op.declaration.recoverable:
        turn.extra = Locks(waiting=turn.extra.waiting, irrevocable=op.agent)
    turn.perform(op.name, "exec")


def _release(turn: Turn, agent: str) -> None:
    """Give up all of an agent's locks and requests."""
    for name in turn.agents[agent].ops:
        turn.unindex(turn.ops[name])
    held = turn.extra.irrevocable
    waiting = tuple(name for name in turn.extra.waiting if turn.ops[name].agent != agent)
    turn.extra = Locks(waiting=waiting, irrevocable=None if held == agent else held)


def _admit(turn: Turn) -> None:
    """Grant, in order of arrival, the requests that nothing blocks any more."""
    for name in turn.extra.waiting:
        op = turn.ops[name]
        if not blockers(turn, op):
            waiting = tuple(other for other in turn.extra.waiting if other != name)
            turn.extra = Locks(waiting=waiting, irrevocable=turn.extra.irrevocable)
            turn.set_agent(op.agent, phase=Phase.WAITING)
            turn.emit(Release(agent=op.agent, op=name))
            _grant(turn, turn.set_op(name, standing=Standing.FLYING))
