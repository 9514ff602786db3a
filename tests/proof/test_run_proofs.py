"""Runs proved like serial ones from every start state, and those of broken protocols refuted by a run that differs."""

from dataclasses import dataclass, replace
from itertools import permutations
from random import Random
from statistics import median
from time import process_time

import pytest

from checker import oracle
from checker.notified import check_history
from checker.proof import Proof, needless, prove_history
from coagent.event import Event, Invoked
from coagent.history import History, lines, parse
from coagent.operation import same
from coagent.protocols import VARIANTS, protocol
from coagent.protocols.naive import Naive
from coagent.protocols.run import Run
from coagent.proving import Again, _Proving, differences, ended, prove_workload, serial
from coagent.scenario import parse_scenario
from coagent.simulate import Chance, Clock, simulate
from coagent.stepper import follow
from coagent.testing import random_scenario
from coagent.workload import Setting, Workload, from_scenario
from workloads import names, workload

MTPO = protocol("mtpo")
NAIVE = protocol("naive")
UNFILTERED = protocol("mtpo-without-filtered-reads")
NAMED = [name for name, _ in names()]
VALUES = (0, 1, 2, -1, 5, True, False, None, "", "a", "ok", (), (1,), (1, 2), (True,))


def randomly(seed: int) -> Workload:
    """The random workload of a seed."""
    return from_scenario(random_scenario(seed))


def proved(seed: int, rule: object = MTPO, paths: int = 1) -> Proof:
    """The proof of a random workload along a random schedule."""
    return prove_workload(randomly(seed), rule, schedule="random", seed=seed, paths=paths)


def recorded(one: Workload, rule: object, seed: int = 0) -> History:
    """A random run as its file says."""
    outcome = simulate(Setting(workload=one, protocol=rule, seed=seed), Chance(seed))
    return parse("".join(lines(outcome.history)), "history")


@pytest.mark.parametrize("name", NAMED)
def test_the_named_workloads_are_proved_under_mtpo(name: str) -> None:
    proof = prove_workload(workload(name), MTPO, paths=1 if name.startswith("o5") else 8)
    assert proof.verdict == "proved", proof.sentences()


def test_two_hundred_random_scenarios_are_proved_under_mtpo(record_property) -> None:
    took = []
    for seed in range(200):
        start = process_time()
        assert proved(seed).verdict == "proved", seed
        took.append(process_time() - start)
    record_property("median CPU seconds of a proof along one path, 200 random scenarios", round(median(took), 4))
    assert median(took) < 1


@pytest.mark.nightly
def test_random_scenarios_are_proved_along_many_paths() -> None:
    for seed in range(400):
        proof = proved(seed, paths=20)
        assert proof.verdict == "proved", (seed, proof.sentences())


@pytest.mark.parametrize(("name", "paths"), [("lost-update", 8), ("dirty-read", 3), ("write-skew-innocent", 4)])
def test_all_paths_of_a_small_workload_are_counted(name: str, paths: int) -> None:
    proof = prove_workload(workload(name), MTPO, paths=12)
    assert (proof.paths, proof.complete) == (paths, True)
    assert f"{paths} of {paths} paths" in proof.sentences()[1]


def test_a_bound_is_reported() -> None:
    proof = prove_workload(workload("read-skew"), MTPO, paths=3)
    assert (proof.verdict, proof.paths, proof.complete) == ("proved", 3, False)
    assert "3 paths, the bound, and more are open" in proof.sentences()[1]


BROKEN = {
    "mtpo-without-filtered-reads": 1,
    "mtpo-with-agent-positions": 15,
    "mtpo-without-reader-notices": 1,
    "mtpo-without-any-notice": 0,
    "mtpo-without-result-notices": 0,
    "mtpo-with-one-notice-per-operation": 11,
    "mtpo-with-one-notice-per-agent": 1,
    "mtpo-with-downward-notices": 1,
    "mtpo-without-reopening": 0,
    "mtpo-without-notices-in-mid-inference": 9,
    "mtpo-without-slotting": 0,
    "mtpo-without-transitive-closure": 30,
    "mtpo-with-undo-first-in-first-out": 7,
    "mtpo-with-redo-backwards": 0,
    "mtpo-without-redo": 0,
    "mtpo-without-reissue": 0,
    "mtpo-without-retried-failures": 0,
    "mtpo-with-thomas-over-rmw": 144,
    "mtpo-with-thomas-for-rmw": 15,
    "mtpo-without-uncovering": 15,
    "mtpo-without-unrecoverable-hold": 40,
    "mtpo-with-early-commit": 0,
    "naive": 1,
}
"""For each broken protocol a seed whose run goes wrong in its own start state."""

