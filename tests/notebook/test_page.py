"""The saved page, opened by itself: stepped by keyboard, without a network, and showing what the replay says."""

from pathlib import Path

import pytest
from browsing import opened

from coagent.notebook import view
from coagent.protocols import protocol
from coagent.protocols.mtpo import Mtpo
from coagent.scenario import parse_scenario
from coagent.simulate import Chance, Clock, simulate
from coagent.testing import random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

SHOTS = Path(__file__).parent / "screenshots"

pytestmark = pytest.mark.xdist_group("browser")


def canary(name: str = "mtpo") -> object:
    case = workload("k2-canary")
    return simulate(Setting(workload=case, protocol=protocol(name)), Clock(case.cost.tool_s))


def test_the_keyboard_steps_to_the_notice_and_back_without_a_network(tmp_path: Path) -> None:
    shown = view(canary())
    file = shown.save(tmp_path / "run.html")
    with opened(file) as browser:
        assert browser.step() == 0 and "launched" in browser.status()
        browser.press("ArrowRight", "ArrowRight")
        assert browser.step() == 2
        browser.press("n")
        assert browser.step() == shown.replay.next("notice", 0)
        assert "is told by a notice from A" in browser.status()
        assert browser.page.locator('#coagent-agents [data-agent="B"]').inner_text().count("stale: notice sent") == 1
        browser.press("ArrowLeft")
        assert "stale: notice sent" not in browser.page.locator("#coagent-agents").inner_text()
        browser.press("End")
        assert browser.step() == len(shown.replay) - 1
        browser.press("p")
        assert browser.step() == shown.replay.next("notice", 0)
        browser.press("u")
        assert browser.step() == shown.replay.next("undo", 0)
        browser.press("Home")
        assert browser.step() == 0
        browser.page.locator("#coagent-slider").focus()
        browser.press("ArrowRight")
        assert browser.step() == 1
        assert browser.complaints == []
        assert browser.requests == [file.as_uri()]


def test_the_verdict_key_goes_to_the_witness_and_an_edge_shows_its_two_operations(tmp_path: Path) -> None:
    with opened(view(canary("naive")).save(tmp_path / "run.html")) as browser:
        browser.press("v")
        focused = browser.page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert "in the witness" in focused
        assert browser.page.locator("#coagent-edge-says").inner_text().startswith("rw: B before A, because B read")
        browser.press("Enter")
        picked = browser.page.locator(".coagent-picked").evaluate_all("all => all.map((one) => one.dataset.op)")
        assert picked == ["B.1", "A.2"]
        assert browser.complaints == []


@pytest.mark.parametrize(
    ("rule", "seed"),
    [
        (Mtpo(), 7),
        (Mtpo(late="reissue"), 7),
        (Mtpo(routes=("undo",)), 51),  # where what was taken back is redone once more for somebody's read
        (protocol("occ"), 7),
        (protocol("fork-merge"), 7),
        (protocol("naive"), 7),
    ],
    ids=["replay", "reissue", "undo", "occ", "fork-merge", "naive"],
)
def test_the_page_shows_of_every_object_what_the_replay_says_at_every_step(
    tmp_path: Path, rule: object, seed: int
) -> None:
    setting = Setting(workload=from_scenario(random_scenario(seed)), protocol=rule, seed=seed)
    shown = view(simulate(setting, Chance(seed), max_steps=400))
    run = shown.replay
    with opened(shown.save(tmp_path / "run.html")) as browser:
        for path in run.objects:
            steps = [step for step in range(len(run)) if run.object(path, step)]
            asked = "([path, all]) => all.map((at) => coagent.object(path, at))"
            seen = browser.page.evaluate(asked, [path, steps])
            assert seen == [run.object(path, step) for step in steps], path
        assert browser.complaints == []


def test_a_history_that_says_html_stays_text(tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    steps = [{"put": "x", "value": repr(evil)}, {"get": "x", "as": "v"}, {"report": "v"}]
    scenario = parse_scenario({"name": evil, "state": {"x": evil}, "agents": [{"name": "A", "steps": steps}]}, "t")
    shown = view(simulate(Setting(workload=from_scenario(scenario), protocol=protocol("mtpo")), Chance(0)))
    with opened(shown.save(tmp_path / "run.html")) as browser:
        browser.press("End")
        assert evil in browser.page.locator("#coagent-objects").inner_text()
        assert evil in browser.page.locator("#coagent-title").inner_text()
        assert browser.page.locator("img").count() == 0
        assert browser.complaints == []


def test_a_file_that_is_no_history_is_a_sentence_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "notes.ndjson").write_text('{"history": "coagent", "version": 99}\n', encoding="utf-8")
    with opened(view(tmp_path / "notes.ndjson").save(tmp_path / "run.html")) as browser:
        assert "upgrade coagent" in browser.page.locator("#coagent-problem").inner_text()
        browser.press("ArrowRight", "n", "v")
        assert browser.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_is_cut_or_wider_than_the_page(tmp_path: Path, width: int, scheme: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    for name, keys in (("mtpo", ["n"]), ("naive", ["End", "v"])):
        with opened(view(canary(name)).save(tmp_path / f"{name}.html"), width=width, scheme=scheme) as browser:
            browser.press(*keys)
            browser.page.screenshot(path=SHOTS / f"canary-{name}-{width}-{scheme}.png", full_page=True)
            wide = browser.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0
            assert browser.page.evaluate(OUTSIDE) == []


OUTSIDE = """() => [...document.querySelectorAll('#coagent-timeline text, #coagent-verdict text')].filter((one) => {
  const box = one.getBoundingClientRect(), svg = one.ownerSVGElement.getBoundingClientRect();
  return box.left < svg.left - 1 || box.right > svg.right + 1 || box.top < svg.top - 1 || box.bottom > svg.bottom + 1;
}).map((one) => one.textContent)"""
"""Words of a drawing that stick out of it."""
