"""What is said of the judges, ranks, exposures and crossovers is worked out as it should be."""

import polars
import pytest

from coagent.exposure import Exposure
from paper_figures import contention_crossover, exposure_before_quiet, judge_errors, many_agents, rank_choice
from paper_figures.pool import mapped


def points(*speedups: float) -> polars.DataFrame:
    conflicts = [at / 10 for at in range(len(speedups))]
    return polars.DataFrame({"conflict": conflicts, "speedup": speedups, "done": 1.0})


def test_a_crossing_lies_between_points_on_a_straight_line_of_logarithms() -> None:
    assert contention_crossover._crossing(points(4.0, 2.0, 0.5)) == pytest.approx(0.15)
    assert contention_crossover._crossing(points(4.0, 4.0, 0.5)) == pytest.approx(0.1 + 0.1 * 2 / 3)
    assert contention_crossover._crossing(points(0.5, 4.0)) == 0.0
    assert contention_crossover._crossing(points(4.0, 1.0, 2.0)) is None


def test_never_slower_means_at_no_longer_think_time_either() -> None:
    crossover = polars.DataFrame(
        {"baseline": ["2pl"] * 4, "think_s": [1.0, 2.0, 4.0, 8.0], "conflict": [0.1, None, 0.9, None]}
    )
    assert contention_crossover.never_slower_from(crossover, "2pl") == 8.0
    assert contention_crossover.never_slower_from(crossover[:3], "2pl") is None
    assert contention_crossover.never_slower_from(crossover[:2], "2pl") == 2.0


def test_close_means_close_from_there_on() -> None:
    line = polars.DataFrame({"think_s": 5.0, "inferences": [3, 5, 7, 9], "mean": [1.2, 1.04, 1.06, 1.01]})
    assert contention_crossover.close_from(line, 5.0) == 9
    assert contention_crossover.close_from(line[:3], 5.0) is None


def test_a_point_of_the_map_counts_only_seeds_in_which_both_did_the_work() -> None:
    runs = [
        {"mtpo": (10.0, True), "occ": (30.0, True)},
        {"mtpo": (10.0, True), "occ": (50.0, True)},
        {"mtpo": (10.0, True), "occ": (1.0, False)},
    ]
    found = contention_crossover._compared(runs, "occ")
    assert (found["seeds"], found["mtpo_done"]) == (3, 1.0)
    assert found["speedup"] == pytest.approx((3 * 5) ** 0.5)
    assert found["done"] == pytest.approx(2 / 3)
    assert contention_crossover._compared(runs[2:], "occ")["speedup"] is None


def test_without_conflict_no_protocol_is_slower_than_mtpo_by_more_than_rounding() -> None:
    found = contention_crossover._contended((4.0, 0.0, 1))
    assert found["serial"][0] > 3 * found["mtpo"][0]
    assert found["2pl"] == found["occ"] == found["mtpo"]


def test_correctness_falls_to_a_share_between_two_rates() -> None:
    rates = polars.DataFrame({"kind": "miss", "rate": [0.0, 0.1, 0.2], "correct": [100.0, 95.0, 85.0]})
    assert judge_errors.falls_to(rates, 93.0) == pytest.approx(0.12)
    assert judge_errors.falls_to(rates, 80.0) is None


def test_notices_that_double_with_every_doubling_grow_with_the_power_of_one() -> None:
    means = polars.DataFrame(
        {"family": "slots", "protocol": "mtpo", "agents": [16, 2, 4, 8], "delivered": [40.0, 1.0, 10.0, 20.0]}
    )
    assert many_agents.growth(means, "slots", "delivered") == pytest.approx(1.0)


def test_all_orders_are_tried_of_few_agents_and_a_fixed_sample_of_many() -> None:
    assert sorted(rank_choice._tried(3)) == ["1,2,3", "1,3,2", "2,1,3", "2,3,1", "3,1,2", "3,2,1"]
    sample = rank_choice._tried(rank_choice.MOST_ORDERED + 1)
    assert sample == rank_choice._tried(rank_choice.MOST_ORDERED + 1)
    assert len(sample) == rank_choice.SAMPLE
    assert {tuple(sorted(order.split(","))) for order in sample} == {("1", "2", "3", "4", "5")}


def test_what_a_rule_chooses_is_among_the_orders_run() -> None:
    chosen, runs = rank_choice._orders((rank_choice.UNEVEN, 3, 2))
    assert chosen["launch"] == "1,2,3"
    assert chosen["shortest-first"] == "3,2,1"
    assert set(chosen.values()) <= set(runs)
    assert all(one["holds"] for one in runs.values())


def test_of_each_cell_the_object_exposed_longest_is_shown_and_the_others_counted() -> None:
    def one(*by_object: tuple[str, float]) -> Exposure:
        return Exposure(by_object=by_object, object_s=9.0, state_s=9.0, seconds=10.0, ends_serial=True)

    rows = exposure_before_quiet._by_object("k1-x", [one(("a", 4.0), ("b", 2.0)), one(("b", 4.0))])
    rows += exposure_before_quiet._by_object("k2-y", [one(("c", 9.0)), one()])
    found = exposure_before_quiet.longest(polars.DataFrame(rows))
    assert found.select("cell", "object", "seconds", "share_of_trials", "others").rows() == [
        ("k2-y", "c", 4.5, 0.5, 0),
        ("k1-x", "b", 3.0, 1.0, 1),
    ]


def test_a_pool_answers_in_the_order_of_the_tasks_whatever_the_number_of_workers() -> None:
    tasks = [(4.0, conflict / 10, 1) for conflict in range(0, 9, 4)]
    alone = mapped(contention_crossover._contended, tasks, 1)
    assert alone == mapped(contention_crossover._contended, tasks, 2)
    assert alone[0] != alone[2]
