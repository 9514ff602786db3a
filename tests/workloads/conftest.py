"""WorkBench's own tables, for the tests that hold the generated ones to them."""

from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "workbench"


@pytest.fixture
def workbench():
    """The folder of WorkBench's tables beside the repository; the test is skipped without it."""
    if not BESIDE.is_dir():
        pytest.skip("WorkBench's tables (shared/workbench beside the repository) are not there")
    return BESIDE
