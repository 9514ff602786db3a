"""The laws of a target, for any target: written is read, put back is as it was, nothing else changes, twice is once."""

from collections.abc import Awaitable, Callable, Mapping

from coagent.live.target import Target
from coagent.operation import Cell

Fingerprint = Callable[[], Awaitable[object]]
"""Everything in the real state that must come back, read by another way than the target's own."""


async def check_laws(target: Target, writes: Mapping[str, Cell], fingerprint: Fingerprint) -> None:
    """Write, write again, put back, put back again; `writes` are cells below the target's roots."""
    before, whole = await fingerprint(), await target.read(target.roots)
    paths = tuple(writes)
    captured = await target.read(paths)
    old = {path: (captured.cells[path],) if path in captured.cells else () for path in paths}

    await target.write(writes, seen=captured.memo, restore={})
    expected = {**whole.cells, **{path: cell[0] for path, cell in writes.items() if cell}}
    expected = {path: value for path, value in expected.items() if writes.get(path, True)}
    after = await target.read(target.roots)
    assert dict(after.cells) == expected, "what is written is read, and no other cell changes"
    written = await fingerprint()
    await target.write(writes, seen={}, restore={})
    assert await fingerprint() == written, "writing twice is writing once"

    await target.write(old, seen=(await target.read(paths)).memo, restore=captured.memo)
    assert dict((await target.read(target.roots)).cells) == dict(whole.cells), "put back, the cells are as they were"
    assert await fingerprint() == before, "put back, the real state is as it was"
    await target.write(old, seen={}, restore=captured.memo)
    assert await fingerprint() == before, "putting back twice is putting back once"
