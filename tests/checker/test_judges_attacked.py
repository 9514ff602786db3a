"""The judges are attacked themselves: each slip planted in one is shown by a history that it then judges otherwise.

A slip that no history shows is a hole in the corpus. What the histories truly are is known apart from the judge.
"""

from collections import Counter

import pytest
from judged_corpus import Case, by_blame, by_checker, by_proof, corpus
from planted_slip import SLIPS, Judge, put, touches

import checker.columnar
import checker.columnar.slice
import checker.conflict
from checker.columnar import check_table
from checker.notified import check_history
from coagent.compaction import compacted

SHOWN_BY = {
    "no ww edges": "order inversion, guilty",
    "no wr edges": "too-new read, guilty",
    "no rw edges": "stale read, guilty",
    "ww edges turned round": "order inversion, guilty",
    "wr edges turned round": "a serial run",
    "rw edges turned round": "a serial run",
    "no edges of real time": "a late write hidden under a committed one",
    "versions latest first": "mtpo-without-slotting",
    "versions by position": "mtpo-without-slotting",
    "listings look at no members": "phantoms both ways, with tools unknown",
    "additions never commute": "additions that tell nobody the total",
    "all additions commute": "mtpo-with-thomas-for-rmw",
    "aborted attempts count": "occ 0: write under a send",
    "rewritten operations count": "unanswered cancellation, innocent",
    "retracted operations count": "an heir that is undone",
    "aborts are passed over": "occ 0: two writes that go",
    "cancellations are passed over": "a failed call that was cancelled",
    "refreshed reads are passed over": "stale read, innocent",
    "masked writes are passed over": "a late write hidden under a committed one",
    "heirs inherit nothing": "an heir that is undone",
    "redone calls are passed over": "double apply, innocent",
    "commits are passed over": "a serial run",
    "notices are never consumed": "stale read, innocent",
    "notices count when they are sent": "missed notice, guilty",
    "an undo restores nothing": "double apply, innocent",
    "reports are not looked at": "orphaned report, guilty",
    "beliefs are not looked at": "mtpo-without-redo",
    "captures are not looked at": "a capture of what was not there",
    "footprints are not looked at": "a read that was not declared",
    "notices may go down": "downward notice, guilty",
    "unrecoverable calls need not wait": "premature unrecoverable call, guilty",
    "the live store is not compared": "order inversion, guilty",
    "operations are not run again": "naive: phantom",
    "premises are not looked at": "naive: lost-update, with tools unknown",
    "meanings are not looked at": "naive: read-skew",
    "aborted reads are passed over": "a read of what was aborted, which was there before too",
    "an unfinished run is judged": "fault: endless",
    "the same result again is news": "mtpo 0: the same value under a read",
    "inversions are not told": "naive: phantom",
    "no rw edges to name": "naive: read-skew",
    "the oracle runs backwards": "mtpo-without-redo",
    "the oracle removes nothing": "occ 1: deletion under a read",
    "the oracle takes failures for nothing": "occ 1: addition that fails",
    "the oracle lets cells be missing": "a run that leaves a cell out",
    "endings are compared by reports": "mtpo-without-uncovering",
    "endings are compared by cells": "mtpo-without-reopening",
    "invariants are not asked": "fault: halfway",
    "only the first order is tried": "occ 0: read under a write",
    "masked calls see the start": "mtpo-with-thomas-for-rmw",
    "the proof undoes nothing": "double apply, innocent",
    "the proof redoes nothing": "double apply, guilty",
    "the proof consumes nothing": "stale read, innocent",
    "the proof agrees to nothing": "downward notice, guilty",
    "the proof compares cells only": "naive: read-skew",
    "the proof compares results only": "double apply, guilty",
    "the proof runs backwards": "a serial run",
    "nobody is seen to act unread": "a notice that was not consumed, guilty",
    "undos are trusted": "fault: undo_leaves",
    "writers are trusted": "a cell that changed on nobody's record",
    "the rules come first": "orphaned report, guilty",
    "programs are not run again": "fault: kept",
    "nobody fails alone": "fault: endless",
    "late deliveries are overlooked": "a notice that came in mid-inference, as one before it that was consumed, guilty",
}
"""By slip the history that shows it."""


def test_the_unharmed_checker_says_of_every_history_what_is_true_of_it() -> None:
    known = {name: one for name, one in corpus().items() if one.good is not None}
    assert Counter(one.good for one in known.values())[False] > 50 and len(known) > 300
    assert not [name for name, one in known.items() if (by_checker(one)[0] == "ok") != one.good]


def test_the_unharmed_checker_blames_what_was_broken() -> None:
    known = {name: one for name, one in corpus().items() if one.broken is not None}
    assert {one.broken for one in known.values()} == {"A1", "A2", "A3", "inverse", "protocol"}
    assert not [name for name, one in known.items() if by_blame(one) != one.broken]


def test_the_unharmed_proof_refutes_every_run_that_ends_wrong_and_no_other() -> None:
    """What only broke a rule, and ends right all the same, is not its business."""
    known = {name: one for name, one in corpus().items() if one.run is not None and one.good is not None}
    assert not [name for name, one in known.items() if by_proof(one) != ("proved" if one.good else "refuted")]


def test_the_checker_by_columns_says_of_every_history_what_the_careful_one_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checker.columnar.slice, "MOST", 2.0)
    monkeypatch.setattr(checker.columnar, "FEW", 0)
    for name, one in corpus().items():
        quick = check_table(compacted(one.history), order="declared")
        assert quick.verdict == check_history(one.history, order="declared").verdict, name


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_a_judge_is_shown_by_a_history(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, patch = SLIPS[slip]
    one = corpus()[SHOWN_BY[slip]]
    before = judge(one)
    patch(monkeypatch)
    assert judge(one) != before


def test_every_slip_has_a_history_of_its_own_name() -> None:
    assert set(SHOWN_BY) == set(SLIPS) and len(SLIPS) >= 40
    assert set(SHOWN_BY.values()) <= set(corpus())
    assert {judge for judge, _ in SLIPS.values()} >= {by_checker, by_blame, by_proof}


def shown(judge: Judge, before: dict[str, object]) -> list[str]:
    """The histories that a judge says something else of now."""
    return [name for name, one in corpus().items() if judge(one) != before[name]]


def test_a_judge_with_a_part_replaced_by_the_same_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: by_checker(one) for name, one in corpus().items()}
    put((checker.conflict, "touches", lambda run: list(touches(run))))(monkeypatch)
    assert shown(by_checker, before) == []


@pytest.mark.nightly
def test_the_slips_that_one_history_alone_shows_are_known(record_property) -> None:
    """Each hangs on that history: taking it out of the corpus would leave a hole."""
    answers: dict[Judge, dict[str, object]] = {}
    alone = []
    for slip, (judge, patch) in SLIPS.items():
        before = answers.setdefault(judge, {name: judge(one) for name, one in corpus().items()})
        with pytest.MonkeyPatch.context() as monkeypatch:
            patch(monkeypatch)
            found = [name for name, one in corpus().items() if _told(judge, one) != before[name]]
        assert SHOWN_BY[slip] in found
        alone += [slip] if len(found) == 1 else []
    record_property("slips that one history alone shows", len(alone))


def _told(judge: Judge, one: Case) -> object:
    try:
        return judge(one)
    except (ValueError, KeyError) as error:
        return repr(error)
