"""Live runs in processes that are killed (SIGKILL) at a chosen point, and their recovery in later ones.

`python -m tests.live.killing` reads jobs on its input. It has neither threads nor an event loop, so that it may fork:
each job is done in a fork of it, and whoever asked has none of it in its own process.
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from itertools import count
from pathlib import Path

from checker.notified import check_history
from coagent import naming
from coagent.actor import Program
from coagent.history import frozen, plain
from coagent.live import virtual_clock
from coagent.live.agent import Agent
from coagent.live.limits import Limits
from coagent.live.opening import history_of, resumed, session
from coagent.live.scripted import play
from coagent.live.session import Session
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.targets import opened
from coagent.operation import same
from coagent.running import equal, serial_outcome
from coagent.stepper import rerun
from coagent.workload import Workload
from tests.live.live_check import check_replay
from tests.live.materialized import materialized
from tests.live.probing import probed

ROOT = Path(__file__).resolve().parents[2]
PATIENT = Limits(read_s=1e6, write_s=1e6, tries=4, pause_s=0.1)
PATIENCE_S = 120.0
"""Real seconds for one job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run, or with `recovers` a recovery, until its `at`-th point (0: until it ends).

    `targets` are specs; `keeps` are beginnings of paths: the workload's start state is cut down to them ((): all).
    """

    workload: str
    protocol: str
    targets: tuple[Mapping[str, object], ...]
    journal: str
    agents: int | None = None
    keeps: tuple[str, ...] = ()
    recovers: bool = False
    at: int = 0
    real_clock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a job came to: how its process ended (`killed`, `ended`, `failed`, `hung`), the points that it passed, and
    of a recovery what is wrong, in sentences, and the state at the end."""

    how: str
    points: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    state: Mapping[str, object] = field(default_factory=dict)
    said: str = ""


def cut(workload: Workload, keeps: tuple[str, ...]) -> Workload:
    """The workload with these parts of its start state only."""
    state = tuple(one for one in workload.state if not keeps or one[0].startswith(keeps))
    return replace(workload, state=state)


def workload_of(job: Job) -> Workload:
    """The workload of a job."""
    return cut(naming.target(job.workload, job.agents), job.keeps)


def paced(program: Program) -> Program:
    """The program, all of whose inferences take the time that its player says."""

    def run():
        inner, sent = program(), None
        while True:
            try:
                intent = inner.send(sent)
            except StopIteration as stop:
                return stop.value
            sent = yield replace(intent, think_s=None)

    return run


class Killer:
    """A probe that ends this process at the `at`-th point. What it passed goes to a file at once."""

    def __init__(self, at: int, told: Path) -> None:
        self.at, self.passed = at, count(1)
        self.told = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, point: str) -> None:
        os.write(self.told, f"{point}\n".encode())
        if next(self.passed) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


async def go_on(live: Session, workload: Workload, pace_s: float) -> None:
    """Let the agents act, each from where it is, lower ranks more slowly, so that they come late."""
    handles: list[Agent] = []
    for rank, one in enumerate(workload.agents, 1):
        known = one.name in live.ledger.seats
        handles.append(live.agent(one.name) if known else await live.launch(one.name, rank))
    thinks = [pace_s * (2 + len(handles) - rank) for rank in range(len(handles))]
    programs = (paced(one.program) for one in workload.agents)
    await asyncio.gather(*(play(*two, think_s=s) for *two, s in zip(handles, programs, thinks, strict=True)))
    await live.quiet()


async def run(job: Job, probe: Killer) -> dict:
    """The run, from the beginning."""
    workload, protocol = workload_of(job), naming.protocol(job.protocol)
    async with session(
        *map(opened, job.targets),
        tools=workload.tools,
        protocol=protocol,
        journal=SqliteJournal(job.journal),
        name=workload.name,
        whole=True,
        limits=PATIENT,
        probe=probe,
    ) as live:
        await go_on(live, workload, 0.02 if job.real_clock else 1.0)
    return {}


async def recover(job: Job, probe: Killer) -> dict:
    """The recovery: what was half-done is finished, then the agents go on; all that is wrong with it."""
    workload, protocol = workload_of(job), naming.protocol(job.protocol)
    journal = SqliteJournal(job.journal)
    more = {"tools": workload.tools, "protocol": protocol, "limits": PATIENT, "probe": probe}
    targets = tuple(map(opened, job.targets))
    if journal.head:
        opening = resumed(*targets, journal=journal, **more)
    else:
        opening = session(*targets, journal=journal, name=workload.name, whole=True, **more)
    kept = list(journal.records())
    async with opening as live:
        await live.idle()
        wrong = [f"held for a person: {one}" for one in live.stuck.values()]
        wrong += await _not_materialized(live, workload, protocol)
        await go_on(live, workload, 0.02 if job.real_clock else 1.0)
        history = await history_of(live)
        if list(journal.records())[: len(kept)] != kept:
            wrong.append("lost: the journal does not begin as it did")
        verdict = check_history(history, order=protocol.promises, rerun=rerun(workload))
        if verdict.verdict != "ok":
            wrong += ["the checker says: " + one for one in verdict.sentences()]
        try:
            check_replay(history, workload, protocol)
        except AssertionError:
            wrong.append("the journal does not replay to the same records")
        wrong += _not_serial(history.end, workload, protocol, verdict.order, not job.keeps)
    return {"wrong": wrong, "state": dict(history.end["final_state"])}


