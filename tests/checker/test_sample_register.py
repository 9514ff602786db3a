"""Sampled register histories are what they say, and so are the figures measured on them."""

import pytest

from checker.register import check_register
from checker.sample_register import PLANTED, Mix, sampled
from coagent.bench.register import register_figures


def test_a_sample_is_the_same_for_the_same_seed_and_never_listed_as_it_ran():
    mix = Mix(transactions=80, keys=10)
    assert sampled(mix, 1) == sampled(mix, 1) != sampled(mix, 2)
    sample = sampled(mix, 1)
    values = [value for one in sample.transactions for kind, key, value in one.steps if kind == "w" and key == 1]
    final = [value for value in values if value in sample.orders[1]]
    assert final != list(sample.orders[1]) and sorted(final) == sorted(sample.orders[1])
    assert all(len(one.steps) >= mix.operations for one in sample.transactions)


@pytest.mark.parametrize("planted", ["", *PLANTED])
def test_a_sample_is_serializable_unless_something_is_planted(planted):
    for seed in range(5):
        for shuffled in (True, False):
            sample = sampled(Mix(transactions=120, keys=30, shuffled=shuffled), seed, planted=planted)
            verdict = check_register(sample.transactions)
            assert verdict.verdict == ("violated" if planted else "ok")
            assert check_register(sample.transactions, orders=sample.orders).verdict == verdict.verdict


def test_the_figures_name_what_they_are_of_and_the_answer():
    figures = register_figures(sizes=(40, 80), sparse=50, snapshot=40)
    assert len({one.name for one in figures}) == len(figures) == 9
    assert all(one.value >= 0 and one.unit == "s" for one in figures)
    answers = {one.name: one.of.rpartition(": ")[2] for one in figures}
    assert answers["register_80_inferred_s"] == answers["register_80_known_s"] == "ok"
    assert answers["register_80_lost_update_s"].startswith("violated")
