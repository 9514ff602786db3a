"""The command line as tests call it: in this process, with what it printed and its exit code."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import settings

from coagent.cli import main

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--regenerate` writes the golden transcripts anew instead of comparing with them."""
    parser.addoption("--regenerate", action="store_true", help="write the golden transcripts anew")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests of one `xdist_group` run in one process: pytest 9.2 keeps a test's id elsewhere than pytest-xdist 3.8
    writes the group into it, which without this loses all groups, and says nothing."""
    for item in items:
        grouped = getattr(item, "_nodeid", item.nodeid)
        if grouped != item.nodeid:
            item._id = type(item.id).parse(grouped)


def pytest_terminal_summary(terminalreporter: object) -> None:
    """Print the figures that tests measured, wherever they ran."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            terminalreporter.write_line(f"{name}: {value}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def coagent(capsys) -> Callable[..., Answer]:
    """Runs the command line with these arguments."""

    def called(*argv: object) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in argv])
        return Answer(code, *capsys.readouterr())

    return called
