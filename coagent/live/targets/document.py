"""A shared document as cells: a CRDT in a file, which others edit too, and whose concurrent edits merge with ours.

Cells are those of `workloads.document`: `doc/order`, `doc/total`, `doc/sections/ID/FIELD` and `doc/rows/ID/FIELD`. In
the document these are three shared maps, `doc`, `sections` and `rows`, with a map for each section and row.
"""

import asyncio
import fcntl
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Memo, Reading, Refused
from coagent.live.targets.document_node import cell_of, digest, kept_of, put
from coagent.live.targets.path_part import name_of, part
from coagent.operation import Cell

try:
    from pycrdt import Doc, Map
except ImportError:
    raise BadInput("documents need pycrdt, which is not installed; pip install 'coagent-mtpo[live]'") from None

ROOT = "doc"
GROUPS = ("sections", "rows")
Place = tuple[str, str | None, str]
"""Where a cell is: the shared map, the section or row in it (None: in `doc` itself), and the field."""


class DocumentTarget:
    """The document in a file; no file is an empty document. The file is replaced whole, and locked meanwhile.

    Texts are shared texts, and lists shared lists: writing one edits the part that differs, so that what a peer puts in
    elsewhere stays. Other kinds that peers have made (plain strings, formats, numbers with fractions) come back as
    they were; what is no value (maps in fields, bytes) is not shown and stays. Whoever goes back to an older copy of
    the file opens a new target on it.
    """

    roots = (ROOT,)

    def __init__(self, file: str | Path) -> None:
        self._file = Path(file).absolute()
        if not self._file.parent.is_dir():
            raise BadInput("there is no such folder for a document; make it, or name another", str(self._file.parent))
        self._peer = random.SystemRandom().getrandbits(52)
        self._one = asyncio.Lock()

    @property
    def spec(self) -> Mapping[str, object]:
        """Kind and file."""
        return {"kind": "document", "file": str(self._file)}

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths, of one moment."""
        return await asyncio.to_thread(lambda: _reading(self._loaded(), tuple(dict.fromkeys(paths))))

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so: one update of the document, all or nothing. Raises Refused and Conflict."""
        await self._changed(lambda doc: _write(doc, cells, seen, restore))

    async def state(self) -> bytes:
        """What of whose edits the document has, as peers tell each other (a state vector)."""
        return await asyncio.to_thread(lambda: self._loaded().get_state())

    async def update_since(self, state: bytes | None = None) -> bytes:
        """The edits that a peer with this state lacks; all of them without one."""
        return await asyncio.to_thread(lambda: self._loaded().get_update(state))

    async def apply_update(self, update: bytes) -> None:
        """Merge a peer's edits. Raises Refused for what is no update."""
        await self._changed(lambda doc: _merge(doc, update))

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _changed(self, change: Callable[[Doc], None]) -> None:
        async with self._one:
            await asyncio.to_thread(self._change, change)

    def _change(self, change: Callable[[Doc], None]) -> None:
        with _locked(self._file):
            doc = self._loaded()
            before = doc.get_update()
            change(doc)
            after = doc.get_update()
            if after != before:
                _replace(self._file, after)

    def _loaded(self) -> Doc:
        """The document as the file has it; a document of its own each time, as it must stay in its thread."""
        doc = Doc(client_id=self._peer)
        try:
            update = self._file.read_bytes()
        except FileNotFoundError:
            return doc
        try:
            doc.apply_update(update)
        except ValueError:
            raise BadInput("this file holds no document; is it another file?", str(self._file)) from None
        return doc


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Alone among the processes that edit this file; the lock is beside it, as the file itself is replaced."""
    with file.with_name(f".{file.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f".{file.name}.new")
    with new.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _merge(doc: Doc, update: bytes) -> None:
    try:
        doc.apply_update(update)
    except ValueError:
        raise Refused("this is no update of a document") from None


def _place(path: str) -> Place | None:
    """Where the cell of this path would be; None when no cell can be there."""
    match path.split("/"):
        case ["doc", group, name, field] if group in GROUPS and "" not in (name, field):
            found = group, name_of(name), name_of(field)
        case ["doc", field] if field and field not in GROUPS:
            found = ROOT, None, name_of(field)
        case _:
            return None
    return found if _path(*found) == path else None


def _path(group: str, name: str | None, field: str) -> str:
    return f"doc/{part(field)}" if name is None else f"doc/{group}/{part(name)}/{part(field)}"


def _group(doc: Doc, group: str) -> Map:
    return doc.get(group, type=Map)


def _nodes(doc: Doc) -> tuple[dict[str, object], list[str]]:
    """Every node that is a cell, by path and sorted, and the paths of the sections and rows without any field."""
    found = {_path(ROOT, None, field): node for field, node in _group(doc, ROOT).items() if field not in GROUPS}
    empty = []
    for group in GROUPS:
        for name, holder in _group(doc, group).items():
            if isinstance(holder, Map):
                found.update({_path(group, name, field): node for field, node in holder.items()})
                empty += [] if len(holder) else [f"doc/{group}/{part(name)}"]
    return {path: found[path] for path in sorted(found) if cell_of(found[path])}, sorted(empty)


def _below(names: Sequence[str], path: str) -> list[str]:
    return [name for name in names if name == path or name.startswith(path + "/")]


def _reading(doc: Doc, paths: Sequence[str]) -> Reading:
    nodes, empty = _nodes(doc)
    memo: dict[str, object] = {}
    found: set[str] = set()
    for path in paths:
        if path.split("/")[0] != ROOT:
            raise Refused(f"there is no {path.split('/')[0]!r} here")
        within = _below(nodes, path)
        found.update(within)
        if _place(path) is None:
            memo[path + "/"] = {"members": within, "empty": _below(empty, path)}
        elif not within:
            memo[path] = {"absent": True, "empty": _below(empty, path.rpartition("/")[0])}
    memo.update({path: {"digest": digest(nodes[path]), "kept": kept_of(nodes[path])} for path in sorted(found)})
    return Reading(cells={path: cell_of(nodes[path])[0] for path in sorted(found)}, memo=memo)


def _write(doc: Doc, cells: Mapping[str, Cell], seen: Memo, restore: Memo) -> None:
    _check(_nodes(doc)[0], seen)
    empty = {path for entry in restore.values() for path in entry.get("empty", ())}
    with doc.transaction():
        for path, cell in cells.items():
            place = _place(path)
            if place is None:
                raise Refused(f"a document has no place for {path}")
            _set(doc, place, cell, restore.get(path, {}).get("kept", {}), empty)


def _check(nodes: Mapping[str, object], seen: Memo) -> None:
    for name, entry in seen.items():
        match entry:
            case {"members": list(members)}:
                as_seen = _below(nodes, name.removesuffix("/")) == members
            case {"absent": True}:
                as_seen = name not in nodes
            case {"digest": str(one)}:
                as_seen = name in nodes and digest(nodes[name]) == one
            case _:
                raise Refused("this memo is of another target")
        if not as_seen:
            raise Conflict(f"{name.removesuffix('/')} has changed since it was read")


def _set(doc: Doc, place: Place, cell: Cell, kept: Mapping[str, object], empty: set[str]) -> None:
    group, name, field = place
    shared = _group(doc, group)
    holder = shared if name is None else shared[name] if name in shared else None
    if holder is not None and not isinstance(holder, Map):
        raise Refused(f"{name!r} is no section or row here, and would be lost")
    if cell:
        if holder is None:
            shared[name] = Map()
            holder = shared[name]
        put(holder, field, cell[0], kept)
    elif holder is not None and field in holder and cell_of(holder[field]):
        del holder[field]
        if name is not None and not len(holder) and f"doc/{group}/{part(name)}" not in empty:
            del shared[name]
