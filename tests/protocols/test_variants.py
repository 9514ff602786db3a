"""The variants of MTPO and their judges: each wrong one is convicted by name and by several, every right one acquitted.

The worlds are the smallest that were found, so every schedule of each is taken; random schedules are judged besides.
"""

import json
import re
from collections import Counter
from dataclasses import FrozenInstanceError, replace

import pytest

from checker.anomaly import TABLE
from checker.notified import check_history
from checker.proof import needless
from coagent.bad_input import BadInput
from coagent.exploring import explored
from coagent.protocols import PROTOCOLS, VARIANTS, protocol
from coagent.protocols.guard import Guard
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.variant import Variant
from coagent.simulate import Chance, Outcome, Wrapped, simulate
from coagent.stepper import follow, verdict
from coagent.testing.small_world import WORLDS, world
from coagent.workload import Workload, from_scenario
from coagent.world import Setting
from paper_figures.variant_table import INDEPENDENT, JUDGES, WORLD_OF, convictions, table

WRONG = [name for name, one in VARIANTS.items() if one.expects]
HARMLESS = [name for name, one in VARIANTS.items() if not one.expects]
RIGHT = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass")
RUNS = 12


def given(name: str) -> Workload:
    return from_scenario(world(name))


def runs(rule: object, name: str, many: int = RUNS) -> list[Outcome]:
    return [simulate(Setting(workload=given(name), protocol=rule), Chance(seed)) for seed in range(many)]


# what a variant is


def test_every_ablation_of_the_design_is_there() -> None:
    assert len(WRONG) >= 14 and HARMLESS == ["mtpo-with-masked-notices"]
    assert {
        "mtpo-without-filtered-reads",
        "mtpo-without-reader-notices",
        "mtpo-without-slotting",
        "mtpo-with-one-notice-per-operation",
        "mtpo-with-downward-notices",
        "mtpo-without-result-notices",
        "mtpo-without-reopening",
        "mtpo-without-transitive-closure",
        "mtpo-with-agent-positions",
        "mtpo-with-undo-first-in-first-out",
        "mtpo-without-unrecoverable-hold",
        "mtpo-without-notices-in-mid-inference",
        "mtpo-with-early-commit",
        "mtpo-with-thomas-over-rmw",
    } <= set(WRONG)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_says_what_it_breaks_and_what_it_is_to_be_convicted_of(name: str) -> None:
    one = VARIANTS[name]
    assert one.name == name and name.startswith(("mtpo-without-", "mtpo-with-")) and isinstance(one, Mtpo)
    assert one.breaks.count(": ") == 1 and one.breaks.startswith(("P1 section", "P2 section", "ours, ", "A2, "))
    assert not one.expects or one.expects in {kind.name for kind in TABLE}
    with pytest.raises(FrozenInstanceError):
        one.name = "mtpo"


def test_variants_are_found_by_name_and_are_among_no_default() -> None:
    assert not set(VARIANTS) & set(PROTOCOLS)
    assert len({one.breaks for one in VARIANTS.values()}) == len(VARIANTS)
    assert all(protocol(name) is one for name, one in VARIANTS.items())
    with pytest.raises(BadInput, match="did you mean 'mtpo-without-slotting'.*23 variants"):
        protocol("mtpo-without-sloting")


def test_the_command_line_lists_each_with_the_sentence_that_it_breaks(coagent) -> None:
    listed = json.loads(coagent("list", "variants", "--json").out)["variants"]
    assert all(listed[name].endswith(f" Breaks {one.breaks}.") for name, one in VARIANTS.items())


def test_the_command_line_lists_them_in_a_section_of_their_own(coagent) -> None:
    assert all(name in coagent("list", "variants").out for name in VARIANTS)
    assert not any(name in coagent("list", "protocols").out for name in VARIANTS)
    assert coagent("list", "variant").code == 3
    assert coagent("explore", "lost-update", "--protocol", "mtpo-without-reader-notices").code == 1


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_keeps_to_the_engines_contract(name: str) -> None:
    for run in runs(Guard(VARIANTS[name], "variants"), WORLD_OF[name], 3):
        assert run.quiescent


# what its judges say of it


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_variant_is_convicted_by_name_by_every_independent_judge(name: str) -> None:
    one = convictions(name)
    assert one.complete and 0 < one.wrong < one.endings, "some schedules must go well, and not all"
    assert {*INDEPENDENT, "blame"} <= set(one.convicted_by), one.after


@pytest.mark.parametrize("name", WRONG)
def test_the_shortest_wrong_schedule_convicts_before_every_judge_at_once(name: str) -> None:
    one = convictions(name)
    run = follow(Setting(workload=one.world, protocol=one.variant), one.schedule)
    said = {judge: JUDGES[judge](run) for judge in (*INDEPENDENT, "blame")}
    assert all(said.values()), said


