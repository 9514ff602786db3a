"""Our own histories: correct runs are ok, and what is changed in a recorded run is convicted, refused or left open."""

import json
from collections.abc import Callable

import pytest

from checker.notified import check_history
from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.history import History, lines, parse
from coagent.operation import Declaration, Result
from coagent.protocols import protocol
from coagent.protocols.mtpo import Mtpo
from coagent.simulate import Chance, Clock, finished, simulate
from coagent.testing import random_scenario
from coagent.tool import TOOLS, Tool
from coagent.workload import Agent, Workload, from_scenario
from coagent.world import Setting
from tests.driving import driven, setting, to_the_end
from workloads import workload

Change = Callable[[list[dict]], None]


def recorded(name: str, rule: str = "mtpo") -> History:
    """A workload's history on the clock."""
    given = workload(name)
    return simulate(Setting(workload=given, protocol=protocol(rule)), Clock(given.cost.tool_s)).history


def verdict(history: History, change: Change, order: str = "declared") -> Verdict:
    """The verdict on a history after an edit, unsealed and with its count put right."""
    records = [json.loads(json.dumps(record)) for record in history.records]
    change(records)
    records[-1]["records"] = len(records) - 1
    header = {**history.header, "sealed": False}
    return check_history(parse("".join(lines(History(header, tuple(records)))), "h"), order=order)


def where(records: list[dict], **fields: object) -> dict:
    """The last record with these fields."""
    return [record for record in records if all(record.get(name) == value for name, value in fields.items())][-1]


def names(found: Verdict) -> set[str]:
    """The anomalies of a verdict."""
    return {anomaly.name for anomaly in found.anomalies}


# correct runs


