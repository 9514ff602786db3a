"""The cells in the office: what naive interleavings keep, what the clock does, and that protocols put it right.

What runs often runs on the rows of the people that the stories name; the whole tables are for fewer runs.
"""

import csv
from dataclasses import replace

import pytest
from cell_checks import notices, passes, run
from interleavings import endings, kept, serial_endings

from checker.notified import check_history
from coagent.bad_input import BadInput
from coagent.protocols import protocol
from coagent.simulate import Clock, Outcome, simulate
from coagent.workload import Workload
from coagent.world import Setting
from workloads import (
    o1_onboard_tentative_won,
    o2_sick_cover_vs_away,
    o3_push_back_twice,
    o4_agenda_during_swap,
    office,
    workload,
    x1_crossed_handover,
    x2_nag_on_stale_tasks,
)
from workloads.office_table import CUSTOMERS, MAILS, TASKS

CELLS = {
    "o1-onboard": (o1_onboard_tentative_won, (5, 10), (8, 15)),
    "o2-sick-cover": (o2_sick_cover_vs_away, (8, 462), (14, 924)),
    "o3-push-back": (o3_push_back_twice, (2, 6), (4, 10)),
    "o4-agenda": (o4_agenda_during_swap, (16, 20), (26, 35)),
    "x1-handover": (x1_crossed_handover, (2, 6), (4, 10)),
    "x2-nag": (x2_nag_on_stale_tasks, (2, 21), (4, 28)),
}
"""By short name: the module, the interleavings that keep the invariant and all of them, and both with A's label."""

TABLES = (office.CALENDAR, TASKS, CUSTOMERS, MAILS)
CORRECT = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue")
SEEDS = range(30)


