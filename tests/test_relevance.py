"""A notice is irrelevant when its reader, not told, would have done the same, whatever the judgement is called."""

import pytest

from coagent.trial import Case, Trial, trial


def run(protocol: str, workload: str = "o4-agenda", **more: object) -> Trial:
    return trial(Case(workload=workload, protocol=protocol, seed=2, **more))


@pytest.mark.parametrize("cell", ["k2-canary", "k3-flag", "k5-pin", "o3-push-back", "o4-agenda"])
def test_notices_that_are_sent_because_an_answer_changed_all_matter_here(cell: str) -> None:
    found = run("mtpo", cell)
    assert found.delivered > 0
    assert found.irrelevant_notices == 0


@pytest.mark.parametrize("cell", ["k1-canary", "k3-flag", "o3-push-back"])
def test_the_irrelevant_write_is_told_by_footprint_and_counted_as_what_it_is(cell: str) -> None:
    bare, more = (run("mtpo-footprint", cell, irrelevant=more) for more in (False, True))
    assert more.irrelevant_notices > bare.irrelevant_notices
    assert run("mtpo", cell, irrelevant=True).irrelevant_notices == run("mtpo", cell).irrelevant_notices


def test_a_notice_that_an_erring_judge_misses_counts_as_irrelevant() -> None:
    found = run("mtpo", "k3-flag", miss=1.0)
    assert found.irrelevant_notices == found.delivered > 0


def test_checking_changes_nothing_of_what_is_counted() -> None:
    for protocol in ("serial", "occ", "mtpo"):
        checked, bare = (run(protocol, "k1-canary", checked=checked) for checked in (True, False))
        assert checked.irrelevant_notices == bare.irrelevant_notices
