"""MTPO with one rule taken out, each in turn: what the checker must be able to lay at the protocol's door."""

from dataclasses import dataclass, replace

from coagent.event import Invoked, Performed
from coagent.protocols import trajectory
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Operation, Standing, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfiltered(Mtpo):
    """Reads see the live store, whoever wrote it."""

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAgent(Mtpo):
    """Reads are filtered by agent, not by step: an agent sees its own later writes."""

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return [other for other in Mtpo._above(self, turn, op) if other.agent != op.agent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold(Mtpo):
    """Nobody looks again at what a late write made stale."""

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(Mtpo):
    """What is stale is found, and nobody is told."""

    def _tell(self, turn: Turn, op: Operation, *about: object) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResultNotice(Mtpo):
    """A redone call that comes to something else is not told to its agent."""

    def _redone(self, turn: Turn, op: Operation, event: Performed) -> None:
        Mtpo._redone(self, turn, op, replace(event, cause=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTop(Mtpo):
    """A late write lands on top of what is above it."""

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        if replaced:
            Mtpo._write(self, turn, op, replaced)
            return
        turn.index(op)
        turn.perform(op.name, "exec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged(Mtpo):
    """A late write is slotted in, but: undoing only direct conflicts, not last in first out, or without redoing."""

    transitive: bool = True
    lifo: bool = True
    redoes: bool = True

    def _arrange(self, turn: Turn, op: Operation | None, removed: list[Operation], **how: object) -> bool:
        reading = op is not None and not op.writes
        gone = [one for one in removed if one.writes and one.declaration.recoverable]
        moved = trajectory.displaced(turn, [*gone, *([op] if op else [])], transitive=self.transitive)
        undone = sorted((*moved, *gone), key=lambda one: one.position, reverse=self.lifo)
        bare = [one for one in trajectory.uncovered(turn, undone) if one not in undone]
        taken = [one for one in undone if one.standing in trajectory.LIVE]
        reason = op.name if op else removed[0].name
        for old in removed:
            self._remove(turn, old, op.name if op else None)
        for one in taken:
            turn.perform(one.name, "undo", cause=reason)
        if op and not reading:
            turn.index(op)
        back = [*moved, *bare] if self.redoes else []
        for one in sorted((*back, *([op] if op else [])), key=lambda one: one.position):
            if op and one.name == op.name:
                turn.perform(
                    op.name, how.get("act", "exec"), route="undo" if reading else "live", cause=how.get("cause")
                )
            else:
                turn.set_op(one.name, standing=Standing.FLYING, cover=None)
                turn.perform(one.name, "redo", cause=None if reading else reason)
        return bool(gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hasty(Mtpo):
    """A call that cannot be undone waits for nobody."""

    def _invoked(self, turn: Turn, event: Invoked) -> None:
        if self._held(turn, event.agent, event.call, event.declaration):
            return
        replaced = [turn.ops[event.replaces]] if event.replaces else []
        self._land(turn, turn.place(event), replaced)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWay(Mtpo):
    """Whoever read what is written now is told, above and below."""

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        Mtpo._refresh_readers(self, turn, write, below)
        for op in sorted(turn.reading(write.writes), key=lambda one: one.position):
            if not op.writes and op.position < write.position and not op.refreshing:
                turn.set_op(op.name, refreshing=True)
                turn.perform(op.name, "refresh", cause=write.name)


BROKEN: tuple[Mtpo, ...] = (
    Unfiltered(),
    ByAgent(),
    Untold(),
    Silent(),
    NoResultNotice(),
    OnTop(),
    Arranged(transitive=False),
    Arranged(lifo=False),
    Arranged(redoes=False),
    Hasty(),
    TwoWay(),
)
"""One for each rule."""
