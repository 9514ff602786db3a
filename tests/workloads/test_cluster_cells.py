"""The cells on the cluster: what naive interleavings keep, what the clock does, and that protocols put it right."""

import json

import pytest
from cell_checks import (
    CORRECT,
    SEEDS,
    assert_comes_to_the_pre_order,
    assert_counted,
    assert_naive_breaks_it_by_the_clock,
    assert_told_of_by_footprint_only,
    judged_ok,
    passes,
    run,
    timed,
)

from workloads import (
    k1_canary_of_trial_image,
    k3_flag_blob,
    k4_pdb_during_bluegreen,
    k5_pin_vs_cordon,
    workload,
    x3_scale_restore_vs_double,
    x4_page_on_stale_binary,
)
from workloads.cluster import CLUSTER_TOOLS, field_of

CELLS = {
    "k1-canary": (k1_canary_of_trial_image, (2, 15), (4, 21)),
    "k3-flag": (k3_flag_blob, (2, 6), (4, 10)),
    "k4-pdb": (k4_pdb_during_bluegreen, (34, 56), (49, 84)),
    "k5-pin": (k5_pin_vs_cordon, (2, 10), (6, 21)),
    "x3-scale": (x3_scale_restore_vs_double, (6, 15), (10, 35)),
    "x4-page": (x4_page_on_stale_binary, (2, 6), (4, 10)),
}
"""By short name: the module, the interleavings that keep the invariant and all of them, and both with A's label."""


@pytest.mark.parametrize("name", CELLS)
def test_the_invariant_holds_exactly_where_the_outcome_is_serial_and_so_often(name):
    module, plain, labelled = CELLS[name]
    ends = 1 if name == "k3-flag" else 2
    assert_counted(module.workload(), plain, ends)
    assert_counted(module.workload(irrelevant=True), labelled, ends)


@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_every_random_trial_passes(name, by):
    built = workload(name)
    for seed in SEEDS:
        outcome = run(built, by, seed)
        assert passes(built, outcome), seed
        assert seed > 3 or judged_ok(outcome, by), seed


@pytest.mark.nightly
@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_a_thousand_trials_pass_by_chance_and_by_the_clock(name, by):
    built = workload(name)
    for seed in range(1_000):
        assert passes(built, run(built, by, seed)), seed
        assert passes(built, timed(built, by, seed)), seed


@pytest.mark.parametrize("name", CELLS)
def test_by_the_clock_naive_breaks_the_invariant_and_no_other_protocol_does(name):
    built = workload(name)
    assert_naive_breaks_it_by_the_clock(built)
    for by in CORRECT:
        assert passes(built, timed(built, by)), by


@pytest.mark.parametrize("by", ["mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("name", CELLS)
def test_under_mtpo_every_schedule_there_is_ends_as_the_pre_order_does(name, by):
    assert_comes_to_the_pre_order(workload(name), by)


@pytest.mark.parametrize("name", CELLS)
def test_the_irrelevant_label_is_told_of_by_footprint_only(name):
    module = CELLS[name][0]
    assert_told_of_by_footprint_only(module.workload(), module.workload(irrelevant=True))


def test_the_anomalies_by_the_clock_are_those_of_the_stories():
    def ending(name):
        return timed(workload(name), "naive").final_state

    images = field_of(ending("k1-canary"), "cluster/deployments", "image")
    assert images["geo"] != images["geo-canary"]
    flags = json.loads(ending("k3-flag")["cluster/configmaps/flagd-config/data/demo.flagd.json"])["flags"]
    assert (flags["adFailure"]["defaultVariant"], flags["recommendationCache"]["defaultVariant"]) == ("on", "on")
    cut_over = ending("k4-pdb")
    assert "cluster/services/geo/annotations/unprotected" in cut_over
    assert cut_over["cluster/services/geo/selector/app"] == "geo-green"
    pinned = ending("k5-pin")
    assert pinned["cluster/deployments/geo/nodeName"] == "node-0" and pinned["cluster/nodes/node-0/unschedulable"]
    assert field_of(ending("x3-scale"), "cluster/deployments", "replicas") == {"frontend": 2, "geo": 2, "search": 0}
    paged = ending("x4-page")
    assert paged["pager/mina/pages"] == ("profile runs geo",)
    assert paged["cluster/deployments/profile/command"] == "profile"


@pytest.mark.parametrize("seed", SEEDS)
def test_under_mtpo_no_page_is_sent_before_its_occasion_is_certain(seed):
    outcome = run(workload("x4-page"), "mtpo", seed)
    assert field_of(outcome.final_state, "pager", "pages") == {"on-call": ("all clear",)}
    assert not any(record["op"].startswith("B") for record in outcome.history.of("undo"))


def test_a_replay_that_doubles_twice_is_found_out():
    state = dict(workload("x3-scale").state)
    sizes = {name: f"cluster/deployments/{name}/replicas" for name in ("frontend", "geo", "search")}
    right = {**state, sizes["frontend"]: 2, sizes["geo"]: 2, sizes["search"]: 1}
    assert x3_scale_restore_vs_double.holds(right, {})
    assert not x3_scale_restore_vs_double.holds({**right, sizes["frontend"]: 4}, {})


def test_a_service_that_is_protected_and_said_not_to_be_is_found_out():
    budget, selector = "cluster/poddisruptionbudgets/geo/selector/app", "cluster/services/geo/selector/app"
    state = {selector: "geo-green", budget: "geo-green"}
    assert k4_pdb_during_bluegreen.holds(state, {})
    for path, value in (
        (k4_pdb_during_bluegreen.NOTE, "too few replicas"),
        ("cluster/poddisruptionbudgets/other/selector/app", "geo-green"),
        (budget, "geo-blue"),
        (selector, "geo-blue"),
    ):
        assert not k4_pdb_during_bluegreen.holds({**state, path: value}, {})


def test_the_names_are_those_of_the_modules_and_begin_with_the_short_ones():
    for short, (module, *_) in CELLS.items():
        assert workload(short).name == workload(module.NAME).name == module.NAME
        assert module.NAME.startswith(short) and module.NAME.replace("-", "_") == module.__name__.rpartition(".")[2]


def test_every_tool_of_the_cluster_says_what_it_does():
    assert all(tool.says and tool.meaning for tool in CLUSTER_TOOLS.values())
