"""Says of a bad run which assumption it broke, with the evidence: A1, A2, A3, an inverse, or the protocol itself.

The proposition that a protocol is held to is an implication: *if* each agent alone succeeds (A1), effects stay
in their footprints and notices are consumed (A2), notified agents revise rightly (A3) and undo restores, *then*
the run is notified-serializable (P1 section 4; P2 section 3). So the protocol is guilty only when no
premise is seen to be broken, and the premises come first, each before those that it can make look broken:

1. *escape* (A2): an effect that nobody declared can make an undo restore the wrong thing and a filtered read
   see a higher write; nothing below can make an escape.
2. *inverse*: an undo that does not restore makes later reads wrong; no notice or rule can make a cell differ
   from what the recorded effects leave in it.
3. *unread* (A2): a notice that was not consumed leaves a stale premise, and a call that cannot be undone looks
   premature beside it.
4. *A3*: what was consumed and not acted on. Judged by the agent's own program, run again on what it was told
   (when the program is given), so no rule that was broken can feign it; without the program only what the
   records show: a cancelled call whose notice was consumed and that was neither reissued nor taken back.
5. *protocol*: the rules of MTPO that were not followed, else what the verdict itself found.

A1 has no part in a violated verdict, for an agent that fails alone still fails serially. It explains the other two
bad runs: one that never became quiet, and one that is serializable and yet breaks its workload's invariant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from checker.effective import Reduced
from checker.rehearsal import replayed
from checker.rerun import Rerun, alone, deviations
from checker.told import nth
from checker.verdict import Verdict
from checker.watch import ESCAPE, INVERSE, RULE, UNREAD, UPWARD, Finding, findings
from coagent.history import History, frozen
from coagent.tool import TOOLS

MOST = 3
"""Sentences of evidence that are told."""

RULES = {
    "missed notice": "whoever was told otherwise is told anew",
    "stale read": "whoever read otherwise is told",
    "unanswered cancellation": "what was undone is redone or reissued",
    "premature unrecoverable call": "what cannot be undone waits",
}
"""The rule of MTPO that an anomaly shows to have been left out."""

Broken = tuple[str | None, tuple[str, ...]]
INNOCENT: Broken = (None, ())


def blamed(history: History, run: Reduced, verdict: Verdict, *, order: str, rerun: Rerun | None) -> Verdict:
    """The verdict with the broken assumption and its evidence, if the run is a bad one and shows any."""
    match verdict.verdict:
        case "violated":
            broken = _of_violated(history, run, verdict, order, rerun)
        case "unknown" if not history.end["quiescent"] or run.open:
            broken = _of_unfinished(history, run, verdict, order, rerun)
        case "ok" if rerun and rerun.holds and not _holds(history, rerun):
            broken = _of_serial(history, verdict, rerun)
        case _:
            return verdict
    return replace(verdict, blame=broken[0], evidence=broken[1])


def _of_violated(history: History, run: Reduced, verdict: Verdict, order: str, rerun: Rerun | None) -> Broken:
    found = findings(history, run)
    broken = _assumption(history, run, found, rerun)
    if broken[0]:
        return broken
    told = [f"{one.name}: {why}" for one in verdict.anomalies for why in one.because]
    if order != "declared":
        return "protocol", tuple(told[:MOST])
    left = [f"{RULES[one.name]}: {why}" for one in verdict.anomalies if one.name in RULES for why in one.because]
    return "protocol", (_said(found, RULE) or tuple(left[:MOST]) or tuple(told[:MOST]))


def _assumption(history: History, run: Reduced, found: Iterable[Finding], rerun: Rerun | None) -> Broken:
    """The first broken premise, in the order of suspicion."""
    suspected = (
        ("A2", _said(found, ESCAPE) or _undeclared(history, run, rerun)),
        ("inverse", _said(found, INVERSE)),
        ("A2", _said(found, UNREAD)),
        ("A3", _unrevised(history, run, rerun)),
    )
    return next(((broken, evidence) for broken, evidence in suspected if evidence), INNOCENT)


def _of_unfinished(history: History, run: Reduced, verdict: Verdict, order: str, rerun: Rerun | None) -> Broken:
    found = findings(history, run)
    broken = _assumption(history, run, found, None)
    if broken[0]:
        return broken
    if rerun:
        ran = alone(history, [one for one in run.transactions if one.partition("#")[0] in rerun.programs], rerun)
        if ran.fails:
            return "A1", (f"run one after the other, with no protocol at all, {ran.fails}",)
    turning = tuple(why for one in verdict.anomalies for why in one.because)
    down = _said((one for one in found if one.says.startswith(UPWARD)), RULE)
    rules = _said(found, RULE) if order == "declared" else down if turning else ()
    return ("protocol", (*turning, *rules)[:MOST]) if rules else INNOCENT


def _of_serial(history: History, verdict: Verdict, rerun: Rerun) -> Broken:
    ran = alone(history, verdict.order, rerun)
    who = ", ".join(verdict.order)
    if ran.fails:
        return "A1", (f"run one after the other, with no protocol at all, {ran.fails}",)
    missing = any(history.of("give-up"))
    if not missing and not _invariant(ran.state, ran.reports, rerun):
        return "A1", (f"run one after the other ({who}), with no protocol at all, the agents break the invariant too",)
    return INNOCENT


def _holds(history: History, rerun: Rerun) -> bool:
    end = history.end
    return _invariant(end["final_state"], end["reports"], rerun)


def _invariant(state: Mapping[str, object], reports: Mapping[str, object], rerun: Rerun) -> bool:
    """Whether the workload's invariant holds, over values as the engine has them."""
    given = {path: frozen(value) for path, value in state.items()}
    return bool(rerun.holds(given, {name: frozen(report) for name, report in reports.items()}))