ELSEWHERE = {
    "mtpo-without-filtered-reads": 19,
    "mtpo-with-agent-positions": 27,
    "mtpo-without-any-notice": 20,
    "mtpo-without-result-notices": 24,
    "mtpo-with-downward-notices": 40,
    "mtpo-without-slotting": 96,
    "mtpo-without-transitive-closure": 120,
    "mtpo-with-undo-first-in-first-out": 8,
    "mtpo-with-redo-backwards": 39,
    "mtpo-without-redo": 20,
    "mtpo-without-reissue": 16,
    "mtpo-without-unrecoverable-hold": 77,
    "naive": 59,
}
"""And for some one whose run is right in its own start state, and wrong in another that the solver has to find."""


def test_every_variant_that_is_wrong_has_a_run_to_refute() -> None:
    assert {name for name, one in VARIANTS.items() if one.expects} | {"naive"} == set(BROKEN)


def assert_refuted(seed: int, rule: object, paths: int) -> Proof:
    """Refuted, and the run from the counterexample, judged by the checker instead, is violated."""
    proof = proved(seed, rule, paths)
    assert proof.verdict == "refuted", proof.sentences()
    shown = proof.counterexample
    there = replace(randomly(seed), state=tuple(sorted(shown.state.items())))
    outcome = follow(Setting(workload=there, protocol=rule, seed=seed), shown.schedule)
    assert tuple(differences(ended(outcome), serial(there, shown.order), shown.order)) == shown.differs
    assert check_history(outcome.history, order=rule.promises).verdict == "violated"
    return proof


@pytest.mark.parametrize(("name", "seed"), BROKEN.items())
def test_each_variant_is_refuted_by_a_run_that_differs(name: str, seed: int) -> None:
    assert_refuted(seed, protocol(name), 1)


@pytest.mark.parametrize(("name", "seed"), ELSEWHERE.items())
def test_a_lucky_start_state_does_not_save_a_variant(name: str, seed: int) -> None:
    rule, one = protocol(name), randomly(seed)
    real = ended(simulate(Setting(workload=one, protocol=rule, seed=seed), Chance(seed)))
    orders = permutations(real.logs) if rule.promises == "any" else [sorted(real.logs)]
    assert any(not differences(real, serial(one, order), order) for order in orders)
    proof = assert_refuted(seed, rule, 24)
    assert proof.counterexample.state != dict(one.state)
    assert proof.queries > 0


@pytest.mark.parametrize("name", ["lost-update-innocent", "write-skew-innocent", "unrecoverable-send-innocent"])
def test_what_is_proved_of_all_paths_holds_in_random_start_states(name: str) -> None:
    one, random = workload(name), Random(name)
    assert prove_workload(one, NAIVE, paths=16).complete
    cells = {path for path, _ in one.state} | {"mails", "x", "y"}
    for _ in range(60):
        state = {path: random.choice(VALUES) for path in cells if random.random() < 0.8}
        there = replace(one, state=tuple(sorted(state.items())))
        first = simulate(Setting(workload=there, protocol=NAIVE), Again(()))
        orders = (("A", "B"), ("B", "A"))
        assert not all(differences(ended(first), serial(there, order), order) for order in orders), state


@pytest.mark.nightly
def test_what_is_proved_of_all_paths_of_a_random_scenario_holds_in_random_start_states() -> None:
    random, complete = Random(3), 0
    for seed in range(80):
        if not proved(seed, NAIVE, paths=64).complete:
            continue
        complete += 1
        one = _Proving(randomly(seed), NAIVE, seed)
        one.begin(Chance(seed))
        for _ in range(100):
            state = {path: (random.choice(VALUES),) if random.random() < 0.8 else () for path in one.start}
            assert not one.way(state).differs, (seed, state)
    assert complete > 5


def test_a_value_too_large_for_an_expression_is_a_path_of_its_own() -> None:
    steps = [{"get": "x", "as": "v"}, {"put": "y", "value": "v * 2"}, {"report": "v"}]
    data = {"state": {"x": "a" * 6000}, "agents": [{"name": "A", "steps": steps}]}
    proof = prove_workload(from_scenario(parse_scenario(data, "large")), MTPO, paths=2, seconds=0.3)
    assert proof.verdict == "proved"


def test_a_character_that_the_solver_lacks_is_unknown() -> None:
    steps = [{"get": "x", "as": "v"}, {"if": "v == '\U000f0000'", "then": [{"put": "y", "value": "1"}]}]
    data = {"state": {"x": 1}, "agents": [{"name": "A", "steps": steps}]}
    proof = prove_workload(from_scenario(parse_scenario(data, "private")), MTPO)
    assert (proof.verdict, proof.missing) == ("unknown", ("z3 has no characters above U+2FFFF",))


def test_the_same_question_gets_the_same_answer() -> None:
    one, again = (proved(38, UNFILTERED, 6).to_json() | {"seconds": 0} for _ in range(2))
    assert one == again


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaf(Naive):
    """A protocol that never carries out a call."""

    def step(self, run: Run, event: Event) -> tuple[Run, tuple]:
        """Launches, and nothing else."""
        return Naive.step(self, run, event) if not isinstance(event, Invoked) else (run, ())


