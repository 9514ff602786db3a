"""What the workloads claim of naive interleavings, over every one of them."""

import pytest
from interleavings import endings, kept, serial_endings

from workloads import slots, textbook, workload
from workloads.o5_double_booked_slot import workload as o5

KEPT = {
    "dirty-read": (5, 10),
    "dirty-read-innocent": (6, 6),
    "lost-update": (2, 6),
    "lost-update-innocent": (2, 2),
    "read-skew": (4, 6),
    "read-skew-innocent": (6, 6),
    "write-skew": (2, 6),
    "write-skew-innocent": (6, 6),
    "phantom": (4, 6),
    "phantom-innocent": (6, 6),
    "livelock": (2, 6),
    "livelock-innocent": (6, 6),
    "livelock-finite": (2, 6),
    "unrecoverable-send": (2, 6),
    "unrecoverable-send-innocent": (6, 6),
}
"""Interleavings that keep the invariant, and all of them."""

BUILT = {
    **{name: (lambda name=name: workload(name)) for name in textbook.NAMES},
    "o5": o5,
    "o5 with a label": lambda: o5(irrelevant=True),
    "slots for two": lambda: slots.workload(2),
    "slots for two without a note": lambda: slots.workload(2, irrelevant=False),
}


def outcomes(ends):
    return {one.outcome for one in ends}


@pytest.fixture(params=BUILT)
def built(request):
    return BUILT[request.param]()


def test_every_textbook_workload_is_counted():
    assert set(KEPT) == set(textbook.NAMES)


@pytest.mark.parametrize("name", textbook.NAMES)
def test_so_many_interleavings_keep_the_invariant(name):
    assert kept(workload(name)) == KEPT[name]


def test_two_of_six_interleavings_book_two_slots():
    assert kept(o5()) == (2, 6)
    assert kept(slots.workload(2, irrelevant=False)) == (2, 6)


def test_an_irrelevant_write_makes_it_four_of_ten():
    assert kept(o5(irrelevant=True)) == (4, 10)
    assert kept(slots.workload(2)) == (4, 10)


def test_two_of_six_interleavings_book_two_slots_in_workbench_calendar(workbench):
    built = o5(folder=workbench)
    assert kept(built) == (2, 6)
    assert "@atlas.com" in built.story


def test_the_invariant_holds_in_both_serial_orders(built):
    assert [built.invariant(one.state, one.reports) for one in serial_endings(built)] == [True, True]


def test_the_invariant_holds_exactly_where_the_outcome_is_serial(built):
    serial = {one.outcome for one in serial_endings(built)}
    for one in endings(built):
        assert built.invariant(one.state, one.reports) == (one.outcome in serial), one.order


@pytest.mark.parametrize("anomaly", textbook.ANOMALIES)
def test_some_interleaving_of_the_anomaly_is_not_serial_and_none_of_its_innocent_neighbour(anomaly):
    guilty, innocent = workload(anomaly), workload(f"{anomaly}-innocent")
    assert outcomes(endings(guilty)) > outcomes(serial_endings(guilty))
    assert outcomes(endings(innocent)) == outcomes(serial_endings(innocent))


def test_these_come_to_the_same_in_either_order():
    same = {name for name in textbook.NAMES if len(outcomes(serial_endings(workload(name)))) == 1}
    assert same == {
        "dirty-read",
        "lost-update",
        "lost-update-innocent",
        "phantom",
        "phantom-innocent",
        "read-skew",
    }
