"""A folder of files that no path leaves: names are checked, links are never followed, a file is there whole or not.

Every step down is from an open folder to a name in it, so that nobody can put a link in the way in between. Knows
neither cells nor what is captured.
"""

import errno
import fcntl
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.target import Refused

Names = tuple[str, ...]
"""A path as its parts."""

UNFINISHED = ".coagent-"
"""How the names of files begin that are being written."""

_TEMPORARY = re.compile(re.escape(UNFINISHED) + r"[0-9a-f]{16}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_REFUSALS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "read-only",
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "no space is left",
    errno.ENAMETOOLONG: "a name is too long",
    errno.EISDIR: "a folder is there",
    errno.ELOOP: "a symbolic link is in the way",
}
LONGEST = 255
"""Bytes of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What is at a path: a `file` with its bytes, a `symlink` with its target, a `folder`, or something `other`.

    `mode` are the permission bits; `folders` are those of the folders above it, from the top.
    """

    kind: str
    mode: int
    data: bytes = b""
    folders: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The permission bits of the folders above a path that are there, from the top; whether the last one is empty."""

    folders: tuple[int, ...]
    empty: bool


def why_not(name: str) -> str | None:
    """Why a name can be no part of a path, or None when it can."""
    plain = "".join(letter for letter in name if unicodedata.category(letter) != "Cf").casefold().rstrip(". ")
    if name in ("", ".", ".."):
        return "a path stays below its root, without empty parts, '.' and '..'"
    if plain.partition(":")[0] in (".git", "git~1"):
        return "git's own folder is no part of the tree"
    if name[0] in "-:":
        return "a name that begins with '-' or ':' reads as an option"
    if name.startswith(UNFINISHED):
        return f"names that begin with {UNFINISHED!r} are those of unfinished writes"
    if "\\" in name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return "a name has no control characters, no backslash, and is UTF-8"
    return "a name is too long" if len(name.encode()) > LONGEST else None


def names_of(path: str) -> Names:
    """The parts of a path below a root. Raises Refused for what could lead out of it, or would be read otherwise."""
    names = tuple(path.split("/"))
    for name in names:
        if word := why_not(name):
            raise Refused(word)
    return names


@contextmanager
def refusing() -> Iterator[None]:
    """Says what the file system says for good as Refused; whatever else it says leaves open what happened."""
    try:
        yield
    except OSError as error:
        if word := _REFUSALS.get(error.errno):
            raise Refused(word) from error
        raise


class Folder:
    """An open folder and what is below it. Raises BadInput when there is no such folder."""

    def __init__(self, place: str | os.PathLike[str], *, durable: bool = False) -> None:
        self.place = Path(place).resolve()
        self.durable = durable
        try:
            self._root = os.open(self.place, _FOLDER)
        except OSError as error:
            raise BadInput(f"{self.place} is no folder that can be opened; make it, or name another") from error

    def close(self) -> None:
        """Let go of the folder."""
        if self._root >= 0:
            os.close(self._root)
        self._root = -1

    @contextmanager
    def locked(self, *, shared: bool) -> Iterator[None]:
        """Alone among all processes that ask, or with other readers only; a killed process lets go."""
        held = os.open(".", _FOLDER, dir_fd=self._root)
        try:
            fcntl.flock(held, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)

    def look(self, names: Names) -> Node | None:
        """What is at a path, if anything. Raises Refused when a link is in the way."""
        with self._opened(names[:-1]) as (folder, modes):
            return _node(folder, names[-1], modes) if len(modes) == len(names) - 1 else None

    def standing(self, names: Names) -> Standing:
        """The folders above a path."""
        with self._opened(names[:-1]) as (folder, modes):
            return Standing(folders=modes, empty=not [one for one in os.listdir(folder) if not _is_temporary(one)])

    def walk(self, names: Names = ()) -> Iterator[tuple[Names, Node]]:
        """The files and links at or below a path, sorted; what has a name that no path can have is left out."""
        node = self.look(names) if names else None
        if node and node.kind in ("file", "symlink"):
            yield names, node
        elif not names or (node and node.kind == "folder"):
            with self._opened(names) as (folder, modes):
                if len(modes) == len(names):
                    yield from _below(folder, names, modes)

    def put(self, names: Names, node: Node, *, mode: int | None) -> None:
        """Let a file or link be there, in one step, and the folders above it; `mode` None leaves the usual bits."""
        with self._opened(names[:-1], make=node.folders) as (folder, _):
            temporary = f"{UNFINISHED}{secrets.token_hex(8)}"
            try:
                if node.kind == "symlink":
                    os.symlink(os.fsdecode(node.data), temporary, dir_fd=folder)
                else:
                    self._fill(temporary, folder, node.data, mode)
                os.rename(temporary, names[-1], src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                _unlink(temporary, folder)
                raise
            if self.durable:
                os.fsync(folder)

    def remove(self, names: Names, *, keep: int = 0) -> None:
        """Let nothing be there, nor folders above it that are empty then, but for the `keep` topmost of them."""
        with self._opened(names[:-1]) as (folder, modes):
            if len(modes) == len(names) - 1:
                _unlink(names[-1], folder)
        for depth in range(len(modes), keep, -1):
            with self._opened(names[: depth - 1]) as (folder, _):
                try:
                    os.rmdir(names[depth - 1], dir_fd=folder)
                except OSError as error:
                    if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                        return
                    if error.errno not in _ABSENT:
                        raise

    def stand(self, names: Names, folders: Sequence[int]) -> None:
        """Let the topmost folders above a path be there, with these permission bits where they are made."""
        with self._opened(names[: len(folders)], make=tuple(folders)):
            pass

    def chmod(self, names: Names, mode: int) -> None:
        """Set the permission bits of a file that is there."""
        with self._opened(names[:-1]) as (folder, _):
            file = os.open(names[-1], _FILE, dir_fd=folder)
            try:
                os.fchmod(file, mode)
            finally:
                os.close(file)

    def sweep(self) -> None:
        """Remove what killed writes have left behind; to be called alone (`locked`)."""
        _sweep(self._root)

    def _fill(self, name: str, folder: int, data: bytes, mode: int | None) -> None:
        file = os.open(name, _NEW, 0o666, dir_fd=folder)
        with open(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            if mode is not None:
                os.fchmod(file, mode)
            if self.durable:
                os.fsync(file)

    @contextmanager
    def _opened(self, names: Names, make: tuple[int, ...] | None = None) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The folder at a path, or the nearest one above it that is there, and the bits of those on the way."""
        folder, modes = os.dup(self._root), []
        try:
            for depth, name in enumerate(names):
                below = _step(folder, name, make, depth)
                if below is None:
                    break
                os.close(folder)
                folder = below
                modes.append(stat.S_IMODE(os.fstat(folder).st_mode))
            yield folder, tuple(modes)
        finally:
            os.close(folder)


