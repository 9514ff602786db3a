"""The engine's contract (C1 to C7), for every protocol, along random runs."""

import pytest

from coagent import event
from coagent.event import IllegalEvent
from coagent.operation import Call, Result
from coagent.path import any_overlap
from coagent.protocols import PROTOCOLS
from coagent.protocols.mtpo import Mtpo
from coagent.simulate import Chance, simulate
from coagent.testing import random_scenario
from coagent.tool import TOOLS, declare
from coagent.workload import from_scenario
from coagent.world import Setting, World, conflict, opened

SEEDS = range(12)
EVERY = sorted(PROTOCOLS)


def worlds(name: str, seed: int, steps: int = 400) -> list[World]:
    """The worlds along one random run."""
    setting = Setting(workload=from_scenario(random_scenario(seed)), protocol=PROTOCOLS[name], seed=seed)
    world, chance = opened(setting), Chance(seed)
    found = [world]
    while (choices := world.choices()) and len(found) < steps:
        world = world.take(choices[chance(world, choices)[0]])
        found.append(world)
    return found


class Watched:
    """A protocol that keeps every step it made, and makes each twice."""

    def __init__(self, protocol: object) -> None:
        self.protocol, self.name, self.promises = protocol, protocol.name, protocol.promises
        self.steps: list[tuple] = []

    def start(self) -> object:
        return self.protocol.start()

    def step(self, run: object, what: event.Event) -> tuple:
        before = hash(run)
        after = self.protocol.step(run, what)
        assert after == self.protocol.step(run, what)
        assert hash(run) == before
        self.steps.append((run, what, *after))
        return after


def watched(name: str, seed: int) -> Watched:
    """A random run of a protocol, with its steps."""
    protocol = Watched(PROTOCOLS[name])
    simulate(
        Setting(workload=from_scenario(random_scenario(seed)), protocol=protocol, seed=seed),
        Chance(seed),
        max_steps=1500,
    )
    return protocol


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("seed", SEEDS)
def test_c1_a_step_is_pure_and_emits_only_what_its_table_allows(name: str, seed: int) -> None:
    for _, what, _, effects in watched(name, seed).steps:
        assert {type(effect).__name__ for effect in effects} <= PROTOCOLS[name].emits, what


@pytest.mark.parametrize("name", EVERY)
def test_c1_an_event_out_of_turn_is_refused_and_changes_nothing(name: str) -> None:
    protocol = PROTOCOLS[name]
    run = protocol.start()
    run, _ = protocol.step(run, event.Launched(agent="A", rank=(1,)))
    call = Call("get", (("path", "x"),))
    invoked = event.Invoked(agent="A", call=call, declaration=declare(TOOLS, call))
    before = hash(run)
    for illegal in (
        invoked,
        event.Finished(agent="A", report=None),
        event.Retracted(agent="A", op="A.1"),
        event.Inferring(agent="B"),
        event.Launched(agent="A", rank=(1,)),
        event.Performed(op="A.1", act="exec", result=Result("ok")),
    ):
        with pytest.raises(IllegalEvent):
            protocol.step(run, illegal)
    assert hash(run) == before
    run, _ = protocol.step(run, event.Inferring(agent="A"))
    with pytest.raises(IllegalEvent):
        protocol.step(run, event.Inferring(agent="A"))
    run, effects = protocol.step(run, invoked)
    assert any(getattr(effect, "act", "") == "exec" for effect in effects)


@pytest.mark.parametrize("name", EVERY)
def test_c2_conflicting_effects_complete_in_emission_order_and_others_are_free(name: str) -> None:
    free = 0
    for world in (world for seed in SEEDS for world in worlds(name, seed)):
        ready = {flight for _, flight in world.flights.ready()}
        for at, flight in enumerate(world.flights):
            held = any(conflict(before, flight) for before in world.flights.all[:at])
            assert (flight in ready) != held
            free += at > 0 and not held
    assert free or name == "serial", "no schedule let a later effect overtake an earlier one"


@pytest.mark.parametrize("name", EVERY)
def test_c2_order_is_kept_over_whole_footprints_not_object_by_object(name: str) -> None:
    found = 0
    for seed in range(30):
        for world in worlds(name, seed, 150):
            for at, flight in enumerate(world.flights):
                for before in (one for one in world.flights.all[:at] if one.place == flight.place):
                    if before.op != flight.op and any_overlap(before.writes, (*flight.reads, *flight.writes)):
                        assert flight not in {one for _, one in world.flights.ready()}
                        found += set(before.writes).isdisjoint((*flight.reads, *flight.writes))
    assert found or name == "serial", "no schedule put overlapping but different paths in flight together"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("seed", SEEDS)
def test_c4_every_performed_effect_is_answered_once(name: str, seed: int) -> None:
    asked: dict[tuple[str, str], int] = {}
    for _, what, _, effects in watched(name, seed).steps:
        if isinstance(what, event.Performed | event.Merged):
            answered = (what.op, what.act) if isinstance(what, event.Performed) else (f"{what.agent}.merge", "merge")
            asked[answered] -= 1
            assert asked[answered] >= 0
        for effect in effects:
            if type(effect).__name__ in ("Perform", "Merge"):
                asked[effect.op, effect.act] = asked.get((effect.op, effect.act), 0) + 1
    quiet = PROTOCOLS[name].name != "broadcast"
    assert not quiet or set(asked.values()) <= {0}


@pytest.mark.parametrize("seed", SEEDS)
def test_c6_under_mtpo_every_inference_and_recoverable_call_goes_on_whatever_others_do(seed: int) -> None:
    for run, what, after, effects in watched("mtpo", seed).steps:
        if isinstance(what, event.Invoked) and what.declaration.recoverable and not run.agents[what.agent].inbox:
            acted = {type(effect).__name__ for effect in effects}
            assert acted & {"Perform", "Mask"}, (what, after.agents[what.agent])


def test_c7_the_cost_of_a_step_follows_its_conflicts_not_the_length_of_the_run() -> None:
    """Counts what a step looks at: the same late write after 20 and after 2,000 operations elsewhere."""
    assert looked_at(2000) == looked_at(20)


def looked_at(others: int) -> int:
    """How many operations the queries of one late write return, with so many landed elsewhere."""
    protocol, run = Mtpo(), Mtpo().start()
    for rank, name in enumerate("ABC", 1):
        run, _ = protocol.step(run, event.Launched(agent=name, rank=(rank,)))
        run, _ = protocol.step(run, event.Inferring(agent=name))

    def called(run: object, agent: str, path: str) -> tuple:
        call = Call("add", (("path", path), ("by", 1)))
        run, effects = protocol.step(run, event.Invoked(agent=agent, call=call, declaration=declare(TOOLS, call)))
        for effect in effects:
            if type(effect).__name__ == "Perform":
                wrote = ((path, (1,)),)
                done = event.Performed(op=effect.op, act=effect.act, result=Result("ok", 1), wrote=wrote)
                run, _ = protocol.step(run, done)
        return protocol.step(run, event.Inferring(agent=agent))[0], effects

    run, _ = called(run, "B", "x")
    for number in range(others):
        run, _ = called(run, "C", f"other/{number}")
    seen = []
    index = type(run.writers)
    original = index.overlapping

    def counted(self: object, paths: object) -> set:
        hits = original(self, paths)
        seen.append(len(hits))
        return hits

    index.overlapping = counted
    try:
        _, effects = called(run, "A", "x")
    finally:
        index.overlapping = original
    assert [effect.act for effect in effects if type(effect).__name__ == "Perform"] == ["undo", "exec", "redo"]
    return sum(seen)
