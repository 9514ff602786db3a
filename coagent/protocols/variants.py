"""MTPO with the rules of reading, of slotting in and of waiting left out or bent, and every variant by its name.

Decides nothing that MTPO does not: each variant overrides one small method. The sentences that they break are in our
own words, with the papers' section, "ours" where the papers are silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coagent.effect import Cancel
from coagent.event import Invoked
from coagent.protocols import trajectory
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Operation, Phase, Standing, Turn
from coagent.protocols.standing import forget
from coagent.protocols.variant import Variant
from coagent.protocols.variant_notice import (
    LostInInference,
    MaskedToo,
    NoResultNotice,
    OncePerAgent,
    OncePerOperation,
    Silent,
    TwoWay,
    Unrefreshed,
    Unreopened,
)

# rule 1: reads are filtered by the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfiltered(Variant):
    """Reads see the live store, whoever wrote it."""

    name: str = "mtpo-without-filtered-reads"
    breaks: str = "P1 section 4.3: a read is served as its own position shows it, without what higher ones wrote"
    expects: str = "too-new read"

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAgent(Variant):
    """Reads are filtered by agent, not by step: an agent sees its own later writes when it reads anew."""

    name: str = "mtpo-with-agent-positions"
    breaks: str = "P1 section 4.2: the order is one of steps, and a read comes before its own agent's later write"
    expects: str = "too-new read"

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return [other for other in trajectory.landed_above(turn, op) if other.agent != op.agent]


# rule 3: late writes are slotted in


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTop(Variant):
    """A late write lands on top of what is above it."""

    name: str = "mtpo-without-slotting"
    breaks: str = "P1 section 4.4: a late write acts under what took effect above it, not over it"
    expects: str = "order inversion"

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        if replaced:
            Mtpo._write(self, turn, op, replaced)
            return
        turn.index(op)
        turn.perform(op.name, "exec")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectOnly(Variant):
    """Only what conflicts with the late write itself is undone, not what conflicts with that in turn."""

    name: str = "mtpo-without-transitive-closure"
    breaks: str = "P1 section 4.4: what is undone is closed over conflict, transitively"
    expects: str = "undo out of order"

    def _displaced(self, turn: Turn, seeds: list[Operation]) -> list[Operation]:
        return trajectory.displaced(turn, seeds, transitive=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstInFirstOut(Variant):
    """What is in the way is undone in the order in which it was done."""

    name: str = "mtpo-with-undo-first-in-first-out"
    breaks: str = "P1 section 4.4: what is in the way is undone last in, first out"
    expects: str = "undo out of order"

    def _undoing(self, taken: list[Operation]) -> list[Operation]:
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoneBackwards(Variant):
    """What was undone is redone from the last to the first."""

    name: str = "mtpo-with-redo-backwards"
    breaks: str = "P1 section 4.4: what was undone is redone in serial order"
    expects: str = "too-new read"

    def _redoing(self, op: Operation | None, back: list[Operation]) -> list[Operation]:
        first = [op] if op else []
        return first + sorted(back, key=lambda one: one.position, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetful(Variant):
    """What was undone is not redone."""

    name: str = "mtpo-without-redo"
    breaks: str = "P1 section 4.4: what was undone for a late write is brought back above it"
    expects: str = "unanswered cancellation"

    def _redoing(self, op: Operation | None, back: list[Operation]) -> list[Operation]:
        return [op] if op else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked(Variant):
    """What a late write displaced is cancelled, and its agents are not asked to make it again."""

    name: str = "mtpo-without-reissue"
    late: str = "reissue"
    breaks: str = "P2 section 4: the originator of a cancelled write is told, and decides whether to make it again"
    expects: str = "unanswered cancellation"

    def _cancel(self, turn: Turn, op: Operation, by: str) -> None:
        turn.unindex(op)
        if op.standing in trajectory.LIVE:
            turn.leaving = turn.leaving.add(op.writes, op.name)
        turn.set_op(op.name, standing=Standing.CANCELLED, told=None)
        turn.emit(Cancel(op=op.name, by=by))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresStay(Variant):
    """A call that failed is not looked at again when what made it fail has changed."""

    name: str = "mtpo-without-retried-failures"
    breaks: str = "ours, to P1 section 4.4: a failed call is still a read of what made it fail"
    expects: str = "wrong result"

    def _displaced(self, turn: Turn, seeds: list[Operation]) -> list[Operation]:
        return [one for one in trajectory.displaced(turn, seeds) if one.standing is not Standing.FAILED]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverReaders(Variant):
    """Thomas' write rule though a read-modify-write stands between the late write and the one that covers it."""

    name: str = "mtpo-with-thomas-over-rmw"
    breaks: str = "ours, after Thomas (1979): a write may be left out only when nothing above reads it before its cover"
    expects: str = "wrong result"

    def _cover(self, turn: Turn, op: Operation) -> Operation | None:
        return _next_blind(turn, op) if op.declaration.blind and op.declaration.image else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RmwMasked(Variant):
    """Thomas' write rule for a read-modify-write too: it answers without having been carried out at its place."""

    name: str = "mtpo-with-thomas-for-rmw"
    breaks: str = "ours, after Thomas (1979): only a blind write knows its result without what it replaces"
    expects: str = "wrong result"

    def _cover(self, turn: Turn, op: Operation) -> Operation | None:
        return trajectory.cover(turn, op)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered(Variant):
    """What a covering write had hidden stays out of the store when the cover goes."""

    name: str = "mtpo-without-uncovering"
    breaks: str = "ours, to Thomas' write rule: when the covering write goes, what it covered is applied"
    expects: str = "diverged state"

    def _redoing(self, op: Operation | None, back: list[Operation]) -> list[Operation]:
        return Mtpo._redoing(self, op, [one for one in back if one.standing is not Standing.MASKED])


