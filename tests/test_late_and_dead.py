"""Agents that come late and agents that die: who is appended to the order, and what is taken back of whom."""

from dataclasses import replace

import pytest

from coagent import effect, event
from coagent.bad_input import BadInput
from coagent.compaction import compacted
from coagent.event import IllegalEvent
from coagent.expansion import expanded
from coagent.explore import explore
from coagent.history import lines, parse
from coagent.lanes import lanes
from coagent.operation import Call
from coagent.program import Failure
from coagent.protocols import protocol
from coagent.running import Ran, judged
from coagent.simulate import Chance, Clock, Listed, simulate
from coagent.testing import random_scenario
from coagent.tool import TOOLS, declare
from coagent.workload import Workload, from_scenario
from coagent.world import Choice, Setting, opened
from tests.driving import events, setting, to_the_end
from workloads import workload

CORRECT = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass")
EVERY = (*CORRECT, "naive", "broadcast")


def changed(given: Workload, **by_agent: dict) -> Workload:
    """The workload with fields of its agents changed."""
    return replace(given, agents=tuple(replace(one, **by_agent.get(one.name, {})) for one in given.agents))


def built(agents: dict[str, list], state: dict | None = None, **by_agent: dict) -> Workload:
    """A workload of agents' steps by name, with other fields of theirs changed."""
    return changed(setting(agents, None, state).workload, **by_agent)


def timed(given: Workload, rule: str) -> Ran:
    return judged(simulate(Setting(workload=given, protocol=protocol(rule)), Clock(given.cost.tool_s)))


