"""Opens a page in Debian's chromium, as somebody would who has no network: every host but this machine is nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


@dataclass(slots=True)
class Opened:
    """A page, what it asked for, and what it complained of."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def heard(self, message: object) -> None:
        """Keep what the console says, if it is a complaint."""
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def status(self) -> str:
        """What the stepper says of the present step."""
        return self.page.locator("#coagent-status").inner_text()

    def step(self) -> int:
        """The present step, from 0."""
        return int(self.page.locator("#coagent-status").get_attribute("data-step"))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)


@contextmanager
def opened(file: Path, *, width: int = 1280, scheme: str = "light") -> Iterator[Opened]:
    """The file in a browser of its own; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium here")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            found = Opened(page)
            page.on("request", lambda request: found.requests.append(request.url))
            page.on(
                "console",
                lambda message: message.type in ("error", "warning") and found.complaints.append(message.text),
            )
            page.on("pageerror", lambda error: found.complaints.append(str(error)))
            page.goto(file.as_uri())
            yield found
        finally:
            browser.close()
