"""What a git repository keeps, by plain git: blobs, trees, the index, and the first-parent history of HEAD.

Objects are remembered, for they never change. Knows nothing of cells, and never looks at the working tree.
"""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Refused
from coagent.live.targets.git_process import GitFailed, git

PLAIN, EXECUTABLE, LINK, FOLDER, MODULE = "100644", "100755", "120000", "40000", "160000"
"""The modes of entries: a file, one that can be run, a symbolic link, a tree, a commit of another repository."""

REMEMBERED_BYTES = 64_000_000
"""Of objects; all are forgotten when there are more."""

LOCK_WAIT_S = 2.0
"""How long to wait for somebody else's git that is changing the index."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree or of the index: its mode, and the name of its blob."""

    mode: str
    blob: str


Tree = Mapping[str, Entry]
"""Entries by path; names that are not UTF-8 with surrogate escapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit's name, its author's name, and the name of its tree."""

    name: str
    author: str
    tree: str


class Store:
    """The repository whose working tree is `root`. Raises BadInput when that is none."""

    def __init__(self, root: Path, date: str | None) -> None:
        if not (root / ".git").exists():
            raise BadInput(f"{root} is no git repository; run `git init` there, or name another folder")
        self.root = root
        self._date = date
        self._place = {"GIT_DIR": str(root / ".git"), "GIT_WORK_TREE": str(root)}
        self._objects: dict[str, tuple[str, bytes]] = {}
        self._bytes = 0
        self._histories: dict[str, tuple[str, ...]] = {}
        self.algorithm = self._ask("rev-parse", "--show-object-format")

    def objects(self, names: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """Type and content of each object that there is."""
        wanted = dict.fromkeys(names)
        found = {name: known for name in wanted if (known := self._objects.get(name))}
        missing = [name for name in wanted if name not in found]
        if missing:
            said, place = self._git("cat-file", "--batch", given="".join(f"{name}\n" for name in missing).encode()), 0
            for name in missing:
                end = said.index(b"\n", place)
                match said[place:end].split():
                    case [_, kind, size]:
                        data = said[end + 1 : end + 1 + int(size)]
                        found[name] = (kind.decode(), data)
                        self._remember(name, found[name])
                        place = end + int(size) + 2
                    case _:
                        place = end + 1
        return found

    def keep(self, name: str, data: bytes) -> None:
        """Let there be a blob with this content, of this name."""
        if self.objects([name]):
            return
        made = self._ask("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin", given=data)
        if made != name:
            raise GitFailed(f"git calls a content {made} that is {name}")
        self._remember(name, ("blob", data))

    def trees(self, names: Iterable[str]) -> dict[str, dict[str, Entry]]:
        """The entries of trees, those of the trees in them included; a missing object raises GitFailed."""
        lists: dict[str, list[tuple[str, Entry]]] = {}
        wanted = {*names}
        asked = wanted
        while asked:
            found = self.objects(sorted(asked))
            if lost := asked - {*found}:
                raise GitFailed(f"the tree {min(lost)} is missing")
            lists.update((name, _entries(data, len(name) // 2)) for name, (_, data) in found.items())
            asked = {one.blob for name in asked for _, one in lists[name] if one.mode == FOLDER} - {*lists}
        flat: dict[str, dict[str, Entry]] = {}
        return {name: _flat(name, lists, flat) for name in wanted}

    def index(self) -> dict[str, Entry]:
        """The entries of the index. Raises Refused while a merge has left some unresolved."""
        found = {}
        for line in self._git("ls-files", "-s", "-z").split(b"\0")[:-1]:
            what, _, path = line.partition(b"\t")
            mode, blob, stage = what.decode().split()
            if stage != "0":
                raise Refused("the index has unresolved conflicts")
            found[path.decode("utf-8", "surrogateescape")] = Entry(mode, blob)
        return found

    def set_index(self, entries: Mapping[str, Entry | None]) -> None:
        """Let the index have these entries, or not, in one step."""
        self._update(entries, {})

    def head(self) -> tuple[str, str | None]:
        """The name of the current branch, or `HEAD` when there is none, and of its last commit, if any."""
        branch = self._ask("symbolic-ref", "-q", "HEAD", expected=(0, 1)) or "HEAD"
        return branch, self._ask("rev-parse", "-q", "--verify", "HEAD^{commit}", expected=(0, 1)) or None

    def history(self, tip: str | None) -> tuple[Commit, ...]:
        """The commits from the first to `tip` by first parents. Raises GitFailed when one is missing."""
        if tip is None:
            return ()
        if tip not in self._histories:
            said = self._ask("rev-list", "--first-parent", "--reverse", "--end-of-options", tip)
            self._histories = {**dict([*self._histories.items()][-1:]), tip: tuple(said.split())}
        names = self._histories[tip]
        found = self.objects(names)
        return tuple(_commit(name, found[name][1]) for name in names)

    def has_commit(self, name: str) -> bool:
        """Whether there is such a commit."""
        return self.objects([name]).get(name, ("",))[0] == "commit"

    def commit(self, entries: Tree, author: str, parent: str | None, message: str) -> str:
        """Make a commit, which no branch has yet."""
        with TemporaryDirectory(prefix="coagent-") as folder:
            beside = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._update(entries, beside)
            tree = self._ask("write-tree", environment=beside)
        who = {"GIT_AUTHOR_NAME": author, "GIT_COMMITTER_NAME": author}
        now = self._date or f"@{int(time.time())} +0000"
        when = {"GIT_AUTHOR_DATE": now, "GIT_COMMITTER_DATE": now}
        parents = ("-p", parent) if parent else ()
        return self._ask("commit-tree", tree, *parents, given=message.encode(), environment={**who, **when})

    def move(self, new: str | None, old: str | None) -> None:
        """Let HEAD's branch end in `new` instead of `old`. Raises Conflict when it does not end in `old`."""
        nothing = "0" * (40 if self.algorithm == "sha1" else 64)
        words = (("-m", "coagent", "HEAD", new) if new else ("-d", "HEAD"), (old or nothing,))
        try:
            self._git("update-ref", *words[0], *words[1])
        except GitFailed as error:
            if self.head()[1] != old:
                raise Conflict("the branch has moved") from error
            raise

    def _update(self, entries: Mapping[str, Entry | None], environment: Mapping[str, str]) -> None:
        gone = "0" * (40 if self.algorithm == "sha1" else 64)
        lines = [
            f"{entry.mode} {entry.blob} 0\t{path}\0" if entry else f"0 {gone}\t{path}\0"
            for path, entry in sorted(entries.items(), key=lambda pair: (pair[1] is not None, pair[0]))
        ]
        given, end = "".join(lines).encode("utf-8", "surrogateescape"), time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                self._git("update-index", "-z", "--index-info", given=given, environment=environment)
                return
            except GitFailed as error:
                if "index.lock" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _remember(self, name: str, what: tuple[str, bytes]) -> None:
        if self._bytes > REMEMBERED_BYTES:
            self._objects, self._bytes = {}, 0
        self._objects[name] = what
        self._bytes += len(what[1])

    def _git(self, *words: str, environment: Mapping[str, str] | None = None, **given) -> bytes:
        return git(self.root, *words, environment={**self._place, **(environment or {})}, **given)

    def _ask(self, *words: str, **given) -> str:
        return self._git(*words, **given).decode().strip()


def _entries(data: bytes, size: int) -> list[tuple[str, Entry]]:
    """The entries of one tree object, whose names of objects are `size` bytes long."""
    found, place = [], 0
    while place < len(data):
        end = data.index(b"\0", place)
        mode, _, name = data[place:end].partition(b" ")
        place = end + 1 + size
        found.append((name.decode("utf-8", "surrogateescape"), Entry(mode.decode(), data[end + 1 : place].hex())))
    return found


def _flat(name: str, lists: Mapping[str, list], flat: dict[str, dict[str, Entry]]) -> dict[str, Entry]:
    if name not in flat:
        flat[name] = {}
        for part, entry in lists[name]:
            if entry.mode == FOLDER:
                flat[name].update((f"{part}/{path}", one) for path, one in _flat(entry.blob, lists, flat).items())
            else:
                flat[name][part] = entry
    return flat[name]


def _commit(name: str, data: bytes) -> Commit:
    head = data.partition(b"\n\n")[0]
    tree = re.search(rb"^tree ([0-9a-f]+)$", head, re.MULTILINE)
    author = re.search(rb"^author (.*?) ?<", head, re.MULTILINE)
    return Commit(name=name, author=author[1].decode("utf-8", "replace"), tree=tree[1].decode())
