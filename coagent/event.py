"""What has happened: the only input of an engine. Past tense; every event names its agent or operation."""

from dataclasses import dataclass

from coagent.operation import Call, Cell, Declaration, Position, Result, Sighting, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """An agent joined, with its rank in the pre-order."""

    agent: str
    rank: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferring:
    """An agent began an inference: it reads its context, and with it every notice delivered so far."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """An inference ended in a tool call.

    `before` names the agent's own operation that the call is to be placed in front of (a repair that
    inserts), `replaces` the one whose place it takes (a repair that rewrites); neither: at the end.
    """

    agent: str
    call: Call
    declaration: Declaration
    before: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retracted:
    """An inference takes back one of the agent's own operations.

    `last`: this is all it came to, and the agent waits for the answer; otherwise it goes on at once
    (a read that no longer belongs, or a cancelled operation that it will not reissue).
    """

    agent: str
    op: str
    last: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An inference ended in the agent's final report."""

    agent: str
    report: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """An agent is gone in mid-run, for good, as it infers or is about to: nobody takes the answer that is there for it.

    What it did is half of something, so it is taken back, by whoever takes anything back, and not begun again.
    """

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """An effect on the store came back. `act` is `exec`, `redo`, `undo`, `inherit`, `refresh` or `resolve`.

    `wrote` are the cells it left behind, `saw` the cells its result rests on, `cause` what its
    effect named as the reason for it. `refused` says that a failure is not the tool's own word, but the target's or
    the runtime's: the call, done again on the same cells, might well succeed.
    """

    op: str
    act: str
    result: Result
    wrote: tuple[tuple[str, Cell], ...] = ()
    saw: tuple[Sighting, ...] = ()
    cause: str | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """An agent's fork came to its merge. `conflicts` are the paths that both sides changed; empty: it is in the live
    state now, and otherwise nothing of it is."""

    agent: str
    conflicts: tuple[str, ...] = ()


Event = Launched | Inferring | Invoked | Retracted | Finished | Died | Performed | Merged


class IllegalEvent(Exception):
    """An event that the lifecycle does not allow where it came; the engine has not changed (contract C1)."""
