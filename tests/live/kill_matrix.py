"""The matrix of kills: every point of runs on real targets, what was recovered, lost, done twice or came out wrong.

`python -m tests.live.kill_matrix` kills at all of them, in some minutes, and writes the table into
`coagent/live/faults.md`. What went wrong is said in full on the error output.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from coagent import naming
from coagent.live.running import seed
from coagent.live.targets import opened
from coagent.running import serial_outcome
from paper_figures.readme_blocks import replaced
from tests.live.killing import Done, Forge, Job, cut
from tests.live.radicale_server import COLLECTIONS, PASSWORD, PASSWORD_ENV, USER, radicale
from tests.live.smtp_server import smtp

KINDS = ("journal", "prepare", "intent", "exec", "undo", "settle", "inside", "in recovery")
PAGE = Path(__file__).resolve().parents[2] / "coagent" / "live" / "faults.md"
BLOCK = "kills"
DATE = "2023-08-01T09:00:00+0000"

Place = Callable[[Path], tuple[Mapping[str, object], ...]]
"""Makes fresh targets with the start state, and gives their specs; the folder is new, and for nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A workload on a kind of place. `mails` is how many are to arrive, where mail is among the targets."""

    target: str
    workload: str
    protocol: str = "mtpo"
    agents: int | None = None
    mails: int | None = None
    real_clock: bool = False

    @property
    def name(self) -> str:
        """For tests and notes."""
        return f"{self.target} {self.workload} {self.protocol}"


CASES = (
    Case(target="git", workload="g1-rename"),
    Case(target="git", workload="g4-version"),
    Case(target="git", workload="g3-swept", protocol="mtpo-reissue"),
    Case(target="SQLite", workload="lost-update"),
    Case(target="SQLite", workload="write-skew"),
    Case(target="SQLite", workload="phantom"),
    Case(target="SQLite", workload="unrecoverable-send"),
    Case(target="SQLite", workload="slots"),
    Case(target="SQLite", workload="slots", protocol="mtpo-reissue"),
    Case(target="SQLite", workload="slots", protocol="2pl"),
    Case(target="SQLite", workload="slots", protocol="occ"),
    Case(target="SQLite", workload="lost-update", protocol="2pl"),
    Case(target="SQLite", workload="lost-update", protocol="occ"),
    Case(target="PostgreSQL", workload="lost-update"),
    Case(target="PostgreSQL", workload="slots"),
    Case(target="CalDAV", workload="o5-double-booked", real_clock=True),
    Case(target="mail and SQLite", workload="x2-nag", mails=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A kill and what came of it: the kind of point, its name, `recovered`, `lost`, `twice` or `wrong`, and why."""

    case: Case
    at: int
    kind: str
    point: str
    outcome: str
    why: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Ground:
    """The servers and the process that jobs are done in, for as long as the block of `ground` lasts."""

    folder: Path
    forge: Forge
    stack: ExitStack
    servers: dict[str, object] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def fresh(self) -> Path:
        """A new folder."""
        made = self.folder / f"{next(self.numbers)}"
        made.mkdir()
        return made

    def server(self, name: str, made: Callable) -> object:
        """A server, started when it is first asked for."""
        if name not in self.servers:
            self.servers[name] = self.stack.enter_context(made())
        return self.servers[name]


@contextmanager
def ground() -> Iterator[Ground]:
    """Where runs can be killed."""
    before = os.environ.get(PASSWORD_ENV)
    os.environ[PASSWORD_ENV] = PASSWORD
    folder = Path(tempfile.mkdtemp(prefix="kill"))
    forge = Forge()
    try:
        with ExitStack() as stack:
            yield Ground(folder=folder, forge=forge, stack=stack)
    finally:
        forge.close()
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(PASSWORD_ENV)
        if before is not None:
            os.environ[PASSWORD_ENV] = before


# places


def _roots(case: Case) -> list[str]:
    """The first parts of all paths that a workload comes to have, and of those that it looks at."""
    workload = naming.target(case.workload, case.agents)
    state, _ = serial_outcome(workload, tuple(one.name for one in workload.agents))
    return sorted({path.split("/")[0] for path in (*state, *dict(workload.state))})


