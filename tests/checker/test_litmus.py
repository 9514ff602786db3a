"""The eleven litmus rows in our own format, each beside its nearest neighbour that is judged otherwise."""

import pytest
from written_run import written

from checker.notified import check_history

OK, BAD = "ok", "violated"
ZERO = {"x": 0, "y": 0}

ROWS = {
    "1 lost update": ("A.1 get x\nB.1 get x\nA.2 put x 1\nB.2 put x 2", BAD, BAD),
    "1 and the second read it": ("A.1 get x\nA.2 put x 1\nB.1 get x\nB.2 put x 2", OK, OK),
    "2 write skew": ("A.1 get y\nB.1 get x\nA.2 put x 1\nB.2 put y 2", BAD, BAD),
    "2 of one object": ("A.1 get y\nB.1 get y\nA.2 put x 1\nB.2 put y 2", OK, OK),
    "3 read skew": ("A.1 get x\nB.1 put x 1\nB.2 put y 1\nA.2 get y", BAD, BAD),
    "3 and the reads are before": ("A.1 get x\nA.2 get y\nB.1 put x 1\nB.2 put y 1", OK, OK),
    "4 a cycle whose other side aborted": (
        "A.1 get x\nB.1 get x\nB.2 put x 2\nundo B.2\ngive up B\nA.2 put x 1",
        OK,
        OK,
    ),
    "4 and the other side did not": ("A.1 get x\nB.1 get x\nB.2 put x 2\nA.2 put x 1", BAD, BAD),
    "5 a dirty read of an aborted write that was used": (
        "B.1 put x 1\nA.1 get x\nundo B.1\ngive up B\nA.2 put y 1",
        BAD,
        BAD,
    ),
    "5 and it was read after the undo": ("B.1 put x 1\nundo B.1\ngive up B\nA.1 get x\nA.2 put y 1", OK, OK),
    "6 an order-filtered read of an older version": ("B.1 put x 2\nA.1 get x under B.1\nA.2 put y 1", OK, OK),
    "6 and it is not filtered": ("B.1 put x 2\nA.1 get x\nA.2 put y 1", BAD, OK),
    "7 a stale version, visible only in the value": ("A.1 put x 1\nB.1 get x told 0\nB.2 put y 0", BAD, BAD),
    "7 and the value is the version's": ("A.1 put x 1\nB.1 get x told 1\nB.2 put y 0", OK, OK),
    "8 phantom": ("A.1 list d\nB.1 create d/a 1\nB.2 get y\nA.2 put y 1\nA.3 list d", BAD, BAD),
    "8 and the member is not of that list": (
        "A.1 list d\nB.1 create e/a 1\nA.2 put y 1\nB.2 get y\nA.3 list d",
        OK,
        OK,
    ),
    "9 increments that commute": (
        "A.1 add x 1 silently\nB.1 add y 2 silently\nB.2 add x 2 silently\nA.2 add y 1 silently",
        OK,
        OK,
    ),
    "9 and the totals are told": ("A.1 add x 1\nB.1 add y 2\nB.2 add x 2\nA.2 add y 1", BAD, BAD),
    "9 and somebody read between": (
        "A.1 add x 1 silently\nB.1 add y 2 silently\nA.2 get y\nB.2 get x\nB.3 add x 2 silently\nA.3 add y 1 silently",
        BAD,
        BAD,
    ),
    "10 a misplaced write, undone, then redone in order": (
        "B.1 add x 1\nundo B.1\nA.1 put x 5\nredo B.1\nnotify B.1 of A.1\nconsume B.1",
        OK,
        OK,
    ),
    "10 and not redone": ("B.1 add x 1\nundo B.1\nA.1 put x 5", BAD, BAD),
    "11 serial, but not in the declared order": ("B.1 get x\nB.2 put x 1\nA.1 get x\nA.2 put y 1", BAD, OK),
    "11 and in it": ("A.1 get x\nA.2 put x 1\nB.1 get x\nB.2 put y 1", OK, OK),
}


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    text, declared, any_ = ROWS[name]
    for order, due in (("declared", declared), ("any", any_)):
        found = check_history(written(text, ZERO), order=order)
        assert found.verdict == due, (order, found.sentences())
        assert (found.blame is None) == (due == OK)
