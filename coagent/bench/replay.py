"""Times stepping through long runs: from the file to what the page gets, and each step, in a browser if there is one.

The histories are made and written first, untimed. Seconds are wall clock.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from coagent.bench.figure import Figure
from coagent.bench.long_history import AGENTS, long_history
from coagent.notebook.document import document
from coagent.notebook.replay import Replay, replay
from coagent.notebook.scene import scene
from coagent.notebook.source import source
from coagent.saving import save_history

STEPPED = 5_000, 50_000
"""Operations of the run that is stepped through event by event, and of the one that is aggregated."""

LOOKS = 60
"""Steps looked at, spread over the run."""

CHROMIUM = Path("/usr/bin/chromium")


def replay_figures(*, operations: tuple[int, ...] = STEPPED, looks: int = LOOKS, browser: bool = True) -> list[Figure]:
    """Seconds to open each run, milliseconds a step in Python and in the browser, megabytes for the page."""
    with TemporaryDirectory() as folder:
        return [figure for count in operations for figure in _figures(Path(folder), count, looks, browser)]


def _figures(folder: Path, operations: int, looks: int, browser: bool) -> Iterator[Figure]:
    file = folder / f"{operations}.ndjson"
    few = operations <= STEPPED[0]
    save_history(long_history(operations, calls=max(operations // AGENTS, 5) if few else 120, days=1), str(file))
    wall, cpu = perf_counter(), process_time()
    run = replay(source(file).history)
    made = scene(run)
    text = json.dumps(made)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    of = f"{run.operations} operations of {len(run.agents)} agents, {len(run)} steps of {run.each} events"
    name = f"replay_{operations}"
    yield Figure(name=f"{name}_open_s", value=round(wall, 2), unit="s", of=of)
    yield Figure(name=f"{name}_open_cpu_s", value=round(cpu, 2), unit="s", of=of)
    yield Figure(name=f"{name}_scene_mb", value=round(len(text) / 1e6, 1), unit="MB", of=of)
    yield Figure(
        name=f"{name}_step_ms", value=round(_step_ms(run, looks), 2), unit="ms", of=f"{of}, slowest of {looks}"
    )
    if browser and CHROMIUM.exists():
        page = folder / f"{operations}.html"
        page.write_text(document({**made, "verdict": None, "choices": None}), encoding="utf-8")
        loaded, taken = _in_browser(page, len(run), looks)
        yield Figure(
            name=f"{name}_page_s", value=round(loaded, 2), unit="s", of=f"{of}, the page until it shows a step"
        )
        middle, late = taken[len(taken) // 2], taken[len(taken) * 19 // 20]
        yield Figure(name=f"{name}_page_step_ms", value=round(middle, 1), unit="ms", of=f"{of}, middle of {looks}")
        yield Figure(
            name=f"{name}_page_late_step_ms", value=round(late, 1), unit="ms", of=f"{of}, 95 in 100 are faster"
        )


def _places(steps: int, looks: int) -> list[int]:
    return [at * (steps - 1) // max(looks - 1, 1) for at in range(looks)]


def _step_ms(run: Replay, looks: int) -> float:
    """The slowest of these steps: every object's card and every agent's context."""
    slowest = 0.0
    for step in _places(len(run), looks):
        start = perf_counter()
        for path in run.objects:
            run.object(path, step)
        for agent in run.agents:
            run.context(agent, step)
        slowest = max(slowest, perf_counter() - start)
    return 1e3 * slowest


def _in_browser(page: Path, steps: int, looks: int) -> tuple[float, list[float]]:
    """Seconds until the page shows its first step, and what each step takes to its layout, sorted, in milliseconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        try:
            shown = browser.new_page(viewport={"width": 1280, "height": 900})
            start = perf_counter()
            shown.goto(page.as_uri())
            shown.locator("#coagent-status").wait_for()
            loaded = perf_counter() - start
            return loaded, sorted(shown.evaluate(STEPPING, _places(steps, looks)))
        finally:
            browser.close()


STEPPING = """(steps) => steps.map((step) => {
  const start = performance.now();
  coagent.go(step);
  document.body.getBoundingClientRect();
  return performance.now() - start;
})"""
