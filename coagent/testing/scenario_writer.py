"""Writes random scenarios: small ones, on few nested paths, so that agents often conflict.

Valid by construction, as far as reading goes; what their expressions do when run is left to chance: calls fail,
paths nest, conditionals and loops hang on what was read, and some calls cannot be undone.
"""

from random import Random

from coagent.scenario import Scenario, parse_scenario

PATHS = ("x", "y", "d", "d/a", "d/b", "d/b/c")
HOT = ("x", "d/a")
CALLS = {"get": 6, "list": 1, "put": 5, "create": 3, "delete": 3, "add": 5, "copy": 3, "send": 1}
VALUES = (0, 1, 2, -3, "a", "b", True, None, [], [1, 2], ["a"])
AGENTS_MAX, STEPS_MAX = 5, 8
NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def written(
    random: Random, name: str, *, agents: int = AGENTS_MAX, steps: int = STEPS_MAX, telling: bool = False
) -> Scenario:
    """The scenario that these draws come to: two agents up to `agents`, each of one step up to `steps`.

    With `telling`, each reports in the end all that it was answered on its straight way, so that nothing it saw is
    without consequence, and all keep to two or three paths.
    """
    paths = tuple(random.sample(PATHS, random.randint(2, 3))) if telling else PATHS
    state = {path: _start(random) for path in paths if random.random() < 0.6}
    count = random.randint(2, max(agents, 2))
    agents = [_agent(random, NAMES[index], steps, paths) for index in range(count)]
    agents = [told(agent) for agent in agents] if telling else agents
    return parse_scenario({"name": name, "state": state, "agents": agents}, name)


def _start(random: Random) -> object:
    return random.randint(0, 5) if random.random() < 0.7 else random.choice(VALUES)


def _agent(random: Random, name: str, most: int, paths: tuple[str, ...]) -> dict:
    writer = _Writer(random, most, paths)
    steps = writer.steps(random.randint(1, most), frozenset(), 0)
    agent = {"name": name, "think_s": random.choice((1.0, 2.0, 3.5, 5.0, 8.0)), "steps": steps}
    if random.random() < 0.2:
        agent["finish_think_s"] = random.choice((0.5, 4.0))
    return agent


def told(agent: dict) -> dict:
    """The agent, which reports at last all that its calls outside of branches and loops were answered."""
    bound = [step["as"] for step in agent["steps"] if "as" in step]
    return {**agent, "steps": [*agent["steps"], {"report": f"[{', '.join(bound)}]"}]}


class _Writer:
    """Writes the steps of one agent, and uses a name only where it is bound on every way."""

    def __init__(self, random: Random, most: int, paths: tuple[str, ...]) -> None:
        self.random, self.paths = random, paths
        self.hot = HOT if paths == PATHS else paths[:1]
        self.left = most
        self.fresh = 0

    def steps(self, count: int, names: frozenset[str], depth: int) -> list[dict]:
        """Up to `count` steps; fewer when the agent has had its share."""
        written = []
        for _ in range(count):
            if self.left <= 0:
                break
            self.left -= 1
            step, names = self.step(names, depth)
            written.append(step)
        return written

    def step(self, names: frozenset[str], depth: int) -> tuple[dict, frozenset[str]]:
        draw = self.random.random()
        if draw < 0.12 and depth < 2:
            return self.conditional(names, depth), names
        if draw < 0.22 and depth < 2:
            return self.loop(names, depth)
        if draw < 0.32:
            return {"report": self.expression(names)}, names
        return self.call(names)

    def conditional(self, names: frozenset[str], depth: int) -> dict:
        step = {"if": self.test(names), "then": self.steps(self.random.randint(1, 2), names, depth + 1)}
        if self.random.random() < 0.5:
            step["else"] = self.steps(1, names, depth + 1)
        return step

    def loop(self, names: frozenset[str], depth: int) -> tuple[dict, frozenset[str]]:
        """A loop over the names below `d`, which are bound first; or the list call itself, its loop left for later."""
        listed = sorted(name for name in names if name.startswith("names"))
        if not listed:
            bound = self.name("names")
            return {"list": self.random.choice(("d", "d", "d/b")), "as": bound}, names | {bound}
        item = self.name("n")
        body = self.steps(self.random.randint(1, 2), names | {item}, depth + 1)
        child = f"d/{{{item}}}"
        touch = self.random.choice(({"get": child}, {"add": child, "by": "1"}, {"delete": child}))
        return {"for": item, "in": self.random.choice(listed), "do": [touch, *body]}, names

    def call(self, names: frozenset[str]) -> tuple[dict, frozenset[str]]:
        tool = self.random.choices(tuple(CALLS), tuple(CALLS.values()))[0]
        step = {tool: self.path(names)}
        match tool:
            case "list":
                step[tool] = self.random.choice(("d", "d", "d/b", "x"))
            case "send":
                step[tool] = "out" if self.random.random() < 0.8 else self.path(names)
                step["value"] = self.expression(names)
            case "put" | "create":
                step["value"] = self.expression(names)
            case "add":
                step["by"] = self.addend(names)
            case "copy":
                step["to"] = self.path(names)
        if self.random.random() < 0.15:
            step["think_s"] = self.random.choice((0.0, 0.5, 2.5, 12.0))
        if self.random.random() < 0.7:
            step["as"] = self.name("names" if tool == "list" else "v")
            names = names | {step["as"]}
        return step, names

    def name(self, stem: str) -> str:
        self.fresh += 1
        return f"{stem}{self.fresh}"

    def path(self, names: frozenset[str]) -> str:
        """Half of the time one of the paths everybody uses; rarely one with a bound value in it."""
        single = sorted(name for name in names if not name.startswith("names"))
        if single and self.random.random() < 0.05:
            return f"d/{{{self.random.choice(single)}}}"
        return self.random.choice(self.hot if self.random.random() < 0.4 else self.paths)

    def addend(self, names: frozenset[str]) -> str:
        return self.expression(names) if names and self.random.random() < 0.4 else str(self.random.randint(-2, 3))

    def expression(self, names: frozenset[str]) -> str:
        """A constant, a bound value, or something made of one; a few of these have no value for some bindings."""
        if not names or self.random.random() < 0.35:
            return self.random.choice(("0", "1", "2", "'a'", "'b'", "true", "null", "[1, 2]", "[]"))
        one, other = self.random.choice(sorted(names)), self.random.choice(sorted(names))
        return self.random.choice(
            (
                one,
                one,
                one,
                f"str({one})",
                f"[{one}, {other}]",
                f"{one} if {one} == {other} else 0",
                f"{one} == {other}",
                f"1 if {one} else 2",
                f"{one} * 2",
                f"{one} in [0, 1, 'ok']",
                f"{one} + 1" if self.rarely() else one,
                f"len({one})" if self.rarely() else f"'{one}'",
            )
        )

    def test(self, names: frozenset[str]) -> str:
        if not names:
            return self.random.choice(("true", "false"))
        one = self.random.choice(sorted(names))
        return self.random.choice(
            (
                one,
                f"not {one}",
                f"{one} == 1",
                f"{one} == null",
                f"{one} == 'ok'",
                f"{one} in [0, 1, 2, 'exists', 'missing']",
                f"{one} > 1" if self.rarely() else f"{one} != 0",
            )
        )

    def rarely(self) -> bool:
        return self.random.random() < 0.3
