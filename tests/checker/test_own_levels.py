"""Our own histories at other levels: in any order through the precedence graph, in the declared never."""

import pytest
from written_run import written

from checker.level import LEVELS, level
from checker.notified import UNJUDGED, check_history
from coagent.bad_input import BadInput

ZERO = {"x": 0, "y": 0}
LOST = "A.1 get x\nB.1 get x\nA.2 put x 1\nB.2 put x 2"
SKEW = "A.1 get y\nB.1 get x\nA.2 put x 1\nB.2 put y 2"
TORN = "A.1 get x\nB.1 put x 1\nB.2 put y 1\nA.2 get y"
DIRTY = "B.1 put x 1\nA.1 get x\nundo B.1\ngive up B\nA.2 put y 1"
SERIAL = "A.1 get x\nA.2 put x 1\nB.1 get x"
LATE = "infer A\nA.1 get y\nA.2 put x 1\ncommit A\ninfer B\nB.1 get y\nB.2 put x 2\ncommit B"
BACK = "infer B\nB.1 put x 1\ncommit B\ninfer A\nA.1 get x under B.1\ncommit A"


@pytest.mark.parametrize(
    "text, holds, broken",
    [
        (SKEW, ("snapshot-isolation", "read-committed"), ("repeatable-read", "serializable")),
        (LOST, ("read-committed",), ("cursor-stability", "snapshot-isolation", "serializable")),
        (TORN, ("read-committed", "cursor-stability"), ("consistent-view", "snapshot-isolation", "repeatable-read")),
        (DIRTY, ("read-uncommitted",), ("read-committed", "serializable")),
        (SERIAL, ("read-uncommitted", "snapshot-isolation", "serializable", "strict-serializable"), ()),
        (LATE, ("strict-serializable",), ()),
        (BACK, ("serializable", "snapshot-isolation"), ("strict-serializable", "strong-snapshot-isolation")),
    ],
    ids=["write-skew", "lost-update", "read-skew", "dirty-read", "serial", "in-time", "against-time"],
)
def test_each_level_forbids_what_it_says(text: str, holds: tuple[str, ...], broken: tuple[str, ...]) -> None:
    history = written(text, ZERO)
    for name in holds:
        found = check_history(history, order="any", level=level(name))
        assert (found.verdict, found.criterion) == ("ok", name), found.sentences()
    for name in broken:
        assert check_history(history, order="any", level=level(name)).verdict == "violated", name


def test_the_declared_order_has_one_criterion() -> None:
    history = written(SERIAL, ZERO)
    assert check_history(history, order="declared").criterion == "notified-serializable"
    for name in LEVELS.keys() - {"serializable"}:
        with pytest.raises(BadInput, match="^written: the declared order is judged at notified serializability, not"):
            check_history(history, order="declared", level=level(name))


@pytest.mark.parametrize("name", UNJUDGED)
def test_a_level_that_is_no_table_of_cycles_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"not judged at {name}"):
        check_history(written(SERIAL, ZERO), order="any", level=level(name))
