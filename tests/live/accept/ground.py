"""Real systems with a workload's start state, each with a second pair of eyes: another client than the target's.

What these eyes see comes from files, plain HTTPS, database drivers, `git` and other people's parsers alone.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from coagent.history import frozen
from coagent.live.running import seed
from coagent.live.target import Target
from coagent.live.targets.dav import KINDS, DavTarget
from coagent.live.targets.dav_object import changed
from coagent.live.targets.git import GitTarget
from coagent.live.targets.kube import fresh_namespace
from coagent.live.targets.mail import MailTarget
from coagent.operation import Cell, Value
from coagent.workload import Workload
from tests.live.kube_raw import Raw, Server
from tests.live.kube_server import cluster
from tests.live.postgres_server import emptied, serving
from tests.live.radicale_server import PASSWORD, PASSWORD_ENV, DavServer, radicale
from tests.live.smtp_server import SmtpServer, smtp

Cells = dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Targets with a start state. `look` gives the cells as another client sees them, all but those that begin with
    one of `beside`; `well` says whether that client finds the end well by means of its own (None: by cells only)."""

    targets: tuple[Target, ...]
    look: Callable[[], Cells]
    beside: tuple[str, ...] = ()
    well: Callable[[], bool | None] = lambda: None


@dataclass(slots=True)
class Grounds:
    """The servers of a session, each started when it is first asked for, and stopped by `close`."""

    folder: Path
    _held: ExitStack = field(default_factory=ExitStack)
    _servers: dict[str, object] = field(default_factory=dict)
    _count: int = 0

    def close(self) -> None:
        """Stop every server."""
        self._held.close()

    @asynccontextmanager
    async def begun(self, place: str, workload: Workload) -> AsyncIterator[Ground]:
        """The start state of a workload on a place, one of PLACES; what others left there is not in it."""
        self._count += 1
        folder = self.folder / f"{place}-{self._count}"
        folder.mkdir(parents=True)
        async with _BEGUN[place](self, workload, folder) as ground:
            yield ground
            for target in ground.targets:
                await target.close()

    def has(self, name: str, server: object) -> None:
        """Use a server that runs already, and is somebody else's to stop."""
        self._servers.setdefault(name, server)

    def server(self, name: str, start: Callable) -> object:
        """The server of this name; `start` gives the block in which it runs, once."""
        if name not in self._servers:
            folder = self.folder / name
            folder.mkdir(parents=True)
            self._servers[name] = self._held.enter_context(start(folder))
        return self._servers[name]

    def kube(self) -> Server:
        """The cluster."""
        return self.server("kube", cluster)

    def postgres(self) -> str:
        """The URL of the database server."""
        return self.server("postgresql", lambda folder: serving())


