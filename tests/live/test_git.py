"""A git repository as a target: the laws on files, index and commits, old versions, and hostile repositories."""

import asyncio
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Gone, Refused
from coagent.live.targets.git import GitTarget
from coagent.live.targets.git_tool import GIT_TOOLS
from coagent.tool import declare
from tests.live.folders import edits, fits, make, on_disk, trees
from tests.live.laws import check_laws
from workloads import workload

DATE = "2023-08-01T09:00:00+0000"
WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@localhost")


def git(root, *words, check=True):
    """Git as a person would call it."""
    done = subprocess.run(["git", *WHO, *words], cwd=root, capture_output=True, text=True, errors="surrogateescape")
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def committed(root, tree):
    """A repository with one commit, of this tree."""
    root.mkdir(exist_ok=True)
    git(root, "init", "--quiet")
    make(root, tree)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "start")
    return root


def state(root):
    """All that must come back: files, index entries, the branch and its commits."""
    commits = git(root, "rev-list", "HEAD", check=False)
    return on_disk(root), git(root, "ls-files", "-s", "-z"), commits, git(root, "symbolic-ref", "HEAD")


def run(does, root):
    """Do something with a target on a repository."""

    async def doing():
        target = GitTarget(root, date=DATE)
        try:
            return await does(target)
        finally:
            await target.close()

    return asyncio.run(doing())


def write(root, cells, seen=(), restore=()):
    return run(lambda target: target.write(cells, seen=dict(seen), restore=dict(restore)), root)


def read(root, *paths):
    return run(lambda target: target.read(paths or target.roots), root)


def laws(root, changes):
    async def fingerprint():
        return state(root)

    run(lambda target: check_laws(target, changes, fingerprint), root)


class Cells:
    """A view of cells, as tools have it."""

    def __init__(self, cells):
        self.cells = cells

    def cell(self, path):
        return (self.cells[path],) if path in self.cells else ()

    def below(self, path):
        return iter(sorted(one for one in self.cells if one.startswith(f"{path}/")))


def worked_out(cells, tool, **args):
    """What a tool answers and writes, looking at nothing but what it declares."""
    result, writes = GIT_TOOLS[tool].exec(Cells(cells), args)
    declared = GIT_TOOLS[tool].declare(args).writes
    assert all(any(path == one or path.startswith(f"{one}/") for one in declared) for path, _ in writes)
    return result, dict(writes)


async def call(target, tool, **args):
    """Do what a tool says, and give its result and what puts everything back."""
    reading = await target.read(GIT_TOOLS[tool].declare(args).footprint)
    result, writes = worked_out(reading.cells, tool, **args)
    old = {path: (reading.cells[path],) if path in reading.cells else () for path in writes}
    await target.write(writes, seen=reading.memo, restore={})
    return result, old, reading.memo


@settings(max_examples=25, deadline=None)
@given(trees, edits, edits, st.sampled_from(["none", "add", "change", "remove", "two"]), edits)
def test_the_laws_hold_for_edits_of_files_index_and_commits(tree, changes, staged, how, tip):
    assume(fits(tree, changes) and fits(tree, staged) and fits(tree if how == "change" else (), tip))
    with tempfile.TemporaryDirectory() as place:
        root = committed(Path(place), tree)
        git(root, "commit", "--quiet", "--allow-empty", "--message", "second")
        number = {"add": 2, "two": 2, "change": 1}.get(how)
        cells = {f"repo/{path}": cell for path, cell in changes.items()}
        cells |= {f"index/{path}": cell for path, cell in staged.items()}
        if number:
            cells |= {f"commits/{number:04}/tree/{path}": cell for path, cell in tip.items()}
            cells[f"commits/{number:04}/author"] = ("Bob",)
        if how == "two":
            cells["commits/0003/author"] = ("Eve",)
        if how == "remove":
            gone = read(root, "commits/0001").cells
            cells |= dict.fromkeys(gone, ())
        laws(root, cells)


CALLS = [
    ("put", {"path": "repo/a", "value": "new"}),
    ("create", {"path": "repo/n/e/w", "value": "new"}),
    ("delete", {"path": "repo/d/tool"}),
    ("rename", {"name": "d/tool", "to": "e/f/tool"}),
    ("replace", {"name": "a", "old": "n", "new": "N"}),
    ("stage", {"name": "a"}),
    ("stage", {"name": "d/tool"}),
    ("stage", {"name": "gone"}),
    ("commit", {"author": "Bob"}),
]