async def _not_materialized(live: Session, workload: Workload, protocol: object) -> list[str]:
    declared = protocol.promises == "declared"
    records = list(live.journal.records())
    wanted = materialized(live.journal.head["start"], records, workload.tools, declared=declared)
    found = dict((await live.target.read(live.target.roots)).cells)
    return [f"after recovery: {one}" for one in _differences(found, wanted)]


def _not_serial(
    end: Mapping, workload: Workload, protocol: object, order: tuple[str, ...] | None, whole: bool
) -> list[str]:
    """What is not as in the serial run; a workload's invariant speaks of its whole start state."""
    names = tuple(one.name for one in workload.agents)
    if protocol.promises != "declared":
        names = tuple(one.split("#")[0] for one in order or names)
    state, reports = serial_outcome(workload, names)
    wrong = [f"in the end: {one}" for one in _differences(end["final_state"], state)]
    if not equal(end["reports"], {name: reports[name] for name in end["reports"]}):
        wrong.append(f"the reports are {end['reports']}, and should be {reports}")
    held = {path: frozen(value) for path, value in end["final_state"].items()}
    told = {name: frozen(value) for name, value in end["reports"].items()}
    if workload.invariant and whole and not workload.invariant(held, told):
        wrong.append("the workload's invariant is broken")
    return wrong


def _differences(found: Mapping, wanted: Mapping) -> list[str]:
    """Path by path; numbers that are more or less than they should be are said to be so."""
    found = {path: frozen(plain(value)) for path, value in found.items()}
    wanted = {path: frozen(plain(value)) for path, value in wanted.items()}
    return [
        f"{path} is {found.get(path, 'absent')!r:.80}, and should be {wanted.get(path, 'absent')!r:.80}"
        for path in sorted({*found, *wanted})
        if path not in found or path not in wanted or not same(found[path], wanted[path])
    ]


class Forge:
    """The other process, from the side of who asks. Close it."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.live.killing"]
        self._process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, job: Job, folder: Path) -> Done:
        """Have a job done; `folder` is for notes, and empty."""
        folder.mkdir(parents=True, exist_ok=True)
        self._process.stdin.write(json.dumps({"job": asdict(job), "folder": str(folder)}) + "\n")
        self._process.stdin.flush()
        how = json.loads(self._process.stdout.readline())
        points = (folder / "points").read_text().splitlines() if (folder / "points").exists() else []
        said = (folder / "said").read_text()
        came = json.loads((folder / "done").read_text()) if (folder / "done").exists() else {}
        return Done(
            how=how, points=tuple(points), wrong=tuple(came.get("wrong", ())), state=came.get("state", {}), said=said
        )

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


MODULES = (
    "coagent.live.targets.sql",
    "coagent.live.targets.git",
    "coagent.live.targets.dav",
    "coagent.live.targets.mail",
)
MORE = ("jsonschema", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg", "aiohttp", "workloads")
"""What jobs import; once, before any is forked."""


def serve() -> None:
    """Fork for each job that comes, and say how it ended."""
    for module in (*MODULES, *MORE):
        import_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _child(Job(**asked["job"]), Path(asked["folder"]))
        print(json.dumps(_ended(child)), flush=True)


def _ended(child: int) -> str:
    watched = os.pidfd_open(child)
    hung = not select.select([watched], [], [], PATIENCE_S)[0]
    os.close(watched)
    if hung:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if hung:
        return "hung"
    if os.WIFSIGNALED(status):
        return "killed"
    return "failed" if os.WEXITSTATUS(status) else "ended"


def _child(job: Job, folder: Path) -> None:
    """Do a job; the process ends with it."""
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    probe = Killer(job.at, folder / "points")
    probed({spec["kind"] for spec in job.targets}, probe)
    does = (recover if job.recovers else run)(replace(job, keeps=tuple(job.keeps)), probe)
    code = 1
    try:
        done = asyncio.run(does) if job.real_clock else virtual_clock.run(does)
        (folder / "done").write_text(json.dumps(done))
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