def _git(ground: Ground, case: Case, folder: Path) -> tuple[Mapping[str, object], ...]:
    (folder / "repo").mkdir()
    subprocess.run(["git", "init", "--quiet", "repo"], cwd=folder, check=True)
    return ({"kind": "git", "folder": str(folder / "repo"), "date": DATE},)


def _sqlite(ground: Ground, case: Case, folder: Path) -> tuple[Mapping[str, object], ...]:
    return ({"kind": "sql", "url": f"sqlite:///{folder}/base.db", "cells": {"roots": _roots(case)}},)


def _postgresql(ground: Ground, case: Case, folder: Path) -> tuple[Mapping[str, object], ...]:
    url = ground.server("PostgreSQL", _postgres)
    return ({"kind": "sql", "url": url, "cells": {"roots": _roots(case), "table": f"cells_{folder.name}"}},)


def _caldav(ground: Ground, case: Case, folder: Path) -> tuple[Mapping[str, object], ...]:
    server = ground.server("CalDAV", lambda: radicale(ground.fresh()))
    server.clear()
    more = {"user": USER, "password_env": PASSWORD_ENV, "collections": {"calendar": COLLECTIONS["calendar"]}}
    return ({"kind": "dav", "url": f"http://127.0.0.1:{server.port}/", **more},)


def _mail(ground: Ground, case: Case, folder: Path) -> tuple[Mapping[str, object], ...]:
    server = ground.server("mail", lambda: smtp(ground.fresh()))
    server.box = folder / "received"
    for part in ("new", "cur", "tmp"):
        (server.box / part).mkdir(parents=True)
    mail = {"host": "127.0.0.1", "port": server.port, "sender": "coagent@office.example", "tls": "none"}
    tasks = {"kind": "sql", "url": f"sqlite:///{folder}/base.db", "cells": {"roots": ["tasks"]}}
    return ({"kind": "mail", **mail, "sent": str(folder / "sent"), "delivered": str(server.box)}, tasks)


PLACES = {"git": _git, "SQLite": _sqlite, "PostgreSQL": _postgresql, "CalDAV": _caldav, "mail and SQLite": _mail}


@contextmanager
def _postgres() -> Iterator[str]:
    from tests.live import postgres_server

    yield from postgres_server.postgres_server.__wrapped__()


# kills


def job_of(ground: Ground, case: Case, folder: Path) -> Job:
    """The run of a case from its start, on targets that hold its start state."""
    workload = naming.target(case.workload, case.agents)
    keeps = KEPT.get(case.workload, lambda _: ())(workload)
    specs = PLACES[case.target](ground, case, folder)
    _seeded(specs, cut(workload, keeps).state)
    return Job(
        workload=case.workload,
        protocol=case.protocol,
        targets=specs,
        journal=str(folder / "journal.db"),
        agents=case.agents,
        keeps=keeps,
        real_clock=case.real_clock,
    )


def _seeded(specs: tuple[Mapping[str, object], ...], state: tuple) -> None:
    import asyncio

    async def seeding() -> None:
        for target in map(opened, specs):
            mine = [one for one in state if one[0].split("/")[0] in target.roots]
            await seed(target, mine)
            await target.close()

    asyncio.run(seeding())


def _day_of(workload: object) -> tuple[str, ...]:
    from workloads.o5_double_booked_slot import busy_day

    state = dict(workload.state)
    date = busy_day(state).date
    return tuple(path.removesuffix("start") for path, value in state.items() if str(value).startswith(date))


def _tasks_of(workload: object) -> tuple[str, ...]:
    names = [path for path, value in workload.state if path.endswith("/owner") and str(value).startswith("kofi")]
    return tuple(path.removesuffix("owner") for path in names)


KEPT = {"o5-double-booked": _day_of, "x2-nag": _tasks_of}
"""Which part of the office's tables a workload is about; the rest would only be read over and over."""


def points_of(ground: Ground, case: Case) -> tuple[str, ...]:
    """The points that a run passes that nobody kills."""
    folder = ground.fresh()
    done = ground.forge.do(job_of(ground, case, folder), folder / "run")
    if done.how != "ended":
        raise RuntimeError(f"{case.name} {done.how}: {done.said}")
    shutil.rmtree(folder)
    return done.points


