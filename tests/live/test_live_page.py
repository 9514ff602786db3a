"""The page on live runs: what it shows is run, and what it names is there."""

import asyncio
import re
import subprocess
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from coagent.live.serving import SETS
from coagent.live.targets import KINDS

PAGE = Path(__file__).parents[2] / "coagent" / "live" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_example_in_one_process_runs_and_repairs_what_depended_on_the_stale_read(tmp_path):
    (code,) = re.findall(r"<!-- run: in one process -->\n```python\n(.*?)```", TEXT, re.DOTALL)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "version.txt").write_text("1.0", encoding="utf-8")
    names: dict = {}
    exec(compile(code, str(PAGE), "exec"), names)
    with redirect_stdout(StringIO()) as said:
        asyncio.run(names["main"](str(tmp_path)))
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "about 2.0"
    held, reports = said.getvalue().splitlines()
    assert held in ("held [('writer.1', '2.0')]", "reopened [('writer.1', '2.0')]")
    assert reports == "{'fixer': 'fixed', 'writer': 'done'}"


def test_every_kind_of_target_has_its_row():
    rows = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted(KINDS)


def test_every_set_of_tools_is_named():
    (line,) = re.findall(r"^tools = .*# (.*)$", TEXT, re.MULTILINE)
    assert all(name in line for name in SETS)


def test_every_page_it_points_to_is_there():
    assert all((PAGE.parent / link).is_file() for link in re.findall(r"\]\(([\w.]+)\)", TEXT))
