"""What a simulated inference takes and comes to: its seconds, what a judgement is called, how the log grows.

Pure functions over an agent's log and its next action.
"""

from collections.abc import Mapping

from coagent.actor import Action, Actor, Ask, Entry, Report, TakeBack
from coagent.judge import Judge, spread
from coagent.operation import Notice
from coagent.tool import Tool, declare
from coagent.workload import Agent, Cost


def seconds(one: Actor, action: Action, spec: Agent, cost: Cost, draw: tuple[str, int]) -> float:
    """How long an inference takes: judging what is fresh, then thinking of the next call, unless it was before.

    `draw` is what the draws of a trial are keyed by: the workload's name and the seed (0: think times as they stand).
    """
    judging = cost.judge_s if one.fresh else 0.0
    match action:
        case Report():
            own = spec.finish_think_s if spec.finish_think_s is not None else spec.think_s
            thinking, again = own, one.held == (None,)
        case Ask(decision="append"):
            thinking, again = action.think_s if action.think_s is not None else spec.think_s, one.held == (action.call,)
        case _:
            thinking, again = 0.0, True
    if again:
        return max(judging, cost.judge_s)
    thinking = cost.think_s if thinking is None else thinking
    return judging + thinking * spread(cost.noise if draw[1] else 0.0, (*draw, one.name, len(one.log), one.attempt))


def calls_left(one: Actor, spec: Agent) -> int | None:
    """How many more calls of its program an agent lives to make, the last without an answer; None: any number."""
    return None if spec.dies_after is None else max(spec.dies_after - len(one.log), 0)


def decision(action: Action) -> str:
    """What a judgement came to."""
    match action:
        case TakeBack():
            return "retract"
        case Ask(decision="rewrite" | "reissue"):
            return "rewrite"
        case Ask(decision="insert"):
            return "insert"
        case _:
            return "keep" if not action.drops else "retract"


def entered(log: tuple[Entry, ...], entry: Entry, before: str | None, replaces: str | None) -> tuple[Entry, ...]:
    """The log with an entry at its place."""
    where = next((at for at, one in enumerate(log) if one.op == (replaces or before)), len(log))
    return (*log[:where], entry, *log[where + bool(replaces) :])


def consumed(
    one: Actor, notices: tuple[Notice, ...], judge: Judge, draw: tuple[str, int], tools: Mapping[str, Tool]
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The log with the results that the notices tell of, and the operations that the judge then doubts.

    An erring judge overlooks some notices, or doubts what it need not.
    """
    log, doubts = one.log, one.doubts
    for notice in notices:
        key = (*draw, one.name, notice.op, notice.cause)
        if judge.misses(key):
            continue
        log = tuple(Entry(entry.op, entry.call, notice.result) if entry.op == notice.op else entry for entry in log)
        if judge.overdoes(key):
            doubts += next_write(log, notice.op, tools)
    return log, doubts


def next_write(log: tuple[Entry, ...], op: str, tools: Mapping[str, Tool]) -> tuple[str, ...]:
    """The first undoable write after an operation in a log: what an overeager repair redoes."""
    names = [entry.op for entry in log]
    for entry in log[names.index(op) + 1 :] if op in names else ():
        declared = declare(tools, entry.call)
        if declared.writes and declared.recoverable and entry.result is not None:
            return (entry.op,)
    return ()
