"""A target is real state shown as cells: reading gives cells, writing puts cells back exactly.

What tools do to cells (`coagent.tool`) can so be done to a git tree, a cluster, a database or a calendar, and one
generic inverse serves them all: put back what was there. A target knows nothing of agents, order or protocols.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from coagent.operation import Cell, Value

Memo = Mapping[str, object]
"""What a target wants kept beside cells, as JSON by the path of the object (a slash behind it: of its members).

What it needs to put an object back exactly (a whole manifest, a body, file modes), and its version then (a
resourceVersion, an ETag, a blob's name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The cells that hold a value at or below the paths asked for, by path, and the memo of their objects."""

    cells: Mapping[str, Value]
    memo: Memo = field(default_factory=dict)


class Target(Protocol):
    """Real state as cells. Paths are whole, beginning with one of `roots`; values are those of `coagent.operation`.

    Laws, each tested for every target: what is written is what is then read; writing back what was read, with its
    memo, restores the state exactly; nothing but the named cells changes; writing twice is writing once.
    """

    @property
    def roots(self) -> tuple[str, ...]:
        """The first parts of the paths that are this target's: `cluster`, `repo`, ..."""
        ...

    @property
    def spec(self) -> Mapping[str, object]:
        """What `coagent.live.targets.opened` makes this target from again, as JSON: `kind` and options; no secrets."""
        ...

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below each of these paths. Raises Refused, or whatever the connection raises."""
        ...

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so, `()` being absent, and no other cell change; returns when it is so.

        `seen` is the memo of the reading that the cells were worked out from: an object that is not of that version
        any more raises Conflict, and nothing has changed ({}: whatever is there). `restore` is the memo of a reading
        that is being put back ({}: none is). Raises Refused when the target says no: some of the cells may be so
        then. Anything else raised leaves open what happened.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Versioned(Protocol):
    """A target that keeps old versions itself, and can show a cell as it was."""

    async def read_at(self, path: str, memo: Memo) -> Cell:
        """The cell as it was when a reading gave this memo. Raises Gone when that version is not kept any more."""
        ...


class Refused(Exception):
    """The target said no, for good: the message is one word or a short sentence for the agent."""


class Conflict(Exception):
    """Somebody outside changed an object since it was read; nothing was written. Reading again helps."""


class Gone(Exception):
    """A version is not kept any more."""


class Undecided(Exception):
    """Reading cannot tell whether a write happened, and it must not happen twice: a person has to find out."""
