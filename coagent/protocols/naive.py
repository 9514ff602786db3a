"""No coordination: every call acts on the live state when it comes.

The rule in one sentence: perform, reply, commit. The cost in one sentence: nothing, and nothing is promised.
"""

from dataclasses import dataclass

from coagent.effect import Effect, Perform, Start
from coagent.event import Died, Event, Finished, IllegalEvent, Inferring, Invoked, Launched, Performed, Retracted
from coagent.protocols.run import CALLS, Phase, Run, Standing, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """The protocol that coordinates nothing."""

    name: str = "naive"
    promises: str = "any"
    emits: frozenset[str] = CALLS
    anonymous = True
    symmetric = True

    def start(self) -> Run:
        """An empty run."""
        return Run()

    def private(self, run: Run, what: Perform | Event) -> bool:
        """A completion answers its own agent, and a report commits it; neither asks or tells anybody else."""
        return isinstance(what, Perform | Finished)

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
                turn.perform(turn.place(event).name, "exec")
            case Finished():
                turn.commit(event.agent)
            case Died():
                turn.bury(event.agent)  # nothing is taken back: what it did half stays
            case Performed():
                answered(turn, event)
            case Retracted():
                refuse_repair(event)
        return turn.result()


def answered(turn: Turn, event: Performed) -> bool:
    """Pass an execution's result on to its agent, once it is known. Says whether there was one to pass on."""
    op = turn.landed(event)
    if event.result.status == "unknown":
        turn.perform(op.name, "resolve")
        return False
    if event.act not in ("exec", "resolve") or op.standing is Standing.REMOVED:
        return False
    standing = Standing.APPLIED if event.result.status == "ok" else Standing.FAILED
    turn.reply(turn.set_op(op.name, standing=standing, told=event.result, wrote=event.wrote))
    return True


def refuse_repair(event: Retracted) -> None:
    """Nobody is told anything here that could make an agent take something back."""
    raise IllegalEvent(f"{event.agent!r} retracts {event.op!r}, and this protocol sends no notices")
