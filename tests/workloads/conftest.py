"""The office of every test is the generated one, unless the test asks for WorkBench's own tables."""

import pytest

from workloads import office


@pytest.fixture(autouse=True)
def generated_office(monkeypatch):
    """No test depends on which tables a machine has."""
    monkeypatch.setenv(office.VARIABLE, "")


@pytest.fixture
def workbench(monkeypatch):
    """The folder of WorkBench's tables; the test is skipped without it."""
    monkeypatch.delenv(office.VARIABLE)
    folder = office.workbench_folder()
    if folder is None:
        pytest.skip("WorkBench's tables (shared/workbench beside the repository) are not there")
    return folder
