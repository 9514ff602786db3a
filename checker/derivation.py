"""Writes down why a contradiction follows: the edges that a cycle needs, each with the rule and the path it comes from.

Knows the edges of a saturated polygraph, in the order in which they followed. What it writes is
JSON for an independent verifier, and contains nothing that the contradiction does not need.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from checker.order import Stamped
from checker.polygraph import Polygraph
from checker.precedence import Edge, ordering, overwrote, read_before, read_from
from checker.saturation import Contradiction, Saturation
from checker.transaction import shown

Tree = dict[str, object]
"""`{"steps": [{"edge": [a, b], "why": [...]}, ...]}` with a `cycle` of nodes or a `split` in two."""

RECORDED = frozenset({"wr", "init", "so", "rt", "sc", "guess"})
"""What an edge may say by itself, without a path."""

INFERRED = 5
"""What an edge that needs a path of its own costs when a short path is looked for; a recorded one costs 1."""


MOST = 3_000
"""Edges of the largest derivation that is written down."""

LOOKS = 200_000
"""Edges that are looked at, about, for a shorter cycle than the first one found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cone:
    """A cycle of nodes, the edges that it needs in the order in which they follow, each with its path (nodes; empty for
    recorded ones), and the depths of the guesses among them."""

    cycle: tuple[int, ...]
    edges: tuple[tuple[Stamped, tuple[int, ...]], ...]
    guesses: frozenset[int]


def cone(known: Saturation, contradiction: Contradiction) -> Cone | None:
    """The cycle of a contradiction and all that it needs; None when that is more than anybody would follow."""
    needed: dict[tuple[int, int], tuple[Stamped, tuple[int, ...]]] = {}
    cycle = _cycle(known, contradiction)
    waiting = list(cycle)
    while waiting:
        if len(needed) > MOST:
            return None
        edge = waiting.pop()
        first, then, _, stamp = edge
        have = needed.get((first, then))
        if have and have[0][3] <= stamp:
            continue
        ends = _ends(known, edge)
        path = _path(known, *ends, stamp, needed) if ends else []
        nodes = (path[0][0], *(step[1] for step in path)) if path else ()
        needed[first, then] = (edge, nodes)
        waiting += path
    ordered = sorted(needed.values(), key=lambda one: one[0][3])
    guesses = frozenset(edge[2][2] for edge, _ in ordered if edge[2][0] == "guess")
    return Cone(cycle=tuple(edge[0] for edge in cycle), edges=tuple(ordered), guesses=guesses)


def _ends(known: Saturation, edge: Stamped) -> tuple[int, int] | None:
    """Where the path begins and ends that an edge follows from."""
    first, then, why, _ = edge
    lag = known.graph.lag
    match why[0]:
        case "ww":
            return first, why[2]
        case "rw":
            return why[2] + lag, then
        case "apart":
            return first - lag, then + lag
    return None