def _step(folder: int, name: str, make: tuple[int, ...] | None, depth: int) -> int | None:
    """The folder of this name in a folder, made when it may be; None when it is not there."""
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno not in (*_ABSENT, errno.ELOOP):
            raise
    node = _kind(folder, name)
    if node == "symlink":
        raise Refused("a symbolic link is in the way")
    if make is None:
        return None
    if node:
        raise Refused("a file is where a folder would be")
    os.mkdir(name, dir_fd=folder)
    below = os.open(name, _FOLDER, dir_fd=folder)
    if depth < len(make):
        os.fchmod(below, make[depth])
    return below


def _kind(folder: int, name: str) -> str | None:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISLNK, "symlink"), (stat.S_ISDIR, "folder"))
    return next((kind for test, kind in kinds if test(mode)), "other")


def _node(folder: int, name: str, modes: tuple[int, ...]) -> Node | None:
    match _kind(folder, name):
        case None:
            return None
        case "file":
            with open(os.open(name, _FILE, dir_fd=folder), "rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                kind = "file" if stat.S_ISREG(mode) else "other"
                data = stream.read() if kind == "file" else b""
            return Node(kind=kind, mode=stat.S_IMODE(mode), data=data, folders=modes)
        case "symlink":
            return Node(kind="symlink", mode=0, data=os.fsencode(os.readlink(name, dir_fd=folder)), folders=modes)
        case kind:
            return Node(kind=kind, mode=0, folders=modes)


def _below(folder: int, names: Names, modes: tuple[int, ...]) -> Iterator[tuple[Names, Node]]:
    for name in sorted(os.listdir(folder)):
        node = None if why_not(name) else _node(folder, name, modes)
        if node and node.kind in ("file", "symlink"):
            yield (*names, name), node
        elif node and node.kind == "folder" and (below := _step(folder, name, None, 0)) is not None:
            try:
                yield from _below(below, (*names, name), (*modes, stat.S_IMODE(os.fstat(below).st_mode)))
            finally:
                os.close(below)


def _sweep(folder: int) -> None:
    for name in os.listdir(folder):
        kind = _kind(folder, name)
        if _is_temporary(name) and kind in ("file", "symlink"):
            _unlink(name, folder)
        elif kind == "folder" and name != ".git" and (below := _step(folder, name, None, 0)) is not None:
            try:
                _sweep(below)
            finally:
                os.close(below)


def _is_temporary(name: str) -> bool:
    return _TEMPORARY.fullmatch(name) is not None


def _unlink(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
