"""Cells on real systems: without control they break, under every protocol they hold, and nobody contradicts that."""

from collections.abc import Callable

import pytest

from paper_figures.live_runs import PAGE
from tests.live.accept.cell import CELLS, PROTOCOLS, lived, until_broken
from tests.live.accept.ground import Grounds
from tests.live.accept.served import at

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

Wanted = Callable[[str], Grounds]
LIVED = [at(place, cell) for cell, place in CELLS]
CONTROLLED = [one for one in PROTOCOLS if one != "naive"]


@pytest.mark.parametrize(("cell", "place"), LIVED)
def test_without_control_a_cell_breaks_and_checker_and_a_second_client_see_it(
    cell: str, place: str, grounds: Wanted
) -> None:
    run = until_broken(grounds(place), cell, place)
    assert not run.invariant, "no draw of think times made the agents meet"
    assert run.checker == "violated", run.verdict.sentences()
    assert run.agree, run.differs


@pytest.mark.parametrize("protocol", CONTROLLED)
@pytest.mark.parametrize(("cell", "place"), LIVED)
def test_under_a_protocol_a_cell_holds_and_checker_and_a_second_client_see_it(
    cell: str, place: str, protocol: str, grounds: Wanted
) -> None:
    run = lived(grounds(place), cell, place, protocol)
    assert run.invariant and not run.gave_up, run.run.final_state
    assert run.checker == "ok", run.verdict.sentences()
    assert run.agree, run.differs
    if protocol in ("serial", "mtpo"):
        assert run.serial, "state and reports are those of the agents one after the other"


def test_the_page_of_live_runs_has_every_cell_on_every_place_and_says_what_is_promised() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if " s |" in line]
    assert [(cell.strip("`"), place) for cell, place, *_ in rows] == list(CELLS)
    for _, _, *runs in rows:
        for protocol, run in zip(PROTOCOLS, runs, strict=True):
            due = "**broken**, violated, agreed" if protocol == "naive" else "holds, ok, agreed"
            assert run.startswith(due), run
            assert ("as in turn" in run) or protocol not in ("serial", "mtpo"), run
