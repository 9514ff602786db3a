"""The servers of the acceptance set as fixtures: started once in a process, shared with the other tests' there."""

from collections.abc import Callable, Iterator

import pytest

from tests.live import missing
from tests.live.accept.ground import PLACES, Grounds

GROUPS = {
    "kubernetes": "kube",
    "radicale": "dav",
    "radicale and SMTP": "dav",
    "PostgreSQL": "postgresql",
}
"""Places with a server of their own, by the group of tests that one process takes."""


def at(place: str, *more: object) -> object:
    """A parameter for a place, in the group of its server."""
    marks = [pytest.mark.xdist_group(GROUPS[place])] if place in GROUPS else []
    return pytest.param(*more, place, marks=marks)


@pytest.fixture(scope="session", name="started")
def started_grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """Places to run on; servers that the other tests have too are theirs."""
    grounds = Grounds(folder=tmp_path_factory.mktemp("grounds"))
    yield grounds
    grounds.close()


@pytest.fixture
def grounds(started: Grounds, request: pytest.FixtureRequest) -> Callable[[str], Grounds]:
    """Says that a place is wanted; skips the test, or in CI fails it, where its server cannot be."""

    def wanted(place: str) -> Grounds:
        assert place in PLACES
        if place == "kubernetes":
            started.has("kube", request.getfixturevalue("kube"))
        if place == "PostgreSQL":
            started.has("postgresql", request.getfixturevalue("postgres"))
        if place in ("SQLite", "PostgreSQL"):
            missing.unless(missing.packages("sqlalchemy"), needed=True)
        if place.startswith("radicale"):
            missing.unless(missing.packages("radicale", "icalendar"), needed=True)
        if place.endswith("SMTP"):
            missing.unless(missing.packages("aiosmtpd"), needed=True)
        return started

    return wanted
