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
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.kube_raw import Server

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("etcd", "xz", "openssl", "curl")


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


def _absent(script: Path) -> str:
    if not script.is_file():
        return f"there is no {script}; COAGENT_KUBE may name a folder with kube-up.sh, or a kubeconfig"
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"kube-up.sh needs {', '.join(lacking)}" if lacking else ""


def _stopped(state: Path, script: Path) -> None:
    pids = [int(file.read_text()) for file in state.glob("*.pid")]
    subprocess.run([script, state, "--down"], check=False)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster to test on. Skips where there is none to start, but not in CI once the files are there."""
    pytest.importorskip("kubernetes", reason="the extra `live` is not installed")
    named = Path(os.environ.get("COAGENT_KUBE") or ROOT.parent / "shared" / "kube")
    if named.is_file():
        yield Server(kubeconfig=str(named))
        return
    script = named / "kube-up.sh"
    if absent := _absent(script):
        if script.is_file() and os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    state, port = tmp_path_factory.mktemp("kube"), _free_block(5)
    try:
        subprocess.run([script, state, str(port)], check=True, timeout=120, stdout=subprocess.DEVNULL)
        yield Server(kubeconfig=str(state / "kubeconfig"), etcd=f"http://127.0.0.1:{port + 1}")
    finally:
        _stopped(state, script)
