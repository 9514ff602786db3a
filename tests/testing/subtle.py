"""MTPO with one line of its bookkeeping gone, for the kit to find: what is masked, covered, redone, looked at again."""

from dataclasses import dataclass

from coagent.protocols import trajectory
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietRedo(Mtpo):
    """A redo that writes something else than before is no news for those who read that."""

    name: str = "quiet-redo"

    def _redone(self, turn, op, event):
        Mtpo._redone(self, turn, turn.set_op(op.name, wrote=event.wrote), event)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietMask(Mtpo):
    """A masked write that is taken out is no news for those whom it was shown."""

    name: str = "quiet-mask"

    def _remove(self, turn, op, by):
        if op.standing is Standing.MASKED:
            op = turn.set_op(op.name, standing=Standing.FAILED)
        Mtpo._remove(self, turn, op, by)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneGlance(Mtpo):
    """What changes while it is being looked at again is not looked at once more."""

    name: str = "one-glance"

    def _refresh(self, turn, op, cause, stale):
        if not op.refreshing:
            Mtpo._refresh(self, turn, op, cause, stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCover(Mtpo):
    """When a cover goes and a higher one takes its place, what it covered is not told of that."""

    name: str = "lost-cover"

    def _inherit(self, turn, old, by):
        heir = trajectory.heir(turn, old)
        if heir is None:
            return False
        self._remove(turn, old, by)
        turn.perform(old.name, "inherit", heir=heir.name)
        return True


SUBTLE = (
    ("copy under a read of one's own", QuietRedo()),
    ("copy under a read", QuietRedo()),
    ("masked write that goes", QuietMask()),
    ("masked write that goes", OneGlance()),
    ("masked write whose cover goes", LostCover()),
)
"""Each with a small world that shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoReaders(Mtpo):
    """Of those who read what a late write changed, the lowest two are told."""

    name: str = "two-readers"

    def _refresh_readers(self, turn, write, below=None):
        stale = [one for one in turn.reading(write.writes) if not one.writes and one.position > write.position]
        stale = [one for one in stale if below is None or one.position < below.position]
        for one in sorted(stale, key=lambda one: one.position)[:2]:
            self._refresh(turn, one, write.name, frozenset({one.name}))
