"""Agents that are alike change places: fewer states, the same answers by name, and a wrong claim is found out."""

from dataclasses import dataclass, replace
from functools import partial

import pytest

from coagent.bench.exploration import increments
from coagent.explore import Exploration, explore
from coagent.history import plain
from coagent.judge import Judge
from coagent.program import report_out
from coagent.protocols import PROTOCOLS, VARIANTS, protocol
from coagent.protocols.broadcast import Broadcast
from coagent.protocols.guard import Guard
from coagent.protocols.naive import Naive
from coagent.protocols.optimistic import Optimistic
from coagent.protocols.two_phase_locking import TwoPhaseLocking
from coagent.scenario import Scenario
from coagent.simulate import Listed, simulate
from coagent.symmetry import alike, claims, exchanges, identical
from coagent.testing import small_scenario, small_worlds
from coagent.testing.contract import conformance
from coagent.workload import Agent, from_scenario
from coagent.world import Setting
from tests.driving import setting
from tests.test_reduction import agreed, said

SYMMETRIC = ("naive", "occ", "fork-merge")
STATES = {"naive": 20, "occ": 618, "fork-merge": 10, "2pl": 418, "mtpo": 1060}
"""States of three identical increments, pinned."""

TELLING = [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}, {"report": "v"}]
"""An agent that tells what it read, so that endings differ by name."""

SENDING = [{"send": "out", "value": "1"}, {"get": "out", "as": "v"}, {"report": "len(v)"}]
"""One that tells the same of where it acts at once even on forks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bent(Naive):
    """A variant: it does not say anything of itself."""

    name: str = "bent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked(TwoPhaseLocking):
    """Says that it looks at no ranks, which is wrong: the youngest of a deadlock is undone."""

    symmetric = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(Optimistic):
    """OCC that says nothing of itself."""


def shared(scenario: Scenario, times: int) -> Scenario:
    """The scenario with its first agent's script run by `times` agents, and the second agent beside them."""
    first, other = scenario.agents[:2]
    crowd = [replace(first, name=f"{first.name}{at}") for at in range(times)]
    return replace(scenario, agents=(*crowd, other) if times == 2 else tuple(crowd))


def increment(rule: str) -> Setting:
    return Setting(workload=increments(3), protocol=protocol(rule))


def test_who_says_what_of_itself() -> None:
    assert {name for name, one in PROTOCOLS.items() if claims(one)} == set(SYMMETRIC)
    assert not any(claims(one) for one in VARIANTS.values())
    assert not claims(Bent()) and claims(Guard(Naive(), "here")) and not claims(Guard(Bent(), "here"))


@pytest.mark.parametrize("rule", ["naive", "fork-merge", "2pl", "mtpo"])
def test_three_identical_agents_leave_a_fifth_of_the_states_or_fewer(rule: str) -> None:
    whole, found = explore(increment(rule), reduced=False), explore(increment(rule), sample=1)
    assert said(found) == said(whole) and not found.note
    assert found.alike == ((("A", "B", "C"),) if rule in SYMMETRIC else ())
    assert found.states == STATES[rule] and whole.states >= 5 * found.states


def test_three_identical_agents_under_occ_leave_the_same_endings_by_name() -> None:
    found, told = explore(increment("occ"), sample=1), explore(replace(increment("occ"), protocol=Plain()))
    assert said(found) == said(told) and found.states == STATES["occ"] and not found.note
    assert {one.gave_up for one in found.endings} >= {("A",), ("B",), ("C",), ("A", "B"), ("A", "C"), ("B", "C")}
    assert told.alike == () and told.states > 5 * found.states


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("rule", [*SYMMETRIC, "2pl"])
def test_on_random_worlds_with_a_shared_script_nothing_is_lost(rule: str, times: int) -> None:
    tried: list[Exploration] = []
    for seed in range(12):
        where = Setting(workload=from_scenario(shared(small_scenario(seed), times)), protocol=protocol(rule))
        found = agreed(where, 1_000)
        if found:
            assert not found.note
            assert (len(found.alike[0]) >= times) if rule in SYMMETRIC else not found.alike
            tried.append(found)
    assert len(tried) > 4


@pytest.mark.nightly
@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("rule", [*SYMMETRIC, "2pl"])
def test_on_many_random_worlds_with_a_shared_script_nothing_is_lost(rule: str, times: int) -> None:
    for seed in range(600):
        where = Setting(workload=from_scenario(shared(small_scenario(seed), times)), protocol=protocol(rule))
        found = agreed(where, 20_000)
        assert found is None or not found.note


