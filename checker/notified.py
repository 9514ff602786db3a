"""Judges our own histories: notified serializability in the declared order, an isolation level in any.

Sees the recorded events and nothing of the protocol. In the declared order, every effective read must
be `M(o, p)`, every result what the call comes to at its place, and the live state `M(o, end)` (P2
section 3). In any order, the precedence graph over recorded versions must be free of what the level
forbids, and a serial order found is replayed before it is called ok. Nothing is said of a run that did
not reach GlobalQuiet. What an agent let stand is taken to follow from what it was told (A3), unless the
agents' programs are given to be run again.
"""

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

from checker.anomaly import Anomaly, local, ranked
from checker.blame import blamed
from checker.conflict import MOST, aborted_reads, edges_of, in_time
from checker.effective import Reduced, reduced
from checker.judge import judge
from checker.level import LEVELS, Level
from checker.livelock import livelock
from checker.precedence import Edge
from checker.rehearsal import replayed
from checker.rerun import Rerun, strayed
from checker.told import said
from checker.trial import explaining_order, explains, untried
from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.history import History, frozen
from coagent.operation import Cell
from coagent.tool import TOOLS, Tool

__all__ = ["check_history", "edges_of"]

SERIALIZABLE = LEVELS["serializable"]
UNJUDGED = ("read-atomic", "causal", "view-serializable")
"""Levels that are not a table of forbidden cycles over recorded versions."""


def check_history(history: History, *, order: str, level: Level = SERIALIZABLE, rerun: Rerun | None = None) -> Verdict:
    """The verdict on a recorded run, and of a bad one the assumption that it broke.

    `order` is `declared` (notified serializability in the pre-order) or `any` (`level` in some order). `rerun`
    holds the agents' programs and tools when they are known: then a judgement that let stand what the program
    would not have done is found too, in a run that should be serializable. Raises BadInput for a level that there
    is no judging at, in the declared order any but serializable.
    """
    start = perf_counter()
    if order == "declared" and level.name != "serializable":
        what = f"the declared order is judged at notified serializability, not {level.name}; add --order any"
        raise BadInput(what, history.where)
    if level.name in UNJUDGED:
        raise BadInput(f"a history of format coagent is not judged at {level.name}", history.where)
    run = reduced(history)
    tools = {**TOOLS, **rerun.tools} if rerun else TOOLS
    verdict = _judged(history, run, order, level, tools)
    if rerun and verdict.verdict == "ok" and _serial(level):
        wrong = strayed(history, run, verdict.order, rerun)
        if wrong:
            verdict = replace(verdict, verdict="violated", order=None, anomalies=ranked(wrong))
    verdict = blamed(history, run, verdict, order=order, rerun=rerun)
    criterion = "notified-serializable" if order == "declared" else level.name
    return replace(
        verdict,
        criterion=criterion,
        transactions=run.counted,
        operations=len(run.owner),
        seconds=perf_counter() - start,
    )


def _judged(history: History, run: Reduced, order: str, level: Level, tools: Mapping[str, Tool]) -> Verdict:
    """The verdict from the history alone."""
    missing = _missing(history, run, tools)
    if missing:
        turning = livelock(history, run)
        missing += tuple(sentence for one in turning for sentence in one.because)
        return Verdict(verdict="unknown", criterion="", missing=missing, anomalies=tuple(turning))
    final = {path: (frozen(value),) for path, value in history.end["final_state"].items()}
    faults = [*run.faults, *_diverged(run.live, final, "the recorded effects come to")]
    edges = edges_of(run)
    if order == "any":
        return _any(history, run, faults, edges, level, tools)
    if history.header["order"] == "declared":
        faults += run.rules
    return _declared(history, run, faults, edges, tools)


