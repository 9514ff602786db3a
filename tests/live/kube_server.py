"""A real Kubernetes API server for the tests, started once for a session and taken down with it.

`kube-up.sh` is looked for beside the repository, in ../shared/kube, or in the folder that COAGENT_KUBE names;
COAGENT_KUBE may also name the kubeconfig of a cluster that is there for tests.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.live import missing
from tests.live.kube_raw import Server

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "kube-up.sh"
PROGRAMS = {"etcd": "etcd-server", "xz": "xz-utils", "openssl": "openssl", "curl": "curl"}
"""What the script calls, and the Debian package of each."""


def _free_block(size: int) -> int:
    """The first of some neighbouring ports that nobody listens on now."""
    for first in range(21000 + os.getpid() % 500 * size, 60000, size):
        with ExitStack() as held:
            try:
                for port in range(first, first + size):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first
    raise RuntimeError("no free ports")


def programs() -> Path:
    """The folder with `kube-up.sh`, or the kubeconfig of a cluster that is there."""
    return Path(os.environ.get("COAGENT_KUBE") or ROOT.parent / "shared" / "kube")


def absent() -> str:
    """What a cluster would need that is not here, and how to get it; empty when all is."""
    if lacking := missing.packages("kubernetes"):
        return lacking
    if programs().is_file():
        return ""
    if not (programs() / SCRIPT).is_file():
        return f"there is no {programs() / SCRIPT}; COAGENT_KUBE may name a folder with it, or a kubeconfig"
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    return (
        f"{SCRIPT} needs {', '.join(lacking)}: apt-get install {' '.join(PROGRAMS[n] for n in lacking)}"
        if lacking
        else ""
    )


def _stopped(state: Path, script: Path) -> None:
    pids = [int(file.read_text()) for file in state.glob("*.pid")]
    subprocess.run([script, state, "--down"], check=False)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    shutil.rmtree(state, ignore_errors=True)


@contextmanager
def cluster(folder: Path) -> Iterator[Server]:
    """A cluster until the block ends, its state in this folder. Raises RuntimeError where there is none to start."""
    named = programs()
    if named.is_file():
        yield Server(kubeconfig=str(named))
        return
    if lacking := absent():
        raise RuntimeError(lacking)
    script, state, port = named / SCRIPT, folder / "cluster", _free_block(5)
    state.mkdir()
    try:
        subprocess.run([script, state, str(port)], check=True, timeout=120, stdout=subprocess.DEVNULL)
        yield Server(kubeconfig=str(state / "kubeconfig"), etcd=f"http://127.0.0.1:{port + 1}")
    finally:
        _stopped(state, script)


@pytest.fixture(scope="session")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster to test on."""
    missing.unless(absent(), needed=(programs() / SCRIPT).is_file())
    with cluster(tmp_path_factory.mktemp("kube")) as server:
        yield server
