"""`run` and `explore` say the same of the same ending, and neither lets a scenario's text move the cursor."""

from pathlib import Path

import pytest

OWN = """
from dataclasses import dataclass

from coagent.effect import GiveUp, Start
from coagent.protocols.naive import Naive
from coagent.protocols.run import CALLS, RESTARTS, Phase, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Naive):
    name: str = "own"
    emits: frozenset[str] = CALLS | RESTARTS

    def step(self, run, event):
        check_legal(run, event)
        turn = Turn(run)
        if type(event).__name__ == "Launched":
            turn.launch(event.agent, event.rank)
            {effects}
        elif type(event).__name__ == "Inferring":
            turn.set_agent(event.agent, phase=Phase.INFERRING)
        return turn.result()
"""


@pytest.fixture
def own(tmp_path: Path):
    """A protocol that answers a launch with these effects and everything else with nothing."""

    def written(effects: str) -> str:
        file = tmp_path / "own.py"
        file.write_text(OWN.replace("{effects}", effects), encoding="utf-8")
        return f"{file}:Own"

    return written


def test_on_a_run_that_is_stuck(coagent, own) -> None:
    protocol = own("turn.emit(Start(agent=event.agent))")
    run, explored = (coagent(word, "lost-update", "--protocol", protocol) for word in ("run", "explore"))
    assert (run.code, explored.code) == (1, 1)
    assert "stuck: nothing can happen any more" in run.out and "stuck: nothing can happen any more" in explored.out


def test_on_agents_that_gave_up(coagent, own) -> None:
    protocol = own("turn.emit(GiveUp(agent=event.agent, because='tired'))")
    run, explored = (coagent(word, "lost-update", "--protocol", protocol) for word in ("run", "explore"))
    assert (run.code, explored.code) == (1, 1)
    assert "never ok" in run.out and "A, B gave up" in explored.out


def test_an_empty_schedule_is_replayed_without_being_named(coagent, own) -> None:
    answer = coagent("explore", "lost-update", "--protocol", own("pass"))
    assert answer.code == 1 and "--schedule" not in answer.out


def test_a_run_that_did_not_end_has_no_outcome_to_compare(coagent) -> None:
    answer = coagent("run", "livelock", "--protocol", "broadcast", "--max-steps", 50, "--json")
    assert answer.code == 2 and '"order_exact": null' in answer.out


def test_no_text_of_a_scenario_moves_the_cursor(coagent, tmp_path: Path) -> None:
    file = tmp_path / "escape.json"
    file.write_text(r"""{"state": {"x": "\u001b[2J"}, "agents": [{"name": "A", "steps": [{"report": "'\u0007'"}]}]}""")
    out = coagent("run", file).out
    assert "\x1b" not in out and "\x07" not in out
    assert r"x = '\x1b[2J'" in out and r"A = '\x07'" in out
