"""Fewer states, the same answers: reduced and plain exploration agree, and a wrong reduction is noticed."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings

from coagent.bench.exploration import increments
from coagent.effect import Perform
from coagent.event import Finished, Invoked
from coagent.explore import Exploration, explore
from coagent.history import plain
from coagent.protocols import PROTOCOLS, protocol
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive
from coagent.protocols.optimistic import Optimistic
from coagent.scenario import Scenario
from coagent.simulate import Listed, simulate
from coagent.testing import random_scenario, scenarios, small_scenario
from coagent.tool import TOOLS, Declaration, Tool
from coagent.workload import from_scenario
from coagent.world import Setting
from tests.driving import setting
from workloads import workload
from workloads.textbook import NAMES

REDUCED = {
    "dirty-read": {"naive": 18, "2pl": 7, "mtpo": 73, "mtpo-reissue": 73},
    "lost-update": {"naive": 13, "2pl": 8, "mtpo": 41, "mtpo-reissue": 48},
}
"""States when like ones are counted once, pinned."""

TERMINATING = [name for name in PROTOCOLS if name != "broadcast"]
"""Under `broadcast` even two increments have infinitely many states."""


def said(found: Exploration) -> tuple:
    """What an exploration answers, apart from how many states that took."""
    ends = {repr((one.kind, one.final_state, one.reports, one.gave_up)) for one in found.endings}
    return ends, found.notified, found.cycle is None, found.complete


def agreed(where: Setting, most: int = 30_000) -> Exploration | None:
    """The reduced exploration, every use of a reduction checked, after comparing; None when plain is too large."""
    whole = explore(where, reduced=False, max_states=most)
    if not whole.complete:
        return None
    found = explore(where, sample=1)
    assert said(found) == said(whole)
    assert found.states <= whole.states
    return found


@pytest.mark.parametrize("rule", TERMINATING)
@pytest.mark.parametrize("name", NAMES)
def test_on_textbook_worlds_nothing_is_lost(name: str, rule: str) -> None:
    found = agreed(Setting(workload=workload(name), protocol=protocol(rule)))
    assert found is not None and found.reduced and not found.note


@pytest.mark.parametrize("name", REDUCED)
def test_the_states_that_are_left_are_these(name: str) -> None:
    counted = {
        rule: explore(Setting(workload=workload(name), protocol=protocol(rule))).states for rule in REDUCED[name]
    }
    assert counted == REDUCED[name]


@pytest.mark.nightly
def test_of_three_identical_agents_under_occ_a_three_hundredth_of_the_states_is_left() -> None:
    where = Setting(workload=increments(3), protocol=protocol("occ"))
    whole, found = explore(where, reduced=False), explore(where, sample=1)
    assert said(found) == said(whole) and not found.note
    assert whole.states >= 300 * found.states


@settings(max_examples=25)
@given(scenarios(agents=2, steps=3))
def test_on_generated_worlds_nothing_is_lost(scenario: Scenario) -> None:
    for rule in ("naive", "2pl", "occ", "mtpo", "mtpo-reissue"):
        agreed(Setting(workload=from_scenario(scenario), protocol=protocol(rule)), most=1_500)


@pytest.mark.parametrize("rule", TERMINATING)
def test_on_small_random_worlds_nothing_is_lost(rule: str) -> None:
    tried = [
        agreed(Setting(workload=from_scenario(small_scenario(seed)), protocol=protocol(rule)), 2_000)
        for seed in range(30)
    ]
    assert sum(found is not None for found in tried) > 20
    assert all(not found.note for found in tried if found)


@pytest.mark.nightly
@pytest.mark.parametrize("rule", TERMINATING)
def test_on_many_random_worlds_nothing_is_lost(rule: str) -> None:
    for seed in range(1_000):
        agreed(Setting(workload=from_scenario(small_scenario(seed)), protocol=protocol(rule)))
    for seed in range(300):
        agreed(Setting(workload=from_scenario(random_scenario(seed)), protocol=protocol(rule)), 5_000)


@pytest.mark.parametrize("rule", ["naive", "2pl", "mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("name", ["lost-update", "phantom", "unrecoverable-send"])
def test_a_schedule_of_a_reduced_exploration_is_one_of_the_real_world(name: str, rule: str) -> None:
    where = Setting(workload=workload(name), protocol=protocol(rule))
    for ending in explore(where).endings:
        outcome = simulate(where, Listed(ending.schedule))
        assert outcome.schedule == ending.schedule and outcome.quiescent
        assert {path: plain(value) for path, value in outcome.final_state.items()} == ending.final_state


@pytest.mark.parametrize("rule", ["mtpo", "mtpo-reissue", "2pl", "occ"])
def test_a_report_that_lets_a_parked_call_go_is_tried_early_and_late(rule: str) -> None:
    steps = {
        "A": [{"get": "z"}],
        "B": [{"send": "out", "value": "1"}],
        "C": [{"get": "out", "as": "v"}, {"put": "w", "value": "v"}],
    }
    found = agreed(setting(steps, protocol(rule), {"z": 0}))
    assert found is not None and not found.note


@dataclass(frozen=True, slots=True, kw_only=True)
class EagerCalls(Naive):
    """Says that every call is private, which is wrong: calls that conflict are carried out in the order of asking."""

    def private(self, run: object, what: object) -> bool:
        return isinstance(what, Perform | Invoked | Finished)


@dataclass(frozen=True, slots=True, kw_only=True)
class EagerReports(Optimistic):
    """Says that a report is private, which is wrong: it commits, and then whoever had read before is stale."""

    def private(self, run: object, what: object) -> bool:
        return isinstance(what, Perform | Finished)


@dataclass(frozen=True, slots=True, kw_only=True)
class EagerUndo(Mtpo):
    """Says that an undo before a redo is private, which is wrong: its agent may take the operation back meanwhile."""

    def private(self, run: object, what: object) -> bool:
        return isinstance(what, Perform) and what.act == "undo" and run.ops[what.op].flights > 1


@pytest.mark.parametrize(
    ("name", "wrong"), [("lost-update", EagerCalls()), ("lost-update", EagerReports()), ("phantom", EagerUndo())]
)
def test_a_wrong_claim_is_noticed_and_all_is_explored_again_without_it(name: str, wrong: object) -> None:
    where = Setting(workload=workload(name), protocol=wrong)
    found = explore(where, sample=1)
    assert "was said to concern its own agent only" in found.note
    assert said(found) == said(explore(where, reduced=False))


def test_a_variant_does_not_inherit_what_is_private() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Bent(Mtpo):
        name: str = "bent"

    here, there = (explore(Setting(workload=workload("lost-update"), protocol=rule)) for rule in (Bent(), Mtpo()))
    assert here.reduced and there.reduced and here.states > there.states


def test_where_names_matter_all_states_are_told_apart_and_that_is_said() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(Naive):
        anonymous = False

    given = workload("lost-update")
    for where in (
        Setting(workload=given, protocol=Named()),
        Setting(workload=given, protocol=Naive(), lost={"A.1": True}),
    ):
        found = explore(where)
        assert not found.reduced and "names matter" in found.note
        assert found.states == explore(where, reduced=False).states


def test_an_unversioned_call_withdraws_what_mtpo_says_is_private() -> None:
    tool = Tool("get", lambda args: Declaration(reads=(args["path"],), versioned=False), TOOLS["get"].exec)
    steps = {"A": [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}], "B": [{"get": "x"}]}
    where = setting(steps, protocol("mtpo"), {"x": 0})
    tools = {**where.workload.tools, "get": tool}
    where = replace(where, workload=replace(where.workload, tools=tools))
    found = explore(where, sample=1)
    assert "not every call here is versioned" in found.note
    assert said(found) == said(explore(where, reduced=False))