@settings(max_examples=15, deadline=None)
@given(trees, st.lists(st.sampled_from(CALLS), min_size=1, max_size=4))
def test_every_tool_is_reversed_exactly_last_in_first_out(tree, calls):
    tree = {**{path: what for path, what in tree.items() if path[0] == "b"}, "d/tool": (b"#!\n", 0o755)}
    with tempfile.TemporaryDirectory() as place:
        root = committed(Path(place), {**tree, "a": (b"one\n", 0o644), "gone": (b"", 0o644)})
        (root / "gone").unlink()
        (root / "a").write_text("none\n")

        async def there_and_back(target):
            done = []
            for name, args in calls:
                before = state(root)
                done.append((before, *(await call(target, name, **args))[1:]))
            for before, old, memo in reversed(done):
                await target.write(old, seen={}, restore=json.loads(json.dumps(dict(memo))))
                assert state(root) == before

        run(there_and_back, root)


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_every_tool_does_something_and_touches_its_footprint_only(tmp_path, name, args):
    root = committed(tmp_path, {"a": (b"one\n", 0o644), "d/tool": (b"#!\n", 0o755), "gone": (b"", 0o644)})
    (root / "gone").unlink()
    (root / "a").write_text("none\n")
    if (name, args.get("name")) == ("stage", "d/tool"):
        (root / "d/tool").write_text("#!!\n")
    if name == "commit":
        git(root, "add", "a")
    before, cells = state(root), dict(read(root).cells)
    result, old, memo = run(lambda target: call(target, name, **args), root)
    assert result.status == "ok" and state(root) != before
    after = dict(read(root).cells)
    assert {path for path in {*cells, *after} if cells.get(path) != after.get(path)} == {*old}
    write(root, old, restore=memo)
    assert state(root) == before


@pytest.mark.parametrize("short", ["g1-rename", "g2-migration", "g3-swept", "g4-version"])
def test_the_programs_of_the_coding_cells_run_on_a_repository(tmp_path, short):
    built = workload(short)
    git(tmp_path, "init", "--quiet")

    async def one_after_the_other(target):
        await target.write({path: (value,) for path, value in built.state}, seen={}, restore={})
        assert dict((await target.read(target.roots)).cells) == dict(built.state)
        reports = {}
        for agent in built.agents:
            program, answer = agent.program(), None
            try:
                while True:
                    wanted = program.send(answer).call
                    assert declare(GIT_TOOLS, wanted).footprint
                    answer, _, _ = await call(target, wanted.tool, **dict(wanted.args))
            except StopIteration as end:
                reports[agent.name] = end.value
        return dict((await target.read(target.roots)).cells), reports

    ended, reports = run(one_after_the_other, tmp_path)
    assert built.invariant(ended, reports)
    assert short != "g3-swept" or git(tmp_path, "log", "--format=%an", "--reverse").split() == ["start", "A", "B"]
    assert short != "g3-swept" or git(tmp_path, "status", "--porcelain") == ""


def test_tests_are_run_on_the_cells_and_grep_finds_lines(tmp_path):
    cells = dict(workload("g2-migration").state)
    result, writes = worked_out(cells, "run_tests")
    assert result.value[:2] == (True, 2) and "OK" in result.value[2] and writes == {}
    broken = {
        **cells,
        "repo/migrations/0007_x.sql": "nonsense",
        "repo/data": ("base64", "/w=="),
        "repo/l": ("symlink", "a"),
    }
    result, _ = worked_out(broken, "run_tests")
    assert result.value[0] is False and "/tmp" not in result.value[2] and " in 0." not in result.value[2]
    found, _ = worked_out({**cells, "repo/data": ("base64", "/w==")}, "grep", text="CREATE TABLE")
    assert [hit[:2] for hit in found.value] == [("migrations/0001_name.sql", 1)]


def test_every_tool_says_what_it_does_and_has_a_closed_schema():
    for tool in GIT_TOOLS.values():
        assert tool.says and tool.schema["additionalProperties"] is False
        assert {*tool.schema["required"]} == {*tool.schema["properties"]}


