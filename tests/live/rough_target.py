"""A target in memory as real ones are: slow by chance, losing answers, refusing, half-done when it is cut short."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

from coagent.live.target import Conflict, Memo, Reading, Refused
from coagent.live.targets.memory import MemoryTarget
from coagent.operation import Cell


class RoughTarget(MemoryTarget):
    """Delays are up to `slow_s` seconds; of the writes, shares lose their answer before or after acting, or in the
    middle, meet a conflict, or are refused half-way. `overlaps` counts conflicting accesses that overlapped in time."""

    def __init__(self, state, *, seed: int = 0, slow_s: float = 1.0, lose: float = 0.0, clash: float = 0.0) -> None:
        super().__init__([""], state)
        self.random = Random(f"rough/{seed}")
        self.slow_s, self.lose, self.clash = slow_s, lose, clash
        self.writing: list[frozenset[str]] = []
        self.overlaps = 0

    async def read(self, paths: Sequence[str]) -> Reading:
        """The cells, after a while."""
        await asyncio.sleep(self.random.uniform(0, self.slow_s))
        return await super().read(paths)

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """One cell after the other, each after a while; or not."""
        mine = frozenset(cells)
        self.overlaps += sum(bool(mine & other) for other in self.writing)
        self.writing.append(mine)
        try:
            await self._write(cells, bool(seen or restore), restore)
        finally:
            self.writing.remove(mine)

    async def _write(self, cells: Mapping[str, Cell], first: bool, restore: Memo) -> None:
        chance = self.random.random()
        if chance < self.clash:
            raise Conflict("drawn")
        for path, cell in cells.items():
            await asyncio.sleep(self.random.uniform(0, self.slow_s))
            if self.random.random() < self.lose:
                raise ConnectionError("cut before")
            await super().write({path: cell}, seen={}, restore={})
            if self.random.random() < self.lose:
                raise ConnectionError("cut after")


class Stubborn(RoughTarget):
    """Refuses every write to a path, after having written the others."""

    def __init__(self, state, path: str) -> None:
        super().__init__(state)
        self.path = path

    async def _write(self, cells: Mapping[str, Cell], first: bool, restore: Memo) -> None:
        for path, cell in cells.items():
            if path == self.path:
                raise Refused("not that one")
            await MemoryTarget.write(self, {path: cell}, seen={}, restore={})
