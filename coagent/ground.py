"""What all trials of a workload share, whatever their seed and protocol, worked out once a process.

The workload with its agents in order, the store at the start, and how each serial order of the agents ends.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from checker.oracle import serial
from coagent import naming
from coagent.operation import Value, same
from coagent.performer import Live
from coagent.performer import opened as stocked
from coagent.ranking import ordered
from coagent.workload import Workload
from workloads import GENERATED

KEPT = 64
"""Workloads, and protocols, that a process keeps."""

End = tuple[Mapping[str, Value], Mapping[str, object]]
"""A final state by path, and reports by agent."""


class Ground:
    """A workload with what has been worked out of it so far."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self._live: dict[bool, Live] = {}
        self._ends: dict[tuple[int, ...], End | None] = {}

    def live(self, sees: bool) -> Live:
        """The store at the start, for runs that note what operations see, or do not."""
        if sees not in self._live:
            self._live[sees] = stocked(self.workload.state, sees)
        return self._live[sees]

    def ends(self, order: tuple[int, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool | None:
        """Whether the agents, one after the other in this order, come to this; None when one of them never ends."""
        if order not in self._ends:
            self._ends[order] = self._end(order)
        end = self._ends[order]
        return None if end is None else _same(end[0], state) and _same(end[1], reports)

    def _end(self, order: tuple[int, ...]) -> End | None:
        agents = [self.workload.agents[index] for index in order]
        try:
            return serial(self.workload.state, [(one.name, one.program) for one in agents], self.workload.tools)
        except RuntimeError:
            return None


def ground(workload: str, agents: int | None, irrelevant: bool, rank: str, tables: str) -> Ground:
    """The ground of a workload by name. Raises BadInput for a name, a number or an order that cannot be."""
    stamps = _stamps(workload) if tables == GENERATED else (*_stamps(workload), *_stamps(tables))
    return _ground(workload, agents, irrelevant, rank, tables, stamps)


def protocol(name: str) -> object:
    """The protocol of that name; a user's own file is run once, until it changes. Raises BadInput."""
    return _protocol(name, _stamps(name.rpartition(":")[0]) if naming.is_own(name) else ())


def files(name: str) -> list[Path]:
    """The file of that name, or the tables in a folder of that name; nothing when it names none."""
    place = Path(name)
    if not name or not place.exists():
        return []
    return [place] if place.is_file() else sorted(place.glob("*.csv"))


def _stamps(name: str) -> tuple[tuple[str, int, int], ...]:
    """What tells that files have changed since they were read."""
    found = ((one, one.stat()) for one in files(name))
    return tuple((str(one), about.st_mtime_ns, about.st_size) for one, about in found)


@lru_cache(maxsize=KEPT)
def _ground(name: str, agents: int | None, irrelevant: bool, rank: str, tables: str, stamps: object) -> Ground:
    return Ground(ordered(naming.target(name, agents, irrelevant, tables), rank))


@lru_cache(maxsize=KEPT)
def _protocol(name: str, stamps: object) -> object:
    return naming.protocol(name)


def _same(left: Mapping[str, object], right: Mapping[str, object]) -> bool:
    """Equality that keeps booleans and integers apart; what nobody has touched is the same object."""
    return left.keys() == right.keys() and all(one is right[key] or same(one, right[key]) for key, one in left.items())
