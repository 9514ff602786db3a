"""Scripted agents: a program over what was observed so far, and how it heals itself when that changes.

A repair is incremental recomputation with early cut-off: the program is run again over the refreshed
observations beside the log of what it did; equal calls are kept, and the first difference says what
to do next. Knows nothing of protocols, ranks or the store.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from coagent.operation import Call, Declaration, Result, Value, same
from coagent.program import Intent
from coagent.tool import Tool, declare

Program = Callable[[], Generator[Intent, Result, Value]]
"""An agent's behaviour: a fresh generator that yields intents, is sent their results, and returns its report."""


DIED = "died"
"""Why the attempt of a dead agent ended, and its report."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation as its agent knows it; `result` None means cancelled, to be reissued or dropped."""

    op: str
    call: Call
    result: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Call a tool; `decision` is what this is to a repair: `append` (no repair), `insert`, `rewrite`, `reissue`."""

    call: Call
    declaration: Declaration
    think_s: float | None
    decision: str = "append"
    before: str | None = None
    replaces: str | None = None
    drops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """Retract one's own operation; `drops` are reads that no longer belong and need no undoing."""

    op: str
    drops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The last message."""

    report: Value
    drops: tuple[str, ...] = ()


Action = Ask | TakeBack | Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A scripted agent in the world. `mode` is `absent` (not launched yet), `inferring`, `waiting`, `resting`
    (reported) or `done`.

    `fresh` are the operations whose notices the present inference consumed, `held` what the gate
    held back and has not been made again: `(call,)`, or `(None,)` for a report, `doubts` what an erring judge will
    needlessly redo. Who `gave_up` or `died` is done without having committed.
    """

    name: str
    index: int
    attempt: int = 1
    mode: str = "waiting"
    log: tuple[Entry, ...] = ()
    fresh: tuple[str, ...] = ()
    held: tuple[Call | None, ...] = ()
    doubts: tuple[str, ...] = ()
    report: object = None
    gave_up: bool = False
    died: bool = False
    action: Action | None = field(default=None, compare=False)
    think_s: float = field(default=0.0, compare=False)
    inferences: int = field(default=0, compare=False)
    context_tokens: int = field(default=0, compare=False)
    cached_tokens: int = field(default=0, compare=False)


def next_action(program: Program, log: tuple[Entry, ...], tools: Mapping[str, Tool]) -> Action:
    """What the agent does next, from its log alone.

    Walks the program along the log. Where they part, an operation whose call comes later in the log
    is reached by taking back those before it, one that does to the same objects what the logged one
    did is rewritten in its place, and any other is inserted; what is left over at the end is taken
    back from the last to the first.
    """
    running = program()
    drops: list[str] = []
    at, sent = 0, None
    while True:
        try:
            intent = running.send(sent)
        except StopIteration as stop:
            return _left_over(stop.value, log[at:], drops, tools)
        while at < len(log) and not _equal(log[at].call, intent.call):
            entry = log[at]
            if not any(_equal(later.call, intent.call) for later in log[at + 1 :]):
                return _parted(intent, entry, tuple(drops), tools)
            if declare(tools, entry.call).writes and entry.result is not None:
                return TakeBack(op=entry.op, drops=tuple(drops))
            drops.append(entry.op)
            at += 1
        declaration = declare(tools, intent.call)
        if at == len(log):
            return Ask(call=intent.call, declaration=declaration, think_s=intent.think_s, drops=tuple(drops))
        entry = log[at]
        if entry.result is None:
            return Ask(
                call=intent.call,
                declaration=declaration,
                think_s=intent.think_s,
                decision="reissue",
                replaces=entry.op,
                drops=tuple(drops),
            )
        at, sent = at + 1, entry.result


def _parted(intent: Intent, entry: Entry, drops: tuple[str, ...], tools: Mapping[str, Tool]) -> Ask:
    wanted, had = declare(tools, intent.call), declare(tools, entry.call)
    alike = entry.call.tool == intent.call.tool and wanted.writes == had.writes and had.recoverable
    place = {"replaces": entry.op, "decision": "rewrite"} if alike else {"before": entry.op, "decision": "insert"}
    return Ask(call=intent.call, declaration=wanted, think_s=intent.think_s, drops=drops, **place)


def _left_over(report: Value, rest: tuple[Entry, ...], drops: list[str], tools: Mapping[str, Tool]) -> Action:
    for entry in reversed(rest):
        if declare(tools, entry.call).writes and entry.result is not None:
            return TakeBack(op=entry.op, drops=tuple(drops))
        drops.append(entry.op)
    return Report(report=report, drops=tuple(drops))


def _equal(left: Call, right: Call) -> bool:
    return left.tool == right.tool and same(left.args, right.args)
