"""A git repository as cells: the working tree `repo/FILE`, the index `index/FILE`, commits `commits/NNNN/...`.

Commits are those of the current branch by first parents, `author` and `tree/FILE`, numbered from the first. Only the
last can be added, changed or taken away, by moving the branch; objects stay, so that old versions can be read by their
names. Contents are as in `coagent.live.targets.files`; the index and commits may also have `("module", COMMIT)`.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from coagent.live.target import Conflict, Gone, Memo, Reading, Refused
from coagent.live.targets.files import FileTree, blob_name, content_of, value_of
from coagent.live.targets.folder import Folder, names_of, refusing, why_not
from coagent.live.targets.git_process import GitFailed
from coagent.live.targets.git_store import EXECUTABLE, LINK, MODULE, PLAIN, Commit, Entry, Store, Tree
from coagent.live.targets.git_tool import COMMITS, INDEX, numbered
from coagent.live.targets.git_tree import REPO
from coagent.operation import Cell, Value
from coagent.path import ancestors

_EDGES = " .,:;<>\"\\'"
"""What git takes off the ends of a name."""

Wanted = Mapping[str, tuple[str, bytes]]
"""Kind and content by file."""


class GitTarget:
    """A repository, whose working tree is `folder`. `date` is that of every commit (None: the time it is made).

    Raises BadInput when the folder is no repository, or git is not installed.
    """

    roots = (REPO, INDEX, COMMITS)

    def __init__(self, folder: str | os.PathLike[str], *, date: str | None = None, durable: bool = False) -> None:
        self._folder = Folder(folder, durable=durable)
        self._date = date
        try:
            self._store = Store(self._folder.place, date)
        except BaseException:
            self._folder.close()
            raise
        self._files = FileTree(self._folder, REPO, self._blob)

    @property
    def spec(self) -> Mapping[str, object]:
        """Kind, folder, date."""
        return {
            "kind": "git",
            "folder": str(self._folder.place),
            "date": self._date,
            "durable": self._folder.durable,
        }

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths. Raises Refused for paths that leave the folder, or meet a link."""
        return await asyncio.to_thread(self._do, True, partial(self._read, paths))

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so: files, then the index, then commits. Whatever a file held before is kept as a blob."""
        await asyncio.to_thread(self._do, False, partial(self._write, cells, seen, restore))

    async def read_at(self, path: str, memo: Memo) -> Cell:
        """The cell as it was then; for a path that this reading did not ask for, `()`. Raises Gone, Refused."""
        return await asyncio.to_thread(self._do, True, partial(self._read_at, path, memo))

    async def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def _do(self, shared: bool, does: Callable):
        with refusing(), self._folder.locked(shared=shared):
            return does()

    def _read(self, paths: Sequence[str]) -> Reading:
        parts = [_parts(path) for path in dict.fromkeys(paths)]
        asked = {root: [path for first, path in parts if first == root] for root in self.roots}
        files = self._files.read(["/".join((REPO, *path)) for path in asked[REPO]])
        staged = self._read_index(asked[INDEX]) if asked[INDEX] else Reading(cells={})
        commits = self._read_commits(asked[COMMITS]) if asked[COMMITS] else Reading(cells={})
        return Reading(
            cells={**files.cells, **staged.cells, **commits.cells}, memo={**files.memo, **staged.memo, **commits.memo}
        )

    def _read_index(self, asked: list[tuple[str, ...]]) -> Reading:
        index = _speakable(self._store.index())
        found = {file: entry for path in asked for file, entry in index.items() if _below(file, "/".join(path))}
        memo = {f"{INDEX}/{file}": [entry.mode, entry.blob] for file, entry in found.items()}
        missing = (f"{INDEX}/{'/'.join(path)}" for path in asked if path and "/".join(path) not in found)
        cells = {f"{INDEX}/{file}": value for file, value in self._values(found).items()}
        return Reading(cells=cells, memo={**dict.fromkeys(missing), **memo})

    def _read_commits(self, asked: list[tuple[str, ...]]) -> Reading:
        branch, tip = self._store.head()
        history = self._store.history(tip)
        paths = [path for path in asked if not path or path[0].isdigit()]
        numbers = [n for n in range(len(history)) if any(not path or path[0] == numbered(n) for path in paths)]
        trees = self._store.trees(history[n].tree for n in numbers)
        wanted: dict[str, Entry] = {}
        cells: dict[str, Value] = {}
        for n in numbers:
            name, commit = numbered(n), history[n]
            ours = ["/".join(path[1:]) for path in paths if not path or path[0] == name]
            if any(_below("author", path) for path in ours):
                cells[f"{COMMITS}/{name}/author"] = commit.author
            for file, entry in _speakable(trees[commit.tree]).items():
                if any(_below(f"tree/{file}", path) for path in ours):
                    wanted[f"{COMMITS}/{name}/tree/{file}"] = entry
        return Reading(cells={**cells, **self._values(wanted)}, memo={COMMITS: {"branch": branch, "tip": tip}})

    def _values(self, entries: Tree) -> dict[str, Value]:
        objects = self._store.objects(entry.blob for entry in entries.values() if entry.mode != MODULE)
        if lost := [path for path, entry in entries.items() if entry.mode != MODULE and entry.blob not in objects]:
            raise GitFailed(f"the blob of {lost[0]} is missing")
        return {
            path: ("module", entry.blob)
            if entry.mode == MODULE
            else value_of("symlink" if entry.mode == LINK else "file", objects[entry.blob][1])
            for path, entry in entries.items()
        }

    def _write(self, cells: Mapping[str, Cell], seen: Memo, restore: Memo) -> None:
        parts = {path: _parts(path) for path in cells}
        files = {path: cell for path, cell in cells.items() if parts[path][0] == REPO}
        staged = {"/".join(parts[path][1]): cell for path, cell in cells.items() if parts[path][0] == INDEX}
        commits = {parts[path][1]: cell for path, cell in cells.items() if parts[path][0] == COMMITS}
        self._files.plan(files, restore)
        wanted = {file: _content(cell[0]) if cell else None for file, cell in staged.items()}
        changes = {
            path: _content(cell[0]) if cell and path[1:2] == ("tree",) else cell for path, cell in commits.items()
        }
        for path in commits:
            _check_place(path)
        self._check(seen)
        if files:
            self._files.write(files, restore, lambda data: self._store.keep(self._blob("file", data), data))
        if wanted:
            self._write_index(wanted, restore)
        if changes:
            self._write_commits(changes, restore.get(COMMITS, {}))

    def _check(self, seen: Memo) -> None:
        self._files.check({path: kept for path, kept in seen.items() if path.startswith(f"{REPO}/")})
        staged = {path: kept for path, kept in seen.items() if path.startswith(f"{INDEX}/")}
        index = self._store.index() if staged else {}
        for path, kept in staged.items():
            entry = index.get(path.removeprefix(f"{INDEX}/"))
            if (entry and [entry.mode, entry.blob]) != kept:
                raise Conflict(f"{path} is not what it was")
        if COMMITS in seen and {**seen[COMMITS]} != dict(zip(("branch", "tip"), self._store.head(), strict=True)):
            raise Conflict("the branch has moved")

    def _write_index(self, wanted: Mapping[str, tuple[str, bytes] | None], restore: Memo) -> None:
        index = self._store.index()
        after = ({*index} | {file for file, what in wanted.items() if what}) - {f for f, w in wanted.items() if not w}
        for file in after:
            if any(folder in after for folder in ancestors(file)):
                raise Refused("a file is where a folder would be")
        entries: dict[str, Entry | None] = {}
        for file, what in wanted.items():
            if what is None:
                entries[file] = None
            else:
                kept = restore.get(f"{INDEX}/{file}")
                entries[file] = self._entry(file, what, Entry(*kept) if kept else index.get(file))
        changed = {file: entry for file, entry in entries.items() if index.get(file) != entry}
        if changed:
            self._store.set_index(changed)

    def _entry(self, file: str, what: tuple[str, bytes], last: Entry | None) -> Entry:
        """The entry of a content, its blob being there: a file that could be run still can, as on disk if it is new."""
        kind, data = what
        if kind == "module":
            return Entry(MODULE, data.decode())
        blob = self._blob(kind, data)
        self._store.keep(blob, data)
        if kind == "symlink":
            return Entry(LINK, blob)
        if last and last.mode in (PLAIN, EXECUTABLE):
            return Entry(last.mode, blob)
        node = self._folder.look(tuple(file.split("/")))
        runs = node and node.kind == "file" and node.data == data and node.mode & 0o100
        return Entry(EXECUTABLE if runs else PLAIN, blob)

    def _write_commits(self, changes: Mapping[tuple[str, ...], object], kept: Memo) -> None:
        branch, tip = self._store.head()
        history = self._store.history(tip)
        if kept and kept["branch"] != branch:
            raise Conflict(f"the branch is not {kept['branch']} any more")
        last = max(int(path[0]) for path in changes)
        now = self._contents(history, min(len(history), min(int(path[0]) for path in changes)))
        after = {path: what for path, what in {**now, **changes}.items() if what}
        if after == now:
            return
        first = min(int(path[0]) for path in changes if now.get(path) != after.get(path))
        numbers = sorted({int(path[0]) for path in after if int(path[0]) >= first})
        if numbers != [*range(first, first + len(numbers))] or first > len(history):
            raise Conflict("a commit was made after it") if last < len(history) - 1 else Refused("a number is left out")
        if numbers and first < len(history) - 1:
            raise Refused("only the last commit can change")
        if kept and self._is(kept["tip"], first, numbers, after, history):
            self._store.move(kept["tip"], tip)
            return
        made = history[first - 1].name if first else None
        for number in numbers:
            made = self._commit(number, after, made)
        self._store.move(made, tip)

    def _commit(self, number: int, cells: Mapping[tuple[str, ...], object], parent: str | None) -> str:
        name = numbered(number)
        [author] = cells.get((name, "author")) or [None]
        if not isinstance(author, str) or not author or author.strip(_EDGES) != author or {*"<>\n\0"} & {*author}:
            raise Refused("a commit has an author, whose name git can keep")
        index = self._store.index()
        before = self._store.trees([self._store.history(parent)[-1].tree]).popitem()[1] if parent else {}
        files = {"/".join(path[2:]): what for path, what in cells.items() if path[0] == name and path[1] == "tree"}
        entries = {file: self._entry(file, what, index.get(file, before.get(file))) for file, what in files.items()}
        hidden = {file: entry for file, entry in index.items() if file not in _speakable(index)}
        return self._store.commit({**hidden, **entries}, author, parent, f"Commit {name} by {author}\n")

    def _contents(self, history: Sequence[Commit], since: int) -> dict[tuple[str, ...], object]:
        """The commits from a number on, as they are compared: (number, `author`), (number, `tree`, part, part, ...)."""
        trees = self._store.trees(commit.tree for commit in history[since:])
        found: dict[tuple[str, ...], object] = {}
        for number, commit in enumerate(history[since:], start=since):
            found[numbered(number), "author"] = (commit.author,)
            tree = _speakable(trees[commit.tree])
            for file, value in self._values(tree).items():
                found[numbered(number), "tree", *file.split("/")] = _content(value)
        return found

    def _is(self, tip: str | None, first: int, numbers: list[int], after: Mapping, history: Sequence[Commit]) -> bool:
        """Whether the history that ended in `tip` is what is asked for."""
        if tip is not None and not self._store.has_commit(tip):
            return False
        old = self._store.history(tip)
        same = [one.name for one in old[:first]] == [one.name for one in history[:first]]
        wanted = {path: what for path, what in after.items() if int(path[0]) >= first}
        return same and len(old) == first + len(numbers) and self._contents(old, first) == wanted

    def _read_at(self, path: str, memo: Memo) -> Cell:
        root, parts = _parts(path)
        file = "/".join(parts)
        if root == COMMITS:
            return self._commit_at(parts, memo)
        kept = memo.get(path)
        if not kept or (root == REPO and kept["id"] is None):
            return ()
        kind, blob = (kept["kind"], kept["id"]) if root == REPO else ("symlink" if kept[0] == LINK else "file", kept[1])
        if root == INDEX and kept[0] == MODULE:
            return (("module", blob),)
        node = self._folder.look(parts) if root == REPO else None
        if node and (node.kind, self._blob(node.kind, node.data)) == (kind, blob):
            return (value_of(node.kind, node.data),)
        found = self._store.objects([blob])
        if not found:
            raise Gone(f"{file} was changed by somebody who did not keep what it held")
        return (value_of(kind, found[blob][1]),)

    def _commit_at(self, parts: tuple[str, ...], memo: Memo) -> Cell:
        tip = memo[COMMITS]["tip"] if COMMITS in memo else None
        if tip is not None and not self._store.has_commit(tip):
            raise Gone("the commit is not kept any more")
        history = self._store.history(tip)
        _check_place(parts)
        if int(parts[0]) >= len(history):
            return ()
        commit = history[int(parts[0])]
        if parts[1] == "author":
            return (commit.author,)
        tree = self._store.trees([commit.tree])[commit.tree]
        entry = tree.get("/".join(parts[2:]))
        return (self._values({"": entry})[""],) if entry else ()

    def _blob(self, kind: str, data: bytes) -> str:
        return blob_name(kind, data, self._store.algorithm)


def _parts(path: str) -> tuple[str, tuple[str, ...]]:
    """The root of a path, and the parts below. Raises Refused."""
    root, _, below = path.partition("/")
    if root not in GitTarget.roots:
        raise Refused(f"not below {', '.join(GitTarget.roots)}")
    return root, names_of(below) if path != root else ()


def _check_place(parts: tuple[str, ...]) -> None:
    name = parts[0] if parts else ""
    ours = name.isascii() and name.isdigit() and numbered(int(name)) == name
    if not (ours and (parts[1:] == ("author",) or (parts[1:2] == ("tree",) and len(parts) > 2))):
        raise Refused("a commit is a number, with an author and a tree")


def _content(value: Value) -> tuple[str, bytes]:
    match value:
        case ("module", str(name)) if name.isalnum() and len(name) in (40, 64):
            return "module", name.encode()
        case _:
            return content_of(value)


def _below(path: str, asked: str) -> bool:
    return not asked or path == asked or path.startswith(f"{asked}/")


def _speakable(tree: Tree) -> dict[str, Entry]:
    """The entries whose names a path can have."""
    return {file: entry for file, entry in tree.items() if not any(map(why_not, file.split("/")))}