def _next_blind(turn: Turn, op: Operation) -> Operation | None:
    """The lowest landed blind write above that covers this one, whatever stands between."""
    above = sorted((one for one in turn.writing(op.writes) if one.position > op.position), key=lambda one: one.position)
    return next((one for one in above if one.declaration.blind and _stands(one) and _within(op, one)), None)


def _stands(op: Operation) -> bool:
    return op.standing is Standing.APPLIED and not op.flights


def _within(op: Operation, cover: Operation) -> bool:
    return set(op.writes) <= set(cover.writes)


# waiting, and commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Hasty(Variant):
    """A call that cannot be undone waits for nobody."""

    name: str = "mtpo-without-unrecoverable-hold"
    breaks: str = "P1 section 5: a call that cannot be undone waits until every lower rank has committed"
    expects: str = "premature unrecoverable call"

    def _invoked(self, turn: Turn, event: Invoked) -> None:
        if not self._held(turn, event.agent, event.call, event.declaration):
            replaced = [turn.ops[event.replaces]] if event.replaces else []
            self._land(turn, turn.place(event), replaced)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitsEarly(Variant):
    """An agent that is finished and quiet commits, whoever below it is still going on."""

    name: str = "mtpo-with-early-commit"
    breaks: str = "ours, to P1 section 4: an agent commits when every lower rank has committed"
    expects: str = "stale read"

    def _settle(self, turn: Turn) -> None:
        for agent in [turn.agents[name] for name in turn.order]:
            if agent.phase is Phase.FINISHED and not agent.inbox and not agent.flights:
                for name in agent.ops:
                    forget(turn, turn.ops[name])
                turn.commit(agent.name)
        while turn.settled < len(turn.order) and turn.agents[turn.order[turn.settled]].phase is Phase.DONE:
            turn.settled += 1
        Mtpo._settle(self, turn)


VARIANTS: Mapping[str, Variant] = {
    one.name: one
    for one in (
        Unfiltered(),
        ByAgent(),
        Unrefreshed(),
        Silent(),
        NoResultNotice(),
        OncePerOperation(),
        OncePerAgent(),
        TwoWay(),
        Unreopened(),
        LostInInference(),
        MaskedToo(),
        OnTop(),
        DirectOnly(),
        FirstInFirstOut(),
        RedoneBackwards(),
        Forgetful(),
        Unasked(),
        FailuresStay(),
        OverReaders(),
        RmwMasked(),
        Uncovered(),
        Hasty(),
        CommitsEarly(),
    )
}
"""Every variant by name; all but those that expect no anomaly are wrong."""
