"""The checker, which sees only histories, and invariants, which see only outcomes, agree on every textbook run."""

import pytest

from checker.notified import check_history
from coagent.history import lines, parse
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive
from coagent.simulate import Chance, simulate
from coagent.world import Setting
from workloads import textbook, workload

SEEDS = range(20)


def judged(built, protocol, seed):
    """The outcome of a random schedule, and the verdict on its history as written and read back."""
    outcome = simulate(Setting(workload=built, protocol=protocol, seed=seed), Chance(seed))
    history = parse("".join(lines(outcome.history)), "recorded")
    return outcome, check_history(history, order=protocol.promises)


@pytest.mark.parametrize("name", textbook.NAMES)
def test_the_verdict_on_a_naive_run_is_that_of_the_invariant(name):
    built = workload(name)
    for seed in SEEDS:
        outcome, verdict = judged(built, Naive(), seed)
        holds = built.invariant(outcome.final_state, outcome.reports)
        assert verdict.verdict == ("ok" if holds else "violated"), seed


@pytest.mark.parametrize("name", textbook.NAMES)
def test_every_mtpo_run_is_notified_serializable_in_the_pre_order(name):
    built = workload(name)
    for seed in SEEDS:
        assert judged(built, Mtpo(), seed)[1].verdict == "ok", seed


@pytest.mark.parametrize(
    "name, anomaly",
    [
        ("dirty-read", "intermediate read"),
        ("lost-update", "lost update"),
        ("read-skew", "read skew"),
        ("write-skew", "write skew"),
        ("phantom", "phantom"),
    ],
)
def test_the_checker_calls_the_anomaly_by_its_name(name, anomaly):
    built = workload(name)
    named = {one.name for seed in SEEDS for one in judged(built, Naive(), seed)[1].anomalies}
    assert anomaly in named
