"""What a replay says of objects, reads and contexts is what the engine itself did, at every step of random runs."""

import json
from math import inf

import pytest

from checker.effective import reduced
from coagent.history import History, cell_in, lines, parse
from coagent.notebook.object_fold import LANDED, ObjectFold, folded
from coagent.notebook.replay import Replay, replay
from coagent.notebook.scene import scene
from coagent.protocols import protocol
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.run import Standing
from coagent.simulate import Chance, Clock, simulate
from coagent.stepper import Stepper, follow
from coagent.testing import random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

RULES = [
    Mtpo(),
    Mtpo(late="reissue"),
    Mtpo(notify="footprint"),
    Mtpo(gate="pass"),
    Mtpo(routes=("undo",)),
    Mtpo(late="reissue", routes=("recorded", "undo")),
]
SEEDS = range(60)


def random_run(rule: object, seed: int) -> History:
    setting = Setting(workload=from_scenario(random_scenario(seed)), protocol=rule, seed=seed)
    return simulate(setting, Chance(seed)).history


def canary(name: str) -> Replay:
    case = workload("k2-canary")
    return replay(simulate(Setting(workload=case, protocol=protocol(name)), Clock(case.cost.tool_s)).history)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.late}-{rule.notify}-{rule.gate}-{rule.routes[0]}")
def test_a_read_is_served_what_the_replay_says_its_agent_would_read(rule: Mtpo) -> None:
    served = filtered = 0
    for seed in SEEDS:
        history = random_run(rule, seed)
        fold = ObjectFold(history.header)
        for record in history.records:
            if record["event"] == "result" and not fold.ops[record["op"]].wrote:
                position = fold.ops[record["op"]].position
                for path, one in record.get("saw", {}).items():
                    if path.endswith("/") or _leaving(fold, path):
                        continue
                    now, _ = fold.materialized(path, position)
                    assert repr(now) == repr(cell_in(one)), (seed, record["op"], path)
                    served += 1
                    filtered += repr(now) != repr(fold.value(path)[0])
            fold.take(record)
    assert served > 200
    assert filtered > 0 or rule.routes == ("undo",), "no read was filtered, so this shows nothing"


def _leaving(fold: ObjectFold, path: str) -> bool:
    """Whether a write that is cancelled already still waits for its undo: a call asked for before is served first."""
    standing = {name for _, name in fold.trajectory.get(path, ())}
    return any(one.standing == LANDED and path in one.wrote and one.name not in standing for one in fold.ops.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.late}-{rule.notify}-{rule.gate}-{rule.routes[0]}")
def test_at_the_end_every_position_shows_what_the_standing_operations_come_to(rule: Mtpo) -> None:
    for seed in SEEDS:
        history = random_run(rule, seed)
        fold, cells = folded(history), {}
        for path, cell in ObjectFold(history.header).start.items():
            cells[path] = cell
        for one in reduced(history).operations:
            for path in {*cells, *fold.trajectory}:
                assert repr(fold.materialized(path, one.position)[0]) == repr(cells.get(path, ())), (seed, one.op)
            cells.update(one.wrote)
        final = {path: cell_in({"value": value}) for path, value in history.end["final_state"].items()}
        for path in {*cells, *final}:
            shown = {repr(fold.value(path)[0]), repr(fold.materialized(path, (inf,))[0]), repr(final.get(path, ()))}
            assert len(shown) == 1, (seed, path, shown)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.late}-{rule.notify}-{rule.gate}-{rule.routes[0]}")
def test_the_trajectories_are_the_engines_whenever_nothing_is_under_way(rule: Mtpo) -> None:
    compared = 0
    for seed in SEEDS:
        setting = Setting(workload=from_scenario(random_scenario(seed)), protocol=rule, seed=seed)
        stepper, chooser, fold = Stepper(setting), Chance(seed), None
        while choices := stepper.choices():
            if fold is None:
                fold = ObjectFold(stepper.outcome().history.header)
                for record in stepper.records:
                    fold.take(record)
            for record in stepper.take(chooser(stepper.world, choices)[0]):
                fold.take(record)
            if not stepper.world.flights:
                assert _trajectories(fold) == _engines(stepper.world.run.ops, fold), (seed, stepper.schedule)
                compared += 1
    assert compared > 200


def _trajectories(fold: ObjectFold) -> dict[str, list[str]]:
    return {path: [name for _, name in line] for path, line in fold.trajectory.items() if line}


def _engines(ops: dict, fold: ObjectFold) -> dict[str, list[str]]:
    """The engine's standing writes by cell, in serial order; which cells a call wrote is the record's to say."""
    found: dict[str, list[str]] = {}
    for one in sorted(ops.values(), key=lambda one: one.position):
        if one.standing in (Standing.APPLIED, Standing.MASKED):
            for path in fold.ops[one.name].wrote:
                found.setdefault(path, []).append(one.name)
    return found