@pytest.mark.parametrize("rule", ["serial", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass"])
@pytest.mark.parametrize("order", ["declared", "any"])
def test_correct_runs_are_ok_in_the_order_they_promise_and_so_in_any(rule: str, order: str) -> None:
    for seed in range(40):
        given = from_scenario(random_scenario(seed))
        run = simulate(Setting(workload=given, protocol=protocol(rule), seed=seed), Chance(seed))
        if order == "any" or protocol(rule).promises == "declared":
            assert check_history(run.history, order=order).verdict == "ok", (seed, rule)


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_run_with_lost_answers_is_ok(took_effect: bool) -> None:
    for seed in range(60):
        given = from_scenario(random_scenario(seed))
        lost = {f"{one.name}.{number}": took_effect for one in given.agents for number in (1, 3)}
        run = simulate(Setting(workload=given, protocol=Mtpo(), seed=seed, lost=lost), Chance(seed))
        found = check_history(run.history, order="declared")
        assert run.quiescent and found.verdict == "ok", (seed, found.sentences())


def test_a_masked_writes_place_goes_over_to_its_covers_heir() -> None:
    agents = {
        "Z": [{"put": "y", "value": "1"}, {"put": "x", "value": "1"}, {"put": "go", "value": "0"}],
        "A": [{"get": "y", "as": "a"}, {"put": "x", "value": "2"}],
        "B": [{"get": "go", "as": "g"}, {"if": "g == 1", "then": [{"put": "x", "value": "3"}]}],
        "C": [{"put": "x", "value": "4"}],
    }
    world = to_the_end(driven(setting(agents, Mtpo(), {"go": 1, "x": 0, "y": 0}), "ZZBBCAAZBB"))
    history = finished(world, (), 0.0, "clock").history
    assert [*history.of("mask")] and [*history.of("inherit")]
    for order in ("declared", "any"):
        assert check_history(history, order=order).verdict == "ok"


# the litmus of what MTPO leaves behind


def test_an_unconsumed_notice_is_a_missed_notice() -> None:
    def change(records: list[dict]) -> None:
        records.remove(where(records, event="consume"))

    assert names(verdict(recorded("lost-update"), change)) >= {"missed notice"}


def test_a_notice_never_sent_is_a_missed_notice() -> None:
    def change(records: list[dict]) -> None:
        records.remove(where(records, event="notify"))

    assert names(verdict(recorded("lost-update"), change)) >= {"missed notice"}


def test_a_notice_consumed_by_another_agent_is_a_missed_notice() -> None:
    def change(records: list[dict]) -> None:
        where(records, event="consume")["agent"] = "A"

    assert names(verdict(recorded("lost-update"), change)) >= {"missed notice"}


def test_a_stale_version_visible_only_in_the_value_is_convicted() -> None:
    def change(records: list[dict]) -> None:
        where(records, event="result", op="A.1")["value"] = 9

    assert names(verdict(recorded("lost-update"), change)) == {"wrong result"}


def test_a_too_new_read_is_named() -> None:
    agents = {"A": [{"get": "x", "as": "v"}], "B": [{"put": "x", "value": "2"}]}
    world = to_the_end(driven(setting(agents, protocol("naive"), {"x": 1}), "BA"))
    history = finished(world, (), 0.0, "clock").history
    assert names(check_history(history, order="declared")) >= {"too-new read", "order inversion"}
    assert check_history(history, order="any").order == ("B", "A")


def test_another_final_state_is_a_diverged_state() -> None:
    def change(records: list[dict]) -> None:
        records[-1]["final_state"]["stock/apples"] = 6

    assert names(verdict(recorded("lost-update"), change)) == {"diverged state"}


def test_another_report_is_an_orphaned_report() -> None:
    def change(records: list[dict]) -> None:
        records[-1]["reports"]["B"] = 1

    assert names(verdict(recorded("k2-canary"), change)) == {"orphaned report"}


def test_a_wrong_inverse_is_a_lost_inverse() -> None:
    def change(records: list[dict]) -> None:
        where(records, event="prepare", op="B.3")["captured"]["stock/apples"]["value"] = 1

    assert names(verdict(recorded("lost-update"), change)) >= {"lost inverse"}


def test_an_undone_write_that_was_not_is_convicted() -> None:
    def change(records: list[dict]) -> None:
        records.remove(where(records, event="undo"))

    assert verdict(recorded("k2-canary"), change).verdict == "violated"


def test_a_send_that_is_undone_and_sent_again_is_convicted() -> None:
    def change(records: list[dict]) -> None:
        sent = where(records, event="exec", op="B.2")
        at = records.index(sent) + 1
        records[at:at] = [{"at": sent["at"], "event": "undo", "op": "B.2"}, dict(sent)]

    history = simulate(
        setting({"A": [], "B": [{"get": "x", "as": "v"}, {"send": "out", "value": "1"}]}, Mtpo()), Clock(0.1)
    ).history
    assert verdict(history, lambda records: None).verdict == "ok"
    assert names(verdict(history, change)) >= {"repeated unrecoverable call"}


def test_a_touch_outside_the_declared_footprint_is_an_escape() -> None:
    def change(records: list[dict]) -> None:
        where(records, event="invoke", op="A.2")["writes"] = ["elsewhere"]

    assert names(verdict(recorded("lost-update"), change)) >= {"footprint escape"}


# what is not known stays unknown


def test_a_run_that_never_quiesced_is_unknown() -> None:
    given = workload("livelock")
    run = simulate(Setting(workload=given, protocol=protocol("broadcast")), Clock(0.1), max_steps=300)
    assert check_history(run.history, order="any").verdict == "unknown"


def test_a_call_that_was_never_answered_is_unknown() -> None:
    def change(records: list[dict]) -> None:
        records.remove(where(records, event="result", op="B.1"))

    found = verdict(recorded("lost-update", "naive"), change, "any")
    assert (found.verdict, found.missing) == ("unknown", ("what became of B.1 is not recorded",))


def test_without_sightings_the_order_is_not_guessed() -> None:
    def change(records: list[dict]) -> None:
        for record in records:
            record.pop("saw", None)

    agents = {"A": [{"get": "x", "as": "v"}], "B": [{"put": "x", "value": "2"}]}
    world = to_the_end(driven(setting(agents, protocol("naive"), {"x": 1}), "BA"))
    history = finished(world, (), 0.0, "clock").history
    assert verdict(history, lambda records: None, "any").verdict == "ok"
    assert verdict(history, change, "any").verdict == "unknown"


def test_an_unknown_tool_that_recorded_nothing_it_saw_is_unknown() -> None:
    def peek(view: object, args: dict) -> tuple:
        return Result("ok", view.cell("x")), ()

    tools = {**TOOLS, "peek": Tool("peek", lambda args: Declaration(reads=("x",)), peek)}

    def program():
        from coagent.operation import Call
        from coagent.program import Intent

        yield Intent(call=Call("peek"), think_s=1.0)

    given = Workload(name="t", state=(("x", 1),), agents=(Agent(name="A", program=program),), tools=tools)
    history = simulate(Setting(workload=given, protocol=Mtpo()), Clock(0.1)).history
    assert verdict(history, lambda records: None).verdict == "ok"
    assert verdict(history, lambda records: where(records, event="result").update(saw={})).verdict == "unknown"


# what cannot be is refused


@pytest.mark.parametrize(
    "change",
    [
        lambda records: where(records, event="invoke", op="B.2").update(attempt=2),
        lambda records: where(records, event="invoke", op="B.2").update(position=[1, 2]),
        lambda records: where(records, event="invoke", op="B.2").update(args={"path": {"a": 1}, "value": 1}),
        lambda records: where(records, event="result", op="B.1").update(agent="A"),
        lambda records: where(records, event="launch", agent="B").update(rank=[3]),
        lambda records: records.insert(3, {"at": 0.0, "event": "abort", "agent": "B", "attempt": 7, "because": "no"}),
        lambda records: where(records, event="undo").update(op=["B.2"]),
        lambda records: where(records, event="infer").update(agent={"name": "A"}),
        lambda records: where(records, event="infer").update(event=["infer"]),
    ],
    ids=["attempt", "position", "args", "agent", "rank", "abort", "list-op", "object-agent", "list-event"],
)
def test_a_record_that_contradicts_those_before_it_is_refused_with_its_line(change: Change) -> None:
    with pytest.raises(BadInput, match=r"^h:\d+: "):
        verdict(recorded("lost-update"), change)


def test_ranks_that_do_not_rise_are_refused() -> None:
    history = recorded("lost-update")
    header = {**history.header, "sealed": False, "agents": [{"name": "A", "rank": [2]}, {"name": "B", "rank": [1]}]}
    with pytest.raises(BadInput, match="do not rise"):
        parse("".join(lines(History(header, history.records))), "h")


@pytest.mark.parametrize("name", ["lost-update", "k2-canary", "unrecoverable-send"])
def test_every_single_record_may_be_dropped_without_a_crash_or_a_changed_outcome_passing(name: str) -> None:
    """A history with a line less is refused, convicted, left open, or still describes a run with that outcome."""
    history = recorded(name)
    needless = {"launch", "infer", "inferred", "judge", "hold", "park", "release", "refresh", "prepare", "quiescent"}
    for at, record in enumerate(history.records[:-1]):
        try:
            found = verdict(history, lambda records, at=at: records.pop(at))
        except BadInput:
            continue
        assert found.verdict != "ok" or record["event"] in needless, record
