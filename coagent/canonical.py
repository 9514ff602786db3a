"""What of a world can still matter, as a small exact key: worlds with equal keys have the same futures but for names.

Left out is what only feeds records, seconds or tokens (sightings, routes, writers of cells), and every operation
that nothing can reach any more; operations are named by their places instead of by count, and flights that do not
conflict have no order. Agents that are alike (`coagent.symmetry`) are seated in the order that gives the least key.
This is sound for a protocol that takes operations' names, causes and sightings for labels (it says so by `anonymous`),
when nothing of the setting is keyed by them: a perfect judge, no lost answers. Knows nothing of any protocol's rules.
"""

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import itemgetter

from immutables import Map

from coagent.effect import Merge, Perform
from coagent.part import Opaque, call_of, cells_of, named_by, paths_of, result_of, texts
from coagent.protocols.run import Operation, Run
from coagent.symmetry import Classes, Seats, seatings
from coagent.workload import Setting
from coagent.world import World, conflict

Key = tuple[int, ...]
"""A world's key: every part as the number that this `Canon` gave it, so that comparing is exact and cheap."""

Names = Mapping[object, int]
"""What stands in a key for an operation; and for a choice of an agent that may change places with others."""

_UNLISTED = 512
"""From here on count, within an agent, the operations that matter without being in its list."""
_PER_AGENT = 1024


def nameless(setting: Setting) -> bool:
    """Whether the names of operations are labels in this setting, so that worlds may be told apart without them."""
    judge, rule = setting.judge, setting.protocol
    keyed = judge.miss or judge.over or setting.lost
    return bool(getattr(rule, "anonymous", False)) and not keyed and isinstance(rule.start(), Run)


class Canon:
    """Gives worlds of one search their keys; remembers the parts it has met, since neighbours share most of them."""

    def __init__(self, setting: Setting, alike: Classes = ()) -> None:
        self._order = tuple(agent.name for agent in setting.workload.agents)
        self._index = {name: at for at, name in enumerate(self._order)}
        self._alike = tuple(tuple(self._index[name] for name in names) for names in alike)
        self._numbers: dict[Hashable, int] = {}
        self.known: dict[int, tuple[object, object]] = {}
        self._ordered: dict[tuple, bool] = {}

    def key(self, world: World) -> Key:
        """The key of a world, agents told apart. Raises Opaque when the protocol's own state cannot be looked into."""
        naming = _Naming(self, world)
        return naming.key(naming.own_parts())

    def look(self, world: World) -> tuple[Key, Names]:
        """The key of a world, and what stands in it for its operations and for agents that are alike."""
        naming = _Naming(self, world)
        own = naming.own_parts()
        if not self._alike:
            return naming.key(own), naming.names
        return naming.least(own, self._alike)

    def number(self, part: Hashable) -> int:
        """A number for a part, the same for equal ones only."""
        return self._numbers.setdefault(part, len(self._numbers))

    def ordered(self, left: Perform | Merge, right: Perform | Merge) -> bool:
        """Whether two flights must keep their order, asked once for each pair of footprints."""
        alike = left.op == right.op, left.place == right.place
        pair = (alike, left.reads, left.writes, right.reads, right.writes)
        known = self._ordered.get(pair)
        if known is None:
            known = self._ordered[pair] = conflict(left, right)
        return known

    def met(self, part: object, work: "object") -> object:
        """What `work` makes of a part, once for each object; the part is kept, so that its id stays its own."""
        known = self.known.get(id(part))
        if known is None:
            known = self.known[id(part)] = (part, work(part))
        return known[1]


