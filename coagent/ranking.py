"""Chooses the pre-order of a workload's agents before the run, from what each would do alone.

An agent is run by itself on the state at the start, with think times as they stand: its calls, their declared
footprints and when they end are all that is predicted from. Knows nothing of the contended run, its seed or protocol.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from coagent.bad_input import BadInput
from coagent.path import any_overlap
from coagent.protocols.serial import Serial
from coagent.simulate import Clock, simulate
from coagent.workload import Workload
from coagent.world import Setting

EXACT_AGENTS = 10
"""Up to this many agents the order with the fewest predicted conflicts is found among all; above, by local search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call as its agent makes it when alone: declared paths, and when its execution ends, in seconds from launch."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    ends_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an agent does alone on the state at the start; `seconds` is simulated time from launch to commit."""

    name: str
    calls: tuple[PlannedCall, ...]
    seconds: float


def ordered(workload: Workload, rank: str) -> Workload:
    """The workload with its agents in the pre-order that `rank` names: one of `RANKS`, or a permutation like `2,1`.

    Raises BadInput for another word, and for numbers that are no order of the workload's agents.
    """
    if rank in RANKS:
        names = RANKS[rank](plans(workload)) if rank != "launch" else [one.name for one in workload.agents]
    else:
        names = [workload.agents[number - 1].name for number in _permutation(rank, workload)]
    by_name = {one.name: one for one in workload.agents}
    agents = tuple(by_name[name] for name in names)
    if any(one.launch_s > other.launch_s for one, other in pairwise(agents)):
        raise BadInput(
            f"--rank {rank} puts an agent of {workload.name!r} that comes late below one that is there before, and a "
            "new agent is appended to the order; leave --rank out, or keep those who come late last"
        )
    return replace(workload, agents=agents)


def plans(workload: Workload) -> tuple[Plan, ...]:
    """What each agent would do alone, in the order of the agents."""
    return tuple(_plan(replace(workload, agents=(one,))) for one in workload.agents)


def shortest_first(planned: Sequence[Plan]) -> list[str]:
    """Who needs the fewest seconds alone comes first."""
    return [one.name for one in sorted(planned, key=lambda one: one.seconds)]


def critical_path_first(planned: Sequence[Plan]) -> list[str]:
    """Who stands at the head of the longest chain of agents, each reading what one before it writes, comes first.

    A chain is as long as its agents' seconds together. Agents that read each other's writes in a circle
    are one link, as long as all of them; among them whoever takes longest comes first.
    """
    readers = {
        one.name: {other.name for other in planned if other is not one and _feeds(one, other)} for one in planned
    }
    reached = {name: _reached(name, readers) for name in readers}
    seconds = {one.name: one.seconds for one in planned}
    lengths: dict[str, float] = {}

    def length(name: str) -> float:
        if name not in lengths:
            circle = {other for other in reached[name] if name in reached[other]} | {name}
            beyond = set().union(*(readers[one] for one in circle)) - circle
            total = sum(seconds[one] for one in sorted(circle)) + max(map(length, sorted(beyond)), default=0.0)
            lengths.update(dict.fromkeys(circle, total))
        return lengths[name]

    return sorted(readers, key=lambda name: (-length(name), -seconds[name]))


def fewest_conflicts(planned: Sequence[Plan]) -> list[str]:
    """The order with the fewest predicted late writes and stale reads in all; of several, the first by launch numbers.

    Exact up to `EXACT_AGENTS` agents; above, each is moved to where it costs least until no move helps.
    """
    costs = {
        (one.name, other.name): predicted_conflicts(one, other)
        for one in planned
        for other in planned
        if one is not other
    }
    names = [one.name for one in planned]
    return _least(names, costs) if len(names) <= EXACT_AGENTS else _settled(names, costs)


def predicted_conflicts(low: Plan, high: Plan) -> int:
    """How many pairs there are of a write of `low` and a call of `high` that touches what it writes and ends sooner."""
    return sum(
        write.ends_s > call.ends_s and any_overlap(write.writes, (*call.reads, *call.writes))
        for write in low.calls
        if write.writes
        for call in high.calls
    )


RANKS: Mapping[str, Callable[[Sequence[Plan]], list[str]]] = {
    "launch": lambda planned: [one.name for one in planned],
    "shortest-first": shortest_first,
    "critical-path": critical_path_first,
    "fewest-conflicts": fewest_conflicts,
}
"""Ways of choosing a pre-order, by name; ties are left in launch order."""


def _permutation(rank: str, workload: Workload) -> list[int]:
    words = [word.strip() for word in rank.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
        raise BadInput(f"--rank is {rank!r}; known are {', '.join(RANKS)}, and launch numbers in order, like 2,1")
    numbers, many = [int(word) for word in words], len(workload.agents)
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        raise BadInput(f"--rank {rank!r} is no order of agents; name each once by its launch number, like 2,1")
    if len(numbers) != many:
        raise BadInput(
            f"--rank {rank!r} orders {len(numbers)} agents and {workload.name!r} has {many}; name each once by its "
            "launch number"
        )
    return numbers


def _plan(alone: Workload) -> Plan:
    outcome = simulate(Setting(workload=alone, protocol=Serial()), Clock(alone.cost.tool_s))
    ended = {record["op"]: record["at"] for record in outcome.history.of("result")}
    calls = tuple(
        PlannedCall(reads=tuple(record["reads"]), writes=tuple(record["writes"]), ends_s=ended[record["op"]])
        for record in outcome.history.of("invoke")
        if record["op"] in ended
    )
    return Plan(name=alone.agents[0].name, calls=calls, seconds=outcome.seconds)


def _feeds(one: Plan, other: Plan) -> bool:
    reads = {path for call in other.calls for path in call.reads}
    return any_overlap({path for call in one.calls for path in call.writes}, reads)


def _reached(start: str, readers: Mapping[str, set[str]]) -> set[str]:
    found, ahead = set(), [start]
    while ahead:
        new = readers[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return found


def _least(names: list[str], costs: Mapping[tuple[str, str], int]) -> list[str]:
    """The cheapest order of all, by subsets: the best order of a set ends in one of its members."""
    best: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {(): (0, ())}
    for size in range(1, len(names) + 1):
        for members in combinations(range(len(names)), size):
            ways = []
            for last in members:
                total, order = best[tuple(one for one in members if one != last)]
                total += sum(costs[names[one], names[last]] for one in order)
                ways.append((total, (*order, last)))
            best[members] = min(ways)
    return [names[one] for one in best[tuple(range(len(names)))][1]]


def _settled(names: list[str], costs: Mapping[tuple[str, str], int]) -> list[str]:
    order, moved = list(names), True
    while moved:
        moved = False
        for name in names:
            here = order.index(name)
            rest = [one for one in order if one != name]
            totals = [sum(costs[name, one] for one in rest)]
            for one in rest:
                totals.append(totals[-1] - costs[name, one] + costs[one, name])
            there = min(range(len(totals)), key=lambda at: (totals[at], at))
            if totals[there] < totals[here]:
                order, moved = [*rest[:there], name, *rest[there:]], True
    return order
