"""Fork and merge: what it takes for a conflict, what it lets through, and that the checker says so by name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import pytest

from checker.level import LEVELS
from checker.notified import check_history
from checker.oracle import serial
from checker.proof import prove_history
from checker.verdict import Verdict
from coagent.effect import Fork, Merge
from coagent.event import IllegalEvent, Launched, Merged
from coagent.explore import explore
from coagent.history import History, lines, parse
from coagent.operation import Value, same
from coagent.protocols import protocol
from coagent.protocols.fork_merge import ForkMerge
from coagent.proving import prove_workload
from coagent.simulate import Chance, Outcome, finished, simulate
from coagent.stepper import follow, rerun, verdict
from coagent.testing import random_scenario, small_scenario
from coagent.tool import TOOLS, Tool, changing
from coagent.workload import from_scenario
from coagent.world import Choice, Setting, World, opened
from tests.driving import driven, events, landed, ops, setting, to_the_end
from workloads import workload

RULE = ForkMerge()


def textbook(name: str) -> list[Verdict]:
    """The checker's answers on a textbook workload, one for each way it can end."""
    where = Setting(workload=workload(name), protocol=RULE)
    found = explore(where)
    assert found.complete and found.endings
    return [verdict(follow(where, ending.schedule)) for ending in found.endings]


def run_of(world: World) -> Outcome:
    """The run of a world that is driven by hand, at its end."""
    return finished(to_the_end(world), (), 0.0, "clock")


def ended(world: World) -> Verdict:
    """The checker's answer on it."""
    return verdict(run_of(world))


# what is convicted, and what is not


@pytest.mark.parametrize("name", ["write-skew", "unrecoverable-send", "livelock"])
def test_a_clean_merge_over_what_was_read_is_convicted_as_write_skew(name: str) -> None:
    for found in textbook(name):
        assert (found.verdict, found.anomalies[0].name, found.blame) == ("violated", "write skew", "protocol")


@pytest.mark.parametrize(("folder", "anomalies"), [("d", ["phantom"]), ("e", [])])
def test_a_member_added_beside_a_listing_is_a_phantom_and_one_elsewhere_is_not(folder: str, anomalies: list) -> None:
    agents = {
        "A": [{"list": "d", "as": "all"}, {"put": "count", "value": "len(all)"}],
        "B": [{"get": "count", "as": "n"}, {"put": f"{folder}/3", "value": "n"}],
    }
    world = to_the_end(driven(setting(agents, RULE, {"d/1": 0, "count": 5}), ""))
    assert not events(world, "abort")
    assert [one.name for one in ended(world).anomalies] == anomalies


@pytest.mark.parametrize(
    "name",
    [
        "lost-update",
        "read-skew",
        "dirty-read",
        "phantom",
        *(f"{name}-innocent" for name in ("write-skew", "phantom", "lost-update", "read-skew", "dirty-read")),
    ],
)
def test_what_forks_keep_apart_and_what_is_innocent_is_ok_with_an_order(name: str) -> None:
    for found in textbook(name):
        assert found.verdict == "ok" and found.order


def test_a_lost_update_is_a_conflict_a_restart_and_then_right() -> None:
    where = Setting(workload=workload("lost-update"), protocol=RULE)
    [ending] = explore(where).endings
    run = follow(where, ending.schedule)
    assert run.final_state == {"stock/apples": 5}
    [abort] = run.history.of("abort")
    assert abort["because"] == "merge conflict at stock/apples"
    assert len(verdict(run).order) == 2


def test_two_who_take_the_same_amount_merge_cleanly_and_the_lost_update_is_found() -> None:
    """Both sides changed the cell to the same value, which is no conflict."""
    steps = [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}]
    world = to_the_end(driven(setting({"A": steps, "B": steps}, RULE, {"x": 0}), ""))
    assert world.final_state == {"x": 1} and not events(world, "abort")
    found = ended(world)
    assert (found.verdict, found.anomalies[0].name) == ("violated", "lost update")


