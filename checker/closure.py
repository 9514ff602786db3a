"""Refutes a few transactions of a listing: every edge that their operations show, and what follows, up to a cycle.

Knows only a listing. What follows is who must have written before whom for a reader to see what it saw (Papadimitriou,
JACM 1979) and, where locks are listed, that writers of one key do not overlap; cases are not tried.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product

from checker.lowering import (
    Index,
    Pair,
    Step,
    apart,
    either,
    followed,
    missed,
    pruned,
    read_from,
    unexplained,
)
from checker.seen_cycle import path


@dataclass(slots=True, kw_only=True)
class Closure:
    """The edges known so far between `nodes`: `shown` has the step of each, `next` all there are."""

    index: Index
    nodes: list[str]
    steps: list[Step] = field(default_factory=list)
    shown: set[Pair] = field(default_factory=set)
    next: dict[str, list[str]] = field(default_factory=dict)

    def add(self, *steps: Step) -> None:
        for step in steps:
            if (step[1], step[3]) not in self.shown:
                self.steps.append(step)
                self.shown.add((step[1], step[3]))
                self.next.setdefault(step[1], []).append(step[3])

    def path(self, a: str, b: str) -> list[str]:
        """A shortest path of at least one edge; empty when there is none."""
        return path(self.next, a, b)


def refutations(index: Index, names: Iterable[str]) -> Iterator[dict]:
    """Proofs that the listing is in no order, by edges between these of its transactions."""
    nodes = [name for name in names if index.listed[name][0]]
    yield from unexplained(index, nodes)
    known = Closure(index=index, nodes=nodes)
    for name, (must, after, _) in index.listed.items():
        for one in after:
            if must and index.listed[one][0]:
                known.next.setdefault(one, []).append(name)
                known.shown.add((one, name))
    keys = sorted({key for name in nodes for _, key, _ in index.listed[name][2] if key})
    for rule in (read_from, followed, partial(missed, known=known.shown)):
        for a, b, key in product(nodes, nodes, keys):
            step = rule(index, a, b, key) if (a, key) in index.at and (b, key) in index.at else None
            known.add(*([step] if step else []))
    more = True
    while more:
        proof = _closed(known)
        if proof:
            yield proof
            return
        before = len(known.steps)
        for key in keys:
            _order_writers(known, key)
            _keep_apart(known, key)
        more = len(known.steps) > before


def _closed(known: Closure) -> dict | None:
    """The shortest cycle, with the steps that it needs."""
    cycles = [known.path(step[3], step[1]) if step[1] != step[3] else [step[1]] for step in known.steps]
    cycles += [known.path(node, node)[1:] for node in known.nodes]
    found = min(filter(None, cycles), key=len, default=None)
    if found is None:
        return None
    return pruned({"steps": known.steps, "cycle": found})


def _order_writers(known: Closure, key: str) -> None:
    """Of a register that w wrote, r read and u writes: u is before w or after r."""
    index = known.index
    own = {node: [index.step(node, at) for at in index.at.get((node, key), ())] for node in known.nodes}
    writers = [node for node, steps in own.items() if any(kind == "w" for kind, _, _ in steps)]
    for r, w in product(known.nodes, writers):
        if w == r or not any(kind == "r" and index.left.get((key, *seen), "-")[0] == w for kind, _, seen in own[r]):
            continue
        for u in writers:
            if u in (w, r):
                continue
            path = known.path(w, u)
            if path and not known.path(r, u):
                step = missed(index, r, u, key, {(w, u)})
                known.add(*([either(w, u, [], path), step] if step else []))
            path = known.path(u, r)
            step = missed(index, r, u, key, {(w, u)})
            if path and step and not known.path(u, w):
                known.add(either(u, w, [step], path))


def _keep_apart(known: Closure, key: str) -> None:
    """Of two that lock a key, the one that starts before the other commits commits before the other starts."""
    if key.startswith("lock "):
        own = [node[2:] for node in known.nodes if node.startswith("s:") and (node, key) in known.index.at]
        for a, b in product(own, own):
            path = known.path("s:" + a, "c:" + b) if a != b else []
            if path and not known.path("c:" + a, "s:" + b):
                known.add(*apart(known.index, a, b, key.removeprefix("lock "), path))


def used(proof: Mapping) -> Iterator[tuple[str, int | None]]:
    """Each operation that a proof names, as transaction and place; the place is None for those of its cycle alone."""
    yield from ((name, None) for name in proof["cycle"])
    for rule, a, i, b, j, c, k, reverse in proof["steps"]:
        yield from ((a, i), (b, j), (c, k)) if rule != "either" else ((a, None), (b, None))
        yield from used(reverse) if reverse else ()
