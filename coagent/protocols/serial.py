"""One agent after the other, in pre-order.

The rule in one sentence: an agent starts when the one before it has committed. The cost in one
sentence: the sum of everybody's time.
"""

from dataclasses import dataclass

from coagent.effect import Effect, Perform, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Performed, Retracted
from coagent.protocols.naive import answered, refuse_repair
from coagent.protocols.run import CALLS, Phase, Run, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """The protocol that admits one agent at a time."""

    name: str = "serial"
    promises: str = "any"
    emits: frozenset[str] = CALLS
    anonymous = True

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
                if turn.order[turn.settled] == event.agent:
                    turn.emit(Start(agent=event.agent))
            case Inferring():
                turn.set_agent(event.agent, phase=Phase.INFERRING)
            case Invoked():
                turn.perform(turn.place(event).name, "exec")
            case Finished():
                turn.commit(event.agent)
                _start_next(turn)
            case Died():
                turn.compensate(event.agent)
                turn.bury(event.agent)
                _start_next(turn)
            case Performed():
                answered(turn, event)
            case Retracted():
                refuse_repair(event)
        return turn.result()


def _start_next(turn: Turn) -> None:
    turn.settled += 1
    if turn.settled < len(turn.order):
        turn.emit(Start(agent=turn.order[turn.settled]))
