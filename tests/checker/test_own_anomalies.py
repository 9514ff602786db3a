"""MTPO's own anomalies: each found from the history alone, and blamed, beside its innocent neighbour."""

import pytest
from written_run import written

from checker.anomaly import TABLE
from checker.notified import check_history
from coagent.history import History
from coagent.protocols import protocol
from coagent.scenario import parse_scenario
from coagent.simulate import Clock, simulate
from coagent.stepper import follow
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

LATE = "B.1 get x\nA.1 put x 5\n"
MID = "A.1 put x 5\nnotify B.1 of A.1\nB.2 put y 1\n"
AGAIN = "A.2 put x 6\nnotify B.1 of A.2\nB.3 put y 2\n"
OWN = {
    "missed notice": (
        LATE + "notify B.1 of A.1\nB.2 put y 1",
        LATE + "notify B.1 of A.1\nconsume B.1\nB.2 put y 1",
        "protocol",
    ),
    "a notice that was not consumed": (
        LATE + "notify B.1 of A.1\ninfer B\nB.2 put y 1",
        LATE + "notify B.1 of A.1\nconsume B.1\ninfer B\nB.2 put y 1",
        "A2",
    ),
    "a notice that came in mid-inference and is lost": (
        "B.1 get x\ninfer B\n" + MID + "infer B\nB.3 put y 2",
        "B.1 get x\ninfer B\n" + MID + "consume B.1\nB.3 put y 2",
        "protocol",
    ),
    "a notice that came in mid-inference, as one before it that was consumed": (
        "B.1 get x\ninfer B\n" + MID + "consume B.1\n" + AGAIN + "infer B\nB.4 put y 3",
        "B.1 get x\ninfer B\n" + MID + "consume B.1\n" + AGAIN + "consume B.1\nB.4 put y 3",
        "A2",
    ),
    "downward notice": (
        "A.1 get x\nB.1 put x 0\nnotify A.1 of B.1\nconsume A.1",
        "B.1 get x\nA.1 put x 0\nnotify B.1 of A.1\nconsume B.1",
        "protocol",
    ),
    "too-new read": ("B.1 put x 2\nA.1 get x", "B.1 put x 2\nA.1 get x under B.1", "protocol"),
    "too-new read of what was rewritten since": (
        "B.1 put x 2\nA.1 get x\nB.2 put x 3 for B.1",
        "B.1 put x 2\nA.1 get x under B.1\nB.2 put x 3 for B.1",
        "protocol",
    ),
    "stale read": (LATE, LATE + "notify B.1 of A.1\nconsume B.1", "protocol"),
    "orphaned report": (
        LATE + "finish B 0\nnotify B.1 of A.1\nconsume B.1\ncommit B",
        LATE + "finish B 0\nnotify B.1 of A.1\nconsume B.1\nfinish B 5\ncommit B",
        "A3",
    ),
    "order inversion": ("B.1 put x 1\nA.1 put x 2", "A.1 put x 2\nB.1 put x 1", "protocol"),
    "double apply": (
        "A.1 add x 1\nredo A.1\nnotify A.1 of A.1",
        "A.1 add x 1\nundo A.1\nredo A.1",
        "protocol",
    ),
    "undo out of order": (
        "A.1 put x 1\nB.1 put x 2\nundo A.1\nundo B.1\nredo A.1\nredo B.1",
        "A.1 put x 1\nB.1 put x 2\nundo B.1\nundo A.1\nredo A.1\nredo B.1",
        "protocol",
    ),
    "premature unrecoverable call": (
        "A.1 get x\nB.1 send out 1\nfinish A 0\ncommit A",
        "A.1 get x\nfinish A 0\ncommit A\nB.1 send out 1",
        "protocol",
    ),
    "premature unrecoverable call beside a notice": (
        LATE + "notify B.1 of A.1\nfinish A 0\ncommit A\nB.2 send out 1\nconsume B.1",
        LATE + "notify B.1 of A.1\nfinish A 0\ncommit A\nconsume B.1\nB.2 send out 1",
        "protocol",
    ),
    "unanswered cancellation": (
        "B.1 add x 1\nA.1 put y 5\ncancel B.1 by A.1\nconsume B.1",
        "B.1 add x 1\nA.1 put y 5\ncancel B.1 by A.1\nconsume B.1\nB.2 add x 1 for B.1",
        "A3",
    ),
}
NAMES = {one.name for one in TABLE}


def named(title: str) -> str:
    """The anomaly in the title of a case."""
    found = [name for name in NAMES if title.startswith(name)]
    return found[0] if found else "missed notice"


@pytest.mark.parametrize("title", OWN)
def test_the_anomaly_is_named_and_blamed_and_its_neighbour_is_ok(title: str) -> None:
    guilty, innocent, blame = OWN[title]
    found = check_history(written(guilty, {"x": 0, "y": 0}), order="declared")
    assert named(title) in {one.name for one in found.anomalies}, found.sentences()
    assert found.blame == blame and found.evidence, found.sentences()
    spared = check_history(written(innocent, {"x": 0, "y": 0}), order="declared")
    assert (spared.verdict, spared.blame) == ("ok", None), spared.sentences()


def test_a_rule_of_the_declared_order_binds_only_a_protocol_that_promises_it() -> None:
    history = written(OWN["premature unrecoverable call"][0], {"x": 0})
    free = History({**history.header, "order": "any"}, history.records)
    assert check_history(history, order="declared").verdict == "violated"
    assert check_history(history, order="any").verdict == "ok"
    assert check_history(free, order="declared").verdict == "ok"


def test_an_unrecoverable_call_that_a_repair_inserts_may_displace_what_its_own_agent_did_later() -> None:
    """The notice of that is about what comes after the call, so the call has nothing to wait for."""
    scenario = {
        "name": "inserted send",
        "state": {"d/b": 1},
        "agents": [
            {"name": "B", "steps": [{"put": "d/a", "value": "1"}]},
            {
                "name": "E",
                "steps": [
                    {"list": "d", "as": "n"},
                    {"if": "len(n) > 1", "then": [{"send": "d/b/c", "value": "1"}]},
                    {"add": "d/b", "by": "1"},
                ],
            },
        ],
    }
    given = from_scenario(parse_scenario(scenario, "inserted send"))
    run = follow(Setting(workload=given, protocol=protocol("mtpo-reissue")), (1, 1, 1, 1))
    cancelled = [record["op"] for record in run.history.of("notify") if record["cancelled"]]
    assert cancelled == ["E.2"] and run.final_state == {"d/a": 1, "d/b": 2, "d/b/c": (1,)}
    assert check_history(run.history, order="declared").verdict == "ok"


def test_a_livelock_is_told_with_its_ring_and_stays_unknown() -> None:
    given = workload("livelock")
    run = simulate(Setting(workload=given, protocol=protocol("broadcast")), Clock(0.1), max_steps=100)
    found = check_history(run.history, order="any")
    assert (found.verdict, found.blame) == ("unknown", "protocol")
    assert [one.name for one in found.anomalies] == ["livelock"]
    assert any("and so round" in sentence for sentence in found.missing)


def test_a_run_that_was_only_cut_is_no_livelock_and_nobodys_fault() -> None:
    given = workload("livelock")
    for rule, most in (("mtpo", 12), ("broadcast", 20), ("naive", 7)):
        run = simulate(Setting(workload=given, protocol=protocol(rule)), Clock(0.1), max_steps=most)
        found = check_history(run.history, order="any")
        assert (found.verdict, found.blame, found.anomalies) == ("unknown", None, ())
