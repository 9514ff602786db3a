"""A trial is a function of its case, and its row is what the run's own history and the serial runs say."""

import json
from dataclasses import asdict, fields, replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from checker.oracle import serial
from coagent.bad_input import BadInput
from coagent.ranking import RANKS, plans
from coagent.simulate import Clock, simulate
from coagent.stepper import verdict
from coagent.store import Glass, Pane
from coagent.trial import Case, Trial, setting, trial
from workloads import CELLS, FAMILIES, workload

PROTOCOLS = ("serial", "naive", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint")
PATHS = st.sampled_from(["a", "a/b", "a/c", "a/b/d", "ab", "ab/c", "c"])
ENTRIES = st.tuples(st.sampled_from([(), (0,), (1,), (None,)]), st.sampled_from([None, "A.1"]))
SOME = ("k1-canary", "k2-canary", "k4-pdb", "o3-push-back", "x4-page")


def simulated(case: Case):
    given = setting(case)
    return given.workload, simulate(given, Clock(given.workload.cost.tool_s))


def told(row: Trial) -> dict[str, object]:
    """A row without what only the checker says, and what follows from it."""
    return {name: value for name, value in asdict(row).items() if name not in ("checked", "verdict", "passes")}


@pytest.mark.parametrize("by", PROTOCOLS)
@pytest.mark.parametrize("name", SOME)
def test_a_trial_counts_the_same_whether_its_history_is_kept_or_not(name, by):
    for seed in (0, 3):
        case = Case(workload=name, protocol=by, seed=seed, irrelevant=True, miss=0.3, over=0.3)
        kept, counted = trial(case), trial(replace(case, checked=False))
        assert told(kept) == told(counted)
        assert kept.verdict is not None and counted.verdict is None


@pytest.mark.parametrize("by", PROTOCOLS)
def test_the_row_says_what_the_history_says(by):
    case = Case(workload="k4-pdb", protocol=by, seed=5, irrelevant=True)
    row, (built, outcome) = trial(case), simulated(case)
    records = outcome.history.records
    kinds = [one["event"] for one in records]
    inferred = [one for one in records if one["event"] == "inferred"]
    spent = sum(one["prompt_tokens"] + one["cached_tokens"] + one["output_tokens"] for one in inferred)
    assert (row.tokens, row.inferences, row.calls) == (spent, kinds.count("infer"), kinds.count("invoke"))
    assert (row.notifications, row.undos, row.redos) == tuple(map(kinds.count, ("notify", "undo", "redo")))
    assert row.delivered == sum(len(one["ops"]) for one in records if one["event"] == "consume")
    assert row.seconds == round(outcome.seconds, 6) and row.verdict == verdict(outcome).verdict
    assert row.invariant is built.invariant(outcome.final_state, outcome.reports)
    order = [(one.name, one.program) for one in built.agents]
    ends = [serial(built.state, one, built.tools) for one in permutations(order)]
    found = (dict(outcome.final_state), dict(outcome.reports))
    assert row.order_exact is (found == ends[0]) and row.serial_outcome is (found in ends)


def test_the_same_case_gives_the_same_row_and_another_seed_another():
    case = Case(workload="o3-push-back", protocol="mtpo", seed=4)
    assert trial(case) == trial(case) != trial(replace(case, seed=5))


def test_every_field_of_a_case_is_in_its_row():
    assert {one.name for one in fields(Case)} < {one.name for one in fields(Trial)}


def test_beyond_four_agents_nobody_looks_through_all_serial_orders():
    small, large = (trial(Case(workload="slots", protocol="mtpo", seed=1, agents=agents)) for agents in (4, 5))
    assert small.serial_outcome is True and large.serial_outcome is None
    assert small.order_exact and large.order_exact


def test_what_does_not_come_to_an_end_passes_nothing_and_ends_like_nothing():
    row = trial(Case(workload="livelock", protocol="broadcast", seed=0))
    assert not row.quiescent and not row.passes
    assert row.invariant is row.serial_outcome is row.order_exact is None


@given(
    cells=st.dictionaries(PATHS, ENTRIES, max_size=8),
    corrections=st.dictionaries(PATHS, ENTRIES, max_size=4),
    asked=st.sampled_from(["a", "a/b", "ab", "c"]),
)
def test_nothing_looks_different_where_nobody_asks_what_was_looked_at(cells, corrections, asked):
    glass, pane = (view(Map(cells), corrections) for view in (Glass, Pane))
    assert [*glass.below(asked)] == [*pane.below(asked)]
    assert glass.cell(asked) == pane.cell(asked) and glass.sightings() != pane.sightings() == ()


class TestJudge:
    def test_who_overlooks_every_notice_is_as_wrong_as_without_any(self):
        blind = [trial(Case(workload="k2-canary", protocol="mtpo", seed=seed, miss=1.0)) for seed in range(1, 6)]
        assert not any(row.passes for row in blind) and all(row.delivered for row in blind)

    def test_needless_repairs_cost_tokens_and_break_nothing(self):
        for name in ("k2-canary", "k4-pdb", "o3-push-back"):
            fine, eager = (
                [trial(Case(workload=name, protocol="mtpo", seed=seed, over=over)) for seed in range(1, 5)]
                for over in (0.0, 1.0)
            )
            assert all(row.passes for row in (*fine, *eager))
            assert sum(row.tokens for row in eager) >= sum(row.tokens for row in fine)

    @pytest.mark.parametrize("wrong", [{"miss": -0.1}, {"over": 1.01}])
    def test_a_rate_lies_from_0_to_1(self, wrong):
        with pytest.raises(BadInput, match="from 0 to 1"):
            trial(Case(workload="k2-canary", protocol="mtpo", seed=1, **wrong))


class TestUndoDepth:
    def test_it_is_the_most_that_one_late_write_undoes(self):
        row = trial(Case(workload="k2-canary", protocol="mtpo", seed=1))
        assert row.undo_depth == row.undos == 1

    @pytest.mark.parametrize("above", [1, 5])
    def test_the_last_to_act_below_others_undoes_all_of_theirs(self, tmp_path, above):
        file = tmp_path / "late.json"
        scripts = [
            {"name": f"A{at}", "think_s": 9.0 - at, "steps": [{"add": "x", "by": "1"}]} for at in range(above + 1)
        ]
        file.write_text(json.dumps({"state": {"x": 0}, "agents": scripts}))
        row = trial(Case(workload=str(file), protocol="mtpo", seed=0))
        assert row.undo_depth == above and row.undos == row.redos == above * (above + 1) // 2 and row.passes
        counted = trial(Case(workload=str(file), protocol="mtpo", seed=0, checked=False))
        assert told(counted) == told(row)

    def test_throwing_attempts_away_is_no_late_write(self):
        row = trial(Case(workload="k2-canary", protocol="occ", seed=1))
        assert row.undos > 0 == row.undo_depth


class TestIrrelevant:
    @pytest.mark.parametrize("name", [*CELLS, *FAMILIES])
    def test_every_cell_and_family_has_the_variant_and_it_is_told_under_footprint_only(self, name):
        quiet, loud = (
            [trial(Case(workload=name, protocol="mtpo-footprint", seed=seed, irrelevant=more)) for seed in range(1, 4)]
            for more in (False, True)
        )
        assert all(row.passes for row in (*quiet, *loud))
        assert sum(row.calls for row in loud) > sum(row.calls for row in quiet)
        changed = [trial(Case(workload=name, protocol="mtpo", seed=seed, irrelevant=True)) for seed in range(1, 4)]
        assert sum(row.irrelevant_notices for row in changed) <= sum(row.irrelevant_notices for row in loud)

    def test_the_canary_hears_of_the_label_by_footprint_and_not_by_change(self):
        told = {
            (by, more): trial(Case(workload="k2-canary", protocol=by, seed=0, irrelevant=more)).irrelevant_notices
            for by in ("mtpo", "mtpo-footprint")
            for more in (False, True)
        }
        assert told["mtpo", True] == told["mtpo", False] == 0
        assert told["mtpo-footprint", True] > told["mtpo-footprint", False]

    def test_the_canarys_own_time_line_is_as_it_was(self):
        assert trial(Case(workload="k2-canary", protocol="mtpo", seed=0)).seconds == pytest.approx(34.4, abs=0.05)

    @pytest.mark.parametrize("name", ["lost-update", "phantom-innocent"])
    def test_the_textbook_has_none(self, name):
        with pytest.raises(BadInput, match="no irrelevant write to add"):
            setting(Case(workload=name, protocol="mtpo", seed=1, irrelevant=True))

    def test_nor_has_a_scenario_file(self, tmp_path):
        file = tmp_path / "one.json"
        file.write_text('{"state": {}, "agents": [{"name": "A", "steps": []}]}')
        with pytest.raises(BadInput, match="no irrelevant write to add"):
            setting(Case(workload=str(file), protocol="mtpo", seed=1, irrelevant=True))
        assert trial(Case(workload=str(file), protocol="mtpo", seed=1)).passes


class TestRank:
    def agents(self, name, rank, agents=None):
        return [
            one.name
            for one in setting(Case(workload=name, protocol="mtpo", seed=1, rank=rank, agents=agents)).workload.agents
        ]

    def test_launch_numbers_are_a_pre_order(self):
        launch = self.agents("slots", "launch", 3)
        assert self.agents("slots", "3,1,2", 3) == [launch[2], launch[0], launch[1]]

    @pytest.mark.parametrize("rank", ["2,1", *RANKS])
    def test_the_run_comes_to_the_outcome_of_its_own_order(self, rank):
        row = trial(Case(workload="k2-canary", protocol="mtpo", seed=2, rank=rank))
        assert row.order_exact and row.passes

    def test_shortest_first_is_by_the_time_that_each_takes_alone(self):
        for name in ("k1-canary", "o2-sick-cover", "chain"):
            alone = dict(zip(self.agents(name, "launch"), (one.seconds for one in plans(workload(name))), strict=True))
            times = [alone[agent] for agent in self.agents(name, "shortest-first")]
            assert times == sorted(times)
        assert self.agents("k1-canary", "shortest-first") == ["B", "A"]

    def test_the_critical_path_counts_who_waits_behind(self, tmp_path):
        file = tmp_path / "paths.json"
        scripts = [
            {"name": "long", "think_s": 9.0, "steps": [{"put": "z", "value": "1"}], "finish_think_s": 0.0},
            {"name": "reader", "think_s": 4.0, "steps": [{"get": "x", "as": "v"}, {"put": "y", "value": "v"}]},
            {"name": "source", "think_s": 1.0, "steps": [{"put": "x", "value": "1"}]},
        ]
        file.write_text(json.dumps({"state": {"x": 0, "y": 0, "z": 0}, "agents": scripts}))
        assert self.agents(str(file), "critical-path") == ["source", "reader", "long"]
        assert self.agents(str(file), "shortest-first") == ["source", "long", "reader"]

    @pytest.mark.parametrize("name", ["k1-canary", "k4-pdb", "o1-onboard", "chain"])
    def test_fewest_conflicts_lets_first_who_would_be_late(self, name):
        def met(rank):
            rows = [trial(Case(workload=name, protocol="mtpo", seed=seed, rank=rank)) for seed in range(1, 6)]
            return sum(row.undos + row.notifications for row in rows)

        assert met("fewest-conflicts") <= met("launch")

    @pytest.mark.parametrize(
        ("rank", "said"), [("longest", "known are"), ("1,1", "no order"), ("0,1", "no order"), ("1,2,3", "has 2")]
    )
    def test_what_is_no_order_is_refused(self, rank, said):
        with pytest.raises(BadInput, match=said):
            setting(Case(workload="k2-canary", protocol="mtpo", seed=1, rank=rank))


def test_a_file_that_has_changed_is_read_again(tmp_path):
    file = tmp_path / "one.json"
    text = '{"state": {"x": 1}, "agents": [{"name": "A", "steps": [{"put": "x", "value": "%s"}]}]}'
    seen = []
    for value in ("1", "22"):
        file.write_text(text % value)
        seen.append(setting(Case(workload=str(file), protocol="mtpo", seed=1)).workload.agents[0].program)
    assert seen[0] != seen[1]


class TestRight:
    def test_an_agent_that_died_is_left_out_of_the_serial_runs(self):
        for by in ("serial", "mtpo", "2pl"):
            row = trial(Case(workload="dies", protocol=by, seed=1))
            assert row.passes and row.order_exact and row.serial_outcome, by

    @pytest.mark.parametrize("checked", [False, True])
    def test_without_an_invariant_a_run_is_right_when_it_ends_as_some_serial_run(self, tmp_path, checked):
        file = tmp_path / "swap.json"
        copies = [[{"get": here, "as": "v"}, {"put": there, "value": "v"}] for here, there in ("xy", "yx")]
        scripts = [{"name": name, "steps": steps} for name, steps in zip("AB", copies, strict=True)]
        file.write_text(json.dumps({"state": {"x": 1, "y": 2}, "agents": scripts}))
        ends = {by: trial(Case(workload=str(file), protocol=by, seed=1, checked=checked)) for by in ("naive", "mtpo")}
        assert {by: (row.passes, row.serial_outcome) for by, row in ends.items()} == {
            "naive": (False, False),
            "mtpo": (True, True),
        }
