"""Folders that chance makes, edits of them, and what is really on the disk, by another way than a target's own."""

import base64
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from hypothesis import strategies as st

from coagent.path import ancestors

NAMES = ("a", "b", "c.py", "é f")
PATHS = tuple("/".join(parts) for parts in [(a,) for a in NAMES] + [(a, b) for a in NAMES[:2] for b in NAMES])
DEEP = (*PATHS, "a/b/a", "a/b/c.py", "b/a/b/a")

texts = st.sampled_from(["", "one\n", "two\r\n", "ü\n", "no end", "one\n" * 3])
binary = st.sampled_from([b"\xff\xfe", b"\x00\x80", b"\xc3("])


def shown(data: bytes) -> object:
    """A content as a cell has it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ("base64", base64.b64encode(data).decode())


contents = st.one_of(texts.map(str.encode), binary)
modes = st.sampled_from([0o644, 0o755, 0o600, 0o640])
trees = st.dictionaries(st.sampled_from(DEEP), st.tuples(contents, modes), max_size=6).map(
    lambda tree: {path: what for path, what in tree.items() if not any(one in tree for one in ancestors(path))}
)
edits = st.dictionaries(
    st.sampled_from(DEEP), st.one_of(st.just(()), contents.map(lambda data: (shown(data),))), min_size=1, max_size=5
)


def fits(held: Iterable[str], changes: Mapping[str, tuple], folders: Iterable[str] = ()) -> bool:
    """Whether a folder can hold what the changes lead to: no file is a folder too."""
    after = {*held, *(path for path, cell in changes.items() if cell)} - {p for p, cell in changes.items() if not cell}
    put = {path for path, cell in changes.items() if cell}
    empty = {one for folder in folders for one in (folder, *ancestors(folder))}
    return not put & empty and not any(one in after for path in after for one in ancestors(path))


def make(root: Path, tree: Mapping[str, tuple[bytes, int]], folders: Iterable[str] = ()) -> None:
    """Write files with their permission bits, and empty folders."""
    for path, (data, mode) in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
        (root / path).chmod(mode)
    for folder in folders:
        (root / folder).mkdir(parents=True)


def on_disk(root: Path) -> dict[str, tuple]:
    """Every file, link and folder, but git's, with its bits and bytes."""
    found: dict[str, tuple] = {}
    for folder, below, files in os.walk(root):
        below[:] = [one for one in below if one != ".git"]
        for name in (*below, *files):
            place = Path(folder) / name
            status = place.lstat()
            held = os.readlink(place) if place.is_symlink() else place.read_bytes() if place.is_file() else b""
            kind, bits = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
            found[str(place.relative_to(root))] = (kind, bits, held)
    return found
