"""JupyterLab as somebody has it who has no network: a server with folders of its own, and a page in chromium on it.

Whatever server or kernels ask of another machine is refused and written down, as is what the browser asks for.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from browsing import CHROMIUM, FLAGS

from coagent import lab

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-this-test"
OFFLINE = """
import os, socket
_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex
def _local(self, address):
    if self.family not in (socket.AF_INET, socket.AF_INET6) or address[0] in ("127.0.0.1", "localhost", "::1"):
        return True
    with open(os.environ["ASKED_OF_OTHERS"], "a") as file:
        print(address, file=file)
    return False
def connect(self, address, *rest):
    if not _local(self, address):
        raise OSError("no network here")
    return _connect(self, address, *rest)
def connect_ex(self, address, *rest):
    return _connect_ex(self, address, *rest) if _local(self, address) else 101
socket.socket.connect, socket.socket.connect_ex = connect, connect_ex
"""
"""What every Python of the server starts with."""


READY = "() => { const session = globalThis.jupyterapp?.shell.currentWidget?.sessionContext; \
return session && session.isReady && session.kernelDisplayStatus === 'idle'; }"
"""In the page: whether the notebook's kernel is there and waits. Cells that are run before that ask for a kernel."""

QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
"""Settings by which JupyterLab does not ask whether it may look for news."""


@dataclass(slots=True)
class Lab:
    """A server, and the file in which it is written down what was asked of other machines."""

    url: str
    folder: Path
    asked: Path

    def asked_of_others(self) -> str:
        """What server and kernels asked of other machines; empty when nothing."""
        return self.asked.read_text(encoding="utf-8") if self.asked.exists() else ""


@contextmanager
def serving(home: Path) -> Iterator[Lab]:
    """JupyterLab, as `coagent lab` opens it, on a fresh copy of the notebooks."""
    pytest.importorskip("jupyterlab")
    made = lab.copied(home / "books")
    (home / "site").mkdir()
    (home / "site" / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")
    places = {
        "HOME": "home",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    env = {**os.environ, **{name: str(home / place) for name, place in places.items()}}
    env |= {"PYTHONPATH": f"{home / 'site'}{os.pathsep}{ROOT}", "ASKED_OF_OTHERS": str(home / "asked.txt")}
    env.pop("KUBECONFIG", None)
    for place in places.values():
        (home / place).mkdir()
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(QUIET), encoding="utf-8")
    port = _free_port()
    root = hasattr(os, "getuid") and os.getuid() == 0
    words = lab.command(made.folder, browser=False, port=port, root=root)
    words += [f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True", "--ServerApp.port_retries=0"]
    with open(home / "server.log", "w") as log, subprocess.Popen(words, env=env, stdout=log, stderr=log) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _await(server, f"{url}/api/status?token={TOKEN}", home / "server.log")
            yield Lab(url, made.folder, home / "asked.txt")
        finally:
            server.terminate()
            server.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _await(server: subprocess.Popen, url: str, log: Path, patience_s: float = 90.0) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        try:
            with urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no server after {patience_s} s: {log.read_text(encoding='utf-8')[-3000:]}")


@dataclass(slots=True)
class LabPage:
    """A page of JupyterLab, what it asked for, and what it complained of."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def command(self, name: str, **args: object) -> None:
        """Execute a command of JupyterLab, as a menu would."""
        # Not awaited: some commands end only when all cells have run, and a page that waits cannot be asked anything.
        self.page.evaluate("([name, args]) => { jupyterapp.commands.execute(name, args); }", [name, args])

    def run_all(self, last: str) -> None:
        """Run all cells of the notebook, until these words are in an output of the last one."""
        self.command("notebook:run-all-cells")
        cell = self.page.locator(".jp-Notebook .jp-Cell").last
        cell.locator(".jp-OutputArea-output", has_text=last).first.wait_for(timeout=120_000)

    def stepper(self, place: int) -> object:
        """The root of a view, counted from the top of the notebook."""
        return self.page.locator(".coagent-stepper").nth(place)

    def status(self, place: int) -> str:
        """What a view says of its present step."""
        return self.stepper(place).locator("[role=status]").inner_text()

    def step(self, place: int) -> int:
        """The present step of a view, from 0."""
        return int(self.stepper(place).locator("[role=status]").get_attribute("data-step"))

    def strangers(self) -> list[str]:
        """The requests that were not for this machine."""
        return [one for one in self.requests if urlsplit(one).hostname not in ("127.0.0.1", None)]


@contextmanager
def browsing() -> Iterator[object]:
    """A browser that knows no other machine; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium here")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: object, server: Lab, book: str, *, width: int = 1280, height: int = 6000) -> Iterator[LabPage]:
    """A notebook in a page of its own, tall enough that no cell has to be scrolled to."""
    page = browser.new_page(viewport={"width": width, "height": height})
    try:
        found = LabPage(page)
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda said: said.type == "error" and found.complaints.append(said.text))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.goto(f"{server.url}/lab/workspaces/{book[:2]}/tree/{book}?token={TOKEN}", timeout=120_000)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
        page.wait_for_function(READY, timeout=120_000)
        yield found
    finally:
        page.close()
