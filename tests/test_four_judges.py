"""Four judges of one run, none of whom sees what another does: they agree, or it is printed where they do not.

The checker reads the recorded history alone. The oracle runs the programs one after the other, with no engine.
Exploration takes every schedule and knows every ending. Proof compares the run with the serial one for all start
states along the recorded path. Agents report all that they were told, so that all four judge the same things.
Short scenarios, so that every schedule can be taken; with `pytest -m nightly` it is 2,400 runs.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from checker.notified import check_history
from checker.proof import prove_history
from coagent.actor import Program
from coagent.explore import explore
from coagent.exploring import Promise
from coagent.history import lines, parse
from coagent.operation import Result, Value
from coagent.program import Failure, Intent
from coagent.protocols import protocol
from coagent.running import equal, serial_outcome
from coagent.simulate import Chance, Outcome, simulate
from coagent.testing import small_scenario
from coagent.workload import Workload, from_scenario
from coagent.world import Setting

PROTOCOLS = ("naive", "mtpo", "mtpo-reissue", "mtpo-pass", "2pl")
RUNS = 4
STATES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run with what there is to judge it by; `endings` maps every ending that there is to whether it is right."""

    seed: int
    outcome: Outcome
    endings: dict[str, bool]


def cases(seeds: range) -> Iterator[Case]:
    """Random runs of small scenarios under every protocol, several of each, where all endings are known."""
    for seed in seeds:
        workload = telling(from_scenario(small_scenario(seed)))
        for name in PROTOCOLS:
            setting = Setting(workload=workload, protocol=protocol(name))
            found = explore(setting, max_states=STATES)
            if not found.complete:
                continue
            promise = Promise(workload, "declared")
            endings = {ending(one.final_state, one.reports): bool(promise.judge(one).right) for one in found.endings}
            for run in range(RUNS):
                yield Case(seed=seed, outcome=simulate(setting, Chance(seed * RUNS + run)), endings=endings)


def telling(workload: Workload) -> Workload:
    """The workload with agents who report all that they were told: a result that nobody uses counts too."""
    return replace(workload, agents=tuple(replace(one, program=partial(told, one.program)) for one in workload.agents))


def told(program: Program) -> Generator[Intent, Result, Value]:
    """The program, reporting its report and every result that it was sent."""
    running, sent, seen = program(), None, []
    while True:
        try:
            intent = running.send(sent)
        except StopIteration as stop:
            report = stop.value if not isinstance(stop.value, Failure) else stop.value.message
            return (report, *seen)
        sent = yield intent
        seen.append((intent.call.tool, sent.status, sent.value))


def ending(final_state: dict, reports: dict) -> str:
    return repr((sorted(final_state.items()), sorted(reports.items())))


def checker_says(case: Case) -> bool:
    """Whether the history, as it would be read from a file, is notified-serializable in the declared order."""
    history = parse("".join(lines(case.outcome.history)), "history")
    verdict = check_history(history, order="declared")
    assert verdict.verdict != "unknown", (case.seed, verdict.sentences())
    return verdict.verdict == "ok"


def oracle_says(case: Case) -> bool:
    """Whether final state and reports are those of the programs run one after the other."""
    world, end = case.outcome.world, case.outcome.history.end
    state, reports = serial_outcome(world.setting.workload, world.order)
    return equal(end["final_state"], state) and equal(end["reports"], reports)


def exploration_says(case: Case) -> bool:
    """Whether the run's ending, which must be among all endings, is a right one."""
    end = case.outcome.history.end
    return case.endings[ending(end["final_state"], end["reports"])]


def proof_says(case: Case) -> bool:
    """Whether the run and the serial one end alike from every start state, along the recorded control path."""
    proof = prove_history(case.outcome.history, order="declared")
    assert proof.verdict != "unknown", (case.seed, proof.sentences())
    return proof.verdict == "proved"


JUDGES: dict[str, Callable[[Case], bool]] = {
    "checker": checker_says,
    "oracle": oracle_says,
    "exploration": exploration_says,
    "proof": proof_says,
}


def disagreements(seeds: range) -> tuple[list[str], int, int]:
    """Each run on which not all four say the same, in a sentence; how many runs there were, and how many bad ones."""
    found, runs, bad = [], 0, 0
    for case in cases(seeds):
        said = {name: judge(case) for name, judge in JUDGES.items()}
        runs, bad = runs + 1, bad + (not said["oracle"])
        if len(set(said.values())) > 1:
            name = case.outcome.world.setting.protocol.name
            found.append(f"small {case.seed} under {name} along {case.outcome.schedule}: {said}")
    return found, runs, bad


def test_four_judges_agree(record_property: Callable[[str, object], None]) -> None:
    found, runs, bad = disagreements(range(20))
    record_property("random runs judged by four, and bad ones among them", (runs, bad))
    assert not found, "\n".join(found)
    assert runs >= 350 and bad >= 15


@pytest.mark.nightly
@pytest.mark.parametrize("start", range(20, 120, 20))
def test_four_judges_agree_at_length(start: int, record_property: Callable[[str, object], None]) -> None:
    found, runs, bad = disagreements(range(start, start + 20))
    record_property("random runs judged by four, and bad ones among them", (runs, bad))
    assert not found, "\n".join(found)
