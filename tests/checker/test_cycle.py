"""A shortest cycle of each class is as short as the shortest of all cycles, tried one by one."""

import random
from itertools import product

import networkx as nx
import numpy as np
import pytest

from checker.arcs import CODE, Arcs, of_edges, order_of, ranks
from checker.cycle import APART, G0, G1C, G2, G_SINGLE, LOST_UPDATE, Search, shortest
from checker.precedence import KINDS, Edge

ALL = (G0, G1C, G_SINGLE, LOST_UPDATE, APART, G2)


def arcs_of(size: int, rows: list[tuple[int, int, str, int]]) -> Arcs:
    edges = [Edge(source=str(a), target=str(b), kind=kind, object=str(thing), because="") for a, b, kind, thing in rows]
    return of_edges({str(number): number for number in range(size)}, edges)


def every_cycle(rows: list[tuple[int, int, str, int]]):
    """Every simple cycle of a small graph, as its edges."""
    plain = nx.DiGraph([(a, b) for a, b, _, _ in rows])
    between: dict = {}
    for row in rows:
        between.setdefault(row[:2], []).append(row)
    for nodes in nx.simple_cycles(plain):
        pairs = list(zip(nodes, nodes[1:] + nodes[:1], strict=True))
        yield from product(*(between[pair] for pair in pairs))


def fits(cycle: tuple, search: Search) -> bool:
    kinds = [kind for _, _, kind, _ in cycle]
    data = [row for row in cycle if row[2] not in ("so", "rt")]
    firsts = sum(kind in search.first for kind in kinds)
    inside = all(row[2] in search.first | search.rest for row in data)
    apart = not search.apart or not any(
        one == other == "rw" for one, other in zip(kinds, kinds[1:] + kinds[:1], strict=True)
    )
    one = not search.one or (len({row[3] for row in data}) == 1 and len(data) == len(cycle))
    return inside and apart and one and (firsts == 1 if search.once else firsts >= 1)


def counted(cycle: tuple) -> int:
    """How many edges count: those of one order in a row are one, from any place on."""
    kinds = [kind for _, _, kind, _ in cycle]
    joined = sum(one == other and one in ("so", "rt") for one, other in zip(kinds, kinds[1:] + kinds[:1], strict=True))
    return len(kinds) - joined


@pytest.mark.parametrize("kinds", [("ww", "wr", "rw"), ("ww", "wr", "rw", "rw", "so"), ("ww", "rw", "wr", "rt")])
@pytest.mark.parametrize("search", ALL, ids=lambda one: one.adya)
def test_no_cycle_of_the_class_is_shorter(search, kinds):
    found_some = 0
    for seed in range(150):
        chance = random.Random(f"{search.adya}-{seed}")
        size = chance.randint(2, 7)
        rows = sorted(
            {
                (*chance.sample(range(size), 2), chance.choice(kinds), chance.randint(0, 1))
                for _ in range(chance.randint(2, 11))
            }
        )
        rows = [row for row in rows if row[2] not in ("so", "rt") or row[0] < row[1]]
        if not rows:
            continue
        cycle = shortest(arcs_of(size, rows), search)
        fitting = [one for one in every_cycle(rows) if fits(one, search)]
        by_data = [one for one in fitting if all(row[2] in ("ww", "wr", "rw") for row in one)]
        lengths = [counted(one) for one in by_data if len(one) <= 4] or [counted(one) for one in fitting]
        assert bool(cycle.path) == bool(lengths), (seed, rows)
        if lengths:
            path = tuple(rows[place] for place in cycle.path)
            assert all(one[1] == other[0] for one, other in zip(path, path[1:] + path[:1], strict=True))
            assert fits(path, search) and counted(path) == min(lengths), (seed, rows, path)
            found_some += 1
    assert found_some > 4


def test_edges_of_one_order_in_a_row_count_as_one():
    chain = [(0, 1, "so", 0), (1, 2, "so", 0), (2, 3, "so", 0), (3, 4, "so", 0)]
    detour = [(0, 5, "ww", 0), (5, 4, "so", 0), (4, 0, "rw", 1)]
    path = shortest(arcs_of(6, chain + detour), G_SINGLE).path
    assert sorted(path) == [0, 1, 2, 3, 6]


def test_a_long_ring_is_found_when_nothing_shorter_exists():
    size = 5000
    rows = [(place, (place + 1) % size, "rw" if place == 7 else "ww", 0) for place in range(size)]
    assert len(shortest(arcs_of(size, rows), G_SINGLE).path) == size
    assert not shortest(arcs_of(size, rows), G0).path


def test_a_short_cycle_is_found_among_very_many():
    chance = np.random.default_rng(0)
    size = 40_000
    source = chance.integers(0, size - 60, 160_000)
    target = source + chance.integers(1, 50, 160_000)
    ring = [(39_000, 5), (5, 20_000), (20_000, 39_000)]
    arcs = Arcs(
        size=size,
        real=size,
        source=np.concatenate([source, [a for a, _ in ring]]),
        target=np.concatenate([target, [b for _, b in ring]]),
        kind=np.full(160_003, CODE["rw"], np.int8),
        thing=np.zeros(160_003, np.int64),
        collection=np.zeros(160_003, bool),
    )
    assert sorted(shortest(arcs, G2).path) == [160_000, 160_001, 160_002]


def test_an_order_respects_every_edge_and_a_cycle_has_none():
    for seed in range(50):
        chance = random.Random(seed)
        names = chance.sample(range(12), 12)
        rows = [(*sorted(chance.sample(range(12), 2)), "ww", 0) for _ in range(20)]
        arcs = arcs_of(12, [(names[a], names[b], kind, thing) for a, b, kind, thing in rows])
        place = np.argsort(order_of(arcs))
        assert (place[arcs.source] < place[arcs.target]).all()
        assert (ranks(arcs)[arcs.source] < ranks(arcs)[arcs.target]).all()
    with pytest.raises(ValueError):
        order_of(arcs_of(3, [(0, 1, "ww", 0), (1, 2, "ww", 0), (2, 0, "wr", 0)]))


def test_components_are_sorted_whichever_way_scipy_numbers_them():
    from checker.arcs import _layers, components

    arcs = arcs_of(5, [(0, 1, "ww", 0), (1, 0, "wr", 0), (4, 2, "ww", 0), (1, 4, "ww", 0), (2, 3, "rw", 0)])
    label = components(5, arcs.source, arcs.target)
    for numbered in (label, label.max() - label):
        place = _layers(numbered, arcs)
        assert (place[arcs.source] <= place[arcs.target]).all() and place[0] == place[1]


def test_every_kind_of_edge_has_a_code():
    assert [CODE[kind] for kind in KINDS] == list(range(len(KINDS)))
