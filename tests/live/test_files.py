"""A folder as a target: the laws on folders of chance, kills in between, and paths that would lead out."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Refused
from coagent.live.targets.files import FileTarget
from coagent.live.targets.folder import UNFINISHED
from tests.live.folders import edits, fits, make, on_disk, trees
from tests.live.laws import check_laws

ROOT = Path(__file__).parents[2]


def run(does, folder):
    """Do something with a target on a folder."""

    async def doing():
        target = FileTarget(folder)
        try:
            return await does(target)
        finally:
            await target.close()

    return asyncio.run(doing())


def write(folder, cells, seen=(), restore=()):
    return run(lambda target: target.write(cells, seen=dict(seen), restore=dict(restore)), folder)


def read(folder, *paths):
    return run(lambda target: target.read(paths or ("repo",)), folder)


@settings(max_examples=150, deadline=None)
@given(trees, edits, st.sets(st.sampled_from(["d", "d/e", "f"]), max_size=2))
def test_the_laws_hold_for_edits_of_any_folder(tree, changes, folders):
    folders = {one for one in folders if not any(other.startswith(f"{one}/") for other in folders)}
    assume(fits(tree, changes, folders))
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        make(root, tree, folders)
        os.symlink("nowhere", root / "link")

        async def fingerprint():
            return on_disk(root)

        cells = {f"repo/{path}": cell for path, cell in changes.items()}
        run(lambda target: check_laws(target, cells, fingerprint), root)


@pytest.mark.parametrize(
    "changes",
    [
        {"repo/d/x": ("new",)},
        {"repo/d/e/x": ("new",), "repo/link": ()},
        {"repo/link": ("a text where there was a link",)},
        {"repo/g/h/tool": ()},
        {"repo/g/h/tool": (), "repo/g/h": ("a file for a folder",)},
        {"repo/file": (), "repo/file/below": ("a folder for a file",)},
        {"repo/g/h/tool": (), "repo/moved/tool": ("#!/bin/sh\n",)},
    ],
)
def test_folders_links_and_bits_come_back(tmp_path, changes):
    make(tmp_path, {"g/h/tool": (b"#!/bin/sh\n", 0o755), "file": (b"x", 0o600)}, ["d"])
    (tmp_path / "g").chmod(0o750)
    os.symlink("g", tmp_path / "link")

    async def fingerprint():
        return on_disk(tmp_path)

    run(lambda target: check_laws(target, changes, fingerprint), tmp_path)


def test_a_file_that_moves_can_still_be_run(tmp_path):
    make(tmp_path, {"tool": (b"#!/bin/sh\n", 0o755)})
    write(tmp_path, {"repo/new/tool": ("#!/bin/sh\n",), "repo/tool": ()})
    assert (tmp_path / "new/tool").stat().st_mode & 0o777 == 0o755 and not (tmp_path / "tool").exists()


def test_another_process_puts_back_from_json_alone(tmp_path):
    make(tmp_path, {"a/b": (b"\xff", 0o755)})
    before, kept = on_disk(tmp_path), json.loads(json.dumps(dict(read(tmp_path, "repo/a/b").memo)))
    write(tmp_path, {"repo/a/b": ()}, seen=kept)
    assert on_disk(tmp_path) == {}
    write(tmp_path, {"repo/a/b": (("base64", "/w=="),)}, restore=kept)
    assert on_disk(tmp_path) == before


def test_what_somebody_changed_outside_is_a_conflict_and_nothing_is_written(tmp_path):
    make(tmp_path, {"a": (b"1", 0o644), "b": (b"1", 0o644)})
    seen = read(tmp_path, "repo/a", "repo/b", "repo/new").memo
    for name, text in (("b", "2"), ("new", "there")):
        (tmp_path / name).write_text(text)
        before = on_disk(tmp_path)
        with pytest.raises(Conflict, match=name):
            write(tmp_path, {"repo/a": ("mine",), f"repo/{name}": ("mine",)}, seen)
        assert on_disk(tmp_path) == before
        (tmp_path / "b").write_text("1")
    (tmp_path / "new").unlink()
    write(tmp_path, {"repo/a": ("mine",)}, seen)


ATTACKS = [
    "repo/../out",
    "repo/a/../../out",
    "repo//etc/passwd",
    "/etc/passwd",
    "repo/",
    "repo/a/",
    "repo/./a",
    "repo/a\0b",
    "repo/a\nb",
    "repo/a\\b",
    "repo/\udc80",
    "repo/.git/config",
    "repo/.GIT/hooks/pre-commit",
    "repo/sub/.git/config",
    "repo/.git. /config",
    "repo/.g\u200cit/config",
    "repo/git~1/config",
    "repo/.git::$INDEX_ALLOCATION/x",
    "repo/-x",
    "repo/a/--upload-pack=x",
    "repo/:(top)x",
    "repo/:/x",
    f"repo/{UNFINISHED}0123456789abcdef",
    "repo/" + "n" * 256,
    "repo/out/x",
    "repo/in/x",
    "repository/a",
    "etc/passwd",
]


@pytest.mark.parametrize("path", ATTACKS, ids=repr)
def test_no_path_leaves_the_folder(tmp_path, path):
    root, out = tmp_path / "root", tmp_path / "out"
    out.mkdir()
    make(root, {"real/y": (b"y", 0o644)})
    os.symlink(out, root / "out")
    os.symlink("real", root / "in")
    before = on_disk(tmp_path)
    for does in (lambda: write(root, {path: ("x",)}), lambda: write(root, {path: ()}), lambda: read(root, path)):
        with pytest.raises(Refused, match=r"\w{2}"):
            does()
        assert on_disk(tmp_path) == before


@pytest.mark.parametrize(
    "value",
    [
        1,
        None,
        True,
        (),
        ("base64", "!"),
        ("base64", "YQ=="),
        ("base64", "/w"),
        "\udc80",
        ("symlink", "/etc/passwd"),
        ("symlink", "a"),
    ],
    ids=repr,
)
def test_what_no_file_reads_as_is_refused_before_anything_changes(tmp_path, value):
    with pytest.raises(Refused):
        write(tmp_path, {"repo/a": ("fine",), "repo/b": (value,)})
    assert on_disk(tmp_path) == {}


def test_links_are_shown_and_not_followed(tmp_path):
    root, secret = tmp_path / "root", tmp_path / "secret"
    root.mkdir()
    secret.write_text("secret")
    os.symlink(secret, root / "link")
    assert dict(read(root).cells) == {"repo/link": ("symlink", str(secret))}
    write(root, {"repo/link": ("mine",)})
    assert secret.read_text() == "secret" and not (root / "link").is_symlink()


def test_a_link_put_in_the_way_while_writing_is_not_followed(tmp_path, monkeypatch):
    root, out = tmp_path / "root", tmp_path / "out"
    out.mkdir()
    make(root, {"a/b": (b"1", 0o644)})
    opened = os.open

    def swapping(path, *words, **more):
        if isinstance(path, str) and path.startswith(UNFINISHED):
            (root / "a").rename(root / "was")
            os.symlink(out, root / "a")
            monkeypatch.setattr(os, "open", opened)
        return opened(path, *words, **more)

    monkeypatch.setattr(os, "open", swapping)
    write(root, {"repo/a/b": ("2",)})
    assert list(out.iterdir()) == [] and (root / "was/b").read_text() == "2"


def test_pipes_and_devices_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert dict(read(tmp_path).cells) == {}
    with pytest.raises(Refused, match="no file"):
        write(tmp_path, {"repo/pipe": ("x",)})
    with pytest.raises(Refused, match="a folder is there"):
        (tmp_path / "d").mkdir()
        write(tmp_path, {"repo/d": ("x",)})
    with pytest.raises(Refused, match="where a folder would be"):
        write(tmp_path, {"repo/e": ("x",), "repo/e/f": ("x",)})


KILLED = """
import asyncio, os, sys
from coagent.live.targets.files import FileTarget
def killed(*given, **more):
    os.kill(os.getpid(), 9)
