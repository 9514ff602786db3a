"""Small worlds, each for one thing that a protocol can get wrong: small enough to take every schedule of them.

Data only, smallest first. What an agent's program is told in an earlier call it may hang on in a later one, so
each world has a reader of what another one changes, a writer over another one's write, or both.
"""

from functools import cache

from coagent.scenario import Scenario, parse_scenario

Steps = list[dict]


def get(path: str, name: str = "v") -> dict:
    return {"get": path, "as": name}


def put(path: str, value: object) -> dict:
    return {"put": path, "value": str(value)}


def add(path: str, by: int) -> dict:
    return {"add": path, "by": str(by), "as": "v"}


def when(test: str, *steps: dict) -> dict:
    return {"if": test, "then": list(steps)}


TELL = {"report": "v"}
SEND = {"send": "out", "value": "v"}

READ = get("x")

WORLDS: dict[str, tuple[dict[str, object], tuple[Steps, ...]]] = {
    # one write under what another agent did, or over it
    "read under a write": ({"x": 0}, ([READ, TELL], [put("x", 1)])),
    "write under a read": ({"x": 0}, ([put("x", 1)], [READ, TELL])),
    "write under a write": ({}, ([put("x", 1)], [put("x", 2)])),
    "write under two reads": ({"x": 0}, ([put("x", 1)], [READ, get("x", "w"), {"report": "[v, w]"}])),
    "write under a read and its write": ({"x": 0}, ([put("x", 1)], [READ, put("x", 2), TELL])),
    "write under an addition": ({"x": 0}, ([put("x", 1)], [add("x", 1), TELL])),
    "write under an addition that fails": ({}, ([put("x", 1)], [add("x", 1), TELL])),
    "write under an addition and its write": ({"x": 0}, ([put("x", 1)], [add("x", 1), put("x", 2), TELL])),
    "addition under a write": ({"x": 0}, ([add("x", 1), TELL], [put("x", 1)])),
    "addition under two writes": ({"x": 0}, ([add("x", 1), TELL], [put("x", 1), put("x", 2)])),
    "addition under an addition": ({"x": 0}, ([add("x", 1), TELL], [add("x", 2), TELL])),
    "addition under two additions": ({"x": 0}, ([add("x", 5)], [add("x", 1), add("x", 1), TELL])),
    "two writes under a read": ({"x": 0}, ([put("x", 1), put("x", 2)], [READ, TELL])),
    "there and back": ({"x": 0}, ([put("x", 1), put("x", 0)], [READ, put("y", "v")])),
    # in between two others
    "write under a write under a read": ({"x": 0}, ([put("x", 1)], [put("x", 2)], [READ, TELL])),
    "read between two writes": ({"x": 0}, ([put("x", 1)], [READ, TELL], [put("x", 3)])),
    "addition between two writes": ({"x": 0}, ([put("x", 1)], [add("x", 1), TELL], [put("x", 3)])),
    # what is there, and what is below
    "one name, two creators": (
        {},
        ([{"create": "d/a", "value": "1", "as": "v"}, TELL], [{"create": "d/a", "value": "2", "as": "v"}, TELL]),
    ),
    "deleted under a read": ({"x": 0}, ([{"delete": "x", "as": "v"}], [READ, TELL])),
    "created under a listing": ({"d/b": 1}, ([{"create": "d/a", "value": "1"}], [{"list": "d", "as": "v"}, TELL])),
    "listing and its count": ({"d/a": 1}, ([put("d/b", 1)], [{"list": "d", "as": "v"}, put("n", "len(v)")])),
    # what cannot be undone
    "two sends": ({}, ([{"send": "out", "value": "1"}], [{"send": "out", "value": "2"}])),
    "write under a send": ({"x": 0}, ([put("x", 1)], [READ, SEND, TELL])),
    "addition under a send": ({"x": 0}, ([add("x", 1)], [add("x", 2), SEND])),
    # the textbook, as small as it gets
    "lost update": ({"x": 0}, ([READ, put("x", "v + 1")], [READ, put("x", "v + 2")])),
    "write skew": ({"x": 0, "y": 0}, ([READ, put("y", "v + 1")], [get("y"), put("x", "v + 1")])),
    "read skew": ({"x": 0, "y": 0}, ([put("x", 1), put("y", 1)], [READ, get("y", "w"), {"report": "[v, w]"}])),
    "dirty read": ({"x": 0, "ok": 0}, ([put("x", 1), get("ok"), when("v == 0", put("x", 0))], [READ, TELL])),
    # what follows from what was read
    "write after a read": ({"x": 0}, ([put("x", 1)], [READ, put("y", "v")])),
    "write no longer called for": ({"x": 0}, ([put("x", 1)], [READ, when("v == 0", put("y", 1))])),
    "write called for late": ({"x": 0}, ([put("x", 1)], [READ, when("v == 1", put("y", 1)), put("z", 2)])),
    "write under a write that goes": (
        {"x": 0, "y": 0},
        ([put("x", 1), put("y", 1)], [get("y"), when("v == 0", put("x", 2)), TELL]),
    ),
    "masked write that goes": (
        {"x": 0, "y": 0},
        ([put("y", 1)], [get("y"), when("v == 0", put("x", 1))], [READ, put("x", 2), TELL]),
    ),
    "masked write whose cover goes": (
        {"x": 0, "y": 0},
        ([put("x", 1), put("y", 1)], [get("y"), when("v == 0", put("x", 2))], [READ, put("x", 3), TELL]),
    ),
    # from hand to hand
    "write under a chain": (
        {"x": 0},
        ([put("x", 1)], [{"copy": "x", "to": "y", "as": "v"}, put("y", 2), TELL]),
    ),
    "copies in a chain": ({"x": 0}, ([put("x", 1)], [{"copy": "x", "to": "y"}, {"copy": "y", "to": "z"}])),
    "copy under a read of one's own": ({"x": 0}, ([put("x", 1)], [{"copy": "x", "to": "y"}, get("y"), TELL])),
    "copy under a read": ({"x": 0}, ([put("x", 1)], [{"copy": "x", "to": "y"}], [get("y"), TELL])),
    "copies across agents": ({"x": 0}, ([put("x", 1)], [{"copy": "x", "to": "y"}], [{"copy": "y", "to": "z"}])),
    "told down a line": ({"x": 0}, ([put("x", 1)], [READ, put("y", "v")], [get("y"), TELL])),
    "told down a line, perhaps": (
        {"x": 0},
        ([put("x", 1)], [READ, when("v == 0", put("y", 1))], [get("y"), TELL]),
    ),
}
"""By name: the start state and each agent's steps, in pre-order."""


@cache
def small_worlds() -> tuple[Scenario, ...]:
    """The worlds, fewest calls first."""
    return tuple(sorted(map(world, WORLDS), key=calls))


@cache
def world(name: str) -> Scenario:
    """The small world of this name, its agents A, B, C in pre-order. KeyError when there is none."""
    state, programs = WORLDS[name]
    agents = [{"name": "ABC"[at], "steps": steps} for at, steps in enumerate(programs)]
    return parse_scenario({"name": name, "state": state, "agents": agents}, name)


def calls(scenario: Scenario) -> int:
    """How many calls a scenario's programs have, wherever they stand."""
    return sum(count(one.steps) for one in scenario.agents)


def count(steps: tuple[object, ...]) -> int:
    """The calls among these steps and below them."""
    total = 0
    for step in steps:
        below = [getattr(step, name, ()) for name in ("then", "otherwise", "do")]
        total += hasattr(step, "tool") + sum(count(one) for one in below)
    return total
