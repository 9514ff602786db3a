"""A PostgreSQL server for tests: Debian's programs in a temporary directory, or the one that COAGENT_POSTGRES names.

Each test gets a database of its own. Without a server the tests are skipped; with CI=true they fail instead.
"""

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

MISSING = "PostgreSQL is not here: apt-get install postgresql, or set COAGENT_POSTGRES to a server's URL"
PATIENCE_S = 60.0


def programs() -> Path | None:
    """The folder of the newest server's programs that Debian has installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[4]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session", name="postgres")
def postgres_server() -> Iterator[str]:
    """The URL of a server whose user may create databases."""
    if url := os.environ.get("COAGENT_POSTGRES"):
        yield url
        return
    folder = programs()
    if folder is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    # A socket's path may have 107 bytes at most, which pytest's own folders can exceed.
    place = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        yield from _served(folder, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _served(folder: Path, place: Path) -> Iterator[str]:
    as_postgres = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    if as_postgres:
        shutil.chown(place, "postgres")
    data = place / "data"
    words = (folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    subprocess.run([*as_postgres, *words], check=True, capture_output=True, cwd="/", env=_environment())
    settings = ("listen_addresses=", f"unix_socket_directories={place}", "fsync=off", "max_connections=100")
    words = (folder / "postgres", "-D", data, *(word for one in settings for word in ("-c", one)))
    with (place / "log").open("wb") as log:
        server = subprocess.Popen([*as_postgres, *words], stdout=log, stderr=log, cwd="/", env=_environment())
    url = f"postgresql://postgres@/postgres?host={place}"
    try:
        _wait(url, server, place / "log")
        yield url
    finally:
        pid = (data / "postmaster.pid").read_text().split()[0] if (data / "postmaster.pid").exists() else None
        if pid is not None:
            # SIGINT is PostgreSQL's fast shutdown; runuser would not hand it on.
            os.kill(int(pid), 2)
        server.wait(timeout=PATIENCE_S)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _wait(url: str, server: subprocess.Popen, log: Path) -> None:
    import psycopg

    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.05)


@pytest.fixture(name="database")
def postgres_database(postgres: str) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"coagent_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    head, _, query = postgres.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
