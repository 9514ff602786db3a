"""Several targets as one: each path belongs to the target that has its first part among its roots."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from coagent.bad_input import BadInput
from coagent.live.target import Memo, Reading, Target
from coagent.operation import Cell
from coagent.path import any_overlap

ANY = ""
"""The root of a target that has every path which is no other's."""


class JoinedTarget:
    """Targets side by side. Raises BadInput when two of them claim the same root."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self.targets = tuple(targets)
        self._by_root: dict[str, int] = {}
        for index, target in enumerate(self.targets):
            for root in target.roots:
                if root in self._by_root:
                    raise BadInput(f"two targets have the root {root!r}; give one of them another root")
                self._by_root[root] = index

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots of all of them."""
        return tuple(self._by_root)

    @property
    def spec(self) -> Mapping[str, object]:
        """The specs of all of them."""
        return {"kind": "joined", "targets": [dict(one.spec) for one in self.targets]}

    def of(self, path: str) -> Target:
        """The target that has a path. Raises BadInput when none has."""
        return self.targets[self._index(path)]

    def _index(self, path: str) -> int:
        index = self._by_root.get(path.partition("/")[0], self._by_root.get(ANY))
        if index is None:
            raise BadInput(f"no target has {path!r}; there are {', '.join(self._by_root)}")
        return index

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths, from whichever target has them; the memo is by target."""
        parts: dict[int, list[str]] = {}
        for path in dict.fromkeys(paths):
            parts.setdefault(self._index(path), []).append(path)
        read = await asyncio.gather(*(self.targets[index].read(some) for index, some in parts.items()))
        cells = {path: value for reading in read for path, value in reading.cells.items()}
        return Reading(cells=cells, memo={str(index): reading.memo for index, reading in zip(parts, read, strict=True)})

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so, target by target."""
        parts: dict[int, dict[str, Cell]] = {}
        for path, cell in cells.items():
            parts.setdefault(self._index(path), {})[path] = cell
        for index, some in parts.items():
            memo = {"seen": seen.get(str(index), {}), "restore": restore.get(str(index), {})}
            await self.targets[index].write(some, **memo)

    @staticmethod
    def kept(memo: Memo, paths: Iterable[str]) -> Memo:
        """Of a memo, what is about the objects that these paths are of, or are in: all that putting them back takes."""
        paths = tuple(paths)
        return {
            index: {name: one for name, one in part.items() if any_overlap([name.rstrip("/")], paths)}
            for index, part in memo.items()
        }

    async def read_at(self, path: str, memo: Memo) -> Cell | None:
        """The cell as it was when a reading gave this memo, from the target itself; None: it keeps no versions."""
        index = self._index(path)
        older = getattr(self.targets[index], "read_at", None)
        return None if older is None else await older(path, memo.get(str(index), {}))

    async def close(self) -> None:
        """Close all of them."""
        for target in self.targets:
            await target.close()