def test_the_one_explanation_for_a_cell_that_was_brought_back_is_found() -> None:
    """B wrote what was there before: its write is lost in the merge, and rightly so if B comes first."""
    agents = {"A": [{"put": "x", "value": "1"}], "B": [{"put": "x", "value": "0"}]}
    world = to_the_end(driven(setting(agents, RULE, {"x": 0}), "AAB"))
    assert world.final_state == {"x": 1} and events(world, "merge")[1]["wrote"] == {}
    assert ended(world).order == ("B", "A")


def test_an_own_write_that_was_replaced_on_the_fork_orders_nobody() -> None:
    agents = {
        "A": [
            {"put": "x", "value": "1"},
            {"get": "x", "as": "v"},
            {"put": "x", "value": "0"},
            {"put": "y", "value": "v"},
        ],
        "B": [{"get": "y", "as": "w"}, {"put": "x", "value": "w + 5"}],
    }
    world = to_the_end(driven(setting(agents, RULE, {"x": 0, "y": 3}), "AAAABB"))
    assert world.final_state == {"x": 8, "y": 1}
    assert ended(world).verdict == "violated", "A has x as it was, so A comes first; B has y as it was"
    agents["B"] = [{"put": "x", "value": "8"}]
    assert ended(driven(setting(agents, RULE, {"x": 0, "y": 3}), "AAAABB")).order == ("A", "B")


def test_a_look_at_an_own_write_that_no_merge_kept_orders_nobody() -> None:
    """The second attempt of A builds on what C merged, and looks at a version of x that it then replaces."""
    agents = {
        "A": [{"put": "x", "value": "1"}, {"get": "x"}, {"put": "x", "value": "2"}, {"get": "z"}],
        "C": [{"put": "x", "value": "7"}, {"put": "z", "value": "1"}],
    }
    world = driven(setting(agents, RULE, {"x": 0, "z": 0}), "CCC" + "A" * 10)
    assert [one["agent"] for one in events(world, "abort")] == ["A"]
    assert ended(world).order == ("C", "A#2")


# forks and merges


def test_an_agent_sees_its_own_writes_and_nobody_elses() -> None:
    agents = {"A": [{"put": "x", "value": "1"}, {"get": "x"}], "B": [{"get": "x"}, {"get": "y"}]}
    world = driven(setting(agents, RULE, {"x": 0, "y": 0}), "AAAB")
    assert {one["op"]: one["value"] for one in events(world, "result")} == {"A.1": "ok", "A.2": 1, "B.1": 0}
    assert world.final_state == {"x": 1, "y": 0}
    assert [one["route"] for one in events(world, "result")] == ["fork"] * 3


@pytest.mark.parametrize(
    ("mine", "theirs", "conflicts"),
    [
        ([{"put": "x", "value": "1"}], [{"put": "y", "value": "2"}], []),
        ([{"put": "x", "value": "1"}], [{"put": "x", "value": "1"}], []),
        ([{"put": "x", "value": "1"}], [{"put": "x", "value": "2"}], ["x"]),
        ([{"put": "x", "value": "1"}], [{"put": "x", "value": "true"}], ["x"]),
        ([{"delete": "x"}], [{"put": "x", "value": "2"}], ["x"]),
        ([{"delete": "x"}], [{"delete": "x"}], []),
        ([{"put": "x", "value": "1"}, {"put": "x", "value": "0"}], [{"put": "x", "value": "2"}], []),
        ([{"put": "n/a", "value": "1"}], [{"put": "n/b", "value": "1"}], []),
        ([{"create": "n", "value": "1"}], [{"create": "n", "value": "2"}], ["n"]),
    ],
)
def test_a_cell_changed_on_both_sides_to_different_things_is_a_conflict(
    mine: list, theirs: list, conflicts: list
) -> None:
    turns = "A" * len(mine) + "AB" + "B" * len(theirs)
    world = driven(setting({"A": mine, "B": theirs}, RULE, {"x": 0, "y": 0}), turns)
    merges = events(world, "merge")
    assert [one["conflicts"] for one in merges] == [[], conflicts]
    assert not (conflicts and merges[1]["wrote"])


