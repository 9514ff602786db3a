"""Exposure is counted in seconds that can be worked out by hand, and never where a run is serial."""

from dataclasses import replace

import pytest

from coagent.bad_input import BadInput
from coagent.exposure import MOST_AGENTS, exposure, landings, moments
from coagent.history import History
from coagent.operation import Call
from coagent.program import Intent
from coagent.protocols import protocol
from coagent.simulate import Clock, Outcome, simulate
from coagent.workload import Workload
from coagent.world import Setting
from tests.driving import setting
from workloads import workload


def put(path: str, value: str, think_s: float) -> dict:
    return {"put": path, "value": value, "think_s": think_s}


COPIED = {
    "A": [put("x", "1", 10.0)],
    "B": [{"get": "x", "as": "v", "think_s": 2.0}, put("y", "v", 3.0)],
}
"""B copies x at 5.2 s, and A writes x at 10.1 s; a tool takes 0.1 s."""

SIDE_BY_SIDE = {
    "A": [put("a", "1", 1.0), put("a", "2", 1.0)],
    "B": [put("b", "1", 1.5), put("b", "2", 1.5)],
}
"""a is 1 from 1.1 s and 2 from 2.2 s, b is 1 from 1.6 s and 2 from 3.2 s."""

LOST = {name: [{"get": "x", "as": "v"}, put("x", f"v + {by}", 5.0)] for name, by in (("A", 1), ("B", 2))}
"""Both read 5; then 6 is overwritten by 7."""


def ran(given: dict | Workload, name: str, state: dict | None = None, seed: int = 0) -> tuple[Outcome, Workload]:
    work = setting(given, None, state).workload if isinstance(given, dict) else given
    return simulate(Setting(workload=work, protocol=protocol(name), seed=seed), Clock(work.cost.tool_s)), work


def history(*records: dict, state: dict) -> History:
    """A history by hand, a record a second."""
    timed = [{"at": float(at), **record} for at, record in enumerate(records, 1)]
    header = {"agents": [{"name": "A", "rank": [1]}], "state": state, "order": "any"}
    return History(header, (*timed, {"at": float(len(timed) + 1), "event": "end"}))


def test_a_stale_copy_is_exposed_until_it_is_undone_for_its_repair():
    run, work = ran(COPIED, "mtpo", {"x": 0})
    found = exposure(run.history, work)
    # A's write at 10.1 s, the read looked at again at 10.2, judged by 12.2, the copy undone at 12.3, made anew at 12.4.
    moves = [(record["event"], record["at"]) for record in run.history.of("exec", "undo", "refresh")]
    assert moves == [("exec", 5.2), ("exec", 10.1), ("refresh", 10.2), ("undo", 12.3), ("exec", 12.4)]
    assert found.by_object == (("y", pytest.approx(12.3 - 5.2)),)
    assert found.object_s == found.state_s == pytest.approx(7.1)
    assert found.ends_serial and found.seconds > 12.4


def test_what_another_order_would_show_is_not_exposed_when_any_order_will_do():
    run, work = ran(COPIED, "mtpo", {"x": 0})
    found = exposure(run.history, work, order="any")
    assert (found.by_object, found.object_s, found.ends_serial) == ((), 0.0, True)
    # B before A goes through (0, 0) and ends in (1, 0), as long as it is the copy that is undone, not the write.
    assert found.state_s == 0.0


def test_work_side_by_side_is_a_state_of_no_serial_run_although_every_value_is_of_one():
    run, work = ran(SIDE_BY_SIDE, "naive")
    found = exposure(run.history, work)
    assert found.object_s == 0.0 and found.by_object == ()
    assert found.state_s == pytest.approx(2.2 - 1.6)
    assert found.ends_serial


def test_the_declared_order_is_stricter_than_any():
    run, work = ran(SIDE_BY_SIDE, "naive")
    strict = exposure(run.history, work, order="declared")
    # A before B never has b before a is 2: from 1.6 s to 2.2 s, as above, and nothing else.
    assert strict.state_s == pytest.approx(0.6)
    run, work = ran(dict(reversed(SIDE_BY_SIDE.items())), "naive")
    # B before A: a is written before b is 2, all the way from 1.1 s to 3.2 s.
    assert exposure(run.history, work, order="declared").state_s == pytest.approx(3.2 - 1.1)


def test_a_lost_update_shows_nothing_and_yet_does_not_end_as_a_serial_run_does():
    run, work = ran(LOST, "naive", {"x": 5})
    found = exposure(run.history, work)
    assert run.final_state == {"x": 7}
    assert (found.object_s, found.state_s, found.ends_serial) == (0.0, 0.0, False)


