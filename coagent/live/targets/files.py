"""A folder of files as cells `ROOT/PATH`: a UTF-8 file is its text, any other `("base64", DATA)`.

A symbolic link is `("symlink", TARGET)` and never followed; it is put back, and made in no other way. Permission bits
are in the memo. Names that no path can have, devices and empty folders are not shown, and left alone. Times of
files, owners and hard links are not put back.
"""

import asyncio
import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from coagent.live.target import Conflict, Memo, Reading, Refused
from coagent.live.targets.folder import Folder, Names, Node, names_of, refusing
from coagent.operation import Cell, Value
from coagent.path import ancestors

BASE64, SYMLINK = "base64", "symlink"
"""What the lists begin with that stand for files without a text, and for links."""


def value_of(kind: str, data: bytes) -> Value:
    """A file's, or link's, content as a cell has it."""
    if kind == SYMLINK:
        return (SYMLINK, data.decode("utf-8", "surrogateescape"))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return (BASE64, base64.b64encode(data).decode())


def content_of(value: Value) -> tuple[str, bytes]:
    """Kind (`file` or `symlink`) and bytes of a cell's value. Raises Refused for what no file reads as."""
    match value:
        case str():
            kind, data = "file", value.encode("utf-8", "surrogatepass")
        case ("base64", str(text)):
            try:
                kind, data = "file", base64.b64decode(text.encode(), validate=True)
            except (ValueError, binascii.Error) as error:
                raise Refused("not base64") from error
        case ("symlink", str(target)) if target and "\0" not in target:
            kind, data = SYMLINK, target.encode("utf-8", "surrogatepass")
        case _:
            raise Refused('a file holds a text, or ["base64", data]')
    if value_of(kind, data) != value:
        raise Refused("not UTF-8" if isinstance(value, str) else "a text in base64 is written as the text")
    return kind, data


