"""Agents and steps of a scenario as data: read with every slip named, and written back.

Follows which names are bound where, as far as can be told without running anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from coagent.expression import Expression, parse_expression
from coagent.path_template import PathTemplate, name_problem, parse_path
from coagent.placed_json import MAX_DEPTH, Spot, brief, shown
from coagent.program import AgentScript, CallStep, For, If, Report, Step
from coagent.tool import TOOLS

THINK_S = 5.0
"""Seconds of inference before a call where nothing else is said."""

MAX_S = 1e9
"""Seconds anything may take; sums of them stay finite."""

_SECOND = {"put": "value", "create": "value", "send": "value", "add": "by", "copy": "to"}
_STEPS = {
    **{tool: (tool, *([_SECOND[tool]] if tool in _SECOND else [])) for tool in TOOLS},
    "if": ("if", "then"),
    "for": ("for", "in", "do"),
    "report": ("report",),
}
_OPTIONS = {**{tool: ("as", "think_s") for tool in TOOLS}, "if": ("else",), "for": (), "report": ()}
_AGENT_KEYS = ("name", "steps", "think_s", "finish_think_s")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Names bound whatever way the program came here, and names bound on some way."""

    sure: frozenset[str] = frozenset()
    some: frozenset[str] = frozenset()

    def bind(self, name: str) -> "_Scope":
        return _Scope(self.sure | {name}, self.some | {name})

    def or_else(self, other: "_Scope") -> "_Scope":
        return _Scope(self.sure & other.sure, self.some | other.some)

    def check(self, names: Iterable[str], source: str, spot: Spot) -> None:
        """Refuses a name that is not bound on every way here."""
        for name in names:
            if name in self.sure:
                continue
            if name in self.some:
                raise spot.bad(
                    f"the name {name!r} in {brief(source)} may be unbound here, as it is bound only in one branch of "
                    "an 'if' or inside a loop; bind it on every way to this step"
                )
            raise spot.bad(
                f"unbound name {name!r} in {brief(source)}{did_you_mean(name, self.sure)}; bind it before with "
                f'"as": "{name}", or quote it if it is text: "\'{name}\'"'
            )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a question in brackets, or nothing."""
    near = get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def check_object(data: object, spot: Spot, what: str) -> None:
    """Refuses what is not an object."""
    if not isinstance(data, dict):
        raise spot.bad(f"{what} is an object in braces, and this is {shown(data)}")


def check_keys(data: Mapping, spot: Spot, what: str, *, required: Iterable[str], known: Iterable[str]) -> None:
    """Refuses an object that has a key it may not have, or lacks one it needs."""
    known = tuple(known)
    for key in data:
        if key not in known:
            near = did_you_mean(str(key), known)
            raise spot.at(key).bad(f"unknown key {key!r} in {what}{near}; it takes {', '.join(known)}")
    for key in required:
        if key not in data:
            raise spot.bad(f"{what} lacks {key!r}; it takes {', '.join(known)}")


def read_seconds(data: Mapping, key: str, spot: Spot, default: float | None) -> float | None:
    """A number of seconds from 0 up, or the default where nothing is said."""
    if key not in data:
        return default
    value = data[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise spot.at(key).bad(f"{key!r} is {shown(value)}, not a number; write seconds, as in 2.5")
    if not 0 <= value <= MAX_S:
        problem = "negative" if value < 0 else "not a number" if value != value else "more than a thousand million"
        raise spot.at(key).bad(f"{key!r} is {problem}; write seconds from 0 up, as in 2.5")
    return abs(float(value))


def read_agents(data: object, spot: Spot, think_s: float) -> tuple[AgentScript, ...]:
    """The agents in pre-order; `think_s` is the scenario's. Raises BadInput."""
    if not isinstance(data, list):
        raise spot.bad(f"'agents' is {shown(data)}, not a list; put the agents in brackets")
    if not data:
        raise spot.bad("there are no agents; a scenario needs one at least")
    scripts: list[AgentScript] = []
    for place, one in enumerate(data):
        script = _agent(one, spot.at(place), think_s)
        if any(script.name == other.name for other in scripts):
            raise spot.at(place, "name").bad(f"two agents have the name {script.name!r}; rename one")
        scripts.append(script)
    return tuple(scripts)


def _agent(data: object, spot: Spot, think_s: float) -> AgentScript:
    check_object(data, spot, "an agent")
    check_keys(data, spot, "an agent", required=("name", "steps"), known=_AGENT_KEYS)
    name = data["name"]
    if not isinstance(name, str) or not name.strip():
        raise spot.at("name").bad(f"an agent's name is {shown(name)}; give it one in double quotes")
    if "#" in name:
        raise spot.at("name").bad(f"the agent's name {name!r} has a '#', which marks a restarted attempt; leave it out")
    think_s = read_seconds(data, "think_s", spot, think_s)
    steps, _ = _read_steps(data["steps"], spot.at("steps"), _Scope(), think_s)
    finish_think_s = read_seconds(data, "finish_think_s", spot, None)
    return AgentScript(name=name, steps=steps, think_s=think_s, finish_think_s=finish_think_s)


