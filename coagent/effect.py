"""What an engine asks of the world: imperative, each answered at most once (contract C4).

`Perform` and `Merge` are the only effects on the store. Those whose footprints conflict in the same place (the live
state, or one fork of it) complete in the order in which they were emitted; all others are free (contract C2).
"""

from dataclasses import dataclass

from coagent.operation import Call, Cell, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A correction of the live store for one order-filtered read.

    Either the cells that operation `op` captured before it wrote (`image` empty), or the cells that
    it would leave behind (`image`), when it is in the write trajectory but not in the live store.
    """

    op: str
    image: tuple[tuple[str, Cell], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Carry out `act` of operation `op`, answered by `Performed`.

    `exec` prepares and executes, `redo` does so again, `undo` reverses, `refresh` executes a read
    again for its result alone, `resolve` looks at the target to decide the unknown outcome of a write (a read is
    done again), in the place in the queue that the unanswered effect kept, and `inherit`
    takes the operation out under a write that covers it: what it captured becomes what `heir` captured,
    and the live store stays as it is. A read
    sees the live store corrected by `overrides`, in order; `route` says how it is served (`live`,
    `snapshot`, `recorded`, `undo`). `recorded` names the operation whose result stands for it. With route `fork` it
    acts on the fork of agent `fork`, which is nobody else's and loses no answers; a live call that names a `fork`
    acts on the live state, and that fork takes over the cells that it leaves.
    """

    op: str
    act: str
    call: Call
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    route: str = "live"
    overrides: tuple[Override, ...] = ()
    recorded: str | None = None
    heir: str | None = None
    cause: str | None = None
    fork: str | None = None

    @property
    def place(self) -> str | None:
        """The fork that the effect touches, by its agent; None: the live state."""
        return self.fork if self.route == "fork" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Take a fork of the live state, as it is now, for an agent's attempt; it takes the place of an earlier one."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Merge an agent's fork three-way into the live state and drop it, answered by `Merged`; on a conflict the live
    state stays as it is. `reads` and `writes` are what the merged calls declared to write."""

    agent: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def act(self) -> str:
        """What is done, as `Perform` says it."""
        return "merge"

    @property
    def op(self) -> str:
        """A name among the operations in flight; no operation has it, since theirs end in a number."""
        return f"{self.agent}.merge"

    @property
    def place(self) -> None:
        """The live state."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Let an agent begin its first inference."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An operation got its name and its place in the order; nothing has to be done."""

    agent: str
    op: str
    position: tuple[int, ...]
    attempt: int
    replaces: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A late blind write enters the write trajectory only: `by` covers it in the live store (Thomas write rule)."""

    op: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Tell an agent that the result of its call (kept by the world from `Performed`) is there; it may infer again."""

    agent: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A notice is on its way to its agent. It is consumed at the start of the agent's next inference."""

    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Put these notices into the context of the inference that has just begun."""

    agent: str
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Do not carry out the call (None: the final report): notices wait, so the agent is to infer again first."""

    agent: str
    call: Call | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """An unrecoverable call waits for every lower rank to commit, or a request waits for a lock."""

    agent: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """A parked call will not be carried out: a notice came, and its agent is to infer again."""

    agent: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A parked call goes on."""

    agent: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """An operation was taken out of its write trajectory by a late write; its agent decides whether to reissue it."""

    op: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """An operation left the run by its own agent's repair (retracted, or rewritten as `by`)."""

    op: str
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """An attempt was aborted; the agent begins again from nothing as a new transaction, `attempt` counted from 1."""

    agent: str
    attempt: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """An attempt was aborted and the agent has no restart left; it ends without effect."""

    agent: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bury:
    """A dead agent's run is over; what is to be taken back of it, its protocol has asked for before."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """An agent's run is final; what was captured for undoing it may go."""

    agent: str


Effect = (
    Perform
    | Fork
    | Merge
    | Start
    | Place
    | Mask
    | Reply
    | Notify
    | Deliver
    | Hold
    | Park
    | Release
    | Withdraw
    | Cancel
    | Remove
    | Restart
    | GiveUp
    | Bury
    | Commit
)
