"""Other processes for tests of the service: agents that take orders, and the service itself, to be killed."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SERVE = """
import sys
from coagent.live_command import serve
folder, port, *more = sys.argv[1:]
serve(folder + "/plan.toml", tokens=folder + "/tokens", port=int(port), tls=tuple(more) or None)
"""


class RemoteAgent:
    """An agent's process, which carries out one order at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, order: str, **fields: object) -> list:
        """Have an order carried out; its answer."""
        self._process.stdin.write(json.dumps({"do": order, **fields}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        return json.loads(line or b'["the process ended"]')


@asynccontextmanager
async def remote_agents(number: int) -> AsyncIterator[list[RemoteAgent]]:
    """So many processes of agents."""
    command = [sys.executable, "-m", "tests.live.remote_agent"]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    started = [await asyncio.create_subprocess_exec(*command, cwd=ROOT, **pipes) for _ in range(number)]
    try:
        yield [RemoteAgent(one) for one in started]
    finally:
        for one in started:
            one.kill() if one.returncode is None else None
            await one.wait()


class ServiceProcess:
    """`coagent serve` in a process, on a folder with its plan, tokens, journal and state."""

    def __init__(self, folder: Path, *tls: Path) -> None:
        self.folder, self.url, self._tls = folder, "", tls
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, at the address that it had before if it had one; returns when it serves."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-c", SERVE, str(self.folder), port, *map(str, self._tls)]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=None)
        line = (await asyncio.wait_for(self._process.stdout.readline(), 30)).decode()
        self.url = re.search(r"https?://[^ ]+:\d+", line)[0]

    async def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(by)
        return await asyncio.wait_for(self._process.wait(), 30)

    def token(self, who: str) -> str:
        """Somebody's token, from its file."""
        return (self.folder / "tokens" / f"{who}.token").read_text().strip()


@asynccontextmanager
async def service_process(folder: Path, plan: str, *tls: Path) -> AsyncIterator[ServiceProcess]:
    """A service that is up, by a plan in TOML."""
    (folder / "plan.toml").write_text(plan)
    service = ServiceProcess(folder, *tls)
    await service.start()
    try:
        yield service
    finally:
        await service.end(signal.SIGKILL)


def toml(name: str, value: object) -> str:
    """A setting as TOML has it; JSON's notation does for texts, numbers and lists of them."""
    return f"{name} = {json.dumps(value)}\n"


def plan_on(folder: Path, roots: list[str], agents: Mapping[str, int], protocol: str = "mtpo") -> str:
    """A plan with a journal and a database of cells in a folder."""
    return (
        toml("protocol", protocol)
        + toml("journal", str(folder / "run.journal"))
        + "[[target]]\n"
        + toml("kind", "sql")
        + toml("url", f"sqlite:///{folder / 'state.sqlite'}")
        + f"cells = {{ roots = {json.dumps(roots)} }}\n"
        + "[agents]\n"
        + "".join(toml(name, rank) for name, rank in agents.items())
    )
