"""The witnesses of what a level forbids: a shortest cycle of each class inside a component, and its sentence.

Decides which cycles a level forbids; knows no history format and no names of transactions but for
the sentences. A component is a proof that some cycle exists, and one cycle is always found.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from checker.anomaly import Anomaly, classify
from checker.arcs import CODE, ORDER, Arcs, Array, on_cycles, on_cycles_apart, parts
from checker.cycle import APART, G0, G1C, G2, G_SINGLE, LOST_UPDATE, Before, Cycle, Search, candidates, shortest
from checker.level import Level
from checker.precedence import KINDS, Edge

GROUPS = 20
"""Components that are told each; the rest are counted."""

TOLD = 12
"""The longest cycle that is told edge by edge."""

EACH = (G0, G1C, G_SINGLE)
"""Each of these is looked for in every component."""

LAST = (LOST_UPDATE, APART, G2)
"""Looked for in this order when nothing stronger was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """What sentences need: the edge of an arc's number, and the edge of an order (`so` or `rt`) between two nodes.

    `before`, by order kind, tells which of two transactions comes first, where that is known apart from the arcs.
    """

    edge: Callable[[int], Edge]
    ordered: Callable[[str, int, int], Edge]
    before: dict[str, Before]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The anomalies of the components told, how many more components have one, and what could not be excluded."""

    anomalies: tuple[Anomaly, ...] = ()
    more: int = 0
    doubtful: tuple[str, ...] = ()


def restricted(arcs: Arcs, level: Level) -> Arcs:
    """The edges that matter at a level: its own order's alone, and no listing's where phantoms are allowed."""
    orders = {"": (), "so": ("so",), "rt": ("so", "rt")}[level.order]
    kept = arcs.of_kinds({"ww", "wr", "rw", *orders})
    if "G2" not in level.forbids and "G2-item" in level.forbids:
        kept &= ~arcs.collection
    return arcs if kept.all() else arcs.take(kept)


def suspects(arcs: Arcs, level: Level) -> Array:
    """A mask of the edges on cycles that the level may forbid: none means that it forbids none of those here."""
    forbids = level.forbids
    if "G2-item" in forbids:
        return on_cycles(arcs)
    if "G-single" in forbids:
        found = on_cycles_apart(arcs)
    else:
        kinds = {"so", "rt", *(("ww", "wr") if "G1c" in forbids else ("ww",) if "G0" in forbids else ())}
        found = arcs.of_kinds(kinds)
        found[found] = on_cycles(arcs.take(found))
    if "lost-update" in forbids:
        found[candidates(arcs, LOST_UPDATE)] = True
    return found


def findings(arcs: Arcs, level: Level, teller: Teller) -> Found:
    """The forbidden cycles among these edges (see `restricted`), at least one of every component that has one."""
    where = np.flatnonzero(suspects(arcs, level))
    groups = parts(arcs.take(where))
    found: list[Anomaly] = []
    doubtful: list[str] = []
    told_groups = 0
    for place, group in enumerate(groups):
        if told_groups == GROUPS:
            sure = "G2-item" in level.forbids
            return Found(anomalies=tuple(found), more=len(groups) - place if sure else 0)
        cycles, unsure = _witnesses(arcs.take(where[group]), level, teller)
        told_groups += bool(cycles)
        found += [told(cycle) for cycle in cycles]
        if unsure and not cycles:
            doubtful.append(f"whether {unsure} lies among {len(np.unique(arcs.source[where[group]]))} transactions")
    return Found(anomalies=tuple(found), doubtful=tuple(doubtful))


def _witnesses(arcs: Arcs, level: Level, teller: Teller) -> tuple[list[tuple[Edge, ...]], str]:
    """The cycles of one component, by data alone, then with sessions, then with real time; of each class the first.
    With the class that could not be excluded, if any."""
    found: dict[Search, tuple[Edge, ...]] = {}
    unsure: dict[Search, str] = {}
    for last, kinds in (("", ()), ("so", ("so",)), ("rt", ("so", "rt"))):
        if last and not (arcs.kind == CODE[last]).any():
            continue
        within = arcs.take(arcs.of_kinds({"ww", "wr", "rw", *kinds}))
        for search in (*EACH, *LAST):
            if not forbidden(search, level) or search in found or (found and search in LAST):
                continue
            if last and search.one:
                continue
            cycle = shortest(within, search, before=teller.before.get(last))
            if cycle.path:
                found[search] = _edges(within, cycle, last, teller)
            elif not cycle.complete:
                unsure[search] = f"a cycle of class {search.adya}"
    return list(found.values()), next(iter(unsure.values()), "")


def forbidden(search: Search, level: Level) -> bool:
    """Whether the level forbids this class of cycles."""
    return search.adya in level.forbids or (search is G2 and "G2-item" in level.forbids)


def _edges(arcs: Arcs, cycle: Cycle, order: str, teller: Teller) -> tuple[Edge, ...]:
    """The edges of a cycle that starts with one of data, those of one order in a row as one; `order` closes it."""
    edges: list[Edge] = []
    path, place = cycle.path, 0
    while place < len(path):
        code, first = int(arcs.kind[path[place]]), path[place]
        place += 1
        if code not in ORDER:
            edges.append(teller.edge(int(arcs.number[first])))
            continue
        last = first
        while place < len(path) and arcs.kind[path[place]] == code:
            last = path[place]
            place += 1
        edges.append(teller.ordered(KINDS[code], int(arcs.source[first]), int(arcs.target[last])))
    if cycle.closed:
        edges.append(teller.ordered(order, int(arcs.target[path[-1]]), int(arcs.source[path[0]])))
    return tuple(edges)


def tell(cycle: Sequence[Edge]) -> str:
    """The cycle as one sentence: "A before B, because ...; however B before A, because ...: a contradiction"."""
    if len(cycle) > TOLD:
        inner = ", ".join(edge.source for edge in cycle[:TOLD])
        return f"a cycle of {len(cycle)} transactions exists: {inner} and so on, each before the next: a contradiction"
    parts = [f"{edge.source} before {edge.target}, because {edge.because}" for edge in cycle]
    return "; ".join([*parts[:-1], "however " + parts[-1]]) + ": a contradiction"


def told(cycle: Sequence[Edge]) -> Anomaly:
    """The cycle with its names, its transactions in order round the cycle, and its sentence."""
    cycle = _turned(cycle)
    name, adya = classify(cycle)
    return Anomaly(
        name=name, adya=adya, transactions=tuple(edge.source for edge in cycle), because=(tell(cycle),), cycle=cycle
    )


def _turned(cycle: Sequence[Edge]) -> tuple[Edge, ...]:
    """The cycle turned so that an rw edge, the surprising one, comes last when there is one."""
    last = max(range(len(cycle)), key=lambda place: (cycle[place].kind == "rw", cycle[place].target), default=0)
    return tuple(cycle[last + 1 :]) + tuple(cycle[: last + 1])


def noting_more(found: Sequence[Anomaly], more: int) -> Iterator[Anomaly]:
    """The anomalies, the last one with a note of how many more components were not told."""
    yield from found[:-1]
    if found and more:
        note = f"{more} more groups of transactions contain a cycle each"
        yield replace(found[-1], because=(*found[-1].because, note))
    else:
        yield from found[-1:]
