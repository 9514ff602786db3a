"""What the strategies draw is valid, and varied enough to meet what protocols get wrong."""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coagent.judge import Judge
from coagent.program import CallStep, For, If, Report
from coagent.protocols import protocol
from coagent.scenario import Scenario, parse_scenario, scenario_out
from coagent.simulate import Chance, Clock, Listed, Priorities, Wrapped, simulate
from coagent.stepper import verdict
from coagent.testing import judges, scenarios, schedules, steps
from coagent.testing.small_world import count
from coagent.workload import Workload, from_scenario
from coagent.world import Setting

SOME = settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink))


@SOME
@given(scenarios())
def test_any_scenario_reads_back_from_what_is_written_of_it(scenario: Scenario) -> None:
    assert parse_scenario(scenario_out(scenario), "again") == scenario
    assert 2 <= len(scenario.agents) <= 5


@SOME
@given(scenarios(agents=3, steps=4, telling=True), schedules())
def test_any_list_of_integers_is_a_schedule_and_what_was_taken_replays(scenario: Scenario, schedule: list[int]) -> None:
    setting = Setting(workload=from_scenario(scenario), protocol=protocol("mtpo"))
    outcome = simulate(setting, Wrapped(schedule))
    assert outcome.quiescent
    assert simulate(setting, Listed(outcome.schedule)).final_state == outcome.final_state


@SOME
@given(judges(most=0.5))
def test_judges_err_at_the_rates_they_are_drawn_with(judge: Judge) -> None:
    assert 0 <= judge.miss <= 0.5 and 0 <= judge.over <= 0.5


@SOME
@given(st.data())
def test_a_step_uses_only_names_that_are_bound(data: st.DataObject) -> None:
    step = data.draw(steps(frozenset({"a"}), fresh="b"))
    agents = [{"name": "A", "steps": [{"get": "x", "as": "a"}, step]}]
    parse_scenario({"name": "t", "state": {}, "agents": agents}, "t")


def test_scenarios_have_every_kind_of_step_and_calls_that_fail_or_cannot_be_undone() -> None:
    met: Counter = Counter()

    @settings(SOME, max_examples=120, suppress_health_check=list(HealthCheck))
    @given(scenarios())
    def meet(scenario: Scenario) -> None:
        for agent in scenario.agents:
            meet_steps(agent.steps)
        setting = Setting(workload=from_scenario(scenario), protocol=protocol("mtpo"))
        met["fails"] += any(one.get("status") == "failed" for one in simulate(setting, Chance(0)).history.records)

    def meet_steps(found: tuple) -> None:
        for step in found:
            met[type(step)] += 1
            met["send"] += getattr(step, "tool", "") == "send"
            met["nested"] += isinstance(step, If | For) and count((step,)) > 0
            for below in ("then", "otherwise", "do"):
                meet_steps(getattr(step, below, ()))

    meet()
    assert all(met[kind] > 2 for kind in (CallStep, If, For, Report, "send", "nested", "fails")), met


def test_random_priorities_are_the_same_for_a_seed_and_others_for_another() -> None:
    runs = [simulate(_three(), Priorities(seed)).schedule for seed in (1, 1, 2, 3, 4, 5)]
    assert runs[0] == runs[1] and len(set(runs)) > 2


def test_random_priorities_find_the_ordering_that_chance_rarely_does() -> None:
    """One agent does ten things before the first does one: chance needs ten draws in a row for that."""
    hits = {chooser: sum(_last_first(chooser(seed)) for seed in range(200)) for chooser in (Priorities, Chance)}
    assert hits[Priorities] > 20 > 10 * hits[Chance], hits


def _three() -> Setting:
    agents = [{"name": name, "steps": [{"add": "x", "by": "1"}, {"get": "y"}]} for name in "ABC"]
    scenario = parse_scenario({"name": "t", "state": {"x": 0}, "agents": agents}, "t")
    return Setting(workload=from_scenario(scenario), protocol=protocol("naive"))


def _last_first(chooser: object) -> bool:
    many = [{"get": f"z{at}"} for at in range(10)]
    agents = [{"name": "A", "steps": [{"put": "x", "value": "1"}]}, {"name": "B", "steps": [*many, {"get": "x"}]}]
    workload: Workload = from_scenario(parse_scenario({"name": "t", "state": {}, "agents": agents}, "t"))
    taken = simulate(Setting(workload=workload, protocol=protocol("naive")), chooser).history.of("invoke")
    return next(iter(taken))["agent"] == "B" and list(taken)[-1]["agent"] == "A"


def test_a_judge_that_overlooks_notices_is_blamed_and_not_the_protocol() -> None:
    found: Counter = Counter()

    @settings(SOME, max_examples=100)
    @given(scenarios(agents=3, steps=4, telling=True), st.integers(0, 99))
    def overlook(scenario: Scenario, seed: int) -> None:
        judge = Judge(miss=1.0)
        setting = Setting(workload=from_scenario(scenario), protocol=protocol("mtpo"), judge=judge, seed=seed)
        found[verdict(simulate(setting, Clock(0.1))).blame] += 1

    overlook()
    assert set(found) == {None, "A3"}, found
