"""The habits that a machine can hold: lint, format, and the size of files."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("coagent", "checker", "workloads", "paper_figures", "notebooks", "tests")


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids="-".join)
def test_ruff_has_nothing_to_say(words: tuple[str, ...]) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "ruff", *words, *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("package", PACKAGES[:-1])
def test_files_stay_near_three_hundred_lines(package: str) -> None:
    long = {
        path.name: size for path in (ROOT / package).rglob("*.py") if (size := len(path.read_text().splitlines())) > 350
    }
    assert not long
