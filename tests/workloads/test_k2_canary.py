"""The papers' case study: one set of think times, and the differences come out of the protocols."""

import pytest

from checker.notified import check_history
from coagent.protocols import protocol
from coagent.simulate import Chance, Clock, Outcome, simulate
from coagent.world import Setting
from workloads import workload

PAPERS_S = {"serial": 50.2, "naive": 31.8, "2pl": 53.1, "occ": 63.7, "mtpo": 32.8}
WRITE_TO_REPAIR_S = 6.4


def run(name: str) -> Outcome:
    """The case on the clock, with nominal think times."""
    given = workload("k2-canary")
    return simulate(Setting(workload=given, protocol=protocol(name)), Clock(given.cost.tool_s))


@pytest.mark.parametrize("name", PAPERS_S)
def test_simulated_wall_time_is_within_a_tenth_of_the_papers(name: str) -> None:
    assert run(name).seconds == pytest.approx(PAPERS_S[name], rel=0.1)


@pytest.mark.parametrize("name", PAPERS_S)
def test_the_invariant_is_broken_under_naive_alone(name: str) -> None:
    outcome = run(name)
    assert workload("k2-canary").invariant(outcome.final_state, outcome.reports) == (name != "naive")
    verdict = check_history(outcome.history, order=protocol(name).promises)
    assert verdict.verdict == ("violated" if name == "naive" else "ok"), verdict.sentences()


def test_mtpo_sends_one_notice_and_repairs_only_the_canarys_image() -> None:
    history = run("mtpo").history
    [notice] = history.of("notify")
    [repair] = history.of("repair")
    invoked = {record["op"]: record for record in history.of("invoke")}
    old, new = (invoked[repair[key]]["args"] for key in ("op", "by"))
    assert invoked[notice["op"]]["args"]["path"] == "cluster/deployments/geo/image"
    assert old["name"] == new["name"] == "geo-canary"
    assert {key for key in old if old[key] != new[key]} == {"image"}
    assert [record["op"] for record in history.of("undo")] == [repair["op"]]
    assert len([record for record in history.of("exec") if record["op"].startswith("A")]) == 3


def test_from_write_to_finished_repair_is_within_a_tenth_of_the_papers() -> None:
    history = run("mtpo").history
    [notice], [repair] = history.of("notify"), history.of("repair")
    at = {record["op"]: record["at"] for record in history.of("exec")}
    assert at[repair["by"]] - at[notice["cause"]] == pytest.approx(WRITE_TO_REPAIR_S, rel=0.1)


def test_the_stories_of_the_baselines_are_the_papers() -> None:
    [deadlock] = run("2pl").history.of("abort")
    [failed] = run("occ").history.of("abort")
    assert (deadlock["agent"], deadlock["because"].startswith("deadlock")) == ("B", True)
    assert (failed["agent"], failed["because"].startswith("validation")) == ("B", True)


@pytest.mark.parametrize("seed", range(20))
def test_mtpo_keeps_the_invariant_under_any_schedule(seed: int) -> None:
    given = workload("k2-canary")
    outcome = simulate(Setting(workload=given, protocol=protocol("mtpo"), seed=seed), Chance(seed))
    assert outcome.quiescent and given.invariant(outcome.final_state, outcome.reports)
    assert check_history(outcome.history, order="declared").verdict == "ok"
