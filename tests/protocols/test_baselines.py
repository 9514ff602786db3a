"""The baselines, each on the smallest world that shows what it does and what it costs."""

from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from tests.driving import driven, events, ops, setting, to_the_end

READ_ADD = [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}]


def test_serial_starts_an_agent_when_the_one_before_has_committed() -> None:
    world = to_the_end(driven(setting({"A": READ_ADD, "B": READ_ADD}, protocol("serial"), {"x": 0}), ""))
    agents = [one["agent"] for one in events(world, "invoke")]
    assert agents == ["A", "A", "B", "B"]
    assert world.final_state == {"x": 2}


def test_naive_loses_an_update() -> None:
    world = to_the_end(driven(setting({"A": READ_ADD, "B": READ_ADD}, protocol("naive"), {"x": 0}), "ABAB"))
    assert world.final_state == {"x": 1}


def test_2pl_makes_a_conflicting_call_wait_for_commit() -> None:
    agents = {"A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}], "B": [{"get": "x", "as": "v"}]}
    world = driven(setting(agents, protocol("2pl"), {"x": 0}), "ABA")
    assert (ops(world, "park"), ops(world, "release")) == (["B.1"], [])
    world = driven(world, "A")
    assert ops(world, "release") == ["B.1"]
    assert [one["value"] for one in events(world, "result") if one["agent"] == "B"] == [1]


def test_2pl_undoes_the_youngest_of_a_deadlock_and_it_begins_again() -> None:
    cross = {
        "A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}],
        "B": [{"put": "y", "value": "2"}, {"put": "x", "value": "2"}],
    }
    world = driven(setting(cross, protocol("2pl")), "ABAB")
    [abort] = events(world, "abort")
    assert (abort["agent"], abort["because"].split(":")[0]) == ("B", "deadlock")
    assert ops(world, "undo") == ["B.1"]
    assert to_the_end(world).final_state == {"x": 2, "y": 2}


def test_2pl_never_chooses_a_victim_that_has_sent_something() -> None:
    agents = {
        "A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}],
        "B": [{"send": "out", "value": "1"}, {"put": "y", "value": "2"}, {"put": "x", "value": "2"}],
    }
    world = driven(setting(agents, protocol("2pl")), "BBAAB")
    assert [one["agent"] for one in events(world, "abort")] == ["A"]
    assert to_the_end(world).final_state == {"out": (1,), "x": 1, "y": 1}


def test_occ_aborts_who_finishes_after_its_reads_were_overwritten_by_a_commit() -> None:
    agents = {"A": [{"put": "x", "value": "5"}], "B": READ_ADD[:1] + [{"put": "y", "value": "v"}]}
    world = driven(setting(agents, protocol("occ"), {"x": 0}), "BBAAB")
    [abort] = events(world, "abort")
    assert (abort["agent"], abort["because"].split(":")[0]) == ("B", "validation")
    assert ops(world, "undo") == ["B.2"]
    assert to_the_end(world).final_state == {"x": 5, "y": 5}


def test_occ_commits_a_dirty_reader_after_its_writer_and_aborts_it_with_it() -> None:
    agents = {
        "A": [{"get": "z", "as": "z"}, {"put": "x", "value": "5"}],
        "B": READ_ADD[:1],
        "C": [{"put": "z", "value": "1"}],
    }
    world = driven(setting(agents, protocol("occ"), {"x": 0, "z": 0}), "AABBCCA")
    assert [one["agent"] for one in events(world, "abort")] == ["B", "A"]
    assert [one["agent"] for one in events(world, "commit")] == ["C"]


def test_occ_aborts_the_later_of_two_uncommitted_writers() -> None:
    agents = {"A": [{"put": "x", "value": "1"}], "B": [{"put": "x", "value": "2"}]}
    world = driven(setting(agents, protocol("occ")), "AB")
    assert [one["agent"] for one in events(world, "abort")] == ["B"]


def test_occ_gives_up_after_five_restarts_and_says_so() -> None:
    agents = {"A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}], "B": [{"put": "x", "value": "2"}]}
    world = driven(setting(agents, protocol("occ")), "A" + "B" * 6)
    assert [one["agent"] for one in events(world, "give-up")] == ["B"]
    assert len(events(world, "abort")) == 6
    assert world.actors["B"].gave_up
    assert to_the_end(world).final_state == {"x": 1, "y": 1}


def test_occ_lets_an_agent_send_only_when_nothing_can_abort_it_any_more() -> None:
    agents = {
        "A": [{"get": "x", "as": "v"}, {"send": "out", "value": "v"}, {"get": "y", "as": "w"}],
        "B": [{"put": "x", "value": "1"}, {"put": "z", "value": "1"}],
    }
    world = driven(setting(agents, protocol("occ"), {"x": 0}), "AB")
    world = driven(world, "A")
    assert [one["agent"] for one in events(world, "abort")] == ["B"]
    world = to_the_end(world)
    assert world.final_state == {"out": (0,), "x": 1, "z": 1}
    assert [one["agent"] for one in events(world, "abort")] == ["B"]


def test_occ_aborts_once_who_read_from_another_that_is_aborted_for_the_same_reason() -> None:
    agents = {
        "A": [{"get": "x", "as": "v"}, {"get": "y", "as": "w"}, {"send": "out", "value": "v"}],
        "B": [{"put": "x", "value": "1"}],
        "C": [{"get": "x", "as": "v"}, {"put": "y", "value": "v"}],
    }
    world = driven(setting(agents, protocol("occ"), {"x": 0, "y": 0}), "AABCCA")
    assert sorted(one["agent"] for one in events(world, "abort")) == ["B", "C"]
    assert ops(world, "release") == [] and to_the_end(world).final_state == {"out": (0,), "x": 1, "y": 1}


def test_occ_commits_first_who_reported_first_whatever_their_ranks() -> None:
    agents = {
        "A": [{"get": "x", "as": "v"}, {"get": "y", "as": "w"}],
        "B": [{"get": "x", "as": "v"}, {"put": "y", "value": "v"}],
        "C": [{"put": "x", "value": "1"}],
    }
    for last, aborted in (("AB", []), ("BA", ["A"])):
        world = driven(setting(agents, protocol("occ"), {"x": 0, "y": 0}), "CAABB" + last + "C")
        assert [one["agent"] for one in events(world, "commit")][1:] == [one for one in last if one not in aborted]
        assert [one["agent"] for one in events(world, "abort")] == aborted


def test_broadcast_never_quiesces_on_the_halving_example() -> None:
    halve = {
        "A": [{"get": "y", "as": "h"}, {"put": "x", "value": "h + 1"}],
        "B": [{"get": "x", "as": "h"}, {"put": "y", "value": "h + 1"}],
    }
    where = setting(halve, protocol("broadcast"), {"x": 0, "y": 0})
    outcome = simulate(where, Clock(0.1), max_steps=2000)
    assert not outcome.quiescent
    assert min(outcome.final_state.values()) > 50
    assert simulate(setting(halve, protocol("mtpo"), {"x": 0, "y": 0}), Clock(0.1)).quiescent


def test_an_operations_name_tells_agent_and_attempt_apart_from_any_other() -> None:
    """`A.2` may be an agent or A's second operation; the number goes on over attempts, so no two names meet."""
    agents = {
        "A": [{"put": "x", "value": "1"}, {"put": "y", "value": "1"}],
        "A.2": [{"put": "y", "value": "2"}, {"put": "x", "value": "2"}],
    }
    world = to_the_end(driven(setting(agents, protocol("2pl")), ""))
    names = ops(world, "invoke")
    assert len(names) == len(set(names))