def _cycle(known: Saturation, contradiction: Contradiction) -> list[Stamped]:
    """The edges of a short cycle."""
    edge = contradiction.edge
    if edge is not None:
        return [edge] if edge[0] == edge[1] else [edge, *_path(known, edge[1], edge[0], known.stamp + 1, {})]
    some = _any_cycle(known)
    tries = max(3, LOOKS // len(known.order.edges))
    closed = ([edge, *_path(known, edge[1], edge[0], known.stamp + 1, {}, everywhere=True)] for edge in some[:tries])
    return min(closed, key=len)


def _any_cycle(known: Saturation) -> list[Stamped]:
    """Some cycle among all edges, found depth-first."""
    order, done, place = known.order, set(), {}
    for root in range(len(order.next)):
        stack = [(root, iter(order.next[root]))]
        path: list[Stamped] = []
        if root in done:
            continue
        place[root] = 0
        while stack:
            node, rest = stack[-1]
            number = next(rest, None)
            if number is None:
                done.add(node)
                place.pop(node)
                stack.pop()
                if path:
                    path.pop()
                continue
            edge = order.edges[number]
            if edge[1] in place:
                return [*path[place[edge[1]] :], edge]
            if edge[1] not in done:
                place[edge[1]] = len(stack)
                path.append(edge)
                stack.append((edge[1], iter(order.next[edge[1]])))
    raise ValueError("the edges form no cycle")


def _path(
    known: Saturation, start: int, end: int, before: int, needed: dict, *, everywhere: bool = False
) -> list[Stamped]:
    """A cheap path of edges with stamps below `before`, preferring recorded edges and those that are needed anyway."""
    order, after = known.order, known.order.after
    came: dict[int, Stamped | None] = {}
    heap: list[tuple[int, int, Stamped | None]] = [(0, start, None)]
    while heap:
        cost, node, edge = heappop(heap)
        if node in came:
            continue
        came[node] = edge
        if node == end:
            break
        for number in order.next[node]:
            step = order.edges[number]
            then = step[1]
            if step[3] < before and then not in came and (then == end or everywhere or after[then] >> end & 1):
                cheap = step[2][0] in RECORDED or (node, then) in needed
                heappush(heap, (cost + (1 if cheap else INFERRED), then, step))
    path = []
    node = end
    while node in came and (edge := came[node]):
        path.append(edge)
        node = edge[0]
    return path[::-1]


def leaf(known: Saturation, found: Cone) -> Tree:
    """The tree that ends in the cycle of a cone."""
    named = known.graph.named
    tree: Tree = {"steps": [], "cycle": [named(node) for node in found.cycle]}
    for edge, path in reversed(found.edges):
        first, then, why, _ = edge
        if why[0] == "apart":
            u, w = first - known.graph.lag, then
            wrong: Tree = {"steps": [], "cycle": [named(w + known.graph.lag), *(named(node) for node in path[:-1])]}
            tree = split(known, u, w, why[1], tree, wrong)
        elif why[0] != "guess":
            tree["steps"].insert(0, {"edge": [named(first), named(then)], "why": _why(known, why, path)})
    return tree


def split(known: Saturation, u: int, w: int, key: object, left: Tree, right: Tree) -> Tree:
    """The tree of both orders of two writers of a key."""
    named, lag, names = known.graph.named, known.graph.lag, known.graph.names
    return {
        "steps": [],
        "split": {
            "left": [named(u + lag), named(w)],
            "right": [named(w + lag), named(u)],
            "if_left": left,
            "if_right": right,
            "why": ["writers", _plain(key), names[u], names[w]],
        },
    }


def _why(known: Saturation, why: tuple, path: Sequence[int]) -> list:
    names, named = known.graph.names, known.graph.named
    match why:
        case ("ww" | "rw" as rule, key, other):
            return [rule, _plain(key), names[other], [named(node) for node in path]]
        case ("wr", key, value):
            return ["wr", _plain(key), _plain(value)]
        case ("init", key):
            return ["init", _plain(key)]
    return [why[0]]


def _plain(value: object) -> object:
    return value if value is None or type(value) in (int, str) else str(value)


def edges_between(graph: Polygraph, stamped: Iterable[Stamped]) -> Iterator[Edge]:
    """The edges as those of a precedence graph between transactions; a start and its commit are one there."""
    lag, names = graph.lag, graph.names
    for first, then, why, _ in stamped:
        a, b = names[first - lag if first >= lag else first], names[then - lag if then >= lag else then]
        match why:
            case ("wr", key, _):
                yield read_from(a, b, shown(key))
            case ("init", key):
                yield read_before(a, b, shown(key))
            case ("ww", key, reader):
                thing, saw = shown(key), names[reader]
                because = f"{saw} comes after {a}, which wrote {thing} too, and still read it as {b} wrote it"
                yield overwrote(a, b, thing, because)
            case ("rw", key, writer):
                because = f"{a} read {shown(key)} as {names[writer]} wrote it, before {b} overwrote that"
                yield read_before(a, b, shown(key), because)
            case ("apart" | "guess", key, *_):
                yield overwrote(a, b, shown(key), f"both wrote {shown(key)}, and {a} was first")
            case ("so" | "rt" as kind,):
                yield ordering(kind, a, b)
