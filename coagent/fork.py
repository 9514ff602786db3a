"""Forks of the simulated live store, and the three-way merge that brings one back.

Pure functions over cells; what is in conflict is decided here or by the workload's own merge, what follows from a
conflict is the protocol's business.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from immutables import Map

from coagent import store
from coagent.bad_input import BadInput
from coagent.operation import Cell, Value, same
from coagent.store import ABSENT, Entry

Merge = Callable[
    [Mapping[str, Value], Mapping[str, Value], Mapping[str, Value]], tuple[dict[str, Value], tuple[str, ...]]
]
"""From base, ours and theirs (values by path) to the merged values, and the paths in conflict (empty: merged)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Cells as an agent has them: `base` as they were when the fork was taken, `cells` with its own writes; `wrote` are
    the paths that it wrote, `last` its last operation that wrote anything."""

    base: Map
    cells: Map
    wrote: frozenset[str] = frozenset()
    last: str | None = None


def taken(cells: Map) -> Fork:
    """A fork of these cells."""
    return Fork(base=cells, cells=cells)


def of(forks: Mapping[str, Fork], agent: str | None) -> Fork:
    """An agent's fork. Raises BadInput when the protocol has taken none for it."""
    if agent not in forks:
        raise BadInput(f"the protocol acts on a fork of {agent!r}, which has none; emit Fork before")
    return forks[agent]


def acted(fork: Fork, op: str, cells: Map, wrote: Iterable[str]) -> Fork:
    """The fork after an operation on it."""
    paths = frozenset(wrote)
    return replace(fork, cells=cells, wrote=fork.wrote | paths, last=op if paths else fork.last)


def taken_over(fork: Fork, live: Map, paths: Iterable[str]) -> Fork:
    """The fork when cells of the live state are on both its sides: whatever it held there, it has nothing to merge."""
    base, cells, paths = fork.base, fork.cells, tuple(paths)
    for path in paths:
        base, cells = base.set(path, live[path]), cells.set(path, live[path])
    return replace(fork, base=base, cells=cells, wrote=fork.wrote.difference(paths))


def merged(fork: Fork, live: Map, own: Merge | None) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """The cells that the live state gets by merging a fork into it, with their writers, and the paths in conflict.

    With conflicts there are no cells. A cell that the fork wrote and brought back to what it was gets none: the other
    side's stands.
    """
    if not fork.wrote:
        return {}, ()
    if own is not None:
        return _by_workload(fork, live, own)
    mine = {path: fork.cells[path] for path in sorted(fork.wrote) if not _alike(fork.cells, fork.base, path)}
    conflicts = tuple(path for path in mine if not _alike(live, fork.base, path) and not _alike(live, fork.cells, path))
    return ({}, conflicts) if conflicts else (mine, ())


def _by_workload(fork: Fork, live: Map, own: Merge) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """By the workload's own merge; what it changes where the fork wrote nothing counts as by the fork's last write."""
    ours = store.values(live)
    values, conflicts = own(store.values(fork.base), dict(ours), store.values(fork.cells))
    if conflicts:
        return {}, tuple(conflicts)
    changed = {path for path in ours.keys() | values.keys() if not same(_cell(ours, path), _cell(values, path))}
    changed |= {path for path in fork.wrote if not _alike(fork.cells, fork.base, path)}
    return {
        path: (_cell(values, path), fork.cells[path][1] if path in fork.wrote else fork.last)
        for path in sorted(changed)
    }, ()


def _cell(values: Mapping[str, Value], path: str) -> Cell:
    return (values[path],) if path in values else ()


def _alike(left: Map, right: Map, path: str) -> bool:
    """Whether two sides hold the same at a path, whoever wrote it."""
    return same(left.get(path, ABSENT)[0], right.get(path, ABSENT)[0])
