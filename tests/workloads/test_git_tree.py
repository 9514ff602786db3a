"""Real git and real tests on trees: what passes, what merges, what clashes, and that nothing of it leaks either way."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from coagent.bad_input import BadInput
from coagent.live.targets import git_tree
from coagent.live.targets.git_tree import files, merged, run_tests
from workloads import workload

PASSING = "import unittest\n\nclass One(unittest.TestCase):\n    def test_it(self):\n        {}\n"
LINES = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture(autouse=True)
def forgotten():
    """No test is answered from what another one ran."""
    git_tree._run_tests.cache_clear()
    git_tree._merged.cache_clear()


def own(statement: str) -> git_tree.Ran:
    return run_tests({"test_one.py": PASSING.format(statement)})


def test_tests_that_pass_pass_and_are_counted():
    two = run_tests({"test_one.py": PASSING.format("pass"), "test_two.py": PASSING.format("pass")})
    assert (two.passed, two.tests) == (True, 2)


@pytest.mark.parametrize(
    ("tree", "tests", "word"),
    [
        ({"test_one.py": PASSING.format("self.fail('no')")}, 1, "AssertionError: no"),
        ({"test_one.py": "from nowhere import one\n"}, 1, "No module named 'nowhere'"),
        ({"test_one.py": "def\n"}, 1, "SyntaxError"),
        ({"one.py": "x = 1\n"}, 0, "Ran 0 tests"),
    ],
)
def test_failures_errors_and_no_tests_at_all_do_not_pass(tree, tests, word):
    found = run_tests(tree)
    assert (found.passed, found.tests) == (False, tests) and word in found.said


def test_tests_that_do_not_end_fail(monkeypatch):
    monkeypatch.setattr(git_tree, "LIMIT_S", 1.0)
    found = own("import time; time.sleep(60)")
    assert not found.passed and found.said == "the tests took longer than 1 s"


def test_tests_see_a_committed_tree_and_neither_the_network_nor_this_program(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("SECRET", "1")
    assert "no network" in own("import socket; socket.socket()").said
    assert "No module named 'workloads'" in own("import workloads").said
    assert own("import os; assert 'SECRET' not in os.environ and os.path.exists('.git/refs/heads/base')").passed


def test_a_merge_takes_what_only_one_side_changed():
    base = {"repo/a": LINES, "repo/gone": "x\n"}
    ours = {"repo/a": LINES.replace("one", "ONE"), "repo/gone": "x\n", "repo/new/ours": "o\n"}
    theirs = {"repo/a": LINES.replace("five", "FIVE"), "repo/theirs": "t\n"}
    both = {
        "repo/a": LINES.replace("one", "ONE").replace("five", "FIVE"),
        "repo/new/ours": "o\n",
        "repo/theirs": "t\n",
    }
    assert merged(base, ours, theirs) == (both, ())


def test_a_merge_names_what_both_sides_changed_and_leaves_both_in():
    base, ours, theirs = ({"repo/a": LINES.replace("three", word), "b": "same\n"} for word in ("three", "3", "drei"))
    texts, conflicts = merged(base, ours, theirs)
    assert conflicts == ("repo/a",)
    assert texts["b"] == "same\n" and "<<<<<<< HEAD\n3\n=======\ndrei\n>>>>>>> theirs\n" in texts["repo/a"]


def test_a_side_that_changes_nothing_leaves_the_other_sides_tree():
    base, other = {"a": LINES}, {"a/b": "a file may become a folder\n", "é": "ü\r\n"}
    assert merged(base, base, other) == merged(base, other, base) == (other, ())
    assert merged({}, {}, other) == (other, ())


def test_the_settings_of_a_user_make_no_difference(tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[merge]\n\tconflictStyle = diff3\n[core]\n\tautocrlf = true\n[commit]\n\tgpgsign = true\n")
    trees = [{"a": LINES.replace("three", word)} for word in ("three", "3", "drei")]
    plain = merged(*trees)
    git_tree._merged.cache_clear()
    for name, value in (("GIT_CONFIG_GLOBAL", config), ("GIT_DIR", tmp_path), ("GIT_AUTHOR_DATE", "nonsense")):
        monkeypatch.setenv(name, str(value))
    assert merged(*trees) == plain and "|||||||" not in plain[0]["a"]


def test_nothing_is_left_behind_and_the_same_tree_is_run_once(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ran, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **given: ran.append(command) or run(command, **given))
    counts = set()
    for _ in range(3):
        assert own("pass").passed and merged({"a": "1"}, {"a": "2"}, {"a": "1"})[0] == {"a": "2"}
        counts.add(len(ran))
    assert len(counts) == 1 and 0 not in counts and list(tmp_path.iterdir()) == []


def test_without_git_the_cells_say_so_and_nothing_is_judged(monkeypatch, coagent):
    monkeypatch.setenv("PATH", "/nowhere")
    for does in (lambda: own("pass"), lambda: merged({}, {"a": "1"}, {})):
        with pytest.raises(BadInput, match="git is not on the PATH; install git"):
            does()
    built = workload("g1-rename")
    with pytest.raises(BadInput, match="git"):
        built.invariant(dict(built.state), {})


@pytest.mark.parametrize(
    "tree",
    [
        {"a": 1},
        {"a": "file", "a/b": "in it"},
        {"../a": "out"},
        {"/a": "out"},
        {"a//b": "two"},
        {"./a": "here"},
        {"x/.git/hooks/pre-commit": "exit 1"},
        {"a\0": "zero"},
        {"": "none"},
    ],
)
def test_what_no_folder_can_hold_is_no_tree(tree):
    for does in (lambda: run_tests(tree), lambda: merged({}, {}, tree)):
        with pytest.raises(ValueError):
            does()


def test_the_files_are_those_below_the_folder():
    state = {"repo/a": "1", "repo/b/c": "2", "repository/d": "3", "index/a": "4", "doc": 5}
    assert files(state) == {"a": "1", "b/c": "2"} and files(state, "index") == {"a": "4"}
    assert not workload("g1-rename").invariant({"repo/a": 5}, {})
