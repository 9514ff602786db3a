"""Scenarios: a start state and agents as data, read from a file with every slip named, and written back.

Decides what a scenario may say; `coagent.program` says what its agents then do.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath

from coagent.arithmetic import LARGEST, MAX_NESTING
from coagent.bad_input import BadInput
from coagent.history import frozen, plain
from coagent.operation import Value
from coagent.path_template import path_problem
from coagent.placed_json import MAX_DIGITS, Lines, Spot, brief, parse_json, shown
from coagent.program import AgentScript, CallStep, Failure, For, If, Intent, Report, Step, program, report_out
from coagent.script import THINK_S, check_keys, check_object, read_agents, read_seconds, script_out

__all__ = [
    "AgentScript",
    "CallStep",
    "Failure",
    "For",
    "If",
    "Intent",
    "Report",
    "Scenario",
    "Step",
    "load_scenario",
    "load_scenario_file",
    "parse_scenario",
    "program",
    "report_out",
    "scenario_out",
]

_KEYS = ("name", "story", "think_s", "judge_s", "tool_s", "state", "schedule", "agents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A start state, sorted by path, and agents in pre-order; seconds of inference, judgement and tools.

    `schedule`, indexes into the choices of a world, is what a counterexample keeps.
    """

    name: str
    state: tuple[tuple[str, Value], ...]
    agents: tuple[AgentScript, ...]
    think_s: float = THINK_S
    judge_s: float | None = None
    tool_s: float | None = None
    schedule: tuple[int, ...] | None = None
    story: str = ""

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        return import_module("coagent.notebook.display").scenario_html(self)


def load_scenario_file(path: str | Path) -> Scenario:
    """The scenario in a file. Raises BadInput for anything that is not one, and for what cannot be read."""
    where = str(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise BadInput("there is no such file; check its name and the folder you are in", where) from None
    except IsADirectoryError:
        raise BadInput("this is a folder; name a scenario file in it", where) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"the file cannot be read ({getattr(error, 'strerror', None) or error})", where) from None
    try:
        return load_scenario(data.decode("utf-8"), where)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            "the file is not UTF-8 text; save it as UTF-8, or check that it is the right file", f"{where}:{line}"
        ) from None


def load_scenario(text: str, where: str) -> Scenario:
    """The scenario in a text; `where` names its file. Raises BadInput, with file and line, for what is not one."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise BadInput("the file is empty; a scenario is a JSON object with 'state' and 'agents'", where)
    data, lines = parse_json(text, where)
    return parse_scenario(data, where, lines)


def parse_scenario(data: object, where: str, lines: Lines | None = None) -> Scenario:
    """The scenario in data as JSON has it; `lines` are those of `parse_json`. Raises BadInput."""
    spot = Spot(where, lines or {})
    check_object(data, spot, "a scenario")
    check_keys(data, spot, "a scenario", required=("state", "agents"), known=_KEYS)
    think_s = read_seconds(data, "think_s", spot, THINK_S)
    return Scenario(
        name=_text(data, "name", spot, PurePath(where).stem),
        state=_state(data["state"], spot.at("state")),
        agents=read_agents(data["agents"], spot.at("agents"), think_s),
        think_s=think_s,
        judge_s=read_seconds(data, "judge_s", spot, None),
        tool_s=read_seconds(data, "tool_s", spot, None),
        schedule=_schedule(data["schedule"], spot.at("schedule")) if "schedule" in data else None,
        story=_text(data, "story", spot, ""),
    )


def scenario_out(scenario: Scenario) -> dict:
    """The scenario as a JSON object that reads back to an equal one; expressions as they were written."""
    optional = {
        "story": scenario.story or None,
        "think_s": scenario.think_s if scenario.think_s != THINK_S else None,
        "judge_s": scenario.judge_s,
        "tool_s": scenario.tool_s,
        "schedule": None if scenario.schedule is None else list(scenario.schedule),
    }
    given = {key: value for key, value in optional.items() if value is not None}
    return {
        "name": scenario.name,
        **given,
        "state": {path: plain(value) for path, value in scenario.state},
        "agents": [script_out(script, scenario.think_s) for script in scenario.agents],
    }


def _text(data: Mapping, key: str, spot: Spot, default: str) -> str:
    text = data.get(key, default)
    if not isinstance(text, str):
        raise spot.at(key).bad(f"{key!r} is {shown(text)}, not a string; put it in double quotes")
    return text


def _schedule(data: object, spot: Spot) -> tuple[int, ...]:
    if not isinstance(data, list):
        raise spot.bad(f"the schedule is {shown(data)}, not a list of choices; write one like [0, 2, 1]")
    for place, choice in enumerate(data):
        if not isinstance(choice, int) or isinstance(choice, bool) or choice < 0:
            raise spot.at(place).bad(f"{shown(choice)} in the schedule is no choice; choices count up from 0")
    return tuple(data)


def _state(data: object, spot: Spot) -> tuple[tuple[str, Value], ...]:
    check_object(data, spot, "the state")
    for path, value in data.items():
        if not isinstance(path, str):
            raise spot.bad(f"the path {path!r} is not a string; paths look like stock/apples")
        problem = path_problem(path)
        if "{" in path or "}" in path:
            problem = "has a brace, and no call could name it; braces are for bound values in the paths of calls"
        if problem:
            raise spot.at(path).bad(f"the path {brief(path)} {problem}")
        _check_value(value, spot.at(path), path, 0)
    return tuple(sorted((path, frozen(value)) for path, value in data.items()))


def _check_value(value: object, spot: Spot, path: str, depth: int) -> None:
    if isinstance(value, list):
        if depth >= MAX_NESTING:
            raise spot.bad(f"the value of {brief(path)} nests lists more than {MAX_NESTING} deep; flatten it")
        for place, item in enumerate(value):
            _check_value(item, spot.at(place), path, depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= LARGEST:
        raise spot.bad(f"the value of {brief(path)} has more than {MAX_DIGITS:,} digits; write a smaller one")
    elif isinstance(value, float):
        way = "leave the fraction out" if math.isfinite(value) and value == int(value) else "count in smaller units"
        raise spot.bad(f"the value of {brief(path)} is {value!r}, and values hold no fractions; {way}")
    elif not (value is None or isinstance(value, bool | int | str)):
        raise spot.bad(
            f"the value of {brief(path)} is {shown(value)}; values are integers, strings, booleans, null and "
            "lists of those, so give each member a path of its own"
        )
