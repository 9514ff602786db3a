"""Where the histories with known verdicts are, and histories as tests write them by hand."""

from pathlib import Path

import pytest

HISTORIES = Path(__file__).resolve().parents[3] / "shared" / "histories"


@pytest.fixture(scope="session")
def histories() -> Path:
    """The folder of histories with known verdicts, beside the repository; the test is skipped without it."""
    if not HISTORIES.is_dir():
        pytest.skip("the histories with known verdicts (shared/histories beside the repository) are not there")
    return HISTORIES