@asynccontextmanager
async def _on_kube(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    kubeconfig = grounds.kube().kubeconfig
    target = await fresh_namespace(workload.state, prefix="accept-", kubeconfig=kubeconfig)
    raw = Raw(kubeconfig=kubeconfig, namespace=target.namespace)

    def look() -> Cells:
        cells: Cells = {}
        for (many, name), one in raw.fingerprint().items():
            start = f"cluster/{many}/{name}"
            if many == "deployments":
                cells[f"{start}/replicas"] = one["spec"]["replicas"]
                cells[f"{start}/image"] = one["spec"]["template"]["spec"]["containers"][0]["image"]
            if many == "configmaps" and name != "kube-root-ca.crt":
                cells |= {f"{start}/data/{key}": text for key, text in one["data"].items()}
        return cells

    yield Ground(targets=(target,), look=look, beside=("cluster/nodes/", "cluster/configmaps/kube-root-ca.crt/"))


@asynccontextmanager
async def _on_git(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    tree = folder / "tree"
    git(folder, "init", "--quiet", "tree")
    target = GitTarget(tree, date="2026-01-01T09:00:00+0000")
    await seed(target, workload.state)
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "start")

    def look() -> Cells:
        names = git(tree, "ls-files", "--cached", "--others", "-z").split("\0")
        return {f"repo/{name}": (tree / name).read_text() for name in names if (tree / name).is_file()}

    yield Ground(targets=(target,), look=look, beside=("index/", "commits/"), well=lambda: _tests_pass(tree, folder))


def git(folder: Path, *words: str) -> str:
    """What git prints. Raises CalledProcessError."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@localhost")
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def _tests_pass(tree: Path, folder: Path) -> bool:
    """Whether the working tree, once it is committed and checked out elsewhere, is clean and passes its own tests."""
    copy = Path(tempfile.mkdtemp(dir=folder))
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "end")
    git(folder, "clone", "--quiet", str(tree), str(copy))
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-m", "unittest", "discover"]
    ran = subprocess.run(words, cwd=copy, capture_output=True, env=environment)
    return ran.returncode == 0 and not git(tree, "status", "--porcelain") and not git(copy, "status", "--porcelain")


@contextmanager
def dav(folder: Path):
    """A calendar server, with its password where targets look for it."""
    before = os.environ.get(PASSWORD_ENV)
    os.environ[PASSWORD_ENV] = PASSWORD
    with radicale(folder) as server:
        yield server
    os.environ.pop(PASSWORD_ENV)
    if before is not None:
        os.environ[PASSWORD_ENV] = before


def _office(grounds: Grounds, workload: Workload) -> tuple[DavServer, DavTarget]:
    """A calendar server with the state: hundreds of objects, which are put where the server keeps its files."""
    server = grounds.server("dav", dav)
    server.clear()
    objects: dict[tuple[str, str], dict[str, Cell]] = {}
    for path, value in workload.state:
        root, name, field = path.split("/")
        objects.setdefault((root, name), {})[field] = (value,)
    for (root, name), cells in objects.items():
        body = changed(None, KINDS[root], name, cells, None)
        (server.folder(root) / f"{name}.ics").write_bytes(body.encode())
    return server, server.target()


def _in_calendar(server: DavServer) -> Cells:
    """Events and tasks, as the library `icalendar` reads the server's files."""
    from icalendar import Calendar

    cells: Cells = {}
    for name, content in server.files().items():
        collection, one = name.removesuffix(".ics").split("/")
        [item] = [part for part in Calendar.from_ical(content).subcomponents if part.name in ("VEVENT", "VTODO")]
        who, title = str(item["ATTENDEE"]).removeprefix("mailto:"), str(item["SUMMARY"])
        start = f"{collection}/{one}"
        if item.name == "VEVENT":
            end = item.get("DURATION")
            length = end.dt if end is not None else item["DTEND"].dt - item["DTSTART"].dt
            at = f"{item['DTSTART'].dt:%Y-%m-%d %H:%M}"
            fields = {"name": title, "participant": who, "start": at, "minutes": int(length.total_seconds()) // 60}
        else:
            [word] = item["CATEGORIES"].cats
            fields = {"name": title, "owner": who, "due": f"{item['DUE'].dt:%Y-%m-%d}", "list": str(word)}
        cells |= {f"{start}/{field}": value for field, value in fields.items()}
    return cells


@asynccontextmanager
async def _on_dav(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    server, target = _office(grounds, workload)
    yield Ground(targets=(target,), look=lambda: _in_calendar(server))


@asynccontextmanager
async def _on_office(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    server, target = _office(grounds, workload)
    with smtp(folder) as post:
        mails = mail_target(post)

        names = {mails.message_id(name): name for name in SENT}

        def look() -> Cells:
            cells = _in_calendar(server)
            for one in arrived(post):
                start = f"outbox/{names[one['Message-ID']]}"
                cells |= {f"{start}/to": str(one["To"]), f"{start}/subject": str(one["Subject"])}
            return cells

        yield Ground(targets=(target, mails), look=look, well=lambda: None if len(arrived(post)) == 1 else False)


def mail_target(post: SmtpServer) -> MailTarget:
    """Sends through this server, and keeps what it sent beside it."""
    sent = str(post.box.parent / "sent")
    return MailTarget("127.0.0.1", post.port, sent=sent, sender="coagent@office.example", tls="none", timeout_s=5.0)


def arrived(post: SmtpServer) -> list:
    """The mails that the server took, parsed by the standard library."""
    parser = BytesParser(policy=default)
    return [parser.parsebytes(file.read_bytes()) for file in sorted((post.box / "new").iterdir())]


@asynccontextmanager
async def _on_sqlite(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    async with _in_base(f"sqlite:///{folder}/base.db", workload, lambda: sqlite3.connect(folder / "base.db")) as ground:
        yield ground


@asynccontextmanager
async def _on_postgresql(grounds: Grounds, workload: Workload, folder: Path) -> AsyncIterator[Ground]:
    import psycopg

    with emptied(grounds.postgres()) as url:
        async with _in_base(url, workload, lambda: psycopg.connect(url)) as ground:
            yield ground


@asynccontextmanager
async def _in_base(url: str, workload: Workload, connect: Callable) -> AsyncIterator[Ground]:
    from coagent.live.targets.sql import SqlTarget

    roots = sorted({path.partition("/")[0] for path, _ in workload.state} | OUTCOMES.get(workload.name, set()))
    target = SqlTarget(url, cells={"roots": roots})
    await seed(target, workload.state)

    def look() -> Cells:
        connection = connect()
        found = connection.execute("SELECT path, value FROM cells").fetchall()
        connection.close()
        values = ((path, json.loads(value) if isinstance(value, str) else value) for path, value in found)
        return {path: frozen(value) for path, value in values}

    yield Ground(targets=(target,), look=look)


SENT = ("mail-of-B",)
"""The ids of the mails that workloads send; a Message-ID is made of one."""

OUTCOMES: Mapping[str, set[str]] = {"dirty-read": {"parcel"}}
"""First parts of paths that are only in the end."""

_BEGUN = {
    "kubernetes": _on_kube,
    "git": _on_git,
    "radicale": _on_dav,
    "radicale and SMTP": _on_office,
    "SQLite": _on_sqlite,
    "PostgreSQL": _on_postgresql,
}
PLACES = tuple(_BEGUN)