class _Naming:
    """One world's operations by their places, and its parts in those terms."""

    def __init__(self, canon: Canon, world: World) -> None:
        self._canon, self._world = canon, world
        self._run: Run = world.run
        self.names: dict[str, int] = {}
        self.slots: dict[str, int] = canon._index

    def own_parts(self) -> list[int]:
        """Names the operations, agents in pre-order; for each agent, a number for what concerns nobody else."""
        canon, world, run = self._canon, self._world, self._run
        names, listed = self.names, []
        if any(name not in run.agents and world.actors[name].mode != "absent" for name in canon._order):
            raise Opaque
        for at, name in enumerate(canon._order):
            ops = run.agents[name].ops if world.actors[name].mode not in ("done", "absent") else ()
            for place, op in enumerate(ops):
                names[op] = at * _PER_AGENT + place
            listed.append(len(ops))
        self._name_the_rest()
        return [canon.number((listed[at], self._agent(name, at))) for at, name in enumerate(canon._order)]

    def least(self, own: list[int], alike: Seats) -> tuple[Key, Names]:
        """The least key that those who are alike come to by changing places, and what stands for what in it."""
        named, order, best = self.names, self._canon._order, None
        mentioned = self._mentioned()
        for slots in seatings(own, alike, mentioned):
            self.slots = dict(zip(order, slots, strict=True))
            self.names = {op: slots[at // _PER_AGENT] * _PER_AGENT + at % _PER_AGENT for op, at in named.items()}
            parts = [part for _, part in sorted(zip(slots, own, strict=True))]
            key = self.key(parts)
            if best is None or key < best[0]:
                best = (key, self.names, self.slots)
        key, names, seats = best
        infer = {("infer", name): slot for name, slot in seats.items()}
        merge = {("merge", f"{name}.merge"): slot for name, slot in seats.items()}
        return key, {**names, **infer, **merge}

    def _mentioned(self) -> set[int]:
        """The agents of whom something is said beside what concerns them alone."""
        index = self._canon._index
        found = {at // _PER_AGENT for at in self.names.values()}
        found.update(index[flight.agent] for flight in self._world.flights if isinstance(flight, Merge))
        found.update(index[name] for name in self._world.live.forks)
        return found | {index[one] for one in texts(self._run.extra) if one in index}

    def key(self, own: list[int]) -> Key:
        """The key with every agent in its slot; `own` are the parts of agents, by slot."""
        canon, world, run = self._canon, self._world, self._run
        number, parts = canon.number, list(own)
        indexed = [canon.met(one, paths_of) for one in (run.readers, run.writers, run.leaving)]
        parts.append(number(self._operations(indexed)))
        parts.append(number(self._flights()))
        parts.append(canon.met(world.live.cells, lambda cells: number(cells_of(cells))))
        if world.live.forks:
            parts.append(number(self._forks()))
        if run.extra is not None:
            parts.append(number(self._told(run.extra)))
        parts.append(run.settled)
        return tuple(parts)

    def _name_the_rest(self) -> None:
        """Number what matters without being listed, agent by agent, in the order in which it was invoked."""
        world, run, names = self._world, self._run, self.names
        if len(names) == len(run.ops):
            return
        loose: set[str] = set()
        for flight in world.flights:
            loose.update(named_by(flight))
        for index in (run.readers, run.writers, run.leaving):
            loose.update(self._canon.met(index, paths_of))
        for name, agent in run.agents.items():
            if (one := world.actors[name]).mode != "done":
                loose.update(entry.op for entry in one.log)
                loose.update(notice.op for notice in agent.inbox)
                if agent.awaits:
                    loose.add(agent.awaits)
        if run.extra is not None:
            loose.update(one for one in texts(run.extra) if one in run.ops)
        todo = [name for name in (*names, *loose) if run.ops[name].cover]
        while todo:
            by = run.ops[todo.pop()].cover
            if by and by not in names and by not in loose:
                loose.add(by)
                todo.append(by)
        counts: dict[str, int] = {}
        for name in sorted(loose.difference(names), key=lambda one: (len(one), one)):
            agent = run.ops[name].agent
            counts[agent] = counts.get(agent, -1) + 1
            names[name] = self._canon._index[agent] * _PER_AGENT + _UNLISTED + counts[agent]

    def _agent(self, name: str, at: int) -> tuple:
        """What concerns an agent alone; its operations are counted from its own first."""
        one = self._world.actors[name]
        if one.mode == "absent":
            return (one.mode,)
        agent = self._run.agents[name]
        if one.mode == "done":
            return (agent.phase.value, agent.flights, repr(one.report), one.gave_up, one.died)
        names, entry_of, first = self.names, self._entry, at * _PER_AGENT
        return (
            agent.phase.value,
            agent.attempt,
            _own(names[agent.awaits] - first) if agent.awaits else None,
            agent.flights,
            tuple(sorted((_own(names[one.op] - first), result_of(one.result)) for one in agent.inbox)),
            one.mode,
            one.attempt,
            tuple([(names[entry.op] - first, entry_of(entry)) for entry in one.log]),
            repr(one.report) if one.mode == "resting" else "",
        )

    def _entry(self, entry: object) -> int:
        number = self._canon.number
        return self._canon.met(entry, lambda one: number((call_of(one.call), result_of(one.result))))

    def _operations(self, indexed: list[dict]) -> tuple:
        """A row for each operation that matters, by its number."""
        ops, results, all_captured = self._run.ops, self._world.live.results, self._world.live.captured
        names, known, met = self.names, self._canon.known, self._canon.met
        readers, writers, leaving = indexed
        rows = []
        for name, at in names.items():
            op, result, captured = ops[name], results.get(name), all_captured.get(name)
            old, answer = known.get(id(op)), known.get(id(result))
            rows.append(
                (
                    at,
                    old[1] if old else met(op, self._standing),
                    names[op.cover] if op.cover else -1,
                    -1 if result is None else answer[1] if answer else met(result, self._outcome),
                    -1 if captured is None else met(captured, self._captured),
                    readers.get(name),
                    writers.get(name),
                    leaving.get(name),
                )
            )
        rows.sort(key=itemgetter(0))
        return tuple(rows)

    def _outcome(self, result: tuple) -> int:
        return self._canon.number(result_of(result[0]))

    def _standing(self, op: Operation) -> int:
        return self._canon.number(
            (
                op.position[1:],
                call_of(op.call),
                op.standing.value,
                result_of(op.told),
                repr(op.wrote),
                op.flights,
                op.refreshing,
                self._run.ops[op.stale].writes if op.stale else None,
            )
        )

    def _captured(self, captured: tuple) -> int:
        return self._canon.number(tuple((path, repr(cell)) for path, (cell, _) in captured))

    def _flights(self) -> tuple:
        """The flights in an order that depends only on the order of those that conflict."""
        flights, ordered = self._world.flights.all, self._canon.ordered
        told = [self._flight(one) for one in flights]
        if len(told) < 2:
            return tuple(told)
        waits = [
            sum(1 << before for before in range(at) if ordered(flights[before], one)) for at, one in enumerate(flights)
        ]
        found, left = [], (1 << len(told)) - 1
        while left:
            free = [at for at in range(len(told)) if left >> at & 1 and not waits[at] & left]
            first = min(free, key=lambda at: told[at][:2])
            found.append(told[first])
            left ^= 1 << first
        return tuple(found)

    def _forks(self) -> tuple:
        """Each agent's fork: what it holds, what it was taken of, and what was written on it."""
        met, number, forks = self._canon.met, self._canon.number, self._world.live.forks
        return tuple(
            (
                slot,
                met(forks[agent].base, lambda cells: number(cells_of(cells))),
                met(forks[agent].cells, lambda cells: number(cells_of(cells))),
                tuple(sorted(forks[agent].wrote)),
            )
            for slot, agent in sorted((self.slots[agent], agent) for agent in forks)
        )

    def _flight(self, one: Perform | Merge) -> tuple:
        if isinstance(one, Merge):
            return (-1 - self.slots[one.agent], one.act)
        names = self.names
        return (
            names[one.op],
            one.act,
            one.route,
            tuple((names[other.op], repr(other.image)) for other in one.overrides),
            names[one.recorded] if one.recorded else None,
            names[one.heir] if one.heir else None,
            self._run.ops[one.cause].writes if one.cause else None,
            self.slots[one.fork] if one.fork else None,
        )

    def _told(self, part: object) -> Hashable:
        """A protocol's own state with operations by place and agents by index."""
        match part:
            case str():
                if part in self.names:
                    return ("op", self.names[part])
                return ("agent", self.slots[part]) if part in self.slots else ("text", part)
            case None | int() | Enum():
                return (type(part).__name__, part)
            case tuple():
                return ("tuple", *[self._told(one) for one in part])
            case frozenset():
                return ("set", *sorted((self._told(one) for one in part), key=repr))
            case Map():
                pairs = ((self._told(name), self._told(value)) for name, value in part.items())
                return ("map", *sorted(pairs, key=repr))
            case _ if is_dataclass(part):
                return (type(part), *[self._told(getattr(part, one.name)) for one in fields(part)])
        raise Opaque


def _own(place: int) -> int:
    """The place of an operation that has to be the agent's own. Raises Opaque."""
    if not 0 <= place < _PER_AGENT:
        raise Opaque
    return place
