"""What notebooks show of values is whole, escaped HTML that says what the value says."""

from html.parser import HTMLParser

import pytest

from coagent.protocols import protocol
from coagent.running import run
from coagent.scenario import parse_scenario
from coagent.stepper import Stepper
from coagent.testing import QUICK, check_protocol
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

EVIL = "<script>alert(1)</script>"


class Balanced(HTMLParser):
    """Notes the words, and every tag that is closed but not open or open but not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(value: object) -> Balanced:
    found = Balanced(value._repr_html_())
    assert found.open == []
    return found


@pytest.mark.parametrize(("name", "sign"), [("mtpo", "✓"), ("naive", "✗")])
def test_a_verdict_says_its_sentences_with_a_sign(name: str, sign: str) -> None:
    verdict = run(workload("k2-canary"), protocol(name)).verdict
    found = shown(verdict)
    assert sign in found.words
    assert all(sentence in found.words for sentence in verdict.sentences())


def test_an_unknown_verdict_has_a_sign_of_its_own() -> None:
    stepper = Stepper(Setting(workload=workload("lost-update"), protocol=protocol("mtpo")))
    stepper.take(0)
    assert "? cannot tell" in shown(stepper.verdict()).words


def test_a_history_shows_its_lanes_whole_or_so_far() -> None:
    history = run(workload("lost-update"), protocol("mtpo")).outcome.history
    assert "lost-update under mtpo" in shown(history).words and "rank 1" in shown(history).words
    assert "put stock/apples" in shown(history).words


def test_a_world_shows_its_agents_and_what_may_happen_next() -> None:
    stepper = Stepper(Setting(workload=workload("lost-update"), protocol=protocol("mtpo")))
    assert "0: infer A, 1: infer B" in shown(stepper.world).words
    stepper.finish()
    assert "the run is over" in shown(stepper.world).words and "stock/apples" in shown(stepper.world).words


def test_a_scenario_and_its_world_escape_what_somebody_wrote() -> None:
    steps = [{"put": "x", "value": repr(EVIL)}]
    data = {"name": EVIL, "story": EVIL, "state": {"x": EVIL}, "agents": [{"name": "A", "steps": steps}]}
    scenario = parse_scenario(data, "t")
    stepper = Stepper(Setting(workload=from_scenario(scenario), protocol=protocol("mtpo")))
    stepper.finish()
    for value in (scenario, stepper.world, stepper.outcome().history):
        assert EVIL in shown(value).words and "script" not in shown(value).tags


def test_a_report_shows_its_sentences_and_where_to_step() -> None:
    report = check_protocol("naive", budget=QUICK)
    found = shown(report)
    assert "✗ naive: convicted" in found.words and "view(report)" in found.words
    assert all(sentence in found.words for sentence in report.sentences()[1:])