def test_true_is_not_one():
    programs = {"A": [put("x", "true", 1.0)], "B": [put("y", "1", 1.0)]}
    run, work = ran(programs, "serial")
    other = setting({**programs, "A": [put("x", "1", 1.0)]}, None).workload
    assert exposure(run.history, work).object_s == 0.0
    assert dict(exposure(run.history, other).by_object) == {"x": pytest.approx(run.seconds - 1.1)}


def test_an_undo_after_an_inheritance_restores_what_lay_below_both():
    wrote = [
        {"event": "prepare", "op": "A.1", "captured": {"x": {"value": 0, "writer": None}}},
        {"event": "exec", "op": "A.1", "wrote": {"x": {"value": 1}}},
        {"event": "prepare", "op": "A.2", "captured": {"x": {"value": 1, "writer": "A.1"}}},
        {"event": "exec", "op": "A.2", "wrote": {"x": {"value": 2}}},
        {"event": "inherit", "op": "A.1", "heir": "A.2"},
        {"event": "undo", "op": "A.2"},
        {"event": "prepare", "op": "A.3", "captured": {"y": {"writer": None}}},
        {"event": "redo", "op": "A.3", "wrote": {"y": {"value": 3}}},
        {"event": "undo", "op": "A.3"},
    ]
    moved = list(landings(history(*wrote, state={"x": 0})))
    assert moved == [
        (0.0, {"x": (0,)}),
        (2.0, {"x": (1,)}),
        (4.0, {"x": (2,)}),
        (6.0, {"x": (0,)}),
        (8.0, {"y": (3,)}),
        (9.0, {"y": ()}),
    ]


def test_objects_come_with_the_longest_exposed_first_and_overlap_counts_once():
    nothing = setting({"A": []}, None, {"x": 0}).workload
    wrote = [{"event": "exec", "op": f"A.{at}", "wrote": {path: {"value": 9}}} for at, path in enumerate("xyz")]
    found = exposure(
        history(*wrote, {"event": "exec", "op": "A.4", "wrote": {"x": {"value": 0}}}, state={"x": 0}), nothing
    )
    assert found.by_object == (("x", 3.0), ("y", 3.0), ("z", 2.0))
    assert (found.object_s, found.state_s, found.seconds) == (4.0, 4.0, 5.0)


def test_a_serial_run_moves_the_state_with_each_call_that_writes():
    work = setting(COPIED, None, {"x": 0}).workload
    assert list(moments(work, ("A", "B"))) == [{"x": (0,)}, {"x": (1,)}, {"y": (1,)}]
    assert list(moments(work, ("B", "A"))) == [{"x": (0,)}, {"y": (0,)}, {"x": (1,)}]


@pytest.mark.parametrize("name", ["naive", "2pl", "occ", "fork-merge", "mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("cell", ["k1-canary", "k4-pdb", "o2-sick-cover", "x2-nag"])
def test_what_is_followed_through_a_real_history_is_the_live_store(cell, name):
    run, _ = ran(workload(cell), name, seed=1)
    live = {}
    for _, cells in landings(run.history):
        live.update(cells)
    assert {path: cell[0] for path, cell in live.items() if cell} == run.final_state


@pytest.mark.parametrize("cell", ["k1-canary", "k4-pdb", "o2-sick-cover", "o4-agenda"])
def test_a_serial_run_exposes_nothing_in_its_own_order(cell):
    run, work = ran(workload(cell), "serial", seed=1)
    found = exposure(run.history, work, order="declared")
    assert (found.by_object, found.object_s, found.state_s, found.ends_serial) == ((), 0.0, 0.0, True)


def test_too_many_agents_for_all_orders_are_refused_and_the_declared_order_is_not():
    work = workload("slots", agents=MOST_AGENTS + 1)
    run, _ = ran(work, "2pl")
    with pytest.raises(BadInput, match="7 agents have too many; ask for the declared one"):
        exposure(run.history, work)
    assert exposure(run.history, work, order="declared").seconds == pytest.approx(run.seconds)


def test_an_agent_that_never_ends_alone_is_refused_by_name():
    def endless_program():
        while True:
            yield Intent(call=Call("get", (("path", "x"),)))

    run, work = ran(COPIED, "mtpo", {"x": 0})
    endless = replace(work, agents=(work.agents[0], replace(work.agents[1], program=endless_program)))
    with pytest.raises(BadInput, match="agent 'B' makes 100,000 calls alone"):
        exposure(run.history, endless)
