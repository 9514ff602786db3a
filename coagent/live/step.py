"""A step of a live run: what came of an event, in records and effects, and how two of them are told apart."""

import zlib
from dataclasses import dataclass, replace

from coagent import effect, event
from coagent.history import Record
from coagent.operation import Result
from coagent.program import Failure, report_out
from coagent.tool import Tool, View, Writes, failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What came of an event: the records to write, in order, and the effects to carry out when they are written."""

    records: tuple[Record, ...]
    effects: tuple[effect.Effect, ...]


@dataclass(frozen=True, slots=True)
class Fed:
    """A step on its way to the journal, and what may go on when it is there: effects below a ticket, and an agent."""

    step: Step
    ticket: int
    agent: str | None = None
    turns: int = 0


class Diverged(Exception):
    """A recorded step, fed again, does not come to what it came to: another engine, or another record."""


def reported(what: event.Event) -> event.Event:
    """An event as it is fed again: a report that is a failure, as the record of it has it."""
    failed = isinstance(what, event.Finished) and isinstance(what.report, Failure)
    return replace(what, report=report_out(what.report)) if failed else what


def holds(effects: tuple[effect.Effect, ...], agent: str) -> bool:
    """Whether the gate held back what this agent was about to do."""
    return any(isinstance(one, effect.Hold) and one.agent == agent for one in effects)


def named(what: effect.Effect) -> str:
    """An effect in a few words."""
    if isinstance(what, effect.Notify):
        return f"Notify {what.notice.agent} {what.notice.op}"
    about = [getattr(what, name) for name in ("act", "agent", "op") if isinstance(getattr(what, name, None), str)]
    return " ".join([type(what).__name__, *about])


def checksum(effects: tuple[effect.Effect, ...]) -> str:
    """What tells two lists of effects apart, in full."""
    return f"{zlib.crc32(repr(effects).encode()):08x}"


def done_blind(tool: Tool, cause: event.Invoked, view: View) -> tuple[Result, Writes, bool]:
    """What a blind call comes to where nobody looks: result, writes, and whether its tool broke.

    A blind write says before it runs what it leaves behind; that it cannot run is its tool's fault.
    """
    try:
        return *tool.exec(view, dict(cause.call.args)), False
    except Exception as error:
        return failed(f"error: {type(error).__name__}: {error}"), cause.declaration.image, True
