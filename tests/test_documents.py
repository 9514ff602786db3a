"""The README and its picture are made from what runs, and say what runs."""

import re
import shlex
from pathlib import Path

import pytest

from paper_figures.misplaced_write import PICTURE, picture
from paper_figures.readme_blocks import PAGES, README, filled

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(README.parent)))
def test_the_generated_parts_of_a_page_are_what_runs_now(page: Path) -> None:
    assert filled(page) == page.read_text(encoding="utf-8")


def test_the_picture_is_the_run_it_shows() -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_ci_runs_the_readmes_own_test_command() -> None:
    [command] = re.findall(r"^python3 -m venv .*pytest$", TEXT, re.MULTILINE)
    assert f'command="{command}"' in (README.parent / ".ci" / "run").read_text(encoding="utf-8")


def test_the_readmes_scenario_runs_is_recorded_and_checks_ok(coagent, tmp_path: Path) -> None:
    [scenario] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    path, history = tmp_path / "swap.json", tmp_path / "swap.ndjson"
    path.write_text(scenario, encoding="utf-8")
    assert coagent("run", path, "--protocol", "naive").code == 1
    assert coagent("run", path, "--record", history).code == 0
    assert coagent("check", history).code == 0
    assert coagent("explore", path).code == 0
    assert coagent("explore", path, "--protocol", "naive").code == 1


def test_the_readmes_sweeps_run_in_order_and_one_is_refused(coagent, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    part = TEXT.partition("## Sweep")[2].partition("## Check")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    codes = [coagent(*shlex.split(line.partition("#")[0])[1:]).code for line in lines]
    assert codes == [0, 3, 0, 0, 0]
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["rows", "threads"]


def test_the_readmes_own_protocol_is_convicted(coagent, tmp_path: Path) -> None:
    code, *_ = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "blind.py"
    path.write_text(code, encoding="utf-8")
    answer = coagent("explore", "lost-update", "--protocol", f"{path}:Blind")
    assert answer.code == 1
    assert "--schedule" in answer.out


@pytest.mark.parametrize(
    "module", re.findall(r"`([a-z_]+)`", TEXT.partition("## Run your own")[0].partition("## The tree")[2])
)
def test_every_module_that_the_readme_names_is_there(module: str) -> None:
    root = README.parent
    places = [*root.glob(f"*/{module}.py"), *root.glob(f"*/*/{module}.py"), *root.glob(f"*/{module}/")]
    assert places, module
