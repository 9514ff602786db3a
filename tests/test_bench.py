"""What the checker's bench prints has been measured: every figure, from files of the sizes it names."""

from coagent.bench.list_append import list_append_figures


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
