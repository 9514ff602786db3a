"""MTPO with one of its rules taken out at a time: protocols that are wrong, and that a proof must refute."""

from dataclasses import dataclass, replace

from coagent.effect import Mask
from coagent.event import Invoked, Performed
from coagent.operation import Result, Sighting
from coagent.protocols import trajectory
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Operation, Standing, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfiltered(Mtpo):
    """Reads see the live state, whoever wrote it."""

    name: str = "unfiltered"

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Unordered(Mtpo):
    """Late writes land on top of what should have come after them."""

    name: str = "unordered"

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        for old in replaced:
            self._leaves(turn, old, op.name)
        turn.index(op)
        turn.perform(op.name, "exec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold(Mtpo):
    """Nobody is told that a premise has changed."""

    name: str = "untold"

    def _tell(self, turn: Turn, op: Operation, cause: str, result: Result, saw: tuple[Sighting, ...]) -> None:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentRedo(Mtpo):
    """A redone call that comes out otherwise is not told to its agent."""

    name: str = "silent-redo"

    def _redone(self, turn: Turn, op: Operation, event: Performed) -> None:
        Mtpo._redone(self, turn, op, replace(event, cause=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class ByAgent(Mtpo):
    """Positions are those of agents: a read sees its own agent's later writes."""

    name: str = "by-agent"

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return [other for other in trajectory.landed_above(turn, op) if other.agent != op.agent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eager(Mtpo):
    """Unrecoverable calls do not wait for anybody."""

    name: str = "eager"

    def _invoked(self, turn: Turn, event: Invoked) -> None:
        if not self._held(turn, event.agent, event.call, event.declaration):
            replaced = [turn.ops[event.replaces]] if event.replaces else []
            self._land(turn, turn.place(event), replaced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overmasking(Mtpo):
    """Thomas' write rule though a read-modify-write stands between the late write and the one that covers it."""

    name: str = "overmasking"

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        above = [other for other in turn.writing(op.writes) if other.position > op.position]
        blind = [one for one in above if one.declaration.blind and one.standing is Standing.APPLIED and not one.flights]
        if replaced or not op.declaration.blind or not blind:
            Mtpo._write(self, turn, op, replaced)
            return
        by = min(blind, key=lambda one: one.position)
        op = turn.set_op(op.name, standing=Standing.MASKED, cover=by.name, wrote=op.declaration.image)
        turn.index(op)
        turn.emit(Mask(op=op.name, by=by.name))
        turn.reply(op)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearranged(Mtpo):
    """Late writes are slotted in, with a flaw in how what is in the way is undone and redone."""

    def _moved(self, turn: Turn, op: Operation) -> list[Operation]:
        return trajectory.displaced(turn, [op])

    def _undone_order(self, taken: list[Operation]) -> list[Operation]:
        return taken[::-1]

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        if replaced:
            Mtpo._write(self, turn, op, replaced)
            return
        moved = self._moved(turn, op)
        for one in self._undone_order([one for one in moved if one.standing in trajectory.LIVE]):
            turn.perform(one.name, "undo", cause=op.name)
        turn.index(op)
        turn.perform(op.name, "exec")
        for one in self._redone_order(moved):
            turn.set_op(one.name, standing=Standing.FLYING, cover=None)
            turn.perform(one.name, "redo", cause=op.name)

    def _redone_order(self, moved: list[Operation]) -> list[Operation]:
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectOnly(Rearranged):
    """Only what conflicts with the late write itself is undone, not what conflicts with that in turn."""

    name: str = "direct-only"

    def _moved(self, turn: Turn, op: Operation) -> list[Operation]:
        return trajectory.displaced(turn, [op], transitive=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstInFirstOut(Rearranged):
    """Undone in the order in which it was done."""

    name: str = "first-in-first-out"

    def _undone_order(self, taken: list[Operation]) -> list[Operation]:
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoneBackwards(Rearranged):
    """Redone from the last to the first."""

    name: str = "redone-backwards"

    def _redone_order(self, moved: list[Operation]) -> list[Operation]:
        return moved[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetful(Rearranged):
    """What was undone is not redone."""

    name: str = "forgetful"

    def _redone_order(self, moved: list[Operation]) -> list[Operation]:
        return []


ABLATIONS = (
    Unfiltered(),
    Unordered(),
    Untold(),
    SilentRedo(),
    ByAgent(),
    Eager(),
    Overmasking(),
    DirectOnly(),
    FirstInFirstOut(),
    RedoneBackwards(),
    Forgetful(),
)