@pytest.mark.parametrize("rule", SYMMETRIC)
def test_every_ending_by_name_has_a_schedule_that_leads_there(rule: str) -> None:
    steps = SENDING if rule == "fork-merge" else TELLING
    where = setting(dict.fromkeys("ABC", steps), protocol(rule), {"x": 0})
    found = explore(where)
    assert rule != "fork-merge" or found.states == 10
    assert found.alike == (("A", "B", "C"),) and len({repr(one.reports) for one in found.endings}) >= 6
    for ending in found.endings:
        outcome = simulate(where, Listed(ending.schedule))
        assert outcome.schedule == ending.schedule and outcome.quiescent
        assert {path: plain(value) for path, value in outcome.final_state.items()} == ending.final_state
        assert {name: report_out(report) for name, report in outcome.reports.items()} == ending.reports


def test_two_classes_change_places_each_within_itself() -> None:
    steps = {"A": TELLING, "B": [{"get": "x", "as": "v"}, {"report": "v"}]}
    where = setting({"A": steps["A"], "B": steps["B"], "C": steps["A"], "D": steps["B"]}, protocol("naive"), {"x": 0})
    found = agreed(where, 20_000)
    assert found is not None and found.alike == (("A", "C"), ("B", "D")) and not found.note


def act(*args: object, **more: object) -> object:
    """A program's stand-in: it is only compared."""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (act, act, True),
        (partial(act, 1), partial(act, 1), True),
        (partial(act, partial(act, "x"), k=2), partial(act, partial(act, "x"), k=2), True),
        (partial(act, 1), partial(act, True), False),
        (partial(act, "A"), partial(act, "B"), False),
        (partial(act, k=1), partial(act, k=2), False),
        (partial(act, 1), partial(print, 1), False),
        (lambda: act(), lambda: act(), False),
    ],
)
def test_programs_are_identical_when_function_and_arguments_are(one: object, other: object, same: bool) -> None:
    assert identical(Agent(name="A", program=one), Agent(name="B", program=other)) is same
    assert not identical(Agent(name="A", program=one), Agent(name="B", program=other, think_s=1.0))


def test_who_is_told_apart_by_anything_changes_no_places() -> None:
    crowd = dict.fromkeys("AB", TELLING)
    assert alike(setting(crowd, Naive(), {"x": 0})) == (("A", "B"),)
    assert alike(setting(crowd, Bent(), {"x": 0})) == ()
    assert alike(setting({"A": TELLING, "A.1": TELLING}, Naive(), {"x": 0})) == ()
    assert alike(setting({"A": TELLING, "B": TELLING[:2]}, Naive(), {"x": 0})) == ()
    for keyed in ({"lost": {"A.1": True}}, {"judge": Judge(miss=0.5)}):
        found = explore(setting(crowd, Naive(), {"x": 0}, **keyed))
        assert not found.alike and "names matter" in found.note


def test_every_exchange_but_none_is_tried() -> None:
    assert len(list(exchanges((("A", "B", "C"), ("D", "E"))))) == 11
    assert [*exchanges((("A", "B"),))] == [{"A": "B", "B": "A"}]


def test_a_rule_that_looks_at_ranks_and_says_otherwise_is_noticed_and_all_is_explored_without_it() -> None:
    where = replace(increment("2pl"), protocol=Ranked())
    found = explore(where, sample=1)
    assert "explored again with fewer states taken for one" in found.note and not found.alike
    assert said(found) == said(explore(where, reduced=False))


def test_the_kit_refuses_a_rule_that_looks_at_ranks_and_says_otherwise() -> None:
    worlds = [from_ for from_ in small_worlds() if "skew" in from_.name or "lost" in from_.name]
    refused = conformance(Ranked(), worlds).refused
    assert "says that it is symmetric" in refused and "B in A's place" in refused
    assert not conformance(TwoPhaseLocking(), worlds).refused
    assert not any(conformance(protocol(rule), small_worlds()).refused for rule in SYMMETRIC)


def test_a_way_round_for_ever_is_looked_for_with_agents_told_apart() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Loud(Broadcast):
        symmetric = True

    steps = [{"get": "x", "as": "v"}, {"put": "x", "value": "(v + 1) % 2"}]
    where = setting(dict.fromkeys("AB", steps), Loud(), {"x": 0})
    assert alike(where)
    found, told = explore(where), explore(replace(where, protocol=Broadcast()))
    assert "leads back to where it came from" in found.note and not found.alike
    assert found.complete and replace(found, note="") == told
    schedule = found.cycle.stem + 3 * found.cycle.cycle
    outcome = simulate(where, Listed(schedule), max_steps=len(schedule))
    assert not outcome.quiescent and outcome.schedule == schedule