def struck(ground: Ground, case: Case, at: int, again: int = 0) -> Struck | None:
    """Kill a run at its `at`-th point, its recovery at the `again`-th (0: not); None when it ends before that."""
    folder = ground.fresh()
    job = job_of(ground, case, folder)
    first = ground.forge.do(replace(job, at=at), folder / "run")
    if first.how == "ended":
        return None
    point, kind = first.points[-1], kind_of(first.points[-1])
    recovery = replace(job, recovers=True)
    if again:
        second = ground.forge.do(replace(recovery, at=again), folder / "again")
        if second.how == "ended":
            return None
        point, kind = f"{point}, then {second.points[-1] if second.points else second.how}", "in recovery"
    last = ground.forge.do(recovery, folder / "last")
    why = _why(case, first, last, folder)
    if not why:
        shutil.rmtree(folder)
    return Struck(case=case, at=at, kind=kind, point=point, outcome=_outcome(why), why=why)


def _why(case: Case, first: Done, last: Done, folder: Path) -> tuple[str, ...]:
    if first.how != "killed":
        return (f"the run {first.how}: {first.said}",)
    if last.how != "ended":
        return (f"the recovery {last.how}: {last.said}",)
    if case.mails is None:
        return last.wrong
    mails = len(list((folder / "received" / "new").iterdir()))
    few, many = "lost: only" * (mails < case.mails), "twice:" * (mails > case.mails)
    return last.wrong + ((f"{few}{many} {mails} mails have arrived",) if few or many else ())


def kind_of(point: str) -> str:
    """The kind of a point, from its name."""
    words = point.split()
    return words[0] if words[0] in KINDS else words[1]


def _outcome(why: tuple[str, ...]) -> str:
    for word in ("lost", "twice"):
        if any(one.startswith(word) for one in why):
            return word
    return "wrong" if why else "recovered"


def counted(strikes: list[Struck]) -> list[list[str]]:
    """The rows of the table."""
    rows = []
    counts = Counter((one.case, one.kind, one.outcome) for one in strikes)
    for case in dict.fromkeys(one.case for one in strikes):
        for kind in KINDS:
            found = [counts[case, kind, outcome] for outcome in ("recovered", "lost", "twice", "wrong")]
            if sum(found):
                rows.append([case.target, case.workload, case.protocol, kind, *map(str, (sum(found), *found))])
    return rows


def every(ground: Ground, case: Case, *, step: int = 1, first: int = 1, told: object = sys.stderr) -> list[Struck]:
    """Kill a case at each `step`-th of its points, and its recovery too at one point of every third of these kills."""
    points = points_of(ground, case)
    found = []
    for number, at in enumerate(range(first, len(points) + 1, step)):
        found.append(struck(ground, case, at))
        if number % 3 == 0:
            found.append(struck(ground, case, at, again=1 + number % 11))
    found = [one for one in found if one is not None]
    for one in found:
        if one.why:
            print(f"{case.name} killed at {one.at} ({one.point}):", *one.why, sep="\n  ", file=told)
    return found


def written(page: str, rows: Mapping[str, list[list[str]]]) -> str:
    """The page with these rows, by name of case; the rows of cases that are not among them stay."""
    old = page.partition(f"<!-- generated: {BLOCK} -->")[2].partition("<!--")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in old.splitlines() if line.startswith("|")]
    kept: dict[str, list[list[str]]] = {}
    for row in lines[2:-1]:
        kept.setdefault(" ".join(row[:3]), []).append(row)
    found = {**kept, **rows}
    body = [row for case in CASES for row in found.get(case.name, ())]
    total = ["all", "", "", "", *(str(sum(int(row[at]) for row in body)) for at in range(4, 9))]
    head = ["target", "workload", "protocol", "killed at", "points", "recovered", "lost", "twice", "wrong"]
    table = [head, ["---"] * 4 + ["---:"] * 5, *body, total]
    return replaced(page, BLOCK, "\n".join("| " + " | ".join(row) + " |" for row in table))


def main(words: list[str]) -> int:
    """Kill at all points of the cases whose names have one of these words in them (none: all); the failures."""
    failures = 0
    with ground() as here:
        for case in CASES:
            if words and not any(word in case.name for word in words):
                continue
            began = monotonic()
            strikes = every(here, case)
            failures += sum(one.outcome != "recovered" for one in strikes)
            PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), {case.name: counted(strikes)}), encoding="utf-8")
            outcomes = dict(Counter(one.outcome for one in strikes))
            print(f"{case.name}: {outcomes}, {monotonic() - began:.0f} s", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
