"""Paths by what lies below them, and operations by what lies above: the quick answers are those of looking at all."""

from hypothesis import given
from hypothesis import strategies as st

from checker.height import Heights
from checker.tree import Tree
from coagent.path import any_overlap

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
OPS = st.lists(st.tuples(st.lists(PATHS, max_size=3, unique=True), st.tuples(st.integers(1, 3), st.integers(1, 3))))


@given(st.lists(st.tuples(st.booleans(), PATHS)), PATHS)
def test_below_is_every_held_path_under_another(changes: list[tuple[bool, str]], path: str) -> None:
    tree, held = Tree(), set()
    for adds, one in changes:
        (tree.add if adds else tree.discard)(one)
        (held.add if adds else held.discard)(one)
    assert tree.below(path) == sorted(one for one in held if one.startswith(path + "/"))


@given(OPS, st.sets(st.integers(0, 20)), st.lists(PATHS, max_size=2), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_above_is_every_operation_higher_up_that_overlaps(
    ops: list, gone: set[int], paths: list[str], position: tuple[int, int]
) -> None:
    heights = Heights()
    for at, (touched, place) in enumerate(ops):
        heights.add(touched, place, str(at))
    for at, (touched, place) in enumerate(ops):
        if at in gone:
            heights.remove(touched, place, str(at))
    expected = {
        str(at)
        for at, (touched, place) in enumerate(ops)
        if at not in gone and place > position and any_overlap(touched, paths)
    }
    assert heights.above(paths, position) == expected