def test_old_versions_are_read_after_later_changes(tmp_path):
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    (root / "a").write_text("one and not staged\n")

    async def later(target):
        memos = [(await target.read(target.roots)).memo]
        for text in ("two", "three"):
            await target.write({"repo/a": (text,), "index/a": (text,), "repo/new": (text,)}, seen={}, restore={})
            await call(target, "commit", author=text)
            memos.append((await target.read(target.roots)).memo)
        await target.write({"repo/a": (), "index/a": ()}, seen={}, restore={})

        async def at(path):
            return [await target.read_at(path, json.loads(json.dumps(dict(memo)))) for memo in memos]

        assert await at("repo/a") == [("one and not staged\n",), ("two",), ("three",)]
        assert await at("index/a") == [("one\n",), ("two",), ("three",)]
        assert await at("repo/new") == [(), ("two",), ("three",)]
        assert await at("commits/0001/author") == [(), ("two",), ("two",)]
        assert await at("commits/0002/tree/a") == [(), (), ("three",)]
        (root / "new").write_text("outside")
        with pytest.raises(Gone):
            await target.read_at("repo/new", {"repo/new": {**memos[2]["repo/new"], "id": "1" * 40}})

    run(later, root)


def test_a_commit_is_undone_only_while_it_is_the_last(tmp_path):
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    (root / "a").write_text("two\n")
    git(root, "add", "a")
    before = state(root)
    result, old, memo = run(lambda target: call(target, "commit", author="Bob"), root)
    assert result.value == "0001" and git(root, "log", "-1", "--format=%an") == "Bob\n"
    git(root, "commit", "--quiet", "--allow-empty", "--message", "outside")
    on_top = state(root)
    with pytest.raises(Conflict, match="after it"):
        write(root, old, restore=memo)
    assert state(root) == on_top
    git(root, "update-ref", "HEAD", "HEAD^")
    write(root, old, restore=memo)
    assert state(root) == before
    with pytest.raises(Conflict, match="branch"):
        git(root, "checkout", "--quiet", "-b", "other")
        write(root, {"commits/0001/author": ("x",)}, seen=memo)


@pytest.mark.parametrize("path", ["index/a", "index/new", "commits/0001/author", "repo/a"])
def test_what_was_changed_outside_is_a_conflict_and_nothing_is_written(tmp_path, path):
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    seen = read(root, "repo/a", "index/a", "index/new", "commits").memo
    for name in ("a", "new"):
        (root / name).write_text("outside\n")
        git(root, "add", name)
    git(root, "commit", "--quiet", "--message", "outside")
    before = state(root)
    with pytest.raises(Conflict):
        write(root, {"repo/b": ("mine",), path: ("mine",)}, {one: seen[one] for one in seen if path.startswith(one)})
    assert state(root) == before


@pytest.mark.parametrize(
    "cells",
    [
        {"index/a": (1,)},
        {"index/a/b": ("x",)},
        {"index/../a": ("x",)},
        {"index/.git/config": ("x",)},
        {"index/--force": ("x",)},
        {"index/a\n100644 " + "0" * 40 + " 0\tb": ("x",)},
        {"commits/0001/tree/.git/hooks/x": ("x",), "commits/0001/author": ("x",)},
        {"commits/0001/tree/x": ("x",)},
        {"commits/0000/author": ("--gpg-sign",), "commits/0001/author": ("x <y>",)},
        {"commits/0001/author": ("x\ncommitter y",)},
        {"commits/0001/author": ("",)},
        {"commits/0001/author": (5,)},
        {"commits/0003/author": ("x",)},
        {"commits/1/author": ("x",)},
        {"commits/0001": ("x",)},
        {"commits/HEAD/author": ("x",)},
        {"commits/0001/tree": ("x",)},
        {"commits/0001/message": ("x",)},
        {"elsewhere/a": ("x",)},
    ],
    ids=str,
)
def test_nonsense_is_refused_and_nothing_has_changed(tmp_path, cells):
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    before = state(root)
    with pytest.raises(Refused, match=r"\w{2}"):
        write(root, cells)
    assert state(root) == before


def test_fifty_writers_of_files_and_index_entries_do_not_meet(tmp_path):
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    before = state(root)
    paths = [f"{part}/{n % 3}/{n}" for n in range(25) for part in ("repo", "index")]

    async def all_at_once(target):
        memo = (await target.read(paths)).memo
        await asyncio.gather(*(target.write({p: (p,)}, seen={p: memo[p]}, restore={}) for p in paths))
        assert {p: v for p, v in (await target.read(target.roots)).cells.items() if p in paths} == {p: p for p in paths}
        await asyncio.gather(*(target.write({p: ()}, seen={}, restore={p: memo[p]}) for p in paths))

    run(all_at_once, root)
    assert state(root) == before