def test_after_a_conflict_the_fork_is_a_fresh_one_of_the_live_state() -> None:
    agents = {
        "A": [{"put": "x", "value": "1"}],
        "B": [{"get": "z", "as": "z"}, {"put": "x", "value": "z"}],
        "C": [{"put": "z", "value": "9"}],
    }
    world = to_the_end(driven(setting(agents, RULE, {"x": 0, "z": 5}), "AACCBBB"))
    assert [one["value"] for one in events(world, "result") if one["op"] in ("B.1", "B.3")] == [5, 9]
    assert [(one["agent"], one["attempt"]) for one in events(world, "fork")][3:] == [("B", 2)]
    assert world.final_state == {"x": 9, "z": 9} and not world.live.forks


def test_who_meets_a_conflict_six_times_gives_up_and_has_changed_nothing() -> None:
    """Beside each attempt of B another agent merges, who changed one of the cells that B changes."""
    others = {f"A{at}": [{"put": f"x{at}", "value": "1"}] for at in range(6)}
    steps = [{"put": f"x{at}", "value": "2"} for at in range(6)]
    world = opened(setting({**others, "B": steps}, RULE))
    for name in others:
        for who in (name, name, *["B"] * 7):
            world = landed(world.take(Choice("infer", who)))
    assert [one["agent"] for one in events(world, "give-up")] == ["B"]
    assert [one["attempt"] for one in events(world, "fork") if one["agent"] == "B"] == [1, 2, 3, 4, 5, 6]
    assert world.quiescent and set(world.final_state.values()) == {1}
    found = ended(world)
    assert found.verdict == "ok" and len(found.order) == 6


def test_a_fork_is_not_bound_by_what_others_have_in_flight() -> None:
    agents = {"A": [{"put": "x", "value": "1"}], "B": [{"put": "x", "value": "2"}]}
    world = driven(setting(agents, RULE), "")
    for name in "AB":
        world = world.take(next(one for one in world.choices() if one == ("infer", name)))
    assert [one.name for one in world.choices() if one.act == "exec"] == ["A.1", "B.1"]


def test_merges_that_touch_the_same_keep_their_order_and_others_need_not() -> None:
    agents = {name: [{"put": path, "value": f"{at}"}] for at, (name, path) in enumerate(zip("ABC", "xxy", strict=True))}
    world = driven(setting(agents, RULE), "ABC")
    for name in "ABC":
        world = world.take(next(one for one in world.choices() if one == ("infer", name)))
    assert [tuple(one) for one in world.choices()] == [("merge", "A.merge"), ("merge", "C.merge")]


def test_a_fork_that_nothing_was_written_on_is_not_merged() -> None:
    world = to_the_end(driven(setting({"A": [{"get": "x"}], "B": [{"put": "x", "value": "1"}]}, RULE, {"x": 0}), ""))
    assert [one["agent"] for one in events(world, "merge")] == ["B"]


def test_the_engine_forks_at_launch_and_takes_a_merge_only_of_who_is_merging() -> None:
    run, effects = RULE.step(RULE.start(), Launched(agent="A", rank=(1,)))
    assert isinstance(effects[0], Fork)
    with pytest.raises(IllegalEvent, match="Merged while 'A' is ready"):
        RULE.step(run, Merged(agent="A"))
    assert Merge(agent="A", reads=(), writes=()).op == "A.merge"


# what cannot be undone


def test_what_cannot_be_undone_acts_at_once_and_its_fork_has_it_too() -> None:
    agents = {"A": [{"send": "out", "value": "1"}, {"get": "out"}, {"put": "y", "value": "1"}], "B": [{"get": "out"}]}
    world = driven(setting(agents, RULE), "AA")
    assert world.final_state == {"out": (1,)}
    told = [(one["route"], one["value"]) for one in events(world, "result")]
    assert told == [("live", "ok"), ("fork", [1])]
    assert events(to_the_end(world), "merge")[0]["wrote"].keys() == {"y"}
    assert ended(world).order == ("B", "A")