def blob_name(kind: str, data: bytes, algorithm: str = "sha1") -> str:
    """The name of a content, as git names blobs; a link and a file of the same bytes have the same."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class FileTree:
    """What FileTarget does, without waiting for anything: to be called from one thread, under `folder.locked`."""

    def __init__(self, folder: Folder, root: str, name: Callable[[str, bytes], str] = blob_name) -> None:
        self.folder, self.root, self._name = folder, root, name
        self._swept = False

    def read(self, paths: Sequence[str]) -> Reading:
        """The cells at or below these paths, with what puts each of them back, also those that are not there."""
        cells: dict[str, Value] = {}
        memo: dict[str, object] = {}
        for path in paths:
            names = self._names(path)
            found = False
            for below, node in self.folder.walk(names):
                found, place = True, "/".join((self.root, *below))
                cells[place] = value_of(node.kind, node.data)
                memo[place] = self._kept(node)
            if not found and names:
                standing = self.folder.standing(names)
                memo[path] = {"id": None, "folders": [*standing.folders], "bare": standing.empty}
        return Reading(cells=cells, memo=memo)

    def check(self, seen: Memo) -> None:
        """Raises Conflict when a file is not as it was."""
        for path, kept in seen.items():
            node = self.folder.look(self._names(path))
            now = self._name(node.kind, node.data) if node and node.kind in ("file", SYMLINK) else None
            if now != kept["id"] or (node and now and node.kind != kept["kind"]):
                raise Conflict(f"{path} is not what it was")

    def write(self, cells: Mapping[str, Cell], restore: Memo, losing: Callable[[bytes], object] | None = None) -> None:
        """Let these cells be so; `losing` is told of each content, beforehand, that is no longer there then."""
        plan = self.plan(cells, restore)
        if not self._swept:
            self.folder.sweep()
            self._swept = True
        now = {path: self.folder.look(self._names(path)) for path in plan}
        for node in now.values():
            if losing and node and node.kind == "file":
                losing(node.data)
        gone = {node.data: node.mode for path, node in now.items() if node and not plan[path]}
        blocking = {path for path, node in plan.items() if not node and _in_the_way(path, plan)}
        rest = (path for path, node in plan.items() if not node and path not in blocking)
        for path in (*sorted(blocking), *(path for path, node in plan.items() if node), *rest):
            if node := plan[path]:
                self._put(path, node, self.folder.look(self._names(path)) if blocking else now[path], restore, gone)
            else:
                self._remove(path, now[path], restore)

    def plan(self, cells: Mapping[str, Cell], restore: Memo) -> dict[str, Node | None]:
        """What is to be at each path. Raises Refused, before anything has changed, for what can never be."""
        plan: dict[str, Node | None] = {}
        for path, cell in cells.items():
            names = self._names(path)
            if not names:
                raise Refused("the root is no file")
            kind, data = content_of(cell[0]) if cell else ("", b"")
            node = self.folder.look(names) if kind == SYMLINK else None
            there = node and (node.kind, node.data) == (kind, data)
            if kind == SYMLINK and not there and restore.get(path, {}).get("id") != self._name(kind, data):
                raise Refused("symbolic links are not made")
            plan[path] = Node(kind=kind, data=data, mode=0) if cell else None
        for path, node in plan.items():
            if node and any(plan.get(folder) for folder in ancestors(path)):
                raise Refused("a file is where a folder would be")
        return plan

    def _put(self, path: str, node: Node, now: Node | None, restore: Memo, gone: Mapping[bytes, int]) -> None:
        """A file keeps its permission bits; one that moves takes them along; one put back has those it had."""
        names, kept = self._names(path), restore.get(path, {})
        if now and now.kind in ("folder", "other"):
            raise Refused("a folder is there" if now.kind == "folder" else "what is there is no file")
        mode = kept.get("mode") if kept.get("id") else now.mode if now and now.kind == "file" else gone.get(node.data)
        if now and (now.kind, now.data) == (node.kind, node.data):
            if node.kind == "file" and mode is not None and mode != now.mode:
                self.folder.chmod(names, mode)
            return
        made = Node(kind=node.kind, data=node.data, mode=0, folders=tuple(kept.get("folders", ())))
        self.folder.put(names, made, mode=mode)

    def _remove(self, path: str, now: Node | None, restore: Memo) -> None:
        """Folders go with their last file, but not one that was empty already before there was any."""
        names, kept = self._names(path), restore.get(path, {})
        if now and now.kind in ("folder", "other"):
            return
        bare = kept["folders"] if kept.get("bare") else ()
        self.folder.remove(names, keep=len(bare))
        if bare:
            self.folder.stand(names, bare)

    def _kept(self, node: Node) -> dict[str, object]:
        name = self._name(node.kind, node.data)
        return {"id": name, "kind": node.kind, "mode": node.mode, "folders": [*node.folders]}

    def _names(self, path: str) -> Names:
        if path == self.root:
            return ()
        if not path.startswith(f"{self.root}/"):
            raise Refused(f"not below {self.root}")
        return names_of(path[len(self.root) + 1 :])


def _in_the_way(path: str, plan: Mapping[str, Node | None]) -> bool:
    """Whether what goes makes room for what comes: a file for a folder, or the other way round."""
    above = {*ancestors(path)}
    return any(node and (other in above or path in ancestors(other)) for other, node in plan.items())


class FileTarget:
    """The files below a folder as cells. `durable` waits for the disk at each write.

    Raises BadInput when there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str], root: str = "repo", *, durable: bool = False) -> None:
        self.roots = (root,)
        self._folder = Folder(folder, durable=durable)
        self._tree = FileTree(self._folder, root)

    @property
    def spec(self) -> Mapping[str, object]:
        """Kind, folder, root."""
        return {
            "kind": "files",
            "folder": str(self._folder.place),
            "root": self.roots[0],
            "durable": self._folder.durable,
        }

    async def read(self, paths: Sequence[str]) -> Reading:
        """The files at or below these paths. Raises Refused for paths that leave the folder, or meet a link."""
        return await asyncio.to_thread(self._do, True, partial(self._tree.read, paths))

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these files be so, each in one step. A change from outside between look and step is not noticed."""
        await asyncio.to_thread(self._do, False, partial(self._write, cells, seen, restore))

    async def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def _write(self, cells: Mapping[str, Cell], seen: Memo, restore: Memo) -> None:
        self._tree.plan(cells, restore)
        self._tree.check(seen)
        self._tree.write(cells, restore)

    def _do(self, shared: bool, does: Callable[[], Reading | None]) -> Reading | None:
        with refusing(), self._folder.locked(shared=shared):
            return does()