setattr(os, sys.argv[2], killed)
asyncio.run(FileTarget(sys.argv[1]).write({"repo/d/a": ("new " * 9999,), "repo/b": ()}, seen={}, restore={}))
"""


@pytest.mark.parametrize(("at", "texts"), [("rename", ("old", "b")), ("unlink", ("new " * 9999, "b"))])
def test_a_kill_leaves_no_half_file_and_is_undone_or_rolled_forward(tmp_path, at, texts):
    make(tmp_path, {"d/a": (b"old", 0o640), "b": (b"b", 0o644)})
    before, kept = on_disk(tmp_path), read(tmp_path).memo
    command = [sys.executable, "-c", KILLED, str(tmp_path), at]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert dict(read(tmp_path).cells) == {"repo/d/a": texts[0], "repo/b": texts[1]}
    assert at != "rename" or any(UNFINISHED in path for path in on_disk(tmp_path))
    write(tmp_path, {"repo/d/a": ("new " * 9999,), "repo/b": ()})
    assert {*on_disk(tmp_path)} == {"d", "d/a"}
    write(tmp_path, {"repo/d/a": ("old",), "repo/b": ("b",)}, restore=kept)
    assert on_disk(tmp_path) == before


def test_fifty_writers_of_different_files_do_not_meet(tmp_path):
    paths = [f"repo/{n % 3}/{n % 7}/{n}" for n in range(50)]

    async def all_at_once(target):
        memo = (await target.read(paths)).memo
        await asyncio.gather(*(target.write({path: (path,)}, seen={}, restore={}) for path in paths))
        assert dict((await target.read(("repo",))).cells) == {path: path for path in paths}
        await asyncio.gather(*(target.write({path: ()}, seen={}, restore={path: memo[path]}) for path in paths))

    run(all_at_once, tmp_path)
    assert on_disk(tmp_path) == {}


def test_there_must_be_a_folder_and_the_target_says_how_it_is_opened_again(tmp_path):
    with pytest.raises(BadInput, match="no folder"):
        FileTarget(tmp_path / "nowhere")
    target = FileTarget(tmp_path, root="other", durable=True)
    asyncio.run(target.write({"other/a": ("x",)}, seen={}, restore={}))
    spec = dict(target.spec)
    assert spec.pop("kind") == "files" and json.loads(json.dumps(spec)) == spec
    assert dict(asyncio.run(FileTarget(**spec).read(("other",))).cells) == {"other/a": "x"}