def test_what_was_sent_stays_when_the_attempt_is_thrown_away_and_is_sent_again() -> None:
    agents = {
        "A": [{"put": "x", "value": "1"}],
        "B": [{"send": "out", "value": "1"}, {"put": "x", "value": "2"}],
    }
    world = to_the_end(driven(setting(agents, RULE), "BBAAB"))
    assert world.final_state == {"out": (1, 1), "x": 2}
    found = ended(world)
    assert found.verdict == "violated"
    assert {one.name for one in found.anomalies} >= {"repeated unrecoverable call"}
    assert not ops(world, "undo")


def test_a_fresh_fork_may_see_what_is_just_being_sent_or_miss_it_and_both_are_explored() -> None:
    agents = {
        "A": [{"put": "x", "value": "1"}],
        "B": [{"get": "out", "as": "v"}, {"put": "x", "value": "2"}, {"report": "v"}],
        "C": [{"send": "out", "value": "1"}],
    }
    where = setting(agents, RULE)
    found, whole = explore(where, sample=1), explore(where, reduced=False)
    told = {repr(one.reports["B"]) for one in whole.endings}
    assert told == {repr(one.reports["B"]) for one in found.endings} == {"None", "[1]"} and not found.note


# a merge of the workload's own


def _by_words(
    base: Mapping[str, Value], ours: Mapping[str, Value], theirs: Mapping[str, Value]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Three-way by place in lists of the same length; anything else, or one place changed twice, is a conflict."""
    merged, conflicts = dict(ours), []
    for path in sorted({*base, *theirs}):
        was, here, there = base.get(path), ours.get(path), theirs.get(path)
        if there == was or here == there:
            continue
        if here == was:
            merged[path] = there
        elif all(isinstance(one, tuple) and len(one) == len(was) for one in (was, here, there)):
            clash = any(len({a, b, c}) == 3 for a, b, c in zip(was, here, there, strict=True))
            conflicts += [path] if clash else []
            merged[path] = tuple(c if b == a else b for a, b, c in zip(was, here, there, strict=True))
        else:
            conflicts.append(path)
    return merged, tuple(conflicts)


def _set(view: object, args: Mapping[str, Value]) -> tuple:
    (words,) = view.cell(args["path"])
    new = tuple(args["value"][1] if at == args["value"][0] else word for at, word in enumerate(words))
    return TOOLS["put"].exec(view, {"path": args["path"], "value": new})


def edited(first: str, second: str, more: tuple[str, ...] = ()) -> tuple[World, Verdict]:
    """Two agents who each change a word of one text of three, by a merge by words; `more` words are read first."""
    steps = {
        name: [*({"get": path, "as": "w"} for path in more), {"put": "text", "value": f"[{value}]"}]
        for name, value in (("A", first), ("B", second))
    }
    where = setting(steps, RULE, {"text": ["a", "b", "c"], "n": 0})
    tools = {**TOOLS, "put": Tool("put", changing, _set)}
    where = replace(where, workload=replace(where.workload, tools=tools, merge=_by_words))
    world = to_the_end(driven(where, ""))
    run = run_of(world)
    return world, verdict(run)


def test_a_text_that_was_merged_from_both_sides_is_ok_when_an_order_comes_to_it() -> None:
    world, found = edited("0, 'x'", "2, 'z'")
    assert world.final_state["text"] == ("x", "b", "z") and not events(world, "abort")
    assert (found.verdict, found.order) == ("ok", ("A", "B"))
    assert check_history(run_of(world).history, order="declared", rerun=rerun(world.setting.workload)).verdict == "ok"


def test_a_conflict_by_the_workloads_own_merge_begins_again() -> None:
    world, found = edited("0, 'x'", "0, 'y'")
    assert [one["because"] for one in events(world, "abort")] == ["merge conflict at text"]
    assert (found.verdict, world.final_state["text"]) == ("ok", ("y", "b", "c"))


def test_a_text_that_was_merged_over_what_was_read_is_convicted() -> None:
    world, found = edited("0, 'x'", "2, 'z'", more=("text",))
    assert not events(world, "abort")
    assert found.verdict == "violated" and found.anomalies


def test_of_a_merged_text_nothing_is_said_when_it_is_not_known_what_the_calls_do() -> None:
    run = run_of(edited("0, 'x'", "2, 'z'")[0])
    foreign = [{**one, "tool": "edit"} if one["event"] == "invoke" else one for one in run.history.records]
    found = check_history(History(run.history.header, tuple(foreign)), order="any")
    assert found.verdict == "unknown" and "what A.1 does (edit) is not known" in found.missing[0]


def test_a_run_with_a_merged_text_is_judged_at_no_weaker_level() -> None:
    run = run_of(edited("0, 'x'", "2, 'z'")[0])
    found = check_history(run.history, order="any", level=LEVELS["snapshot-isolation"])
    assert found.verdict == "unknown" and found.missing


# random runs


def outcome_of(seed: int) -> Outcome:
    given = from_scenario(random_scenario(seed))
    return simulate(Setting(workload=given, protocol=RULE, seed=seed), Chance(seed))


def fits(run: Outcome, order: tuple[str, ...]) -> bool:
    """Whether state and reports are those of the programs run in this order."""
    given = run.world.setting.workload
    programs = {one.name: one.program for one in given.agents}
    state, reports = serial(given.state, [(name, programs[name]) for name in order], given.tools)
    return same(run.final_state, state) and all(same(run.reports[name], reports[name]) for name in order)


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_ok_means_the_order_comes_to_it_and_no_order_means_violated(start: int) -> None:
    answers: Counter[str] = Counter()
    for seed in range(start, start + 50):
        run = outcome_of(seed)
        assert run.quiescent
        found = check_history(parse("".join(lines(run.history)), "h"), order="any")
        left = [name for name in run.world.order if not run.world.actors[name].gave_up]
        if found.verdict == "ok":
            assert fits(run, tuple(name.partition("#")[0] for name in found.order)), seed
        elif not any(fits(run, order) for order in permutations(left)):
            assert found.verdict == "violated", seed
            answers["no order"] += 1
        assert found.verdict != "unknown" and found.blame in (None, "protocol"), (seed, found.sentences())
        answers[found.verdict] += 1
        answers["restarts"] += sum(1 for _ in run.history.of("abort"))
    assert min(answers[one] for one in ("ok", "violated", "no order", "restarts")) > 0, answers


def test_the_same_seed_gives_the_same_bytes() -> None:
    for seed in range(10):
        assert [*lines(outcome_of(seed).history)] == [*lines(outcome_of(seed).history)]


def test_exploring_reduced_and_plain_agree_with_a_workloads_own_merge_too() -> None:
    found = 0
    for seed in range(40):
        given = from_scenario(small_scenario(seed))
        for own in (None, _by_words):
            where = Setting(workload=replace(given, merge=own), protocol=RULE)
            whole, less = explore(where, reduced=False, max_states=20_000), explore(where, sample=1)
            ends = [
                {repr((one.kind, one.final_state, one.reports, one.gave_up)) for one in each.endings}
                for each in (whole, less)
            ]
            assert whole.complete and ends[0] == ends[1] and not less.note
            found += less.states < whole.states
    assert found > 60


def test_a_recorded_run_with_forks_is_not_proved_and_that_is_said() -> None:
    proof = prove_history(outcome_of(0).history)
    assert proof.verdict == "unknown" and "forks" in proof.missing[0]
    assert prove_workload(workload("write-skew"), protocol("fork-merge")).verdict == "refuted"
