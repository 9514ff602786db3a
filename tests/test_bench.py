"""What the checker's bench prints has been measured: every figure, from files of the sizes it names."""

from coagent.bench.exploration import exploration_figures
from coagent.bench.list_append import list_append_figures
from coagent.bench.replay import replay_figures
from coagent.bench.trials import trial_figures


def test_every_figure_is_of_a_history_that_was_judged():
    figures = list_append_figures(small=40, large=80, levels=("read-committed",), repeats=1)
    named = {figure.name: figure for figure in figures}
    assert len(named) == len(figures) == 17
    assert all(figure.value > 0 for figure in figures)
    assert "write skew among 2" in named["list_80_planted_s"].of
    assert all("ok" in named[name].of for name in ("list_40_json_s", "list_80_json_s", "list_80_edn_s"))
    for name in ("list_40_json", "list_80_json", "list_80_edn", "list_80_planted"):
        parts = named[f"{name}_load_s"].value + named[f"{name}_check_s"].value
        assert abs(named[f"{name}_s"].value - parts) < 0.002
    assert named["list_80_json_peak_mb"].unit == "MB" and 20 < named["list_80_json_peak_mb"].value < 3000


def test_every_figure_of_exploring_counts_what_it_says():
    named = {figure.name: figure for figure in exploration_figures(agents=2, repeats=1, counted=("naive",))}
    assert all(figure.value > 0 for figure in named.values())
    plain, reduced = named["explore_naive_plain"].value, named["explore_naive_reduced"].value
    assert named["explore_naive_ratio"].value == round(plain / reduced, 1) > 5
    assert "the same endings" in named["explore_naive_reduced"].of
    assert "1 ending" in named["explore_2_agents_s"].of


def test_the_figures_of_a_sweep_are_of_the_same_trials():
    rate, whole = trial_figures(cells=("k3-flag-blob",), protocols=("naive", "mtpo"), seeds=10)
    assert 20 < rate.value < 20_000 and "2 protocols" in rate.of
    assert whole.value == round(2000 / rate.value / 2 / 60, 2) or abs(whole.value * rate.value * 120 / 2000 - 1) < 0.3


def test_the_figures_of_stepping_are_of_runs_that_were_laid_out():
    named = {figure.name: figure for figure in replay_figures(operations=(200,), looks=5, browser=False)}
    assert set(named) == {f"replay_200_{what}" for what in ("open_s", "open_cpu_s", "scene_mb", "step_ms")}
    assert all(figure.value > 0 for figure in named.values())
    assert "steps of 1 events" in named["replay_200_step_ms"].of
