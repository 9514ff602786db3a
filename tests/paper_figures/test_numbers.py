"""The arithmetic behind the figures: intervals, ratios within a seed, strokes of a run."""

from pathlib import Path

import polars
import pytest
from scipy.stats import t

from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.sweep import cases
from coagent.trial import trial
from coagent.workload import Setting
from paper_figures import measured, papers, summary, where_we_part
from paper_figures.interval import of_means, wilson
from paper_figures.reasons import REASONS
from paper_figures.style import HATCHES, MARKERS, family
from paper_figures.timeline import strokes
from workloads import workload


def test_wilson_is_as_in_the_books_and_stays_within_0_and_1() -> None:
    assert wilson(93, 100) == pytest.approx((0.8625, 0.9657), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_of_one_mean_is_students() -> None:
    low, high = t.interval(0.95, 9, loc=5.0, scale=2.0 / 10**0.5)
    assert of_means([(5.0, 2.0, 10)]) == pytest.approx((5.0, low, high))


def test_groups_count_alike_and_more_of_them_say_more() -> None:
    one, many = of_means([(1.0, 1.0, 50)]), of_means([(1.0, 1.0, 50), (3.0, 1.0, 5_000)])
    assert many[0] == 2.0
    assert many[2] - many[1] < one[2] - one[1]
    assert of_means([(1.0, 0.0, 1)]) == (1.0, 1.0, 1.0)


def rows(*numbers: tuple[str, str, int, float, int, bool]) -> polars.DataFrame:
    columns = ["workload", "protocol", "seed", "seconds", "tokens", "quiescent"]
    return polars.DataFrame(list(numbers), schema=columns, orient="row")


def test_ratios_are_taken_within_cell_and_seed_and_only_of_runs_that_ended() -> None:
    found = summary.paired(
        rows(
            ("a", "serial", 1, 10.0, 100, True),
            ("a", "serial", 2, 30.0, 100, True),
            ("b", "serial", 1, 50.0, 100, True),
            ("a", "mtpo", 1, 5.0, 150, True),
            ("a", "mtpo", 2, 10.0, 50, True),
            ("b", "mtpo", 1, 1.0, 50, False),
        )
    )
    assert found.filter(polars.col("protocol") == "mtpo")["speedup"].to_list() == [2.0, 3.0, None]
    assert found.filter(polars.col("protocol") == "mtpo")["tokens_ratio"].to_list() == [1.5, 0.5, None]


def test_what_a_judge_misses_changes_nothing_under_protocols_without_notices() -> None:
    for name in ("serial", "naive", "2pl", "occ"):
        wanted = cases(["k1-canary"], [name], trials=1, miss=(1.0, 0.0), check_every=2)
        erring, perfect = map(trial, wanted)
        assert (erring.seconds, erring.tokens, erring.passes) == (perfect.seconds, perfect.tokens, perfect.passes)


def test_a_sweep_is_found_again_and_a_change_of_the_code_makes_it_anew(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(measured, "BUILD", tmp_path)
    wanted = cases(["k3-flag"], ["serial"], trials=2)
    first = measured.measured(wanted, 1)
    for changed in (False, True):
        measured._measured.cache_clear()
        if changed:
            monkeypatch.setattr(measured, "_sources", lambda: [Path(__file__)])
        assert measured.measured(wanted, 1).equals(first)
        assert len(list(tmp_path.iterdir())) == 1 + changed
    measured._measured.cache_clear()


def test_the_strokes_of_the_canary_under_mtpo_are_one_notice_and_one_repair() -> None:
    given = workload("k2-canary")
    run = simulate(Setting(workload=given, protocol=protocol("mtpo")), Clock(given.cost.tool_s))
    table = strokes(run.history)
    kinds = dict(table["kind"].value_counts().iter_rows())
    assert (kinds["notice"], kinds["consume"], kinds["repair"], kinds["undo"], kinds["commit"]) == (1, 1, 1, 1, 2)
    [notice] = table.filter(polars.col("kind") == "notice").iter_rows(named=True)
    assert (notice["agent"], notice["source"]) == ("B", "A")
    thinking = table.filter(polars.col("kind") == "think")
    assert (thinking["end"] - thinking["start"]).sum() == pytest.approx(sum_of_inferences(run))


def sum_of_inferences(run) -> float:
    ends = {"infer": -1, "inferred": 1}
    return sum(ends[one["event"]] * one["at"] for one in run.history.of(*ends))


def test_waits_of_2pl_are_drawn_from_where_it_parks_to_where_it_goes_on_or_aborts() -> None:
    given = workload("k2-canary")
    run = simulate(Setting(workload=given, protocol=protocol("2pl")), Clock(given.cost.tool_s))
    blocked = strokes(run.history).filter((polars.col("kind") == "blocked") & (polars.col("agent") == "B"))
    assert blocked.height == 2
    [victim] = run.history.of("abort")
    assert blocked["end"][0] == victim["at"]


def test_the_papers_events_are_all_there_and_on_our_axis() -> None:
    assert len(papers.events("naive")) == 14
    assert min(start for name in ("naive", "2pl", "occ", "mtpo") for *_, start, _ in papers.events(name)) == 0.1
    assert ("B", "blocked", 4.6, 14.7) in papers.events("2pl")


def test_every_protocol_that_is_compared_has_a_sign_besides_its_colour_and_a_reason() -> None:
    for name in summary.PROTOCOLS:
        assert family(name) in HATCHES
        assert family(name) in MARKERS
    assert len(set(MARKERS.values())) == len(MARKERS)
    assert {name for name, _ in REASONS} == set(papers.SPEEDUP) - {"serial"}
    assert family("mtpo-reissue") == "mtpo"


def test_what_stands_over_each_time_line_is_what_it_shows(monkeypatch) -> None:
    monkeypatch.setattr(where_we_part, "CELLS", ())
    tables = where_we_part.data(quick=True, workers=1)
    shown = [tables["strokes"].filter(polars.col("panel") == index) for index in range(len(where_we_part.PANELS))]
    deadlock, wait, abort, naive, repair = shown
    [at] = of(deadlock, "abort")["start"]
    victim = deadlock.filter((polars.col("agent") == "B") & (polars.col("start") < at))
    assert (of(victim, "read").height, of(victim, "write").height) == (1, 0)
    assert of(wait, "blocked").height and not of(wait, "abort").height
    [lost] = of(abort, "abort").iter_rows(named=True)
    [other] = of(abort.filter(polars.col("agent") != lost["agent"]), "commit")["start"]
    assert lost["start"] > other
    ends = of(naive, "commit")["start"]
    assert ends.max() < 1.05 * ends.min()
    assert of(repair, "repair")["start"].item() > of(repair, "commit")["start"].min()


def of(table: polars.DataFrame, kind: str) -> polars.DataFrame:
    return table.filter(polars.col("kind") == kind)
