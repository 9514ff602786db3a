"""Each notebook in a clean kernel that has no network, as somebody runs it who has just got a copy."""

import os
import time
from pathlib import Path

import pytest

from coagent.lab import copied
from notebooks import pairing

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

NAMES = [path.stem for path in pairing.texts()]
ROOT = Path(__file__).resolve().parents[2]
OFFLINE = """
import socket
def _offline(self, address, *rest):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise OSError(f"no network here, and {address} was asked for")
    return _connect(self, address, *rest)
_connect = socket.socket.connect
socket.socket.connect = _offline
"""
"""What a kernel starts with: only this machine can be reached."""

LIMIT_S = 90.0


@pytest.fixture
def copy(tmp_path: Path, monkeypatch) -> Path:
    """A fresh copy of the notebooks, and an IPython that runs offline."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "offline.py").write_text(OFFLINE, encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return copied(tmp_path / "books").folder


def run(book: Path) -> object:
    """The notebook with its outputs, run in a kernel of this Python."""
    read = nbformat.read(book, as_version=4)
    client = nbclient.NotebookClient(
        read, timeout=LIMIT_S, kernel_name="python3", resources={"metadata": {"path": str(book.parent)}}
    )
    return client.execute()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.xdist_group("kernels")
def test_a_notebook_runs_in_a_clean_kernel_offline(name: str, copy: Path, record_property) -> None:
    began = time.perf_counter()
    done = run(copy / f"{name}.ipynb")
    took = time.perf_counter() - began
    record_property(f"{name}.ipynb", f"{took:.1f} s in a kernel")
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert "error" not in kinds
    complaints = [
        one.text for cell in code for one in cell.outputs if one.output_type == "stream" and one.name == "stderr"
    ]
    assert not complaints, "nothing is complained of"
    assert any(one.output_type == "stream" for one in code[-1].outputs), "the last cell says something"
    shown = [output.data for cell in code for output in cell.outputs if "data" in output]
    views = [data for data in shown if "application/vnd.jupyter.widget-view+json" in data]
    assert views and all("image/svg+xml" in data for data in views), "beside each widget stands its picture"


def test_the_kernels_are_offline(copy: Path) -> None:
    asked = nbformat.v4.new_code_cell("import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)")
    book = nbformat.v4.new_notebook(cells=[asked])
    client = nbclient.NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": str(copy)}})
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="no network here"):
        client.execute()
