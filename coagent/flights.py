"""The effects under way, in the order in which they were asked for, and which of them may complete now (C2).

An effect waits for every earlier one in its place (the live state, or one fork) that writes what it touches, touches
what it writes, or is on its operation. It
watches the latest of them alone, so that a completion looks again only at those that watched it, whatever else is
under way (C7). Knows nothing of agents, of the store, or of who chooses.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from immutables import Map

from coagent.change import changed
from coagent.effect import Merge, Perform
from coagent.path import ancestors

Flight = Perform | Merge

Tickets = tuple[int, ...]
"""Effects by the numbers under which they were asked for, rising; a path that is named twice gives its effect twice."""


@dataclass(frozen=True, slots=True)
class _Touched:
    """Who touches which path: `at` the path itself, `below` it (proper prefixes of a touched path)."""

    at: Map = Map()
    below: Map = Map()

    def add(self, paths: Iterable[str], ticket: int) -> "_Touched":
        at, below = self.at, self.below
        for path in paths:
            at = at.set(path, (*at.get(path, ()), ticket))
            for prefix in ancestors(path):
                below = below.set(prefix, (*below.get(prefix, ()), ticket))
        return _Touched(at, below)

    def remove(self, paths: Iterable[str], ticket: int) -> "_Touched":
        at, below = self.at, self.below
        for path in paths:
            at = _without(at, path, ticket)
            for prefix in ancestors(path):
                below = _without(below, prefix, ticket)
        return _Touched(at, below)

    def before(self, path: str, ticket: int) -> int:
        """The latest effect before `ticket` that touches something that overlaps the path; -1 when there is none."""
        latest = -1
        nodes = (self.at.get(path), self.below.get(path), *[self.at.get(prefix) for prefix in ancestors(path)])
        for node in nodes:
            if node and (place := bisect_left(node, ticket)) and node[place - 1] > latest:
                latest = node[place - 1]
        return latest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flights:
    """The effects under way; a value, equal to another when the effects are, in their order.

    `tickets` number the effects of `all`, `free` are those that may complete, `watched` has by ticket who waits for it.
    """

    all: tuple[Flight, ...] = ()
    tickets: Tickets = ()
    free: Tickets = ()
    watched: Map = Map()
    ops: Map = Map()
    read: _Touched = _Touched()
    written: _Touched = _Touched()
    next: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flights) and self.all == other.all

    def __hash__(self) -> int:
        return hash(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self.all)

    def of(self, ticket: int) -> Flight:
        """The effect with a ticket."""
        return self.all[bisect_left(self.tickets, ticket)]

    def ready(self) -> list[tuple[int, Flight]]:
        """The effects that may complete now with their tickets, in the order in which they were asked for."""
        return [(ticket, self.of(ticket)) for ticket in self.free]

    def add(self, what: Flight) -> "Flights":
        """These, and one more at the end."""
        ticket = self.next
        changes = {
            "all": (*self.all, what),
            "tickets": (*self.tickets, ticket),
            "ops": self.ops.set(what.op, (*self.ops.get(what.op, ()), ticket)),
            "read": self.read.add(_placed(what, what.reads), ticket) if what.reads else self.read,
            "written": self.written.add(_placed(what, what.writes), ticket) if what.writes else self.written,
            "next": ticket + 1,
        }
        latest = self._latest(what, ticket)
        if latest < 0:
            changes["free"] = (*self.free, ticket)
        else:
            changes["watched"] = self.watched.set(latest, (*self.watched.get(latest, ()), ticket))
        return changed(self, changes)

    def remove(self, ticket: int) -> "Flights":
        """These without one, which has completed; who watched it may be free, or watches another."""
        place = bisect_left(self.tickets, ticket)
        gone = self.all[place]
        left = changed(
            self,
            {
                "all": self.all[:place] + self.all[place + 1 :],
                "tickets": self.tickets[:place] + self.tickets[place + 1 :],
                "ops": _without(self.ops, gone.op, ticket),
                "read": self.read.remove(_placed(gone, gone.reads), ticket) if gone.reads else self.read,
                "written": self.written.remove(_placed(gone, gone.writes), ticket) if gone.writes else self.written,
            },
        )
        free, watched = [one for one in self.free if one != ticket], self.watched
        for one in watched.get(ticket, ()):
            latest = left._latest(left.of(one), one)
            if latest < 0:
                insort(free, one)
            else:
                watched = watched.set(latest, (*watched.get(latest, ()), one))
        watched = watched.delete(ticket) if ticket in watched else watched
        return changed(left, {"free": tuple(free), "watched": watched})

    def lose(self, ticket: int) -> "Flights":
        """These when the answer to one is lost: it keeps its place, and may not complete until it is resolved."""
        free = tuple(one for one in self.free if one != ticket)
        return changed(self._acting(ticket, "unknown"), {"free": free})

    def resolve(self, op: str) -> "Flights":
        """These when the lost answer about an operation is asked for, in the place that its effect kept."""
        for ticket in self.ops.get(op, ()):
            if self.of(ticket).act == "unknown":
                return changed(self._acting(ticket, "resolve"), {"free": tuple(sorted((*self.free, ticket)))})
        return self

    def _acting(self, ticket: int, act: str) -> "Flights":
        place = bisect_left(self.tickets, ticket)
        other = replace(self.all[place], act=act)
        return changed(self, {"all": (*self.all[:place], other, *self.all[place + 1 :])})

    def _latest(self, what: Flight, ticket: int) -> int:
        """The latest effect before `ticket` that this one has to wait for; -1 when there is none."""
        own = self.ops.get(what.op, ())
        latest = own[place - 1] if (place := bisect_left(own, ticket)) else -1
        for path in _placed(what, what.reads):
            latest = max(latest, self.written.before(path, ticket))
        for path in _placed(what, what.writes):
            latest = max(latest, self.written.before(path, ticket), self.read.before(path, ticket))
        return latest


def _placed(what: Flight, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Paths as they are told apart here: those of a fork lie in a tree of their own."""
    return paths if what.place is None else tuple(f"{what.place}\0{path}" for path in paths)


def _without(table: Map, name: str, ticket: int) -> Map:
    """A table in which one entry of `ticket` at `name` is gone."""
    node = table[name]
    place = bisect_left(node, ticket)
    node = node[:place] + node[place + 1 :]
    return table.set(name, node) if node else table.delete(name)
