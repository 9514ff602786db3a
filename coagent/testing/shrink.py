"""Makes a counterexample small: fewer agents, fewer calls, plainer values, as long as the same thing goes wrong.

Works on the scenario as data, and asks the question anew for every smaller one, so that the schedule comes out
anew as well. First one cut at a time; then, when few steps are left, every choice of fewer steps, fewest first, so that
no scenario which leaves out more of these steps goes wrong in the same way.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import combinations

from coagent.bad_input import BadInput
from coagent.scenario import Scenario, parse_scenario, scenario_out
from coagent.testing.trial import Question, Witness

FEW = 9
"""Steps of which every choice is tried."""
MOST = 400
"""Scenarios that are asked about before the smallest so far has to do."""

PLAIN = ("0", "1")
"""Expressions than which none is plainer."""

Address = tuple[object, ...]
"""Where a step stands: keys and indexes from the top of the scenario's data."""


def shrunk(witness: Witness, question: Question, *, most: int = MOST) -> Witness:
    """The smallest witness that was found of the same kind, with an anomaly in common if there were any.

    `question` is asked about `most` smaller scenarios at the most.
    """
    left = [most]
    best = _cut(witness, question, left)
    best = _fewest(best, question, left)
    best = _cut(best, question, left)
    return _asked(_renamed(scenario_out(best.scenario)), best, question, left) or best


def _cut(witness: Witness, question: Question, left: list[int]) -> Witness:
    """Make one cut after the other, until none leaves the fault in."""
    again = True
    while again:
        again = False
        for data in _smaller(scenario_out(witness.scenario)):
            found = _asked(data, witness, question, left)
            if found is not None:
                witness, again = found, True
                break
    return witness


def _fewest(witness: Witness, question: Question, left: list[int]) -> Witness:
    """Try every choice of the steps that are left, fewest first."""
    data = scenario_out(witness.scenario)
    steps = list(_addresses(data))
    if len(steps) > FEW:
        return witness
    for kept in range(1, len(steps)):
        for chosen in combinations(range(len(steps)), kept):
            gone = [steps[at] for at in range(len(steps)) if at not in chosen]
            if any(_inside(steps[at], one) for at in chosen for one in gone):
                continue
            found = _asked(_without(data, gone), witness, question, left)
            if found is not None:
                return found
    return witness


def _asked(data: Mapping, old: Witness, question: Question, left: list[int]) -> Witness | None:
    """The smaller scenario's witness, if it parses and goes wrong as the old one does."""
    if left[0] <= 0:
        return None
    try:
        scenario = parse_scenario({key: value for key, value in data.items() if key != "schedule"}, old.scenario.name)
    except BadInput:
        return None
    left[0] -= 1
    found = question(scenario)
    if found is None or found.kind != old.kind:
        return None
    alike = not old.anomalies or set(old.anomalies) & set(found.anomalies)
    return found if alike else None


def _smaller(data: dict) -> Iterator[dict]:
    """Scenarios with one thing less, the largest cuts first."""
    for at in range(len(data["agents"]) if len(data["agents"]) > 1 else 0):
        yield {**data, "agents": [one for place, one in enumerate(data["agents"]) if place != at]}
    for address in _addresses(data):
        yield _without(data, [address])
    for address in _addresses(data):
        yield from _opened(data, address)
    for path in data["state"]:
        yield {**data, "state": {key: value for key, value in data["state"].items() if key != path}}
    for key in ("think_s", "judge_s", "tool_s", "story"):
        if key in data:
            yield {name: value for name, value in data.items() if name != key}
    for address in _addresses(data):
        yield from _plainer(data, address)
    for at, agent in enumerate(data["agents"]):
        for key in ("think_s", "finish_think_s"):
            if key in agent:
                yield _changed(data, ("agents", at), {name: one for name, one in agent.items() if name != key})
    for path, value in data["state"].items():
        if value not in (0, 1):
            yield {**data, "state": {**data["state"], path: 0}}


def _renamed(data: dict) -> dict:
    """The agents called A, B and so on again, without those who are gone."""
    return {**data, "agents": [{**one, "name": chr(ord("A") + at)} for at, one in enumerate(data["agents"])]}


def _opened(data: dict, address: Address) -> Iterator[dict]:
    """A conditional or loop replaced by the steps below it."""
    step = _at(data, address)
    for branch in ("then", "else", "do"):
        if step.get(branch):
            above = _at(data, address[:-1])
            at = address[-1]
            yield _changed(data, address[:-1], [*above[:at], *step[branch], *above[at + 1 :]])
    if step.get("else"):
        yield _changed(data, address, {key: value for key, value in step.items() if key != "else"})


def _plainer(data: dict, address: Address) -> Iterator[dict]:
    """A step with a plainer value, or without the name it binds or the time it takes."""
    step = _at(data, address)
    for key in ("as", "think_s"):
        if key in step:
            yield _changed(data, address, {name: one for name, one in step.items() if name != key})
    for key in ("value", "by", "report"):
        for plain in PLAIN:
            if key in step and step[key] not in PLAIN:
                yield _changed(data, address, {**step, key: plain})


def _addresses(data: object, prefix: Address = ()) -> Iterator[Address]:
    """Where the steps stand, an outer one before those in it."""
    if not prefix:
        for at, agent in enumerate(data["agents"]):
            yield from _addresses(agent["steps"], ("agents", at, "steps"))
        return
    for at, step in enumerate(data):
        yield (*prefix, at)
        for branch in ("then", "else", "do"):
            yield from _addresses(step.get(branch, ()), (*prefix, at, branch))


def _inside(inner: Address, outer: Address) -> bool:
    return inner != outer and inner[: len(outer)] == outer


def _at(data: object, address: Address) -> object:
    for key in address:
        data = data[key]
    return data


def _changed(data: dict, address: Address, value: object) -> dict:
    """A copy with another value at an address."""
    copy = deepcopy(data)
    _at(copy, address[:-1])[address[-1]] = value
    return copy


def _without(data: dict, gone: list[Address]) -> dict:
    """A copy without the steps at these addresses, and without agents that have none left."""
    copy = deepcopy(data)
    for address in sorted(gone, key=lambda one: (len(one), one[-1]), reverse=True):
        del _at(copy, address[:-1])[address[-1]]
    kept = [one for one in copy["agents"] if one["steps"]]
    return {**copy, "agents": kept or copy["agents"][:1]}


def smallest(scenario: Scenario, question: Question) -> Witness | None:
    """The shrunk witness of a scenario, or None when it has none."""
    witness = question(scenario)
    return shrunk(witness, question) if witness else None
