"""A Radicale server on a free loopback port, with one user and an empty store in a temporary folder."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

from coagent.live.targets.dav import DavTarget

USER, PASSWORD, PASSWORD_ENV = "nadia", "not-a-word-of-anybody", "COAGENT_TEST_DAV_PASSWORD"
COLLECTIONS = {name: f"{USER}/{name}/" for name in ("calendar", "tasks", "customers")}


@dataclass(frozen=True, slots=True, kw_only=True)
class DavServer:
    """Where the server is, and where it keeps its files."""

    port: int
    storage: Path

    def target(self, port: int = 0, **options) -> DavTarget:
        """A target on it, or on a port before it."""
        where = f"http://127.0.0.1:{port or self.port}/"
        return DavTarget(where, user=USER, password_env=PASSWORD_ENV, collections=COLLECTIONS, **options)

    def folder(self, collection: str) -> Path:
        """Where the server keeps a collection."""
        return self.storage / "collection-root" / USER / collection

    def files(self) -> dict[str, bytes]:
        """Every resource's bytes in the store, by collection and name: read past the server."""
        return {
            f"{name}/{file.name}": file.read_bytes()
            for name in COLLECTIONS
            for file in sorted(self.folder(name).iterdir())
            if file.is_file() and not file.name.startswith(".")
        }

    def clear(self) -> None:
        """Take every resource out."""
        for name in COLLECTIONS:
            for file in self.folder(name).iterdir():
                if file.is_file() and not file.name.startswith("."):
                    file.unlink()


@contextmanager
def radicale(folder: Path) -> Iterator[DavServer]:
    """Run a server until the block ends."""
    from radicale import config, server

    users = folder / "users"
    users.write_text(f"{USER}:{PASSWORD}\n")
    storage = folder / "storage"
    for name in COLLECTIONS:
        at = storage / "collection-root" / USER / name
        at.mkdir(parents=True)
        (at / ".Radicale.props").write_text('{"tag": "%s"}' % ("VADDRESSBOOK" if name == "customers" else "VCALENDAR"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = config.load()
    configuration.update(
        {
            "server": {"hosts": f"127.0.0.1:{port}"},
            "auth": {"type": "htpasswd", "htpasswd_filename": str(users), "htpasswd_encryption": "plain", "delay": "0"},
            "storage": {"filesystem_folder": str(storage), "_filesystem_fsync": "False"},
            "logging": {"level": "critical"},
        },
        "test",
        privileged=True,
    )
    stop, stopped = socket.socketpair()
    thread = threading.Thread(target=server.serve, args=(configuration, stopped), daemon=True)
    thread.start()
    _wait(port)
    yield DavServer(port=port, storage=storage)
    stop.close()
    thread.join(10)


def _wait(port: int) -> None:
    until = monotonic() + 10
    while monotonic() < until:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/.well-known/caldav")
            connection.getresponse().read()
            return
        except OSError:
            sleep(0.02)
    raise TimeoutError("the server does not answer")
