"""Two-way notices without ranks: whoever read what has changed is told, whoever changed it.

The rule in one sentence: every write lands in place and every other agent whose earlier read now
comes out differently is notified. The cost in one sentence: two corrections can invalidate each
other for ever. It exists to show that livelock (P1 section 4.5, why notices are one-way).
"""

from dataclasses import dataclass

from coagent.effect import Effect, Remove, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Performed, Retracted
from coagent.operation import Notice
from coagent.protocols import notices
from coagent.protocols.naive import answered
from coagent.protocols.run import CALLS, NOTICES, Operation, Phase, Run, Standing, Turn, check_legal
from coagent.tool import outcome_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """The protocol. `extra` lists what counts as emitted: an undo is only tried on what nobody touched since."""

    name: str = "broadcast"
    promises: str = "any"
    emits: frozenset[str] = CALLS | NOTICES
    anonymous = True

    def start(self) -> Run:
        """An empty run."""
        return Run(extra=())

    def step(self, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
        """One event: the new run and the effects."""
        check_legal(run, event)
        turn = Turn(run)
        match event:
            case Launched():
                turn.launch(event.agent, event.rank)
                turn.emit(Start(agent=event.agent))
            case Inferring():
                notices.begin_inference(turn, event.agent)
            case Invoked() if not notices.held_back(turn, event.agent, event.call):
                _land(turn, turn.place(event), event.replaces)
            case Retracted() if not notices.held_back(turn, event.agent, turn.ops[event.op].call):
                _take_back(turn, event)
            case Finished() if not notices.held_back(turn, event.agent, None):
                turn.set_agent(event.agent, phase=Phase.FINISHED)
            case Died():
                for name in reversed(turn.agents[event.agent].ops):
                    _remove(turn, turn.ops[name], None, undo=True)
                turn.bury(event.agent)
            case Performed():
                _performed(turn, event)
        _settle(turn)
        return turn.result()


def _land(turn: Turn, op: Operation, replaces: str | None) -> None:
    """Act in place; what the call replaces is undone first if it can be, unless the new write covers it anyway."""
    if replaces:
        old = turn.ops[replaces]
        _remove(turn, old, op.name, undo=not (op.declaration.blind and set(old.writes) <= set(op.writes)))
    turn.index(op)
    turn.extra = (*turn.extra, op.name)
    turn.perform(op.name, "exec")


def _take_back(turn: Turn, event: Retracted) -> None:
    op, agent = turn.ops[event.op], turn.agents[event.agent]
    turn.set_agent(event.agent, ops=tuple(name for name in agent.ops if name != op.name))
    undone = _remove(turn, op, None, undo=True)
    if event.last:
        turn.set_agent(event.agent, phase=Phase.WAITING, awaits=op.name)
        if not undone:
            turn.reply(op)


def _remove(turn: Turn, op: Operation, by: str | None, *, undo: bool) -> bool:
    """Take an operation out; says whether an undo is on its way. What others have built on stays as it is."""
    turn.unindex(op)
    turn.set_op(op.name, standing=Standing.REMOVED)
    turn.emit(Remove(op=op.name, by=by))
    later = (*turn.writing(op.declaration.footprint), *turn.reading(op.writes))
    place = turn.extra.index(op.name)
    since, turn.extra = turn.extra[place:], (*turn.extra[:place], *turn.extra[place + 1 :])
    buried = any(other.name in since and other.writes for other in later)
    if not (undo and op.writes and op.declaration.recoverable and op.standing is Standing.APPLIED) or buried:
        return False
    turn.perform(op.name, "undo")
    return True


def _performed(turn: Turn, event: Performed) -> None:
    if event.act == "refresh":
        _refreshed(turn, event)
        return
    passed = answered(turn, event)
    op = turn.ops[event.op]
    if event.act == "undo" and turn.agents[op.agent].awaits == op.name:
        turn.reply(op)
    if event.act == "undo" or (passed and event.wrote):
        stale = [other for other in turn.reading(op.writes) if other.agent != op.agent and not other.writes]
        stale = [other for other in stale if turn.agents[other.agent].phase is not Phase.DONE]
        for other in sorted(stale, key=lambda one: one.position):
            turn.perform(other.name, "refresh", cause=op.name)


def _refreshed(turn: Turn, event: Performed) -> None:
    op = turn.landed(event)
    if op.standing is Standing.REMOVED or op.told is None or outcome_equal(op.told, event.result):
        return
    turn.set_op(op.name, told=event.result)
    notices.send(turn, Notice(agent=op.agent, op=op.name, cause=event.cause, result=event.result, saw=event.saw))


def _settle(turn: Turn) -> None:
    """Commit everybody there is once everybody has finished and nothing is on its way; who comes later comes after."""
    agents = [turn.agents[name] for name in turn.order]
    here = [one for one in agents if one.phase is not Phase.DONE]
    quiet = all(one.phase is Phase.FINISHED and not one.inbox for one in here)
    if quiet and not any(one.flights for one in agents):
        for one in here:
            turn.commit(one.name)
