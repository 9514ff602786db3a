"""Every figure comes out of a tiny quick run, the same twice, and the page says what the data say."""

from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import polars
import pytest

from paper_figures import measured
from paper_figures.__main__ import HERE, made, main
from paper_figures.figure import FIGURES
from paper_figures.page import page
from paper_figures.writing import read_tables

TINY = {
    "correctness_speedup_tokens": {},
    "policies": {"QUICK": 1, "LONGER_S": (0, 30)},
    "judge_errors": {"QUICK": 1, "CASCADE_QUICK": 1},
    "many_agents": {"QUICK": {2: 2, 4: 1, 8: 1}},
    "rank_choice": {"QUICK": 1, "SAMPLE": 2, "WORKLOADS": (("k2-canary-on-bad-image", 2), ("uneven", 3), ("chain", 5))},
    "exposure_before_quiet": {"QUICK": 1},
    "contention_crossover": {
        "QUICK": 1,
        "THINK_S": (0.25, 0.5, 4.0),
        "CONFLICTS": (0.0, 0.5, 1.0),
        "LINE_QUICK": 2,
        "LENGTHS": (1, 3, 8),
    },
}
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick profile of every figure, with fewer trials still: the folder that it was written to."""
    return made_from_nothing(tmp_path_factory.mktemp("figures"))


def made_from_nothing(root: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("paper_figures.summary"), "QUICK", 2)
        for name, changes in TINY.items():
            for what, value in changes.items():
                patch.setattr(import_module(f"paper_figures.{name}"), what, value)
        measured._measured.cache_clear()
        patch.setattr(measured, "BUILD", root / "kept")
        made(None, quick=True, workers=1, folder=root / "made")
        measured._measured.cache_clear()
    return root / "made"


@pytest.mark.parametrize("name", FIGURES.values())
def test_a_figure_comes_out_as_svg_and_pdf_and_data(tiny: Path, name: str) -> None:
    figures = tiny / "figures"
    drawn = ElementTree.parse(figures / f"{name}.svg").getroot()
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}path"))) > 10
    assert (figures / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
    tables = read_tables(tiny, name)
    assert tables
    assert all(table.height and table.width for table in tables.values())


@pytest.mark.parametrize("name", FIGURES.values())
def test_a_figure_says_that_its_agents_are_simulated(tiny: Path, name: str) -> None:
    module = import_module(f"paper_figures.{name}")
    assert "imulated agents" in module.caption(read_tables(tiny, name))


def test_the_same_run_gives_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    again = made_from_nothing(tmp_path)
    first, second = ({path.relative_to(root): path.read_bytes() for path in files(root)} for root in (tiny, again))
    assert first.keys() == second.keys()
    assert len(first) > 3 * len(FIGURES)
    assert [str(path) for path in first if first[path] != second[path]] == []


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_drawing_again_measures_nothing_and_draws_the_same(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = tiny / "figures" / "deadlocks_and_aborts.svg"
    before = drawn.read_bytes()
    drawn.unlink()
    module = import_module("paper_figures.deadlocks_and_aborts")
    monkeypatch.setattr(module, "data", lambda *_: pytest.fail("measured"))
    made("d", quick=True, workers=1, folder=tiny, redraw=True)
    assert drawn.read_bytes() == before


def test_the_page_follows_the_data(tiny: Path, tmp_path: Path) -> None:
    for path in files(tiny / "data"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / path.name).write_bytes(path.read_bytes())
    before = page(tmp_path)
    assert before == (tiny / "README.md").read_text(encoding="utf-8")
    changed = tmp_path / "data" / "correctness_speedup_tokens.all.csv"
    table = polars.read_csv(changed)
    table.with_columns(speedup=polars.col("speedup") + 7).write_csv(changed)
    after = page(tmp_path)
    assert [one for one in lines(before, "speedup over serial, MTPO") if "8." in one] == []
    assert [one for one in lines(after, "speedup over serial, MTPO") if "| 8." in one]


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"| {start}")]


@pytest.mark.parametrize("name", FIGURES.values())
def test_every_claim_has_a_number_of_ours(tiny: Path, name: str) -> None:
    tables = read_tables(tiny, name)
    for claim in import_module(f"paper_figures.{name}").CLAIMS:
        assert claim.ours(tables).strip(), claim.what
        assert "nan" not in claim.ours(tables) + claim.why(tables)


def test_the_page_in_the_tree_says_what_the_data_in_the_tree_say() -> None:
    assert (HERE / "README.md").read_text(encoding="utf-8") == page(HERE)


@pytest.mark.parametrize("name", FIGURES.values())
def test_the_figure_in_the_tree_is_of_the_full_profile(name: str) -> None:
    assert f"figures/{name}.svg" in page(HERE)
    for end in ("svg", "pdf"):
        assert (HERE / "figures" / f"{name}.{end}").stat().st_size > 0
    assert "quick profile" not in page(HERE)


def test_the_figures_in_the_tree_are_small() -> None:
    assert sum(path.stat().st_size for part in ("figures", "data") for path in files(HERE / part)) < MOST_BYTES


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--only", "z"], "'z'"),
        (["--only", ""], "''"),
        (["--workers", "0"], "--workers is 0"),
        (["--workers", "two"], "two"),
        (["--fast"], "--fast"),
        (["--only", "c", "--folder", "/dev/null/x"], "/dev/null"),
        (["--only", "c", "--folder", "/nowhere", "--redraw"], "/nowhere/data: no tables of canary_timelines"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_3(argv: list[str], says: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["--quick", *argv]) == 3
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert says in shown