def test_every_record_is_in_one_step_and_a_step_never_spans_two_moments() -> None:
    for seed in SEEDS:
        run = replay(random_run(Mtpo(), seed))
        places = [place for frame in run.frames for place in range(frame.first, frame.last)]
        assert places == list(range(len(run.history)))
        for frame in run.frames:
            assert len({record["at"] for record in run.history.records[frame.first : frame.last]}) == 1


def test_the_canarys_notice_marks_the_premise_stale_and_the_repair_closes_it() -> None:
    run = canary("mtpo")
    notice = run.next("notice", 0)
    read = next(card for card in run.context("B", notice) if card.get("op") == "B.1")
    assert read["stale"] == ["cluster/deployments/geo/image"] and "news" in read
    assert run.context("B", notice)[-1]["state"] == "pending"
    end = run.context("B", len(run) - 1)
    read, write = end[0], next(card for card in end if card.get("op") == "B.3")
    assert read["was"] != read["told"] and not read.get("stale")
    assert write["fate"] == "rewritten as B.4"
    assert [card["state"] for card in end if card["kind"] == "notice"] == ["judged: rewrite"]


def test_without_coordination_the_stale_premise_is_marked_although_nobody_is_told() -> None:
    run = canary("naive")
    assert run.next("notice", 0) is None
    read = run.context("B", len(run) - 1)[0]
    assert read["op"] == "B.1" and read["stale"] == ["cluster/deployments/geo/image"]


def test_a_premise_stays_stale_when_its_own_agent_writes_over_the_change() -> None:
    outcome = follow(Setting(workload=workload("lost-update"), protocol=protocol("naive")), (0, 0, 1))
    run = replay(outcome.history)
    writer = run.object("stock/apples", len(run) - 1)["writer"]
    read, write = run.context("A", len(run) - 1)[:2]
    assert write["op"] == writer == "A.2"
    assert read["kind"] == "read" and read["stale"] == ["stock/apples"]


def test_the_reader_below_is_not_shown_what_the_higher_rank_wrote() -> None:
    run = canary("mtpo")
    landed = next(step for step in range(len(run)) if run.object("cluster/deployments/geo-canary/image", step))
    written = run.object("cluster/deployments/geo-canary/image", run.next("notice", landed))
    assert written["value"] is not None
    assert written["reads"]["A"][0] is None and written["reads"]["B"][0] == written["value"]


def test_a_step_costs_no_run_and_going_back_shows_the_same_again() -> None:
    run = canary("mtpo")
    forth = [_everything(run, step) for step in range(len(run))]
    assert [_everything(run, step) for step in reversed(range(len(run)))] == forth[::-1]
    assert len(set(forth)) > len(run) / 2


def _everything(run: Replay, step: int) -> str:
    objects = {path: run.object(path, step) for path in run.objects}
    return json.dumps([objects, {name: run.context(name, step) for name in run.agents}])


def test_a_long_run_is_aggregated_says_so_and_keeps_the_ends() -> None:
    history = random_run(Mtpo(), 3)
    whole, coarse = replay(history), replay(history, most=1, steps=10)
    assert whole.each == 1 and coarse.each > 1 and len(coarse) <= 10
    assert scene(whole)["aggregated"] == "" and "Aggregated: " in scene(coarse)["aggregated"]
    places = [place for frame in coarse.frames for place in range(frame.first, frame.last)]
    assert places == list(range(len(history)))
    assert {path: whole.object(path, len(whole) - 1) for path in whole.objects} == {
        path: coarse.object(path, len(coarse) - 1) for path in coarse.objects
    }


def test_the_seconds_looked_at_closely_keep_all_their_steps() -> None:
    history = random_run(Mtpo(), 3)
    whole, close = replay(history), replay(history, most=1, steps=10, closely=(10.0, 20.0))
    inside = [frame for frame in whole.frames if 10.0 <= frame.at <= 20.0]
    assert len(inside) > 5 and [frame for frame in close.frames if 10.0 <= frame.at <= 20.0] == inside
    places = [place for frame in close.frames for place in range(frame.first, frame.last)]
    assert places == list(range(len(history)))


@pytest.mark.parametrize("name", ["serial", "naive", "2pl", "occ", "fork-merge", "broadcast", "mtpo-reissue"])
def test_every_protocols_live_values_end_as_the_run_did(name: str) -> None:
    for seed in range(25):
        setting = Setting(workload=from_scenario(random_scenario(seed)), protocol=protocol(name), seed=seed)
        history = parse("".join(lines(simulate(setting, Chance(seed), max_steps=400).history)), "history")
        run = replay(history)
        if not history.end["quiescent"]:
            continue
        fold = folded(history)
        live = {path: cell[0] for path in {*fold.cells, *fold.start} if (cell := fold.value(path)[0])}
        final = {path: cell_in({"value": value})[0] for path, value in history.end["final_state"].items()}
        assert repr(sorted(live.items())) == repr(sorted(final.items())), (seed, name)
        assert all(run.status[agent].last is not None for agent in run.agents)
