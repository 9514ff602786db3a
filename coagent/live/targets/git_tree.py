"""Real git in a temporary folder: a project's own tests run on what was committed, and two branches merged.

A tree is texts, or bytes, by path. Both are pure functions of trees, remembered by content, and leave nothing behind;
who wrote what, and what a passing test is worth, is the business of who asks.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from coagent.live.targets.git_process import clean_environment, git
from coagent.operation import Value
from coagent.path import ancestors

REPO = "repo"
"""Where a state keeps the working tree, a cell a file."""

LIMIT_S = 60.0
"""Seconds after which tests that have not ended count as failed."""

REMEMBERED = 4096
"""Trees, and merges, whose results are kept."""

_RUNNER = """
import sys, unittest
def closed(event, args):
    if event.startswith("socket."):
        raise PermissionError("the tests of a tree have no network")
sys.addaudithook(closed)
unittest.main(module=None, argv=["unittest", "discover"])
"""
GIT = ".git"
_QUIETLY = {"stdin": subprocess.DEVNULL, "capture_output": True, "encoding": "utf-8", "errors": "replace"}

Frozen = tuple[tuple[str, str | bytes], ...]
"""A tree in a form that can be remembered, sorted by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a project's tests came to: whether all passed and there were any, how many ran, what was printed.

    Neither the time that they took nor where they ran is in what was printed, so that equal trees say the same.
    """

    passed: bool
    tests: int
    said: str


def files(state: Mapping[str, Value], folder: str = REPO) -> dict[str, str]:
    """The texts below a folder of a state, by path in that folder. Raises ValueError for what could be no tree."""
    start = f"{folder}/"
    return dict(_frozen({path[len(start) :]: value for path, value in state.items() if path.startswith(start)}))


def run_tests(tree: Mapping[str, Value | bytes]) -> Ran:
    """Commit a tree to a new repository and run its unittest tests there, with Python's own library and no network.

    Raises ValueError for what could be no tree, BadInput when git is not installed.
    """
    return _run_tests(_frozen(tree))


def merged(
    base: Mapping[str, Value], ours: Mapping[str, Value], theirs: Mapping[str, Value]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """`git merge` of the branches `ours` and `theirs`, both made from `base`.

    The merged texts by path, and the paths in conflict, sorted, whose texts git leaves with its markers in. Raises
    ValueError for what could be no tree, BadInput when git is not installed.
    """
    texts, conflicts = _merged(_frozen(base), _frozen(ours), _frozen(theirs))
    return dict(texts), conflicts


@lru_cache(maxsize=REMEMBERED)
def _run_tests(tree: Frozen) -> Ran:
    with _repository(tree) as root:
        command = [sys.executable, "-I", "-S", "-B", "-c", _RUNNER]
        try:
            done = subprocess.run(command, cwd=root, env=clean_environment(), timeout=LIMIT_S, **_QUIETLY)
        except subprocess.TimeoutExpired:
            return Ran(passed=False, tests=0, said=f"the tests took longer than {LIMIT_S:.0f} s")
    count = re.search(r"^Ran (\d+) test", done.stderr, re.MULTILINE)
    tests = int(count[1]) if count else 0
    said = re.sub(r"(^Ran \d+ tests?) in [\d.]+s$", r"\1", done.stdout + done.stderr, flags=re.MULTILINE)
    return Ran(passed=done.returncode == 0 and tests > 0, tests=tests, said=said.replace(f"{root}/", ""))


@lru_cache(maxsize=REMEMBERED)
def _merged(base: Frozen, ours: Frozen, theirs: Frozen) -> tuple[Frozen, tuple[str, ...]]:
    with _repository(base) as root:
        for branch, tree in (("theirs", theirs), ("ours", ours)):
            _git(root, "checkout", "--quiet", "-b", branch, "base")
            _commit(root, tree)
        _git(root, "merge", "--quiet", "--no-edit", "theirs", expected=(0, 1))
        unmerged = _git(root, "diff", "--name-only", "--diff-filter=U", "-z")
        return _texts(root), tuple(sorted(name for name in unmerged.split("\0") if name))


@contextmanager
def _repository(tree: Frozen) -> Iterator[Path]:
    """The folder of a new repository whose branch `base` has one commit, of this tree; removed afterwards."""
    with TemporaryDirectory(prefix="coagent-") as folder:
        root = Path(folder)
        _git(root, "init", "--quiet")
        _commit(root, tree)
        _git(root, "branch", "--quiet", "-M", "base")
        yield root


def _commit(root: Path, tree: Frozen) -> None:
    """Let the working tree be this one, and commit it."""
    _git(root, "rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
    for name, text in tree:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    _git(root, "add", "--all", "--force")
    _git(root, "commit", "--quiet", "--allow-empty", "--message", "as the state has it")


def _texts(root: Path) -> Frozen:
    found = ((file.relative_to(root), file) for file in root.rglob("*") if file.is_file())
    return tuple(sorted((name.as_posix(), file.read_bytes().decode()) for name, file in found if name.parts[0] != GIT))


def _git(root: Path, *words: str, expected: tuple[int, ...] = (0,)) -> str:
    return git(root, *words, expected=expected).decode("utf-8", "replace")


def _frozen(tree: Mapping[str, Value | bytes]) -> Frozen:
    """A tree that a folder can hold, sorted by path."""
    for path, text in tree.items():
        if not isinstance(text, str | bytes):
            raise ValueError(f"{path} holds no text, and a file does")
        parts = PurePosixPath(path).parts
        if path != "/".join(parts) or {"..", GIT, "/"} & {*parts} or not parts:
            raise ValueError(f"{path!r} is not where a file of a repository can be")
        if inside := [folder for folder in ancestors(path) if folder in tree]:
            raise ValueError(f"{inside[0]} is a file and has {path} in it")
    return tuple(sorted(tree.items()))
