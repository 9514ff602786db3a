"""Random scenarios under random schedules: every MTPO run is the serial run, by the oracle and by the checker.

The nightly profile (`pytest -m nightly tests/test_random_runs.py`) runs 5,000 scenarios; otherwise 500.
"""

from collections.abc import Callable
from functools import cache

import pytest

from checker.notified import check_history
from checker.oracle import serial
from coagent.history import lines, parse
from coagent.operation import same
from coagent.protocols import protocol
from coagent.protocols.mtpo import Mtpo
from coagent.simulate import Chance, Outcome, simulate
from coagent.testing import random_scenario
from coagent.workload import Workload, from_scenario
from coagent.world import Setting

MODES = [Mtpo(late=late, notify=notify) for late in ("replay", "reissue") for notify in ("change", "footprint")]
OTHERS = [
    Mtpo(gate="pass"),
    Mtpo(late="reissue", gate="pass", notify="footprint"),
    Mtpo(routes=("undo",)),
    Mtpo(late="reissue", routes=("undo",)),
    Mtpo(routes=("recorded", "undo")),
    Mtpo(late="reissue", routes=("recorded", "undo")),
]
BATCH = 50


@cache
def serial_outcome(seed: int) -> tuple[Workload, dict, dict]:
    """A random workload with its serial final state and reports."""
    workload = from_scenario(random_scenario(seed))
    return workload, *serial(workload.state, [(one.name, one.program) for one in workload.agents], workload.tools)


def ran(workload: Workload, rule: object, seed: int) -> Outcome:
    """A run under a random schedule."""
    return simulate(Setting(workload=workload, protocol=rule, seed=seed), Chance(seed))


def assert_serial(rule: Mtpo, seeds: range) -> None:
    """Every run quiesces with the serial final state and reports, and the checker, reading the file, agrees."""
    for seed in seeds:
        workload, state, reports = serial_outcome(seed)
        outcome = ran(workload, rule, seed)
        assert outcome.quiescent, (seed, rule)
        assert same(outcome.final_state, state), (seed, rule)
        assert same(outcome.reports, reports), (seed, rule)
        verdict = check_history(parse("".join(lines(outcome.history)), "history"), order="declared")
        assert verdict.verdict == "ok", (seed, rule, verdict.sentences())


@pytest.mark.parametrize("rule", MODES, ids=lambda rule: f"{rule.late}-{rule.notify}")
@pytest.mark.parametrize("start", range(0, 500, BATCH))
def test_mtpo_ends_as_the_serial_run(rule: Mtpo, start: int) -> None:
    assert_serial(rule, range(start, start + BATCH))


@pytest.mark.nightly
@pytest.mark.parametrize("rule", MODES, ids=lambda rule: f"{rule.late}-{rule.notify}")
@pytest.mark.parametrize("start", range(500, 5000, BATCH))
def test_mtpo_ends_as_the_serial_run_at_length(rule: Mtpo, start: int) -> None:
    assert_serial(rule, range(start, start + BATCH))


@pytest.mark.parametrize("rule", OTHERS, ids=lambda rule: f"{rule.late}-{rule.gate}-{rule.routes[0]}")
def test_every_gate_and_read_route_ends_as_the_serial_run(rule: Mtpo) -> None:
    assert_serial(rule, range(10_000, 10_060))


@pytest.mark.parametrize("name", ["serial", "2pl", "occ"])
def test_the_blocking_and_the_aborting_baseline_are_serializable(name: str) -> None:
    for seed in range(20_000, 20_120):
        workload, _, _ = serial_outcome(seed)
        outcome = ran(workload, protocol(name), seed)
        verdict = check_history(outcome.history, order="any")
        assert verdict.verdict == "ok", (seed, verdict.sentences())
        order = [one.split("#")[0] for one in verdict.order]
        programs = {one.name: one.program for one in workload.agents}
        state, reports = serial(workload.state, [(one, programs[one]) for one in order], workload.tools)
        assert same(outcome.final_state, state), seed
        assert same({one: outcome.reports[one] for one in order}, reports), seed


def test_naive_fails_on_a_share_of_the_same_scenarios(record_property: Callable[[str, object], None]) -> None:
    failed = 0
    for seed in range(500):
        workload, state, reports = serial_outcome(seed)
        outcome = ran(workload, protocol("naive"), seed)
        verdict = check_history(outcome.history, order="declared")
        right = same(outcome.final_state, state) and same(outcome.reports, reports)
        assert right or verdict.verdict == "violated", (seed, "the checker says ok of a wrong outcome")
        failed += not right
    record_property("random runs of 500 in which naive misses the serial outcome", failed)
    assert 100 < failed < 500


def test_the_random_runs_do_exercise_every_repair() -> None:
    """A sometimes-property beside the always-properties above: each kind of event occurs."""
    seen: set[tuple[str, str]] = set()
    for seed in range(150):
        workload, _, _ = serial_outcome(seed)
        for rule in (*MODES, *OTHERS):
            for record in ran(workload, rule, seed).history.records:
                seen.add((record["event"], record.get("route", record.get("action", record.get("decision", "")))))
    assert {
        ("hold", ""),
        ("park", ""),
        ("release", ""),
        ("undo", ""),
        ("redo", "live"),
        ("mask", ""),
        ("cancel", ""),
        ("notify", ""),
        ("repair", "rewrite"),
        ("repair", "insert"),
        ("repair", "retract"),
        ("judge", "keep"),
        ("result", "snapshot"),
        ("result", "recorded"),
        ("result", "undo"),
        ("refresh", "snapshot"),
    } <= seen
