"""Drives a world by hand: whose inference ends next, each call carried out at once."""

from coagent.scenario import parse_scenario
from coagent.workload import from_scenario
from coagent.world import Choice, Setting, World, opened


def setting(agents: dict[str, list], protocol: object, state: dict | None = None, **more: object) -> Setting:
    """A setting from agents' steps by name, in pre-order."""
    data = {
        "name": "t",
        "state": state or {},
        "agents": [{"name": name, "steps": steps} for name, steps in agents.items()],
    }
    return Setting(workload=from_scenario(parse_scenario(data, "t")), protocol=protocol, **more)


def landed(world: World) -> World:
    """The world when everything in flight has completed, in order."""
    while world.flights:
        choice = next(choice for choice in world.choices() if choice.act != "infer")
        world = world.take(choice)
    return world


def driven(where: Setting | World, moves: str) -> World:
    """The world after these agents' inferences have ended, in this order, each with all its effects."""
    world = opened(where) if isinstance(where, Setting) else where
    for name in moves:
        world = landed(world.take(Choice("infer", name)))
    return world


def to_the_end(world: World, most: int = 500) -> World:
    """The world after always taking the first choice, until nothing is left."""
    for _ in range(most):
        choices = world.choices()
        if not choices:
            return world
        world = world.take(choices[0])
    raise AssertionError(f"still going after {most} choices")


def events(world: World, *kinds: str) -> list[dict]:
    """The records of these kinds so far."""
    return [dict(record) for record in world.recorder.records() if record["event"] in kinds]


def ops(world: World, kind: str) -> list[str]:
    """The operations that records of a kind name, in order."""
    return [record["op"] for record in events(world, kind)]
