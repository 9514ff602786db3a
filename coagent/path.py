"""Objects are slash paths, and two paths overlap when one is a prefix of the other.

Decides nothing else: what a path holds is the store's business. (P1 has a flat partition of
objects; the tree is this project's reading, so that a listing conflicts with every member.)
"""

from collections.abc import Iterable
from functools import lru_cache

from immutables import Map


def overlap(left: str, right: str) -> bool:
    """True when the two paths are equal or one lies below the other: `a/b` and `a`, not `a/b` and `a/bc`."""
    return left == right or left.startswith(right + "/") or right.startswith(left + "/")


def within(path: str, folder: str) -> bool:
    """True when a path is another or lies below it."""
    return path == folder or path.startswith(folder + "/")


def any_overlap(left: Iterable[str], right: Iterable[str]) -> bool:
    """True when some path of `left` overlaps some path of `right`."""
    right = tuple(right)
    return any(overlap(one, other) for one in left for other in right)


@lru_cache(maxsize=65_536)
def ancestors(path: str) -> tuple[str, ...]:
    """The proper prefixes of a path, nearest first: `a/b/c` gives `a/b`, `a`."""
    cut = path.rfind("/")
    return (path[:cut], *ancestors(path[:cut])) if cut > 0 else ()


EMPTY: Map = Map()


class PathIndex:
    """A persistent index from paths to ids that finds every id whose path overlaps a given one.

    A lookup costs the depth of the path plus the number of hits, never the size of the index
    (engine contract C7). Adding and removing return a new index; the old one stays as it was.
    """

    __slots__ = ("_at", "_below")

    def __init__(self, at: Map = EMPTY, below: Map = EMPTY) -> None:
        self._at = at
        self._below = below

    def add(self, paths: Iterable[str], name: str) -> "PathIndex":
        """This index with `name` at each of `paths`."""
        at, below = self._at, self._below
        for path in paths:
            at = at.set(path, at.get(path, Map()).set(name, None))
            for prefix in ancestors(path):
                below = below.set(prefix, below.get(prefix, Map()).set(name, None))
        return PathIndex(at, below)

    def remove(self, paths: Iterable[str], name: str) -> "PathIndex":
        """This index without `name` at any of `paths` (all the paths it was added with)."""
        at, below = self._at, self._below
        for path in paths:
            at = _without(at, path, name)
            for prefix in ancestors(path):
                below = _without(below, prefix, name)
        return PathIndex(at, below)

    def overlapping(self, paths: Iterable[str]) -> set[str]:
        """The ids whose path overlaps any of `paths`."""
        found: set[str] = set()
        for path in paths:
            found.update(self._at.get(path, ()))
            found.update(self._below.get(path, ()))
            for prefix in ancestors(path):
                found.update(self._at.get(prefix, ()))
        return found

    def names(self) -> dict[str, tuple[str, ...]]:
        """Every id with the paths it is at, sorted."""
        found: dict[str, tuple[str, ...]] = {}
        for path in sorted(self._at):
            for name in self._at[path]:
                found[name] = (*found.get(name, ()), path)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathIndex) and self._at == other._at

    def __hash__(self) -> int:
        return hash(self._at)


def _without(table: Map, path: str, name: str) -> Map:
    names = table.get(path)
    if names is None or name not in names:
        return table
    names = names.delete(name)
    return table.set(path, names) if names else table.delete(path)