def write(folder, table, rows):
    with (folder / table.file).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table.columns)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A folder of the generated tables with the rows of six people; of the calendar, with August alone."""
    folder = tmp_path_factory.mktemp("office")
    stories = ("carlos", "dmitri", "fatima", "kofi", "nadia", "sofia", "2023-08")
    for table in TABLES:
        rows = [row for row in office.generated(table) if any(text.startswith(stories) for text in row.values())]
        write(folder, table, [row for row in rows if row.get("event_start", "2023-08") < "2023-09"])
    return folder


def timed(built: Workload, by: str, most: int | None = None) -> Outcome:
    return simulate(Setting(workload=built, protocol=protocol(by)), Clock(built.cost.tool_s), max_steps=most)


def assert_counted(name, folder, *, irrelevant):
    """So many interleavings keep the invariant, and they are those that come to what a serial run comes to."""
    built = CELLS[name][0].workload(irrelevant=irrelevant, folder=folder)
    serial = {one.outcome for one in serial_endings(built)}
    ends = list(endings(built))
    held = [built.invariant(one.state, one.reports) for one in ends]
    assert (sum(held), len(held)) == CELLS[name][1 + irrelevant]
    assert held == [one.outcome in serial for one in ends]


@pytest.mark.parametrize("name", CELLS)
def test_so_many_interleavings_keep_the_invariant_and_they_are_the_serial_ones(name, few):
    assert_counted(name, few, irrelevant=False)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.nightly) if name == "o2-sick-cover" else name for name in CELLS]
)
def test_so_many_keep_it_with_the_irrelevant_call(name, few):
    assert_counted(name, few, irrelevant=True)


@pytest.mark.parametrize("name", [name for name in CELLS if name != "o2-sick-cover"])
def test_the_whole_tables_have_the_same_counts(name):
    assert kept(workload(name)) == CELLS[name][1]


@pytest.mark.parametrize("name", [name for name in CELLS if name != "o2-sick-cover"])
def test_the_tables_of_workbench_have_the_same_counts(name, workbench):
    assert kept(CELLS[name][0].workload(folder=workbench)) == CELLS[name][1]


@pytest.mark.nightly
def test_the_whole_tables_have_the_same_counts_for_the_sick_cover(workbench):
    for folder in (workbench, None):
        assert kept(o2_sick_cover_vs_away.workload(folder=folder)) == CELLS["o2-sick-cover"][1]


@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_every_random_trial_passes(name, by, few):
    built = CELLS[name][0].workload(folder=few)
    for seed in SEEDS:
        outcome = run(built, by, seed)
        assert passes(built, outcome), seed
        assert seed > 2 or check_history(outcome.history, order=protocol(by).promises).verdict == "ok", seed


@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_trials_with_an_irrelevant_write_on_the_whole_tables_pass(name, by):
    built = CELLS[name][0].workload(irrelevant=True)
    for seed in range(2):
        assert passes(built, run(built, by, seed)), seed


@pytest.mark.nightly
@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_a_thousand_random_trials_pass(name, by):
    built = workload(name)
    for seed in range(1000):
        assert passes(built, run(built, by, seed)), seed


@pytest.mark.parametrize("name", CELLS)
def test_naive_breaks_the_invariant_by_the_clock_and_mtpo_keeps_it(name):
    built = workload(name)
    naive, mtpo = timed(built, "naive"), timed(built, "mtpo")
    assert naive.quiescent and not built.invariant(naive.final_state, naive.reports)
    assert check_history(naive.history, order="any").verdict == "violated"
    assert passes(built, mtpo) and notices(mtpo) > 0
    for seconds in (timed(built, by).seconds for by in ("serial", "2pl")):
        assert mtpo.seconds < seconds + 1


@pytest.mark.parametrize("name", CELLS)
def test_mtpo_sends_no_notice_of_the_irrelevant_write(name, few):
    """The label adds notices where all whose footprint it meets are told, and none where their result must change."""

    def sent(by, irrelevant):
        built = CELLS[name][0].workload(irrelevant=irrelevant, folder=few)
        late = replace(built, agents=(replace(built.agents[0], think_s=60.0), built.agents[1]))
        return [record["cause"] for record in timed(late, by).history.of("notify")]

    assert len(sent("mtpo", True)) == len(sent("mtpo", False))
    assert len(sent("mtpo-footprint", True)) > len(sent("mtpo-footprint", False))


def test_with_notices_both_ways_the_crossed_handover_never_ends():
    built = workload("x1-handover")
    assert not timed(built, "broadcast", 500).quiescent
    assert timed(built, "mtpo", 500).quiescent


def test_naive_does_what_the_stories_say():
    reports = {name: timed(workload(name), "naive").reports for name in CELLS}
    assert reports["o1-onboard"]["B"] == 1 + timed(workload("o1-onboard"), "serial").reports["B"]
    assert reports["o2-sick-cover"]["A"].startswith("dmitri.")
    assert reports["o3-push-back"] == {"A": "12:00", "B": "11:00"}
    (early, _), (late, _) = reports["o4-agenda"]["B"]
    assert early == late
    assert reports["x2-nag"] == {"A": 3, "B": "Overdue tasks"}


def test_the_mail_waits_until_nobody_before_it_can_change_what_it_says():
    for seed in range(10):
        outcome = run(workload("x2-nag"), "mtpo", seed)
        sent = [record["op"] for record in outcome.history.of("invoke") if record["tool"] == "send_mail"]
        done = [record for record in outcome.history.records if record["event"] in ("exec", "commit")]
        first = next(place for place, one in enumerate(done) if one.get("op") in sent)
        assert any(one["event"] == "commit" and one["agent"] == "A" for one in done[:first]), seed


@pytest.mark.parametrize(
    "name, table, said",
    [
        ("o1-onboard", CUSTOMERS, "one Sofia, and the tables have nobody"),
        ("o2-sick-cover", TASKS, "one Fatima, and the tables have nobody"),
        ("o3-push-back", office.CALENDAR, "no meeting begins at 10:30"),
        ("o4-agenda", office.CALENDAR, "nobody has two equally long events"),
        ("x1-handover", CUSTOMERS, "one Nadia, and the tables have nobody"),
        ("x2-nag", TASKS, "one Kofi, and the tables have nobody"),
    ],
)
def test_tables_without_what_a_story_is_about_are_refused(name, table, said, tmp_path):
    for one in TABLES:
        write(tmp_path, one, [] if one is table or one is office.CALENDAR else office.generated(one))
    with pytest.raises(BadInput, match=said):
        CELLS[name][0].workload(folder=tmp_path)


@pytest.mark.parametrize(
    "name, table, column, value, said",
    [
        ("o1-onboard", CUSTOMERS, "status", "Lead", "no customer in Consulting who is Proposal"),
        ("o2-sick-cover", TASKS, "list_name", "Backlog", "no task in progress"),
        ("x1-handover", CUSTOMERS, "status", "Won", "has no leads"),
        ("x2-nag", TASKS, "list_name", "Completed", "has no overdue task"),
    ],
)
def test_people_without_the_rows_of_the_story_are_refused(name, table, column, value, said, tmp_path):
    for one in TABLES:
        rows = office.generated(one)
        write(tmp_path, one, [{**row, column: value} for row in rows] if one is table else rows)
    with pytest.raises(BadInput, match=said):
        CELLS[name][0].workload(folder=tmp_path)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_has_a_long_name_a_short_one_and_a_story(name):
    module = CELLS[name][0]
    built = workload(name)
    assert built.name == module.NAME == workload(module.NAME).name
    assert module.__name__.endswith(module.NAME.replace("-", "_"))
    assert built.story.endswith(".") and "{" not in built.story