def test_a_run_that_does_not_end_is_unknown() -> None:
    proof = prove_workload(workload("lost-update"), Deaf())
    assert (proof.verdict, proof.exit_code) == ("unknown", 2)
    assert "quiescence" in proof.missing[0]


def test_without_time_the_answer_is_unknown() -> None:
    data = {
        "state": {"x": 1},
        "agents": [
            {
                "name": "A",
                "steps": [
                    {"get": "x", "as": "v"},
                    {"put": "y", "value": "v * v * v"},
                    {"get": "y", "as": "w"},
                    {"if": "w % 7 == 3", "then": [{"put": "z", "value": "1"}]},
                ],
            }
        ],
    }
    proof = prove_workload(from_scenario(parse_scenario(data, "cube")), MTPO, paths=50, seconds=0.001)
    assert not proof.complete
    assert any("z3 gives up" in one for one in (*proof.notes, *proof.missing))


@pytest.mark.parametrize("name", NAMED)
def test_a_recorded_mtpo_run_is_proved_for_all_meanings_of_its_calls(name: str) -> None:
    one = workload(name)
    proof = prove_history(recorded(one, MTPO), tools=one.tools)
    assert (proof.verdict, proof.how) == ("proved", "value numbering"), proof.sentences()
    assert "all meanings" in proof.domain


def test_recorded_runs_are_proved_only_where_the_oracle_agrees() -> None:
    seen = set()
    for seed in range(60):
        one = randomly(seed)
        due = oracle.serial(one.state, [(agent.name, agent.program) for agent in one.agents], one.tools)
        for rule in (MTPO, UNFILTERED, protocol("mtpo-without-result-notices")):
            outcome = simulate(Setting(workload=one, protocol=rule, seed=seed), Chance(seed))
            proof = prove_history(outcome.history)
            right = same((outcome.final_state, outcome.reports), due)
            assert right or proof.verdict == "refuted", (seed, rule, proof.sentences())
            assert rule is not MTPO or proof.how == "value numbering"
            seen.add((right, proof.verdict))
    assert {(True, "proved"), (False, "refuted")} <= seen


@pytest.mark.parametrize("name", ["naive", "2pl", "occ", "serial"])
def test_what_the_checker_calls_serializable_is_proved_or_wrong_elsewhere_only(name: str) -> None:
    rule, proofs = protocol(name), []
    for seed in range(40):
        history = recorded(randomly(seed), rule, seed)
        if check_history(history, order="any").verdict == "ok":
            proofs.append(prove_history(history))
            assert proofs[-1].verdict != "unknown", (seed, proofs[-1].sentences())
            shown = proofs[-1].counterexample
            assert shown is None or shown.state != history.header["state"]
    assert any(one.verdict == "proved" for one in proofs)


def test_a_history_that_says_otherwise_than_its_tools_is_not_proved() -> None:
    history = recorded(workload("lost-update"), NAIVE)
    last = max(place for place, record in enumerate(history.records) if record["event"] == "exec")
    forged = dict(history.records[last], wrote={"stock/apples": {"value": 99}})
    proof = prove_history(History(history.header, (*history.records[:last], forged, *history.records[last + 1 :])))
    assert proof.verdict == "unknown"
    assert "check the history" in proof.missing[0]


NOTED = {
    "name": "noted",
    "state": {"d": 1, "e": 1},
    "agents": [
        {"name": "A", "think_s": 9.0, "steps": [{"put": "d/note", "value": "'hello'"}, {"put": "e", "value": "2"}]},
        {"name": "B", "think_s": 1.0, "steps": [{"get": "d", "as": "v"}, {"get": "e", "as": "w"}, {"report": "v"}]},
    ],
}


def test_a_notice_about_what_a_read_never_looks_at_is_needless_in_every_state() -> None:
    one = from_scenario(parse_scenario(NOTED, "noted"))
    outcome = simulate(Setting(workload=one, protocol=protocol("mtpo-footprint")), Clock(0.1))
    [notice] = needless(outcome.history)
    assert (notice.op, notice.cause, notice.always) == ("B.1", "A.1", True)
    outcome = simulate(Setting(workload=one, protocol=MTPO), Clock(0.1))
    assert list(outcome.history.of("notify")) and not needless(outcome.history)


def test_a_notice_that_told_nothing_new_is_needless_here_only() -> None:
    setting = Setting(workload=workload("slots"), protocol=protocol("mtpo-footprint"))
    found = needless(simulate(setting, Clock(0.1)).history)
    assert {(notice.cause, notice.always) for notice in found} == {("agent-01.3", False), ("agent-02.2", False)}


def test_a_scenario_in_which_nobody_meets_needs_no_solver() -> None:
    data = {"state": {}, "agents": [{"name": "A", "steps": [{"put": "x", "value": "1"}]}]}
    proof = prove_workload(from_scenario(parse_scenario(data, "alone")), MTPO)
    assert (proof.verdict, proof.how, proof.queries, proof.complete) == ("proved", "value numbering", 0, True)
