"""MTPO with the second rule, that whoever read otherwise is told, left out or bent: nine variants.

Each overrides one small method. The sentences that they break are in our own words, with the papers' section.
"""

from dataclasses import dataclass, replace

from immutables import Map

from coagent.event import Event, Finished, Invoked, Performed, Retracted
from coagent.operation import Notice, Result, Sighting
from coagent.protocols import notices
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Operation, Phase, Run, Standing, Turn
from coagent.protocols.variant import Variant
from coagent.tool import outcome_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrefreshed(Variant):
    """Nobody looks again at what a late write made stale; only results of redone calls are told."""

    name: str = "mtpo-without-reader-notices"
    breaks: str = "P1 section 4.5: a write that lands notifies the higher readers of what it wrote"
    expects: str = "stale read"

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(Variant):
    """What is stale is found, and nobody is told."""

    name: str = "mtpo-without-any-notice"
    breaks: str = "P2 section 3: only a consumed notice of the value makes a stale read count as a right one"
    expects: str = "missed notice"

    def _tell(self, turn: Turn, op: Operation, *about: object) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResultNotice(Variant):
    """A redone call that comes to something else is not told to its agent."""

    name: str = "mtpo-without-result-notices"
    breaks: str = "P1 section 4.4 (the result as a premise is ours): a redo that returns something else is told"
    expects: str = "missed notice"

    def _redone(self, turn: Turn, op: Operation, event: Performed) -> None:
        Mtpo._redone(self, turn, op, replace(event, cause=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class OncePerOperation(Variant):
    """An operation is told of once; when it changes again, its agent keeps to the first notice."""

    name: str = "mtpo-with-one-notice-per-operation"
    breaks: str = "P1 section 4.5: every change is told, and of several about one object the newest counts"
    expects: str = "missed notice"

    def start(self) -> Run:
        """An empty run; `extra` holds who or what has been told."""
        return Run(extra=Map())

    def _tell(self, turn: Turn, op: Operation, cause: str, result: Result, saw: tuple[Sighting, ...]) -> None:
        whom, before = self._whom(op), len(turn.effects)
        if whom not in turn.extra:
            Mtpo._tell(self, turn, op, cause, result, saw)
        if len(turn.effects) > before:
            turn.extra = turn.extra.set(whom, True)

    def _whom(self, op: Operation) -> str:
        return op.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OncePerAgent(OncePerOperation):
    """An agent is told once; whatever else changes under it, it is not told again."""

    name: str = "mtpo-with-one-notice-per-agent"
    breaks: str = "P1 section 4.5: every reader of what changed is told, of each of its reads"

    def _whom(self, op: Operation) -> str:
        return op.agent


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWay(Variant):
    """Whoever read what is written now is told of it as it is, above and below."""

    name: str = "mtpo-with-downward-notices"
    breaks: str = "P1 section 4.5: notices go upward in rank only, so that repairs come to an end"
    expects: str = "downward notice"

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        Mtpo._refresh_readers(self, turn, write, below)
        for op in sorted(turn.reading(write.writes), key=lambda one: one.position):
            if not op.writes and op.position < write.position and not op.refreshing:
                turn.set_op(op.name, refreshing=True)
                turn.perform(op.name, "refresh", cause=write.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreopened(Variant):
    """Who has finished is left alone, whatever changes."""

    name: str = "mtpo-without-reopening"
    breaks: str = "P1 section 4.5: an agent that had finished is reopened by a notice, until it commits"
    expects: str = "missed notice"

    def _tell(self, turn: Turn, op: Operation, cause: str, result: Result, saw: tuple[Sighting, ...]) -> None:
        if turn.agents[op.agent].phase is not Phase.FINISHED:
            Mtpo._tell(self, turn, op, cause, result, saw)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostInInference(Variant):
    """A notice that comes in the middle of an inference is gone when the inference ends."""

    name: str = "mtpo-without-notices-in-mid-inference"
    breaks: str = "A2, P1 section 4: every delivered notice is consumed before the next action"
    expects: str = "missed notice"

    def step(self, run: Run, event: Event) -> tuple[Run, tuple]:
        """MTPO's step, with an empty inbox where an inference ends."""
        match event:
            case Invoked() | Retracted() | Finished() if event.agent in run.agents:
                agents = run.agents.set(event.agent, replace(run.agents[event.agent], inbox=()))
                return Mtpo.step(self, replace(run, agents=agents), event)
        return Mtpo.step(self, run, event)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedToo(Variant):
    """A masked write is told also to the readers above its cover, for whom nothing has changed. Harmless, and work."""

    name: str = "mtpo-with-masked-notices"
    breaks: str = "ours, to P1 section 4.5: a write that is masked from a reader does not concern it"

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        Mtpo._refresh_readers(self, turn, write)

    def _tell(self, turn: Turn, op: Operation, cause: str, result: Result, saw: tuple[Sighting, ...]) -> None:
        masked = turn.ops[cause].standing is Standing.MASKED
        if masked and op.told is not None and outcome_equal(op.told, result):
            notices.send(turn, Notice(agent=op.agent, op=op.name, cause=cause, result=result, saw=saw))
        else:
            Mtpo._tell(self, turn, op, cause, result, saw)
