"""The notebooks: paired, without outputs, each a question that its last cell answers, and each runs from top to bottom.

Here cells run in this process, in a shell of their own; `test_notebooks_in_kernels` gives each a fresh kernel.
"""

import ast
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from notebooks import pairing

jupytext = pytest.importorskip("jupytext")

TEXTS = pairing.texts()
NAMES = [path.stem for path in TEXTS]
LIMIT_S = 60.0
"""Generous: a notebook is to take under 10 s on a machine that does nothing else; what it took is printed."""

OWN_FUNCTIONS = ("08_your_own_protocol", "09_your_own_scenario")
"""Where the reader is shown how to define an agent, a tool, a protocol."""


def cells(path: Path) -> list:
    return jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells


def test_there_are_eleven_in_order() -> None:
    assert [name[:3] for name in NAMES] == [f"{number:02}_" for number in range(1, 12)]
    assert sorted(path.stem for path in pairing.FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_the_pair_agrees_and_holds_no_outputs(path: Path) -> None:
    book = path.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert book == pairing.paired(path.read_text(encoding="utf-8")), "python -m notebooks.pairing writes it anew"
    data = json.loads(book)
    assert all(not one.get("outputs") and one.get("execution_count") is None for one in data["cells"])
    assert all(one["metadata"] == {} for one in data["cells"])
    assert data["metadata"].keys() == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_the_title_is_a_question_and_the_last_cell_answers_it(path: Path) -> None:
    first, *middle, answer, last = cells(path)
    title = first.source.splitlines()[0]
    assert title.startswith("# ") and title.endswith("?")
    assert answer.cell_type == "markdown" and answer.source.startswith("## The answer\n")
    assert last.cell_type == "code" and "assert " in last.source and "print(" in last.source
    assert 10 <= len(middle) + 3 <= 25
    texts = [one.source for one in cells(path) if one.cell_type == "markdown"]
    assert all(len(text) < 700 for text in texts), "short texts"


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_no_code_has_to_be_scrolled_sideways(path: Path) -> None:
    lines = [line for one in cells(path) if one.cell_type == "code" for line in one.source.splitlines()]
    assert max(map(len, lines)) <= 96


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_the_seed_stands_in_the_first_code_cell(path: Path) -> None:
    first = next(one for one in cells(path) if one.cell_type == "code")
    assert re.search(r"^SEED = \d+$", first.source, re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_nothing_that_another_could_use_is_defined_in_a_cell(path: Path) -> None:
    source = "\n".join(one.source for one in cells(path) if one.cell_type == "code" and not one.source.startswith("%%"))
    tree = compile(source, path.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    defined = [one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.ClassDef)]
    assert not defined or path.stem in OWN_FUNCTIONS
    imported = [one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
    assert not any(one.startswith("notebooks") for one in imported)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch) -> Iterator[object]:
    """An IPython in a folder with the histories, of which nothing is left afterwards: no module, setting or path."""
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    polars = pytest.importorskip("polars")
    shutil.copytree(pairing.FOLDER / "histories", tmp_path / "histories")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    before = set(sys.modules)
    # Its own module: process pools elsewhere need the real __main__.
    made = interactive.InteractiveShell.instance(user_module=ModuleType("a_notebook"))
    yield made
    made.restore_sys_module_state()
    interactive.InteractiveShell.clear_instance()
    polars.Config.restore_defaults()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
@pytest.mark.xdist_group("notebooks")
def test_a_notebook_runs_from_top_to_bottom_and_its_answer_holds(path: Path, shell: object, record_property) -> None:
    began, worked = time.perf_counter(), time.process_time()
    for place, cell in enumerate(cells(path)):
        if cell.cell_type == "code":
            done = shell.run_cell(cell.source, store_history=False)
            assert done.success, f"cell {place} of {path.name}: {done.error_in_exec or done.error_before_exec!r}"
    took, work = time.perf_counter() - began, time.process_time() - worked
    record_property(path.name, f"{took:.1f} s in this process, of which {work:.1f} s of work")
    assert took < LIMIT_S
    assert sys.modules["__main__"].__name__ != "a_notebook"