def _said(found: Iterable[Finding], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.says for one in found if one.kind == kind))[:MOST]


def _undeclared(history: History, run: Reduced, rerun: Rerun | None) -> tuple[str, ...]:
    """The writes that a call did not declare and that nobody recorded, by what its tool does at its place."""
    tools = {**TOOLS, **rerun.tools} if rerun else TOOLS
    wrong, _ = replayed(history, run, run.transactions, tools)
    return tuple(why for one in wrong if one.name == "footprint escape" for why in one.because)[:MOST]


def _unrevised(history: History, run: Reduced, rerun: Rerun | None) -> tuple[str, ...]:
    """What was consumed and not acted on."""
    consumed, cancelled, found = _consumed(history)
    found += [
        f"{agent} consumed the notice that {op} was cancelled (record {at}), and neither reissued it nor took it back"
        for op, (agent, at) in cancelled.items()
        if at and op not in run.cancelled
    ]
    for one in deviations(history, run, rerun) if rerun else ():
        ops, at, decision = consumed[one.agent]
        heard = f"{one.agent} consumed its last notice, about {', '.join(ops)} (record {at}), and judged {decision}"
        found.append(f"{heard}; run again on what it was told, {one.says}")
    return tuple(found[:MOST])


def _consumed(history: History) -> tuple[dict[str, list], dict[str, tuple[str, int]], list[str]]:
    """By agent its last consumed notice: operations, record, judgement; by operation that is still cancelled its agent
    and the record where that was consumed (0: it was not); and who did not report again."""
    consumed: dict[str, list] = {}
    cancelled: dict[str, tuple[str, int]] = {}
    owner: dict[str, str] = {}
    silent: dict[str, str] = {}
    for number, record in history.numbered():
        agent = record.get("agent")
        match record["event"]:
            case "invoke":
                owner[record["op"]] = agent
            case "cancel":
                cancelled[record["op"]] = (owner[record["op"]], 0)
            case "repair":
                cancelled.pop(record["op"], None)
            case "finish":
                silent.pop(agent, None)
            case "judge" if agent in consumed:
                consumed[agent][2] = f"{record['decision']!r}"
            case "consume" if record["ops"]:
                consumed[agent] = [record["ops"], nth(number), "nothing"]
                silent[agent] = f"{agent} consumed a notice (record {nth(number)}) and did not report again"
                for op in record["ops"]:
                    if cancelled.get(op, ("", 0))[0] == agent:
                        cancelled[op] = (agent, nth(number))
    quiet = history.end["quiescent"]
    return consumed, cancelled, list(silent.values()) if quiet else []
