"""The notebook on real state, with a cluster at hand: the canary runs there, and no part is skipped."""

import os
from pathlib import Path

import pytest

from coagent.lab import copied
from tests.live.kube_raw import Server
from tests.live.kube_server import kube

__all__ = ["kube"]

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.xdist_group("kube")
def test_the_canary_runs_on_a_cluster_from_the_notebook(kube: Server, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("KUBECONFIG", kube.kubeconfig)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    folder = copied(tmp_path).folder
    book = nbformat.read(folder / "10_real_state.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    done = client.execute()
    said = [one.get("text", "") for cell in done.cells if cell.cell_type == "code" for one in cell.outputs]
    assert not any("skipped" in text for text in said)
    assert any("the invariant: holds" in text for text in said)
