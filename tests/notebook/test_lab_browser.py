"""Notebooks in JupyterLab, as a reader has them: opened, run, stepped by keyboard, forked, and nothing asked of others.

With `--regenerate` the README's second picture is taken anew.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_page import Lab, LabPage, browsing, opened, serving

from coagent.bad_input import BadInput

SHOTS = Path(__file__).parent / "screenshots"
PICTURE = Path(__file__).resolve().parents[2] / "paper_figures" / "notebook.png"
BOOK = "04_notifications_and_repair.ipynb"
NAIVE, MTPO, BOTH = 0, 1, 2
"""The views of that notebook, from the top."""

pytestmark = pytest.mark.xdist_group("lab")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Lab]:
    with serving(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def read(browser: object, server: Lab) -> Iterator[LabPage]:
    """The notebook with all its cells run."""
    with opened(browser, server, BOOK) as page:
        page.run_all("a serial order: A, B")
        yield page


@pytest.fixture
def page(read: LabPage, server: Lab) -> Iterator[LabPage]:
    """The same, each view at its first step; afterwards nobody has asked for anything elsewhere, or complained."""
    for place in (NAIVE, MTPO, BOTH):
        read.stepper(place).focus()
        read.page.keyboard.press("Home")
    yield read
    assert read.strangers() == [] and server.asked_of_others() == ""
    assert read.complaints == []


def press(page: LabPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def test_the_keyboard_steps_to_the_notification_and_back(page: LabPage) -> None:
    page.stepper(MTPO).focus()
    assert page.step(MTPO) == 0
    press(page, "ArrowRight", "ArrowRight")
    assert page.step(MTPO) == 2
    press(page, "n")
    found = page.step(MTPO)
    assert "is told by a notice from A" in page.status(MTPO)
    told = page.stepper(MTPO).locator('[data-agent="B"]')
    assert told.inner_text().count("stale: notice sent") == 1
    page.stepper(MTPO).locator("input[type=range]").focus()
    press(page, "ArrowLeft", "ArrowLeft")
    assert page.step(MTPO) == found - 2
    assert "stale: notice sent" not in told.inner_text()
    press(page, "End")
    assert page.step(MTPO) > found
    press(page, "p")
    assert page.step(MTPO) == found
    assert page.page.locator(".jp-Notebook .jp-Cell").count() == 16, "no key went to the notebook as a command"


def test_the_kernel_knows_the_step_that_the_page_shows(page: LabPage) -> None:
    page.stepper(MTPO).focus()
    press(page, "n")
    asked = "(async (place) => { const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel; \
const done = kernel.requestExecute({ code: 'import gc; from coagent.notebook.viewer import StepperView; \
print(sorted(one.step for one in gc.get_objects() if isinstance(one, StepperView)))', store_history: false }); \
let said = ''; done.onIOPub = (one) => { if (one.header.msg_type === 'stream') said += one.content.text; }; \
await done.done; return said; })()"
    assert str(page.step(MTPO)) in page.page.evaluate(asked).strip("[]\n").split(", ")


def test_the_witness_of_the_verdict_is_marked_and_shows_its_two_operations(page: LabPage) -> None:
    page.stepper(NAIVE).focus()
    press(page, "v")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert "in the witness: B before A, because B read" in page.page.evaluate(focused)
    witness = page.stepper(NAIVE).locator(".coagent-witness")
    assert witness.count() == 2
    assert witness.first.locator(".coagent-ring").get_attribute("stroke") == "var(--coagent-marked)"
    press(page, "Enter")
    picked = page.stepper(NAIVE).locator(".coagent-picked").evaluate_all("all => all.map((one) => one.dataset.op)")
    assert picked == ["B.1", "A.2"]
    assert page.stepper(MTPO).locator(".coagent-witness").count() == 0, "a run that is right has no witness"


def test_another_choice_forks_the_schedule_and_the_run_so_far_stays_beside_it(page: LabPage) -> None:
    view = page.stepper(BOTH)
    view.focus()
    press(page, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    schedule = view.locator("input[type=text]")
    before = schedule.input_value()
    other = view.locator("button[aria-pressed=false][id^=coagent-choice]").first
    words = other.inner_text()
    other.focus()
    press(page, "Enter")
    page.page.wait_for_function(
        "([place, before]) => { const views = document.querySelectorAll('.coagent-stepper'); \
return views[place].querySelector('input[type=text]').value !== before; }",
        arg=[BOTH, before],
        timeout=30_000,
    )
    assert schedule.input_value() != before
    assert words.split(": ")[1].split(" ")[0] in page.status(BOTH)
    assert "the runs part" in view.inner_text() or view.locator("text=the runs part").count()
    assert view.locator("table[id^=coagent-compare-table]").is_visible()


def dress(page: LabPage, theme: str) -> None:
    """Change the theme, unless it is on, and wait: JupyterLab stumbles over a second change during the first."""
    if page.page.locator(f"body[data-jp-theme-name='{theme}']").count():
        return
    page.command("apputils:change-theme", theme=theme)
    page.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    page.page.wait_for_timeout(1_000)


@pytest.mark.parametrize("width", [1280, 1920])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_is_cut_off_in_either_theme_at_either_width(page: LabPage, theme: str, width: int) -> None:
    SHOTS.mkdir(exist_ok=True)
    dress(page, theme)
    page.page.set_viewport_size({"width": width, "height": 6000})
    for place, keys in ((NAIVE, "v"), (MTPO, "n")):
        page.stepper(place).focus()
        press(page, keys)
    page.page.wait_for_timeout(500)
    name = f"lab-{width}-{theme.split()[-1].lower()}"
    page.page.screenshot(path=SHOTS / f"{name}.png")
    page.stepper(MTPO).screenshot(path=SHOTS / f"{name}-stepper.png")
    wide = "(view) => [...view.querySelectorAll('*')].filter((one) => \
one.getBoundingClientRect().right > view.getBoundingClientRect().right + 1 && \
!one.closest('.coagent-wide, .coagent-graph, svg')).map((one) => one.outerHTML)"
    for place in (NAIVE, MTPO, BOTH):
        assert page.stepper(place).evaluate(wide) == []
    dress(page, "JupyterLab Light")


def test_a_live_run_is_watched_while_it_goes_on(browser: object, server: Lab) -> None:
    with opened(browser, server, "10_real_state.ipynb", height=4000) as page:
        page.command("notebook:run-all-cells")
        page.stepper(0).wait_for(timeout=60_000)
        first = _steps(page)
        page.page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-OutputArea-output").first.wait_for(timeout=120_000)
        assert _steps(page) > first, "the view has grown"
        assert "notified-serializable" in page.stepper(0).locator("[id^=coagent-verdict-says]").inner_text()
        assert page.strangers() == [] and server.asked_of_others() == "" and page.complaints == []


def _steps(page: LabPage) -> int:
    return int(page.stepper(0).locator("input[type=range]").get_attribute("max"))


def test_the_readmes_picture_is_there_and_small(page: LabPage, request) -> None:
    if request.config.getoption("--regenerate"):
        _take(page)
    if not PICTURE.exists():
        raise BadInput("the README's picture is missing; pytest --regenerate takes it", str(PICTURE))
    assert PICTURE.read_bytes().startswith(b"\x89PNG") and PICTURE.stat().st_size < 200_000


def _take(page: LabPage) -> None:
    """The second view at its notice, from its heading to what the agents have in their contexts."""
    from PIL import Image

    page.page.set_viewport_size({"width": 1560, "height": 6000})
    page.stepper(MTPO).focus()
    press(page, "n")
    page.page.wait_for_timeout(500)
    heading = page.page.locator("h2", has_text="With one notice").bounding_box()
    box = page.stepper(MTPO).bounding_box()
    below = page.stepper(MTPO).locator("section[aria-label=agents]").bounding_box()
    top, bottom = heading["y"] - 8, below["y"] + below["height"] + 12
    clip = {"x": box["x"] - 70, "y": top, "width": box["width"] + 84, "height": bottom - top}
    page.page.screenshot(path=PICTURE, clip=clip)
    Image.open(PICTURE).convert("RGB").quantize(96).save(PICTURE, optimize=True)
