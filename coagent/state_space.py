"""The states found so far, how each was reached and where each leads, nearest first.

Knows how to take choices and compare worlds; what an ending or a cycle is worth is decided elsewhere.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from immutables import Map

from coagent import crank
from coagent.actor import Actor
from coagent.canonical import Canon, Names
from coagent.fork import Fork
from coagent.protocols.run import Run
from coagent.reduction import SAMPLE, Move, Reduction, Unsound, mortal, own_private
from coagent.symmetry import Classes
from coagent.workload import Setting
from coagent.world import Choice, World

Label = tuple[str, object]
"""A choice in terms that neighbouring states share: the act, and the agent or the place of the operation."""

MERGES = 16
"""One in so many merges is remembered, and compared at the end..."""
MERGES_MOST = 500
"""...up to so many."""


class Edge(NamedTuple):
    """A choice and the private ones after it: where to, whether it sends a notice, and the indexes to take."""

    target: int
    notice: bool
    label: Label
    indexes: tuple[int, ...]


class Plain:
    """Tells worlds apart by everything in them."""

    reduces = False
    alike: Classes = ()

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, int]] = {}
        self._numbers: dict[object, int] = {}

    def rested(self, world: World, moves: list[Move]) -> tuple[World, list[Move], tuple[int, ...]]:
        """The world as it is."""
        return world, moves, ()

    def look(self, world: World) -> tuple[object, None]:
        """What tells the world from others."""
        run, live, numbers = world.run, world.live, self._of_each
        if not isinstance(run, Run):
            return (world, spelling(world)), None
        own = (run.readers, run.writers, run.leaving, run.extra, live.captured)
        forks = tuple(live.forks[name] for name in sorted(live.forks))
        return (
            numbers(run.agents.values()),
            numbers(run.ops.values()),
            numbers(world.actors.values(), _logged),
            numbers(world.flights),
            numbers((live.cells,), _stored),
            (*sorted(live.forks), *numbers(forks, _forked)),
            numbers(own),
            tuple(live.results),
            numbers(live.results.values()),
            run.settled,
        ), None

    def _of_each(self, parts: Iterable, spelled: Callable[[object], object] = type) -> tuple[int, ...]:
        """A number for each part, the same for equal ones that are spelled alike; neighbours share most of theirs."""
        known, found = self._known, []
        for part in parts:
            met = known.get(id(part))
            if met is None:
                met = known[id(part)] = (part, self._numbers.setdefault((part, spelled(part)), len(self._numbers)))
            found.append(met[1])
        return tuple(found)

    def merged(self, number: int, world: World) -> None:
        """Nothing is to be checked of equal worlds."""

    def check(self, space: "StateSpace") -> None:
        """Nothing is to be checked."""


class Merging:
    """Tells worlds apart by what can matter, agents that are `alike` not; takes private choices at once."""

    reduces = True

    def __init__(self, setting: Setting, *, private: bool = True, alike: Classes = (), sample: int = SAMPLE) -> None:
        self.alike = alike
        self.canon = Canon(setting, alike)
        says = own_private(setting) if private else None
        self.reduction = Reduction(canon=self.canon, private=says, mortal=mortal(setting), sample=sample)
        self.rested, self.look = self.reduction.rested, self.canon.look
        self._merges = min(MERGES, sample)
        self._count, self._kept = 0, []

    def merged(self, number: int, world: World) -> None:
        """Remember some of the worlds that were taken for a state already found."""
        self._count += 1
        if self._merges and self._count % self._merges == 0 and len(self._kept) < MERGES_MOST:
            self._kept.append((number, world))

    def check(self, space: "StateSpace") -> None:
        """Those remembered must lead to the same states by the same choices. Raises Unsound."""
        for number, world in self._kept:
            if number in space.expanded and number not in space.left:
                there = {(edge.label, edge.target) for edge in space.edges[number]}
                here = {(label, space.number(after)) for label, after in space.ways(world)}
                if here != there:
                    raise Unsound("two states that were taken for one part ways")


class StateSpace:
    """A search's states: `edges`, `depths`, `parents` by number; `left` are those not followed all ways."""

    def __init__(self, merging: Merging | Plain, *, max_states: int) -> None:
        self.merging, self._most = merging, max_states
        self._numbers: dict[object, int] = {}
        self.parents: list[tuple[int, tuple[int, ...]]] = []
        self.depths: list[int] = []
        self.edges: list[list[Edge]] = []
        self.expanded: set[int] = set()
        self.left: set[int] = set()
        self.transitions, self.notified = 0, False
        self._waiting: dict[int, deque] = defaultdict(deque)
        self._depth = self.frontier = 0

    @property
    def states(self) -> int:
        """How many have been found."""
        return len(self.parents)

    def enter(self, world: World) -> None:
        """Begin with a world."""
        rested, moves, taken = self.merging.rested(world, world.moves())
        self.notified = rested.recorder.notices > 0
        self._found(-1, rested, moves, taken, 0)

    def next(self) -> tuple[int, World, list[Move]] | None:
        """A state of the smallest depth that was not followed yet, with a world for it and what may happen there."""
        while self._waiting:
            here = self._waiting.get(self._depth)
            if not here:
                self._waiting.pop(self._depth, None)
                self._depth += 1
                continue
            number, world, moves, names = here.popleft()
            self.frontier -= 1
            if number not in self.expanded and self.depths[number] == self._depth:
                self.expanded.add(number)
                self._names = names
                return number, world, moves
        return None

    def leave_open(self, number: int) -> None:
        """Do not follow a state."""
        self.left.add(number)

    def expand(self, number: int, world: World, moves: list[Move]) -> None:
        """Take every choice at a state, and the private ones after it."""
        names, before = self._names, world.recorder.notices
        for index, (choice, flight) in enumerate(moves):
            after = crank.taken(world, choice, 0.0, flight)
            after, further, more = self.merging.rested(after, after.moves())
            self.transitions += 1 + len(more)
            taken = (index, *more)
            notice = after.recorder.notices > before
            target = self._found(number, after, further, taken, self.depths[number] + len(taken))
            if target is None:
                self.left.add(number)
            else:
                self.edges[number].append(Edge(target, notice, label(choice, names), taken))
            self.notified = self.notified or notice

    def ways(self, world: World) -> list[tuple[Label, World]]:
        """Where each choice at a world leads, the private ones after it included."""
        names = self.merging.look(world)[1]
        found = []
        for choice, flight in world.moves():
            after = crank.taken(world, choice, 0.0, flight)
            found.append((label(choice, names), self.merging.rested(after, after.moves())[0]))
        return found

    def number(self, world: World) -> int | None:
        """The number of the state that a world is, None when it was not found."""
        return self._numbers.get(self.merging.look(world)[0])

    def schedule(self, number: int) -> tuple[int, ...]:
        """The choice indexes that lead to a state."""
        taken: list[tuple[int, ...]] = []
        while number >= 0:
            number, indexes = self.parents[number]
            taken.append(indexes)
        return tuple(index for indexes in reversed(taken) for index in indexes)

    def _found(self, parent: int, world: World, moves: list[Move], taken: tuple[int, ...], depth: int) -> int | None:
        """The number of a world's state, new or known; None when there is no room for another."""
        key, names = self.merging.look(world)
        number = self._numbers.get(key)
        if number is None:
            if len(self.parents) >= self._most:
                return None
            number = self._numbers[key] = len(self.parents)
            self.parents.append((parent, taken))
            self.depths.append(depth)
            self.edges.append([])
        elif number in self.expanded or depth >= self.depths[number]:
            self.merging.merged(number, world)
            return number
        else:
            self.parents[number], self.depths[number] = (parent, taken), depth
        self._waiting[depth].append((number, world, moves, names))
        self.frontier += 1
        return number


def label(choice: Choice, names: Names | None) -> Label:
    """A choice in terms that neighbouring states share."""
    if names is None:
        return choice
    if choice.of_agent or choice.act == "merge":
        return (choice.act, names.get(choice, choice.name))
    return (choice.act, names[choice.name])


def spelling(world: World) -> tuple[object, ...]:
    """The values in store and logs, spelled out, because Python holds `True` and `1` equal and agents do not."""
    forks = [_forked(world.live.forks[name]) for name in sorted(world.live.forks)]
    return (_stored(world.live.cells), *forks, *[_logged(world.actors[name]) for name in world.order])


def _stored(cells: Map) -> str:
    return repr([cells[path][0] for path in sorted(cells)])


def _forked(fork: Fork) -> str:
    return _stored(fork.base) + _stored(fork.cells)


def _logged(one: Actor) -> str:
    return repr([entry.result.value for entry in one.log if entry.result])
