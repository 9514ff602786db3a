"""Looks for ways round for ever in a graph of states: livelock as a cycle, not as patience that ran out.

A strongly connected part of the graph can be stayed in for ever by a fair run if and only if every choice that is open
in all of its states is taken by some edge inside it (weak fairness; Lichtenstein and Pnueli, POPL 1985). A graph
without such a part, all of it explored, always comes to an end: every notified agent quiesces.

Choices are compared by their labels from state to state, which takes agents that keep their places: where states that
differ by an exchange of agents are one, only `turns_back` can be asked. It loses nothing: a way round there comes back
with its agents exchanged, so as many turns as it takes to have everybody in place again are a way round in full, and
each way round in full is one there.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from coagent import crank
from coagent.recording import Tally
from coagent.state_space import Edge, Label, StateSpace, label
from coagent.workload import Setting
from coagent.world import Choice, World, opened

TURNS = 200
"""Turns round a cycle after which its schedule must have repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasso:
    """A way round for ever, as choice indexes: `stem` once, then `cycle` again and again; `notices` sent in a turn."""

    stem: tuple[int, ...]
    cycle: tuple[int, ...]
    notices: int


def lasso(space: StateSpace, setting: Setting) -> Lasso | None:
    """A fair way round for ever, one along which notices are sent if there is any; None when there is none."""
    fair = [part for part in _parts(space) if _is_fair(space, part)]
    if not fair:
        return None
    telling = [part for part in fair if any(edge.notice for at in part for edge in _inside(space, at, part))]
    part = min(telling or fair, key=lambda one: min(space.depths[at] for at in one))
    return _unrolled(space, setting, *_round(space, part))


def turns_back(space: StateSpace) -> bool:
    """Whether some way leads back to a state that it came from, fair or not."""
    return bool(_parts(space))


def _parts(space: StateSpace) -> list[set[int]]:
    """The strongly connected parts with an edge inside and nothing left open (Tarjan 1972, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    found, stack, on = [], [], set()
    for root in range(len(space.edges)):
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack.append(root)
        on.add(root)
        work = [(root, iter(space.edges[root]))]
        while work:
            here, edges = work[-1]
            for edge in edges:
                there = edge.target
                if there not in order:
                    order[there] = low[there] = len(order)
                    stack.append(there)
                    on.add(there)
                    work.append((there, iter(space.edges[there])))
                    break
                if there in on:
                    low[here] = min(low[here], order[there])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == order[here]:
                    part = _popped(stack, on, here)
                    if any(_inside(space, at, part) for at in part) and not part & space.left:
                        found.append(part)
    return found


def _popped(stack: list[int], on: set[int], root: int) -> set[int]:
    part: set[int] = set()
    while root not in part:
        part.add(stack[-1])
        on.discard(stack.pop())
    return part


def _inside(space: StateSpace, at: int, part: set[int]) -> list[Edge]:
    return [edge for edge in space.edges[at] if edge.target in part]


def _open(space: StateSpace, at: int) -> set[Label]:
    return {edge.label for edge in space.edges[at]}


def _is_fair(space: StateSpace, part: set[int]) -> bool:
    always = set.intersection(*(_open(space, at) for at in part))
    return always <= {edge.label for at in part for edge in _inside(space, at, part)}


def _round(space: StateSpace, part: set[int]) -> tuple[int, list[Edge]]:
    """A closed walk in a fair part that is fair itself, as short as going from need to need makes it, and its start."""
    start = min(part, key=lambda at: space.depths[at])
    walk = _way(space, part, start, lambda _, edge: edge.notice) or [_inside(space, start, part)[0]]
    while True:
        turn = walk + _back(space, part, walk[-1].target, start)
        states = [start, *(edge.target for edge in turn[:-1])]
        always = set.intersection(*(_open(space, at) for at in states))
        needed = always - {edge.label for edge in turn}
        if not needed:
            return start, turn
        one = min(needed, key=repr)
        wanted = partial(_serves, space, one)
        step = _way(space, part, walk[-1].target, wanted)
        if not step:
            raise AssertionError(f"a part of the graph that was held to be fair never takes {one}")
        walk += step


def _serves(space: StateSpace, wanted: Label, _: int, edge: Edge) -> bool:
    """Whether an edge takes a choice, or leads to where it is not open."""
    return edge.label == wanted or wanted not in _open(space, edge.target)


def _way(space: StateSpace, part: set[int], start: int, wanted: object) -> list[Edge]:
    """The shortest way inside a part whose last edge is a wanted one; empty when there is none."""
    came: dict[int, tuple[int, Edge] | None] = {start: None}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for edge in _inside(space, here, part):
            if wanted(here, edge):
                return [*_traced(came, here), edge]
            if edge.target not in came:
                came[edge.target] = (here, edge)
                queue.append(edge.target)
    return []


def _back(space: StateSpace, part: set[int], here: int, start: int) -> list[Edge]:
    return [] if here == start else _way(space, part, here, lambda _, edge: edge.target == start)


def _traced(came: dict, here: int) -> list[Edge]:
    walk = []
    while came[here] is not None:
        here, edge = came[here]
        walk.append(edge)
    return walk[::-1]


def _unrolled(space: StateSpace, setting: Setting, start: int, turn: Iterable[Edge]) -> Lasso:
    """The walk on real worlds. States that are taken for one may list their choices in another order, so it is walked
    until a turn begins as an earlier one did."""
    stem = space.schedule(start)
    world = opened(setting, recorder=Tally())
    for index in stem:
        choice, flight = world.moves()[index]
        world = crank.taken(world, choice, 0.0, flight)
    begun: dict[tuple, int] = {}
    turns: list[tuple[tuple[int, ...], int]] = []
    while (shape := _shape(space, world)) not in begun:
        begun[shape] = len(turns)
        before = world.recorder.notices
        taken: list[int] = []
        for edge in turn:
            world, indexes = _walked(space, world, edge)
            taken += indexes
        turns.append((tuple(taken), world.recorder.notices - before))
        if len(turns) > TURNS:
            raise AssertionError(f"a cycle of states whose schedule has not repeated after {TURNS} turns")
    first = begun[shape]
    return Lasso(
        stem=stem + tuple(index for indexes, _ in turns[:first] for index in indexes),
        cycle=tuple(index for indexes, _ in turns[first:] for index in indexes),
        notices=sum(count for _, count in turns[first:]),
    )


def _shape(space: StateSpace, world: World) -> tuple:
    """The order in which a world lists its flights, which is all that its state leaves open."""
    names = space.merging.look(world)[1]
    return tuple(label(Choice(one.act, one.op), names) for one in world.flights)


def _walked(space: StateSpace, world: World, edge: Edge) -> tuple[World, list[int]]:
    """Follow an edge in a world that is its state."""
    names = space.merging.look(world)[1]
    for index, (choice, flight) in enumerate(world.moves()):
        if label(choice, names) == edge.label:
            after = crank.taken(world, choice, 0.0, flight)
            after, _, more = space.merging.rested(after, after.moves())
            if space.number(after) == edge.target:
                return after, [index, *more]
    raise AssertionError(f"a state on a cycle has no choice {edge.label} that leads where it led before")
