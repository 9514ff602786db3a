"""Paths by what lies below them, so that a listing costs what it finds and not what there is.

Knows nothing of cells, operations or history formats.
"""

from collections.abc import Iterable


class Tree:
    """A set of slash paths that finds those strictly below one."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._held: set[str] = set()
        self._children: dict[str, set[str]] = {}
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        """Hold a path."""
        self._held.add(path)
        while (cut := path.rfind("/")) > 0:
            above = path[:cut]
            beside = self._children.setdefault(above, set())
            if path in beside:
                return
            beside.add(path)
            path = above

    def discard(self, path: str) -> None:
        """Hold a path no longer."""
        self._held.discard(path)
        while path not in self._held and path not in self._children and (cut := path.rfind("/")) > 0:
            above = path[:cut]
            beside = self._children.get(above, set())
            beside.discard(path)
            if beside:
                return
            self._children.pop(above, None)
            path = above

    def below(self, path: str) -> list[str]:
        """Every held path strictly below this one, sorted."""
        found, todo = [], [*self._children.get(path, ())]
        while todo:
            one = todo.pop()
            if one in self._held:
                found.append(one)
            todo.extend(self._children.get(one, ()))
        return sorted(found)
