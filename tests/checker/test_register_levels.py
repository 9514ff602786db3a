"""At every level the answer on small register histories is that of the level's definition, tried out in full."""

import by_definition as truth
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.level import LEVELS
from checker.register import check_register
from checker.transaction import Transaction


@st.composite
def histories(draw, most=4):
    """Up to four committed transactions of two sessions over two keys, each value written once; reads of any value."""
    count = draw(st.integers(1, most))
    shapes = [
        draw(st.lists(st.tuples(st.sampled_from("rw"), st.sampled_from("xy")), min_size=1, max_size=3))
        for _ in range(count)
    ]
    fresh = iter(range(1, 100))
    written = [[(kind, key, next(fresh) if kind == "w" else None) for kind, key in shape] for shape in shapes]
    values = {
        key: [None, *(value for steps in written for kind, at, value in steps if kind == "w" and at == key)]
        for key in "xy"
    }
    found, clock = [], iter(range(100))
    ends = draw(st.permutations([number for number in range(count) for _ in "be"]))
    times = {number: [] for number in range(count)}
    for number in ends:
        times[number].append(next(clock))
    for number, steps in enumerate(written):
        own, seen, told = {}, {}, []
        for kind, key, value in steps:
            if kind == "w":
                own[key] = value
            elif key in own and draw(st.integers(0, 9)):
                value = own[key]
            elif key in seen and draw(st.integers(0, 9)):
                value = seen[key]
            else:
                value = seen[key] = draw(st.sampled_from(values[key]))
            told.append((kind, key, value))
        begun, ended = times[number]
        found.append(
            Transaction(
                name=f"T{number}",
                status="committed",
                steps=tuple(told),
                session=draw(st.integers(0, 1)),
                begun=begun,
                ended=ended,
            )
        )
    return sorted(found, key=lambda one: one.begun)


def agrees(history, level, expected, **options):
    verdict = check_register(history, LEVELS[level], **options)
    assert verdict.verdict == ("ok" if expected else "violated"), (level, history, verdict)
    return verdict


@settings(max_examples=250, deadline=None)
@given(histories())
def test_serializability_is_that_of_every_serial_order(history):
    for level, order in (("serializable", ""), ("strong-session-serializable", "so"), ("strict-serializable", "rt")):
        agrees(history, level, truth.serializable(history, order))


@settings(max_examples=100, deadline=None)
@given(histories())
def test_snapshot_isolation_is_that_of_every_order_of_starts_and_commits(history):
    for prefix, order in (("", ""), ("strong-session-", "so"), ("strong-", "rt")):
        verdict = agrees(history, f"{prefix}snapshot-isolation", truth.snapshot_isolated(history, order))
        if verdict.verdict == "ok":
            named = {one.name: one for one in history}
            events = [(named[event[2:]], event[0]) for event in verdict.proof["starts_and_commits"]]
            assert truth.explains(events)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_the_weak_levels_are_those_of_biswas_and_enea(history):
    for level in ("read-committed", "read-atomic", "causal"):
        agrees(history, level, truth.commit_order(history, level, truth.sessions(history)), sessions=True)
    agrees(history, "read-atomic", truth.commit_order(history, "read-atomic", set()))


@settings(max_examples=120, deadline=None)
@given(histories())
def test_the_levels_between_are_those_of_adya(history):
    for level, name, order in (
        ("read-committed", "read-committed", ""),
        ("read-committed", "strong-session-read-committed", "so"),
        ("consistent-view", "consistent-view", ""),
        ("consistent-view", "strong-session-consistent-view", "so"),
        ("consistent-view", "strong-consistent-view", "rt"),
        ("repeatable-read", "repeatable-read", ""),
    ):
        agrees(history, name, truth.adya(history, level, order))
    agrees(history, "read-uncommitted", True)
    if truth.sound(history, repeatable=False):
        agrees(history, "cursor-stability", truth.adya(history, "cursor-stability", ""))
        agrees(history, "view-serializable", truth.serializable(history, ""))
