"""Questions about the serial order that MTPO asks before it acts: what lies above, what must move, what serves a read.

Pure queries over a turn; nothing here changes or emits anything. Positions are full serial
positions, (rank, program key), so that an agent is filtered against its own later writes too.
"""

from collections.abc import Iterable

from coagent.effect import Override
from coagent.operation import same
from coagent.protocols.run import Operation, Standing, Turn

LIVE = (Standing.APPLIED, Standing.FLYING)


def conflicting_above(turn: Turn, op: Operation) -> list[Operation]:
    """The writing operations at higher positions that conflict with `op` and can be undone (P1 section 4.2)."""
    hits = {other.name: other for other in turn.writing(op.declaration.footprint)}
    hits |= {other.name: other for other in turn.reading(op.writes) if other.writes}
    return [other for other in hits.values() if other.position > op.position and other.declaration.recoverable]


def displaced(turn: Turn, seeds: Iterable[Operation], *, transitive: bool = True) -> list[Operation]:
    """Everything that must be undone for the seeds to act at their own positions: `D`, closed over conflict.

    Sorted by position. A closure over direct conflict only (`transitive=False`) is wrong on chains.
    """
    seeds = tuple(seeds)
    names = {seed.name for seed in seeds}
    found: dict[str, Operation] = {}
    todo = list(seeds)
    while todo:
        for other in conflicting_above(turn, todo.pop()):
            if other.name not in found and other.name not in names:
                found[other.name] = other
                if transitive:
                    todo.append(other)
    return sorted(found.values(), key=lambda op: op.position)


def uncovered(turn: Turn, undone: Iterable[Operation]) -> list[Operation]:
    """The masked writes whose cover is among the undone: they have to be applied before anything above them is."""
    undone = tuple(undone)
    names = {op.name for op in undone}
    paths = tuple({path for op in undone for path in op.writes})
    return [op for op in turn.writing(paths) if op.standing is Standing.MASKED and op.cover in names]


def cover(turn: Turn, op: Operation) -> Operation | None:
    """The landed blind write that hides a blind write at `op`'s place from everyone above it, or None.

    Thomas' write rule. Every object must be covered, and nothing may read-modify-write in between;
    pure reads in between are served from the write trajectory instead of the live store.
    """
    above = {other.name: other for other in (*turn.writing(op.writes), *turn.reading(op.writes)) if other.writes}
    for other in sorted(above.values(), key=lambda one: one.position):
        if other.position <= op.position or other.standing is Standing.MASKED:
            continue
        landed = other.standing is Standing.APPLIED and not other.flights
        return other if landed and other.declaration.blind and set(op.writes) <= set(other.writes) else None
    return None


def heir(turn: Turn, op: Operation) -> Operation | None:
    """The landed blind write under which `op` can leave without a trace in the live store, or None.

    The heir takes over what `op` captured as what lies below it, so it must capture whole cells.
    """
    still = op.standing is Standing.APPLIED and not op.flights and op.declaration.versioned
    return cover(turn, op) if still and op.declaration.recoverable else None


def overrides(turn: Turn, op: Operation, above: Iterable[Operation]) -> tuple[Override, ...]:
    """What turns the live store into `M(R, p)`: captured cells, the lowest write's last, then masked images."""
    captured = [Override(op=other.name) for other in sorted(above, key=lambda one: one.position, reverse=True)]
    masked = [
        other
        for other in turn.writing(op.reads)
        if other.standing is Standing.MASKED and other.position < op.position < turn.ops[other.cover].position
    ]
    return (*captured, *_images(masked))


def _images(masked: Iterable[Operation]) -> list[Override]:
    """What masked writes leave behind, the highest's last, without those of which higher ones cover every path."""
    top: dict[str, Operation] = {}
    for other in masked:
        for path, _ in other.declaration.image:
            if path not in top or top[path].position < other.position:
                top[path] = other
    seen = {other.name: other for other in top.values()}
    shown = sorted(seen.values(), key=lambda one: one.position)
    return [Override(op=other.name, image=other.declaration.image) for other in shown]


def twin(turn: Turn, op: Operation, stale: frozenset[str]) -> str | None:
    """An operation whose recorded result is what this read must return: the same call, no write between the two.

    Nothing on either may be under way, and no operation of `stale` will do.
    """
    if turn.leaving.overlapping(op.reads):
        return None
    writes = turn.writing(op.reads)
    for other in sorted(turn.reading(op.reads), key=lambda one: one.position):
        still = other.standing is Standing.APPLIED and not other.flights and not other.writes
        if other.name == op.name or other.name in stale or not still:
            continue
        if other.call != op.call or not same(other.call.args, op.call.args):
            continue
        low, high = sorted((other.position, op.position))
        if not any(low < write.position < high or (write.flights and write.position < high) for write in writes):
            return other.name
    return None


def landed_above(turn: Turn, op: Operation) -> list[Operation]:
    """The live writes at higher positions on what `op` reads: the reasons to filter its read."""
    return [other for other in turn.writing(op.reads) if other.position > op.position and other.standing in LIVE]