def _missing(history: History, run: Reduced, tools: Mapping[str, Tool]) -> tuple[str, ...]:
    found = []
    if not history.end["quiescent"] or run.open:
        who = f" ({', '.join(run.open)} had not committed)" if run.open else ""
        found.append(f"the run did not reach quiescence{who}, and nothing is promised before")
    if run.unsettled:
        found.append(f"what became of {run.unsettled[0]} is not recorded")
    blind = [one for one in run.operations if one.reads and not one.saw and one.tool not in tools]
    if blind:
        found.append(f"{blind[0].op} records no cells that it saw ('saw'), and its tool {blind[0].tool!r} is not known")
    return tuple(found)


def _declared(
    history: History, run: Reduced, faults: list[Anomaly], edges: list[Edge], tools: Mapping[str, Tool]
) -> Verdict:
    if run.combined and not faults:
        missing = untried(run, tools, one=True)
        if missing:
            return Verdict(verdict="unknown", criterion="", missing=(missing,))
        if explains(history, run, tools, run.transactions):
            return Verdict(verdict="ok", criterion="", order=run.transactions)
    found, final = replayed(history, run, run.transactions, tools)
    faults += [*found[:MOST], *_diverged(final, run.live, "the write trajectories come to")]
    if not faults:
        return Verdict(verdict="ok", criterion="", order=run.transactions)
    return judge(run.transactions, edges, extra_anomalies=faults, declared=True)


def _any(
    history: History,
    run: Reduced,
    faults: list[Anomaly],
    edges: list[Edge],
    level: Level,
    tools: Mapping[str, Tool],
) -> Verdict:
    timed = [*in_time(history, run)] if level.order == "rt" else []
    wrong = [*faults, *aborted_reads(run)]
    verdict = judge(run.transactions, [*edges, *timed], extra_anomalies=wrong, level=level)
    if run.combined and not wrong:
        return _of_combined(history, run, verdict, timed, level, tools)
    if verdict.verdict != "ok" or not _serial(level):
        return verdict
    unseen = [one.op for one in run.operations if one.reads and one.saw is None]
    found, final = replayed(history, run, verdict.order, tools)
    wrong = [*found[:MOST], *_diverged(final, run.live, "the write trajectories come to")]
    if wrong and unseen:
        missing = (f"{unseen[0]} records no cells that it saw ('saw'), so the order of what touched them is not known",)
        return replace(verdict, verdict="unknown", order=None, missing=missing)
    return judge(run.transactions, edges, extra_anomalies=wrong, level=level) if wrong else verdict


def _of_combined(
    history: History, run: Reduced, verdict: Verdict, timed: list[Edge], level: Level, tools: Mapping[str, Tool]
) -> Verdict:
    """The verdict when a merge left what neither side had written; `verdict` is that by versions alone."""
    missing = untried(run, tools)
    if not missing and not _serial(level):
        missing = f"a merge combined what both sides had left at {run.combined[0]}; only a serial order can be tried"
    if missing:
        return replace(verdict, verdict="unknown", order=None, anomalies=(), missing=(missing,))
    order = explaining_order(history, run, tools, timed)
    if order is not None:
        return replace(verdict, verdict="ok", order=order, anomalies=(), missing=())
    if verdict.verdict == "violated":
        return verdict
    why = f"{', '.join(run.combined[:3])}: in no order do the calls return what was told and leave what is there"
    wrong = [local("no serial order", run.transactions, [why])]
    return judge(run.transactions, (), extra_anomalies=wrong, level=level)


def _serial(level: Level) -> bool:
    """Whether the level promises a serial order, which can be replayed."""
    return "not-serializable" in level.forbids


def _diverged(have: Mapping[str, Cell], want: Mapping[str, Cell], says: str) -> list[Anomaly]:
    found = []
    for path in sorted({*have, *want}):
        due, found_there = have.get(path, ()), want.get(path, ())
        if repr(due) != repr(found_there):
            why = f"{path} ends as {said(found_there)}, and {says} {said(due)}"
            found.append(local("diverged state", [], [why]))
    return found[:MOST]
