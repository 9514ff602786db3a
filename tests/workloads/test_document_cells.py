"""The cells on a document: what naive interleavings keep, what the clock does, and that protocols put it right."""

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
from interleavings import serial_endings

from checker.oracle import Ledger
from checker.proof import prove_frame, prove_inverse
from coagent.operation import Result
from workloads import d1_client_for_customer, d2_total_of_rows, d3_see_section, workload
from workloads.cluster import field_of
from workloads.document import DOCUMENT_TOOLS, sections

CELLS = {
    "d1-client": (d1_client_for_customer, (2, 15), (4, 21)),
    "d2-total": (d2_total_of_rows, (10, 15), (13, 21)),
    "d3-section": (d3_see_section, (18, 35), (28, 56)),
}
"""By short name: the module, the interleavings that keep the invariant and all of them, and both with A's note."""


@pytest.mark.parametrize("name", CELLS)
def test_the_invariant_holds_exactly_where_the_outcome_is_serial_and_so_often(name):
    module, plain, noted = CELLS[name]
    assert_counted(module.workload(), plain)
    assert_counted(module.workload(irrelevant=True), noted)


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
def test_the_irrelevant_note_is_told_of_by_footprint_only(name):
    module = CELLS[name][0]
    assert_told_of_by_footprint_only(module.workload(), module.workload(irrelevant=True))


def test_the_anomalies_by_the_clock_are_those_of_the_stories():
    def ending(name):
        return timed(workload(name), "naive").final_state

    renamed = ending("d1-client")
    assert "customer" in renamed["doc/sections/refunds/text"] and "client" in renamed["doc/sections/terms/text"]
    summed = ending("d2-total")
    amounts = field_of(summed, "doc/rows", "amount")
    assert (summed["doc/total"], sum(amounts.values())) == (3195, 3245)
    cited = ending("d3-section")
    assert cited["doc/sections/payment/text"].endswith("see section 3 (Refunds).")
    assert cited["doc/order"][2] == "shipping"


def test_a_total_that_was_only_put_right_afterwards_does_not_pass():
    built = workload("d2-total")
    after = serial_endings(built)[0]
    assert built.invariant(after.state, after.reports)
    assert not built.invariant(after.state, {**after.reports, "B": 3195})
    assert not built.invariant({**after.state, "doc/total": 3220}, after.reports)


@pytest.mark.parametrize("cell", [0, 1])
def test_a_reference_to_the_wrong_section_is_found_out(cell):
    built = workload("d3-section")
    end = serial_endings(built)[cell]
    text = end.state["doc/sections/payment/text"]
    assert text.endswith("see section 4 (Refunds).")
    for wrong in (text.replace("4", "5"), text.replace("4", "3"), text.replace("Refunds", "Contact"), "Nothing."):
        assert not built.invariant({**end.state, "doc/sections/payment/text": wrong}, end.reports)


def test_a_section_is_put_in_where_it_belongs_or_not_at_all():
    def inserted(name, before):
        ledger = Ledger(sections(("a", "A", "one"), ("b", "B", "two")))
        args = {"name": name, "title": "C", "text": "three", "before": before}
        return ledger.run(DOCUMENT_TOOLS["insert"], args), ledger.cells["doc/order"][0]

    assert inserted("c", "a") == (Result("ok", "ok"), ("c", "a", "b"))
    assert inserted("c", "b") == (Result("ok", "ok"), ("a", "c", "b"))
    assert inserted("c", None) == (Result("ok", "ok"), ("a", "b", "c"))
    assert inserted("b", "a") == (Result("failed", "exists"), ("a", "b"))
    assert inserted("c", "d") == (Result("failed", "missing"), ("a", "b"))


def test_every_tool_of_the_document_says_what_it_does_and_all_but_three_as_data():
    assert all(tool.says for tool in DOCUMENT_TOOLS.values())
    assert {name for name, tool in DOCUMENT_TOOLS.items() if not tool.meaning} == {"outline", "replace", "insert"}
    for name in ("text_of", "set_text", "amounts", "set_amount"):
        assert prove_frame(DOCUMENT_TOOLS[name]).verdict == prove_inverse(DOCUMENT_TOOLS[name]).verdict == "proved"


def test_the_names_are_those_of_the_modules():
    for short, (module, *_) in CELLS.items():
        assert workload(short).name == workload(module.NAME).name == module.NAME
        assert module.NAME.replace("-", "_") == module.__name__.rpartition(".")[2]
