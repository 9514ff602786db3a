"""Runs the agents' programs again, when they are known: alone, and on what the history says they were told.

Knows neither engine nor protocol. What a history alone cannot show, it shows: that an agent fails
with nobody else around (A1), and that what it let stand after a notice is not what its program does (A3).
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from checker.anomaly import Anomaly, local
from checker.effective import Effective, Reduced
from checker.oracle import serial
from coagent.history import History, frozen, plain
from coagent.operation import Call, same, show
from coagent.tool import Tool

MOST_CALLS = 10_000
"""Calls that an agent may make alone before it counts as one that never finishes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """What it takes to run a history's agents again.

    `programs` by agent: each a fresh generator that yields intents with a `call`, is sent `Result`s and returns its
    report. `reported` turns a report into what the history records of it, `holds` is the workload's invariant over
    final state and reports (None: it has none).
    """

    programs: Mapping[str, Callable[[], Generator]]
    tools: Mapping[str, Tool]
    reported: Callable[[object], object] = plain
    holds: Callable[[Mapping, Mapping], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Where an agent parted from its program. `op` is what stands there, None at the end; `report` says that only
    the report differs; `says` completes "run again on what it was told, "."""

    agent: str
    transaction: str
    op: str | None
    says: str
    report: bool = False


@dataclass(frozen=True, slots=True)
class Alone:
    """What the programs come to one after the other: final state and reports as JSON has them, or why not."""

    state: Mapping[str, object] = field(default_factory=dict)
    reports: Mapping[str, object] = field(default_factory=dict)
    fails: str = ""


def alone(history: History, order: Iterable[str], rerun: Rerun) -> Alone:
    """Run the agents one after the other from the history's start state, with no protocol at all."""
    state = [(path, frozen(value)) for path, value in history.header["state"].items()]
    programs = [(name.partition("#")[0], rerun.programs[name.partition("#")[0]]) for name in order]
    try:
        final, reports = serial(state, programs, rerun.tools, MOST_CALLS)
    except RuntimeError as error:
        return Alone(fails=str(error))
    except Exception as error:
        return Alone(fails=f"its program or a tool of it raised {type(error).__name__}: {error}")
    return Alone(
        {path: plain(value) for path, value in final.items()},
        {name: rerun.reported(report) for name, report in reports.items()},
    )


def strayed(history: History, run: Reduced, order: Sequence[str], rerun: Rerun) -> list[Anomaly]:
    """The agents' deviations from their programs, if the outcome is not that of the programs run in this order.

    A call kept needlessly, or made twice to the same end, is no fault: only the writes that reach the target and
    the final reports count (P2 section 3).
    """
    strays = deviations(history, run, rerun)
    if not strays:
        return []
    ran = alone(history, order, rerun)
    end = history.end
    reports = {name: report for name, report in end["reports"].items() if name in ran.reports}
    if not ran.fails and _equal(ran.state, end["final_state"]) and _equal(ran.reports, reports):
        return []
    return [
        local(
            "orphaned report" if one.report else "wrong revision",
            [one.transaction],
            [f"run again on what it was told, {one.says}"],
        )
        for one in strays
    ]


def deviations(history: History, run: Reduced, rerun: Rerun) -> list[Stray]:
    """For each committed agent that consumed a notice, where its standing calls first part from its program's.

    An agent that was told nothing new had nothing to revise, and is passed over.
    """
    told = {record["agent"] for record in history.of("consume") if record["ops"]}
    mine: dict[str, list[Effective]] = {}
    for one in run.operations:
        mine.setdefault(one.transaction, []).append(one)
    found = []
    for name in run.transactions:
        agent = name.partition("#")[0]
        if agent in told and agent in rerun.programs and agent not in run.open:
            found += _parts(agent, name, mine.get(name, []), history.end["reports"].get(agent), rerun)
    return found


def _parts(agent: str, name: str, ops: list[Effective], reported: object, rerun: Rerun) -> list[Stray]:
    running, sent = rerun.programs[agent](), None
    for one in [*ops, None]:
        try:
            call = running.send(sent).call
        except StopIteration as stop:
            if one:
                says = f"{agent} has finished, and {one.op} ({_call(one)}) still stands"
                return [Stray(agent=agent, transaction=name, op=one.op, says=says)]
            report = rerun.reported(stop.value)
            if repr(report) == repr(reported):
                return []
            says = f"{agent} reports {show(frozen(report))}, and its report is {show(frozen(reported))}"
            return [Stray(agent=agent, transaction=name, op=None, says=says, report=True)]
        except Exception as error:
            says = f"{agent}'s program raises {type(error).__name__}: {error}"
            return [Stray(agent=agent, transaction=name, op=one.op if one else None, says=says)]
        if one is None or call.tool != one.tool or not same(sorted(call.args), sorted(one.args)):
            stands = f"{one.op} ({_call(one)}) stands there" if one else "nothing stands there"
            return [
                Stray(agent=agent, transaction=name, op=one.op if one else None, says=f"{agent} calls {call}; {stands}")
            ]
        sent = one.result
    return []


def _call(one: Effective) -> str:
    return str(Call(one.tool, one.args))


def _equal(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    return same(sorted(left.items()), sorted(right.items()))