@pytest.mark.parametrize("name", WRONG)
def test_mtpo_itself_is_acquitted_along_the_schedule_that_convicts_its_variant(name: str) -> None:
    one = convictions(name)
    acquitted(simulate(Setting(workload=one.world, protocol=Mtpo()), Wrapped(one.schedule)))


def test_a_harmless_variant_is_acquitted_by_all_and_convicted_of_work_for_nothing_only() -> None:
    [name] = HARMLESS
    one = convictions(name)
    assert one.complete and (one.wrong, one.endings, one.schedule, one.convicted_by) == (0, 1, None, ())
    assert one.needless > 0
    more = Counter()
    for bent, straight in zip(runs(VARIANTS[name], WORLD_OF[name], 40), runs(Mtpo(), WORLD_OF[name], 40), strict=True):
        assert not needless(straight.history)
        more["runs with a notice of no use"] += bool(needless(bent.history))
    assert 0 < more["runs with a notice of no use"] < 40


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("where", WORLDS)
def test_a_harmless_variant_ends_right_along_every_schedule_of_every_world(name: str, where: str) -> None:
    found = explored(given(where), VARIANTS[name], max_states=5_000)
    assert found.exploration.complete and all(end.right for end in found.endings)
    for run in runs(VARIANTS[name], where, 3):
        acquitted(run)


def acquitted(run: Outcome) -> None:
    """No judge convicts."""
    said = {name: judge(run) for name, judge in JUDGES.items()}
    header = run.history.header
    assert not any(said.values()), (header["workload"], header["protocol"], run.schedule, said)


@pytest.mark.parametrize("rule", RIGHT)
@pytest.mark.parametrize("where", WORLDS)
def test_a_right_protocol_is_acquitted_by_all_along_every_schedule_and_random_ones(rule: str, where: str) -> None:
    """OCC may give up (and says so); what it then leaves must be a serial outcome of the others."""
    found = explored(given(where), protocol(rule), max_states=5_000)
    assert found.exploration.complete and found.endings
    assert all(one.others for one in found.endings)
    assert all(one.right for one in found.endings if not one.ending.gave_up)
    for run in runs(protocol(rule), where, RUNS // 2):
        if not any(one.gave_up for one in run.world.actors.values()):
            acquitted(run)


@pytest.mark.nightly
@pytest.mark.parametrize("rule", RIGHT)
@pytest.mark.parametrize("where", WORLDS)
def test_a_right_protocol_is_acquitted_along_a_hundred_random_schedules(rule: str, where: str) -> None:
    for run in runs(protocol(rule), where, 100):
        if not any(one.gave_up for one in run.world.actors.values()):
            acquitted(run)


# and of the judges


def test_naive_is_convicted_by_every_judge_and_no_judge_convicts_every_run() -> None:
    tally: Counter[str] = Counter()
    judged = [run for where in WORLDS for run in runs(protocol("naive"), where, 6)]
    for run in judged:
        tally.update(name for name, judge in JUDGES.items() if judge(run))
    assert set(tally) == set(JUDGES) and max(tally.values()) < len(judged) / 2, tally


@pytest.mark.parametrize("name", WRONG)
def test_a_variant_in_name_only_is_acquitted(name: str) -> None:
    hollow = Variant(name=name, breaks=VARIANTS[name].breaks, expects=VARIANTS[name].expects)
    found = explored(given(WORLD_OF[name]), hollow, max_states=2_000)
    assert found.exploration.complete and all(end.right for end in found.endings)
    for run in runs(hollow, WORLD_OF[name], 6):
        acquitted(run)


def test_the_checker_does_not_know_a_variant_by_its_name() -> None:
    for name in WRONG:
        one = convictions(name)
        history = follow(Setting(workload=one.world, protocol=one.variant), one.schedule).history
        renamed = replace(history, header={**history.header, "protocol": "mtpo", "workload": "w"})
        assert check_history(renamed, order="declared").anomalies == check_history(history, order="declared").anomalies


def test_a_notice_lost_in_mid_inference_is_laid_at_the_protocols_door_and_never_at_an_agents() -> None:
    rule, blamed = VARIANTS["mtpo-without-notices-in-mid-inference"], Counter()
    for run in runs(rule, "write under two reads", 60):
        blamed[verdict(run).blame] += 1
    assert set(blamed) == {None, "protocol"} and blamed["protocol"] > 5


def test_the_table_has_a_row_for_each_variant_and_says_how_small_a_counterexample_gets() -> None:
    *rows, _, last = table().splitlines()
    assert len(rows) == len(VARIANTS) + 2 and len({row.count("|") for row in rows}) == 1
    assert rows[2].endswith("| 2, 2 |")
    agents, calls = (float(one) for one in re.findall(r"[\d.]+(?= )", last))
    assert agents <= 2 and calls <= 4
