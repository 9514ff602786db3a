"""The interleaving that is left of a run: what remains, what was cancelled by which law, its conflicts, its order."""

from itertools import combinations

import pytest
from written_run import written

from checker.interleaving import READ_SIDE, WRITE_SIDE, interleaving
from checker.notified import check_history
from coagent.protocols import protocol
from coagent.simulate import Chance, simulate
from coagent.testing import random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting


def test_both_laws_are_told_with_their_records() -> None:
    text = "B.1 get x\nB.2 put y 1\nA.1 put x 5\nnotify B.1 of A.1\nconsume B.1\nB.3 put y 6 for B.2"
    left = interleaving(written(text, {"x": 0, "y": 0}))
    assert [one.operation.op for one in left.operations] == ["A.1", "B.1", "B.3"]
    assert dict(left.operations[1].cancelled) == {READ_SIDE: ("refresh 11", "notify 12", "consume 14")}
    [gone] = left.dropped
    assert (gone.op, gone.law, gone.why) == ("B.2", WRITE_SIDE, "B rewrote it as B.3")
    assert left.order == ("A", "B")
    assert "\n".join(left.lines()) == (
        "what remains, as it took effect:\n"
        "  A.1 put x 5 -> 'ok' (record 9)\n"
        "  B.1 get x -> 5 (record 11); read side: refresh 11, notify 12, consume 14\n"
        "  B.3 put y 6 -> 'ok' (record 19)\n"
        "what was cancelled:\n"
        "  B.2: B rewrote it as B.3; write side: invoke 3, exec 5, repair 16, undo 17\n"
        "conflicts:\n"
        "  A before B, because B read x as A wrote it\n"
        "a serial order: A, B"
    )


def test_an_undone_and_redone_write_stands_where_it_was_redone() -> None:
    left = interleaving(written("B.1 add x 1\nundo B.1\nA.1 put x 5\nredo B.1", {"x": 0}))
    assert [one.operation.op for one in left.operations] == ["A.1", "B.1"]
    assert dict(left.operations[1].cancelled) == {WRITE_SIDE: ("undo 5", "redo 11")}


def test_a_filtered_read_stands_before_the_write_that_it_did_not_see() -> None:
    left = interleaving(written("B.1 put x 2\nA.1 get x under B.1", {"x": 0}))
    assert [one.operation.op for one in left.operations] == ["A.1", "B.1"]


def test_conflicts_in_a_ring_have_no_interleaving_and_say_so() -> None:
    left = interleaving(written("A.1 add x 1\nB.1 add y 1\nB.2 add x 1\nA.2 add y 1", {"x": 0, "y": 0}))
    assert left.order is None and not left.tangled
    ring = interleaving(written("B.1 get x\nA.1 put x 1\nA.2 get x\nB.2 put x 2\nA.3 get x", {"x": 0}))
    assert ring.order is None
    assert ring.lines()[-1] == "a serial order: none, for the conflicts form a cycle"


@pytest.mark.parametrize("rule", ["mtpo", "mtpo-reissue", "2pl", "occ", "fork-merge", "naive"])
def test_it_is_an_ordinary_interleaving_of_what_counts_in_every_run(rule: str) -> None:
    """Every agent's own order is kept, every dropped operation is named, and its serial order is the verdict's."""
    for seed in range(25):
        given = from_scenario(random_scenario(seed))
        run = simulate(Setting(workload=given, protocol=protocol(rule), seed=seed), Chance(seed))
        left = interleaving(run.history)
        ops = [one.operation for one in left.operations]
        for low, high in combinations(ops, 2):
            assert low.transaction != high.transaction or low.position < high.position
        counted = {one.op for one in ops} | {one.op for one in left.dropped} | {*left.tangled}
        assert counted == {record["op"] for record in run.history.of("invoke")}
        found = check_history(run.history, order="any")
        assert found.verdict != "ok" or left.order == found.order, seed
