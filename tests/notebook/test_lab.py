"""`coagent lab` copies the notebooks, never over an edited file, and hands JupyterLab the folder."""

import json
import signal
import sys
from pathlib import Path

import pytest

from coagent import lab
from coagent.bad_input import BadInput

BOOK = "01_one_conflict.ipynb"


def test_a_copy_has_every_notebook_and_what_they_read(tmp_path: Path) -> None:
    made = lab.copied(tmp_path / "books")
    there = {str(one.relative_to(made.folder)) for one in made.folder.rglob("*") if one.is_file()}
    assert {*made.written, lab.WRITTEN} == there
    assert sum(name.endswith(".ipynb") for name in made.written) == 11
    assert "histories/README.md" in made.written and not made.kept
    assert json.loads((made.folder / BOOK).read_text(encoding="utf-8"))["nbformat"] == 4


def test_a_second_copy_writes_nothing(tmp_path: Path) -> None:
    first = lab.copied(tmp_path)
    again = lab.copied(tmp_path)
    assert set(again.same) == set(first.written) and not again.written and not again.kept


def test_an_edited_notebook_is_kept_and_a_new_version_goes_beside_it_once(tmp_path: Path, monkeypatch) -> None:
    lab.copied(tmp_path)
    (tmp_path / BOOK).write_text("mine", encoding="utf-8")
    assert not lab.copied(tmp_path).kept, "the same version is no news"
    monkeypatch.setattr(lab, "shipped", lambda: {BOOK: b"newer"})
    made = lab.copied(tmp_path)
    assert made.kept == ((BOOK, "01_one_conflict.new.ipynb"),)
    assert "kept your edited 01_one_conflict.ipynb" in " ".join(made.sentences())
    assert (tmp_path / BOOK).read_text() == "mine" and (tmp_path / made.kept[0][1]).read_bytes() == b"newer"
    assert not lab.copied(tmp_path).kept
    (tmp_path / "01_one_conflict.new.ipynb").write_text("mine too", encoding="utf-8")
    monkeypatch.setattr(lab, "shipped", lambda: {BOOK: b"newest"})
    assert lab.copied(tmp_path).kept == ((BOOK, "01_one_conflict.new2.ipynb"),)
    assert (tmp_path / "01_one_conflict.new.ipynb").read_text() == "mine too"


def test_an_untouched_notebook_is_brought_up_to_date(tmp_path: Path, monkeypatch) -> None:
    lab.copied(tmp_path)
    monkeypatch.setattr(lab, "shipped", lambda: {BOOK: b"newer"})
    assert lab.copied(tmp_path).written == (BOOK,)
    assert (tmp_path / BOOK).read_bytes() == b"newer"


def test_a_file_of_that_name_that_was_never_ours_is_kept(tmp_path: Path) -> None:
    (tmp_path / BOOK).write_text("somebody's", encoding="utf-8")
    (tmp_path / lab.WRITTEN).write_text("torn", encoding="utf-8")
    assert lab.copied(tmp_path).kept == ((BOOK, "01_one_conflict.new.ipynb"),)
    assert (tmp_path / BOOK).read_text() == "somebody's"


def test_a_file_in_the_place_of_the_folder_is_refused_in_a_sentence(tmp_path: Path, coagent) -> None:
    (tmp_path / "books").write_text("", encoding="utf-8")
    answer = coagent("lab", tmp_path / "books", "--no-browser")
    assert (answer.code, answer.out) == (3, "")
    assert "is a file, and the notebooks need a folder" in answer.err


def test_what_is_missing_is_said_with_the_extra_that_has_it(monkeypatch, coagent, tmp_path: Path) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda name: None if name == "jupyterlab" else object())
    answer = coagent("lab", tmp_path / "books")
    assert answer.code == 3 and not (tmp_path / "books").exists()
    assert answer.err == "coagent: the notebooks need jupyterlab; pip install 'coagent-mtpo[notebooks]'\n"


def test_jupyterlab_gets_the_folder_the_port_and_no_browser(monkeypatch, coagent, tmp_path: Path) -> None:
    called = []
    monkeypatch.setattr(lab, "check_extra", lambda: None)
    monkeypatch.setattr(lab, "opened", lambda words: called.append(words) or 0)
    answer = coagent("lab", tmp_path / "books", "--no-browser", "--port", "8899", "--allow-root")
    assert answer.code == 0 and "the notebooks are in" in answer.err
    [[python, *words]] = called
    assert python == sys.executable
    root = f"--ServerApp.root_dir={(tmp_path / 'books').resolve()}"
    assert words == ["-m", "jupyterlab", root, *lab.QUIET, "--no-browser", "--allow-root", "--port=8899"]


def test_a_server_that_fails_is_told_and_ctrl_c_is_left_to_it(monkeypatch, coagent, tmp_path: Path) -> None:
    monkeypatch.setattr(lab, "check_extra", lambda: None)
    monkeypatch.setattr(lab, "command", lambda *_, **__: [sys.executable, "-c", "raise SystemExit(4)"])
    answer = coagent("lab", tmp_path / "books")
    assert answer.code == 3 and "JupyterLab ended with exit code 4" in answer.err
    before = signal.getsignal(signal.SIGINT)
    program = "import os, signal; os.kill(os.getppid(), signal.SIGINT)"
    assert lab.opened([sys.executable, "-c", f"import time; time.sleep(0.3); {program}"]) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_a_folder_that_may_not_be_written_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        lab.copied("/proc/books")
