"""Refutes a listing of read atomicity or causal consistency: a cycle of who read from whom, what comes after what, and
the writers that the reads put in order. Knows only a listing, as `transcript.py` makes it.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from checker.lowering import Index, Pair, Step, either, missed, read_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A listing's edges between nodes that must be there: `flow` are those by which one is seen, `next` all of them;
    `step` shows those that the listing does not have, `sight` has the read that an edge between writers is by."""

    index: Index
    flow: dict[str, dict[str, None]] = field(default_factory=dict)
    next: dict[str, dict[str, None]] = field(default_factory=dict)
    step: dict[Pair, Step] = field(default_factory=dict)
    sight: dict[Pair, str] = field(default_factory=dict)

    def add(self, a: str, b: str, step: Step | None = None, *, flows: bool = False) -> None:
        self.next.setdefault(a, {})[b] = None
        if flows:
            self.flow.setdefault(a, {})[b] = None
        if step:
            self.step.setdefault((a, b), step)


def web(index: Index) -> Web:
    """The edges of a listing."""
    found = Web(index=index)
    for node, (must, after, steps) in index.listed.items():
        behind = [one for one in after if must and index.listed[one][0]]
        for one in behind:
            found.add(one, node, flows=not node.startswith("r:"))
        if must and node.startswith("r:"):
            _by_read(found, node, steps, behind)
    return found


def _by_read(found: Web, node: str, steps: Iterable[list], behind: Iterable[str]) -> None:
    """The edges that a read of one key shows: from whom it read, and that whoever it has seen wrote before."""
    for _, key, seen in steps:
        maker, _ = found.index.left.get((key, *seen), ("", 0))
        if maker and found.index.listed[maker][0]:
            found.add(maker, node, read_from(found.index, maker, node, key), flows=True)
        for one in behind:
            step = missed(found.index, node, one, key, {(maker, one)})
            if step and not seen:
                found.add(node, one, step)
                found.sight.setdefault((node, one), node)
            elif step and one != maker:
                found.add(one, maker, either(one, maker, [step], [one, node]))
                found.sight.setdefault((one, maker), node)


def refutation(index: Index, starts: Iterable[str]) -> tuple[dict, Web] | None:
    """The shortest proof by a cycle through one of these nodes, and the edges among which it was found."""
    found = web(index)
    cycles = [path(found.next, node, node)[1:] for node in starts if node in found.next]
    cycle = min(filter(None, cycles), key=len, default=None)
    if cycle is None:
        return None
    steps = [found.step[edge] for edge in zip(cycle, [*cycle[1:], cycle[0]], strict=True) if edge in found.step]
    return {"steps": steps, "cycle": cycle}, found


def witnesses(proof: Mapping, found: Web) -> set[str]:
    """The nodes that a cycle goes through, and those over which its readers have seen whom they have."""
    cycle = proof["cycle"]
    nodes = {*cycle}
    for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        reader, seen = (found.sight.get((a, b)), b if a.startswith("r:") else a)
        if (a, b) not in found.sight and b.startswith("r:") and (a, b) not in found.step:
            reader, seen = b, a
        if reader:
            nodes |= {reader, *path(found.flow, seen, reader.split(":")[-1])}
    return nodes


def path(edges: Mapping[str, Iterable[str]], a: str, b: str) -> list[str]:
    """A shortest path of at least one edge; empty when there is none."""
    back: dict[str, str] = {}
    queue = deque([a])
    while queue and b not in back:
        one = queue.popleft()
        for then in edges.get(one, ()):
            if then not in back:
                back[then] = one
                queue.append(then)
    if b not in back:
        return []
    way = [b, back[b]]
    while way[-1] != a:
        way.append(back[way[-1]])
    return way[::-1]