PUTS = {"A": [{"put": "x", "value": "1"}], "B": [{"get": "x", "as": "v"}, {"report": "v"}]}
PAIR = {"A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}], "B": PUTS["B"]}


# late


def test_the_clock_launches_a_late_agent_at_its_time_with_the_next_rank():
    ran = timed(workload("late-joiner", agents=5), "mtpo")
    *others, late = ran.outcome.history.of("launch")
    assert [one["at"] for one in others] == [0.0] * 4 and late["at"] == 2.0
    assert (late["agent"], late["rank"]) == ("agent-05", [5])
    assert ran.verdict.order == tuple(f"agent-{number:02}" for number in range(1, 6))


@pytest.mark.parametrize("rule", EVERY)
def test_who_comes_when_all_others_have_committed_is_served_and_commits_too(rule):
    ran = timed(built(PUTS, B={"launch_s": 1000.0}), rule)
    late = [one["at"] for one in ran.outcome.history.records if one.get("agent") == "B"]
    assert late[0] == 1000.0 and ran.outcome.history.end["reports"] == {"A": None, "B": 1}
    assert ran.exit_code == 0 and ran.order_exact


def test_nobody_tells_those_who_have_committed_of_what_a_late_agent_does():
    agents = {"A": [{"get": "x", "as": "v"}, {"report": "v"}], "B": PUTS["A"]}
    for rule in ("broadcast", "mtpo", "mtpo-footprint"):
        ran = timed(built(agents, {"x": 0}, B={"launch_s": 1000.0}), rule)
        assert ran.outcome.quiescent and not [*ran.outcome.history.of("notify", "refresh")]


def test_the_launch_is_a_choice_like_any_other_and_the_next_one_where_nothing_else_can_happen():
    world = opened(Setting(workload=built(PUTS, B={"launch_s": 5.0}), protocol=protocol("mtpo")))
    assert world.choices() == (Choice("infer", "A"), Choice("launch", "B"))
    early = world.take(Choice("launch", "B"))
    assert early.choices() == (Choice("infer", "A"), Choice("infer", "B"))
    while others := [one for one in world.choices() if one.act != "launch"]:
        world = world.take(others[0])
    assert world.choices() == (Choice("launch", "B"),) and not world.quiescent
    assert to_the_end(world).quiescent


def test_late_agents_come_one_after_the_other_whoever_chooses():
    agents = {**PUTS, "C": PUTS["A"]}
    world = opened(Setting(workload=built(agents, B={"launch_s": 1.0}, C={"launch_s": 1.0}), protocol=protocol("mtpo")))
    assert Choice("launch", "C") not in world.choices()
    with pytest.raises(ValueError, match="not the next"):
        world.take(Choice("launch", "C"))
    assert Choice("launch", "C") in world.take(Choice("launch", "B")).choices()


@pytest.mark.parametrize(
    "late", [{"A": {"launch_s": 1.0}}, {"B": {"launch_s": -1.0}}, {"B": {"launch_s": float("nan")}}]
)
def test_an_agent_listed_before_one_that_comes_earlier_is_refused(late):
    with pytest.raises(BadInput, match="appended to the order"):
        opened(Setting(workload=built(PUTS, **late), protocol=protocol("mtpo")))


def test_serial_lets_a_late_agent_wait_for_those_before_it():
    ran = timed(built(PAIR, B={"launch_s": 0.5}), "serial").outcome.history
    [*_, launched] = ran.of("launch")
    first = next(one["at"] for one in ran.of("infer") if one["agent"] == "B")
    assert launched["at"] == 0.5 and first == next(one["at"] for one in ran.of("commit") if one["agent"] == "A")


# dead


@pytest.mark.parametrize("rule", CORRECT)
def test_what_a_dead_agent_did_is_taken_back_and_the_others_end_as_without_it(rule):
    ran = timed(built(PAIR, {"x": 0}, A={"dies_after": 1}), rule)
    end = ran.outcome.history.end
    assert end["final_state"] == {"x": 0} and end["reports"] == {"A": {"error": "died"}, "B": 0}
    assert ran.exit_code == 0 and ran.order_exact and [one.partition("#")[0] for one in ran.verdict.order] == ["B"]


@pytest.mark.parametrize(("read", "anomaly"), [("x", "aborted read"), ("z", "diverged state")])
def test_without_control_the_half_that_was_done_stays_and_the_checker_says_so(read, anomaly):
    agents = {**PAIR, "B": [{"get": read, "as": "v"}, {"report": "v"}]}
    ran = timed(built(agents, {"x": 0}, A={"dies_after": 1}), "naive")
    assert ran.outcome.history.end["final_state"] == {"x": 1}
    assert ran.exit_code == 1 and ran.order_exact is False
    assert anomaly in {one.name for one in ran.verdict.anomalies}


def test_the_lost_answer_is_resolved_before_the_write_is_undone_and_its_reader_is_told():
    ran = timed(changed(built(PAIR, {"x": 0}, A={"dies_after": 1}), B={"think_s": 5.05}), "mtpo")
    told = [(one["event"], one.get("status")) for one in ran.outcome.history.of("exec", "undo", "notify", "give-up")]
    assert told == [("exec", "unknown"), ("exec", "ok"), ("give-up", None), ("undo", None), ("notify", "ok")]


def test_a_dead_agent_makes_no_call_after_its_last_however_often_it_begins_again():
    agents = {
        "A": [{"get": "x", "as": "v"}, {"put": "y", "value": "v"}],
        "B": [{"get": "y", "as": "v"}, {"put": "x", "value": "1"}],
    }
    for seed in range(60):
        given = built(agents, B={"dies_after": 2})
        world = simulate(Setting(workload=given, protocol=protocol("2pl"), seed=seed), Chance(seed)).world
        made = {}
        for one in events(world, "invoke"):
            made[one["agent"], one["attempt"]] = made.get((one["agent"], one["attempt"]), 0) + 1
        assert world.actors["B"].died and max(count for (name, _), count in made.items() if name == "B") == 2
        assert world.reports["B"] == Failure("died") and world.quiescent


@pytest.mark.parametrize("rule", CORRECT)
def test_what_cannot_be_taken_back_stays_and_the_run_is_not_called_right(rule):
    agents = {"A": [{"send": "mail", "value": "1"}, {"put": "y", "value": "1"}], "B": PUTS["B"]}
    ran = timed(built(agents, A={"dies_after": 1}), rule)
    assert ran.outcome.quiescent and ran.outcome.history.end["final_state"] == {"mail": [1]}
    assert ran.exit_code == 1 and not [*ran.outcome.history.of("undo")]


@pytest.mark.parametrize("rule", EVERY)
def test_an_agent_dies_only_where_nothing_of_it_is_under_way(rule):
    protocol_, run = protocol(rule), protocol(rule).start()
    for illegal in (event.Died(agent="A"), event.Died(agent="B")):
        with pytest.raises(IllegalEvent):
            protocol_.step(run, illegal)
    run, _ = protocol_.step(run, event.Launched(agent="A", rank=(1,)))
    run, _ = protocol_.step(run, event.Inferring(agent="A"))
    _, effects = protocol_.step(run, event.Died(agent="A"))
    assert effect.Bury(agent="A") in effects, "it may die while it infers"
    asked = Call("put", (("path", "x"), ("value", 1)))
    run, _ = protocol_.step(run, event.Invoked(agent="A", call=asked, declaration=declare(TOOLS, asked)))
    with pytest.raises(IllegalEvent):
        protocol_.step(run, event.Died(agent="A"))


# both, everywhere


@pytest.mark.parametrize("rule", [one for one in EVERY if one != "broadcast"])
@pytest.mark.parametrize("name", ["late-joiner", "dies"])
def test_a_reduced_exploration_finds_the_endings_of_a_full_one(name, rule):
    given = workload(name, agents=2)
    if name == "dies":
        given = built(PAIR, {"x": 0}, A={"dies_after": 1})
    where = Setting(workload=given, protocol=protocol(rule))
    small, full = explore(where, sample=1), explore(where, reduced=False)
    ends = [
        {repr((one.kind, one.final_state, one.reports, one.died)) for one in found.endings} for found in (small, full)
    ]
    assert ends[0] == ends[1] and small.reduced and not small.note and small.complete and full.complete
    assert small.states <= full.states


def drawn(seed: int) -> Workload:
    """A random world of which one agent dies, who sends nothing, and the last comes late."""
    scenario = random_scenario(seed)
    given = from_scenario(scenario)
    quiet = [one.name for one in scenario.agents if "send" not in repr(one.steps)]
    mortal = {quiet[seed % len(quiet)]: {"dies_after": 1 + seed % 3}} if quiet else {}
    given = changed(given, **mortal)
    return changed(given, **{given.agents[-1].name: {"launch_s": 6.0}})


def assert_right(rule: str, seeds: range) -> None:
    died = 0
    for seed in seeds:
        given = drawn(seed)
        ran = judged(simulate(Setting(workload=given, protocol=protocol(rule), seed=seed), Chance(seed)))
        assert ran.gave_up or ran.exit_code == 0, (seed, ran.verdict.sentences())
        died += any(one.died for one in ran.outcome.world.actors.values())
    assert died > len(seeds) / 3


@pytest.mark.parametrize("rule", CORRECT)
def test_random_worlds_with_a_death_and_a_late_agent_end_right(rule):
    assert_right(rule, range(80))


@pytest.mark.nightly
@pytest.mark.parametrize("rule", CORRECT)
def test_many_random_worlds_with_a_death_and_a_late_agent_end_right(rule):
    assert_right(rule, range(3_000))


@pytest.mark.parametrize("name", ["late-joiner", "dies"])
def test_such_a_history_reads_back_replays_and_can_be_seen(name):
    where = Setting(workload=workload(name), protocol=protocol("mtpo"))
    outcome = simulate(where, Chance(3))
    text = "".join(lines(outcome.history))
    assert "".join(lines(parse(text, "h"))).count("\n") == len(outcome.history) + 1
    assert "".join(lines(expanded(compacted(outcome.history)))) == text
    again = simulate(where, Listed(outcome.schedule))
    assert again.final_state == outcome.final_state and again.reports == outcome.reports
    shown = "\n".join(lanes(outcome.history))
    assert ("joins, last in the order" if name == "late-joiner" else "dies") in shown