def test_what_cells_cannot_say_stays_in_a_commit(tmp_path):
    """Names that no path can have, links, modules and bits are in the next commit as they are in the index."""
    root = committed(tmp_path, {"-x": (b"odd\n", 0o644), "tool": (b"#!\n", 0o755), "a": (b"a", 0o644)})
    os.symlink("a", root / "link")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(root, "add", "link")
    assert dict(read(root, "index").cells)["index/module"] == ("module", "1" * 40)
    tree = git(root, "write-tree")
    run(lambda target: call(target, "commit", author="Bob"), root)
    assert git(root, "rev-parse", "HEAD^{tree}") == tree
    laws(root, {"index/link": (), "index/module": (), "index/tool": ("#!!\n",)})


def hostile(root, marks):
    """Settings of a repository that would each run a program, and hooks."""

    def program(name):
        place = marks / f"{name}.sh"
        place.write_text(f"#!/bin/sh\ntouch {marks}/{name}.ran\ncat\n")
        place.chmod(0o755)
        return str(place)

    for key in (
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy"),
        *("core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "gpg.program"),
        *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "credential.helper"),
        *("remote.origin.uploadpack", "pager.log", "pager.rev-list", "merge.evil.driver"),
    ):
        git(root, "config", key, program(key))
    for key in ("commit.gpgSign", "tag.gpgSign", "log.showSignature", "filter.evil.required", "remote.origin.promisor"):
        git(root, "config", key, "true")
    for key, value in (("alias.ls-files", f"!{program('alias')}"), ("remote.origin.url", str(root / ".git"))):
        git(root, "config", key, value)
    git(root, "config", "extensions.partialClone", "origin")
    git(root, "config", "core.repositoryFormatVersion", "1")
    (root / ".git/evil").mkdir()
    git(root, "config", "core.hooksPath", str(root / ".git/evil"))
    for folder in ("evil", "hooks"):
        for hook in ("pre-commit", "post-index-change", "reference-transaction", "post-commit", "fsmonitor-watchman"):
            (root / ".git" / folder / hook).write_text(f"#!/bin/sh\ntouch {marks}/{folder}-{hook}.ran\n")
            (root / ".git" / folder / hook).chmod(0o755)


def test_a_hostile_repository_runs_nothing(tmp_path, monkeypatch):
    marks, root = tmp_path / "marks", committed(tmp_path / "root", {"a": (b"one\n", 0o644)})
    marks.mkdir()
    hostile(root, marks)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_SSH_COMMAND", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(marks / "core.pager.sh"))

    async def everything(target):
        await target.write({"repo/.gitattributes": ("* filter=evil diff=evil merge=evil\n",)}, seen={}, restore={})
        for name, args in (*CALLS[:2], ("stage", {"name": "a"}), ("stage", {"name": ".gitattributes"}), CALLS[-1]):
            result, old, memo = await call(target, name, **args)
            assert result.status == "ok", name
            await target.write(old, seen={}, restore=memo)
            await target.read_at("repo/a", memo)
            await call(target, name, **args)
        await target.read(target.roots)
        with pytest.raises(Gone):
            await target.read_at("repo/x", {"repo/x": {"kind": "file", "id": "1" * 40}})

    run(everything, root)
    assert not [one.name for one in marks.glob("*.ran")]
    git(root, "status", check=False)
    git(root, "cat-file", "-p", "1" * 40, check=False)
    assert {"core.fsmonitor.ran", "remote.origin.uploadpack.ran"} <= {one.name for one in marks.glob("*.ran")}


def test_there_must_be_a_repository_with_an_index_that_is_resolved(tmp_path):
    with pytest.raises(BadInput, match="git init"):
        GitTarget(tmp_path)
    root = committed(tmp_path, {"a": (b"one\n", 0o644)})
    for branch in ("x", "y"):
        git(root, "checkout", "--quiet", "-b", branch, "master", check=False) or git(root, "checkout", "-q", branch)
        (root / "a").write_text(branch)
        git(root, "commit", "--quiet", "--all", "--message", branch)
    git(root, "merge", "x", check=False)
    with pytest.raises(Refused, match="unresolved"):
        read(root, "index")
    spec = dict(GitTarget(root, date=DATE).spec)
    assert spec.pop("kind") == "git" and GitTarget(**spec).spec == GitTarget(root, date=DATE).spec


def test_sha256_repositories_are_as_good(tmp_path):
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    write(tmp_path, {path: (value,) for path, value in workload("g3-swept").state})
    laws(tmp_path, {"repo/tax.py": ("x",), "index/tax.py": ("x",), "commits/0001/author": ("A",)})