def _read_steps(data: object, spot: Spot, scope: _Scope, think_s: float) -> tuple[tuple[Step, ...], _Scope]:
    if not isinstance(data, list):
        raise spot.bad(f"{spot.key[-1]!r} is {shown(data)}, not a list; put the steps in brackets")
    if len(spot.key) > MAX_DEPTH:
        raise spot.bad(f"steps nest more than {MAX_DEPTH // 2} deep; flatten them")
    steps = []
    for place, one in enumerate(data):
        step, scope = _step(one, spot.at(place), scope, think_s)
        steps.append(step)
    return tuple(steps), scope


def _step(data: object, spot: Spot, scope: _Scope, think_s: float) -> tuple[Step, _Scope]:
    check_object(data, spot, "a step")
    kind = _kind(data, spot)
    known = _STEPS[kind] + _OPTIONS[kind]
    check_keys(data, spot, f"the {kind!r} step", required=_STEPS[kind], known=known)
    match kind:
        case "if":
            test = _expression(data, "if", spot, scope)
            then, after_then = _read_steps(data["then"], spot.at("then"), scope, think_s)
            otherwise, after_else = _read_steps(data.get("else", []), spot.at("else"), scope, think_s)
            return If(test=test, then=then, otherwise=otherwise), after_then.or_else(after_else)
        case "for":
            name, items = _bind_name(data, "for", spot), _expression(data, "in", spot, scope)
            do, after = _read_steps(data["do"], spot.at("do"), scope.bind(name), think_s)
            return For(name=name, items=items, do=do), scope.or_else(after)
        case "report":
            return Report(value=_expression(data, "report", spot, scope)), scope
    return _call_step(kind, data, spot, scope, think_s)


def _kind(data: Mapping, spot: Spot) -> str:
    kinds = [key for key in data if key in _STEPS]
    if len(kinds) > 1:
        raise spot.at(kinds[1]).bad(f"one step says both {kinds[0]!r} and {kinds[1]!r}; make it two steps")
    if kinds:
        return kinds[0]
    parts = {key for kind in _STEPS for key in _STEPS[kind] + _OPTIONS[kind]}
    for key in data:
        if key not in parts:
            near = did_you_mean(str(key), _STEPS)
            raise spot.at(key).bad(f"unknown call {key!r}{near}; a step is one of {', '.join(_STEPS)}")
    raise spot.bad(f"the step says no call; a step is one of {', '.join(_STEPS)}")


def _call_step(tool: str, data: Mapping, spot: Spot, scope: _Scope, think_s: float) -> tuple[Step, _Scope]:
    args: list[tuple[str, PathTemplate | Expression]] = [("path", _path(data, tool, spot, scope))]
    match _SECOND.get(tool):
        case "to":
            args.append(("to", _path(data, "to", spot, scope)))
        case str(key):
            args.append((key, _expression(data, key, spot, scope)))
    bind = _bind_name(data, "as", spot) if "as" in data else None
    step = CallStep(tool=tool, args=tuple(args), bind=bind, think_s=read_seconds(data, "think_s", spot, think_s))
    return step, scope.bind(bind) if bind is not None else scope


def _path(data: Mapping, key: str, spot: Spot, scope: _Scope) -> PathTemplate:
    source, spot = data[key], spot.at(key)
    if not isinstance(source, str):
        raise spot.bad(f'the path of {key!r} is {shown(source)}, not a string; paths look like "stock/apples"')
    path = parse_path(source, spot.place)
    scope.check(path.names, source, spot)
    return path


def _expression(data: Mapping, key: str, spot: Spot, scope: _Scope) -> Expression:
    source, spot = data[key], spot.at(key)
    if not isinstance(source, str):
        raise spot.bad(f"{key!r} is {shown(source)}, and expressions are strings; put it in double quotes")
    expression = parse_expression(source, spot.place)
    scope.check(expression.names, source, spot)
    return expression


def _bind_name(data: Mapping, key: str, spot: Spot) -> str:
    name = data[key]
    if problem := name_problem(name):
        raise spot.at(key).bad(f"{shown(name)} after {key!r} {problem}")
    return name


def script_out(script: AgentScript, think_s: float) -> dict:
    """An agent as a JSON object that reads back to an equal one; `think_s` is the scenario's."""
    return {
        "name": script.name,
        **({"think_s": script.think_s} if script.think_s != think_s else {}),
        **({"finish_think_s": script.finish_think_s} if script.finish_think_s is not None else {}),
        "steps": [_step_out(step, script.think_s) for step in script.steps],
    }


def _step_out(step: Step, think_s: float) -> dict:
    match step:
        case CallStep(tool=tool, args=args):
            sources = {tool if name == "path" else name: given.source for name, given in args}
            bind = {"as": step.bind} if step.bind is not None else {}
            return {**sources, **bind, **({"think_s": step.think_s} if step.think_s != think_s else {})}
        case If(test=test, then=then, otherwise=otherwise):
            rest = {"else": [_step_out(each, think_s) for each in otherwise]} if otherwise else {}
            return {"if": test.source, "then": [_step_out(each, think_s) for each in then], **rest}
        case For(name=name, items=items, do=do):
            return {"for": name, "in": items.source, "do": [_step_out(each, think_s) for each in do]}
        case Report(value=value):
            return {"report": value.source}
