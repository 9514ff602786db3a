"""Chooses a pre-order for the agents of a workload, from what each would do alone on the state at the start.

Knows nothing of protocols or seeds: predictions are of nominal think times, so the choice is the same in every trial.
"""

from dataclasses import dataclass, replace

import networkx as nx

from coagent.bad_input import BadInput
from coagent.path import any_overlap
from coagent.protocols.serial import Serial
from coagent.simulate import Clock, simulate
from coagent.workload import Setting, Workload

RANKS = ("launch", "shortest-first", "critical-path", "fewest-conflicts")
"""The rules by name; a permutation of 1 to n, such as `2,1`, is an order of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solo:
    """An agent alone: how long it takes in seconds, and of each call the time, the declared reads and the writes."""

    seconds: float
    calls: tuple[tuple[float, tuple[str, ...], tuple[str, ...]], ...]


def ranked(workload: Workload, rank: str) -> Workload:
    """The workload with its agents in the order that a rule or a permutation of launch numbers gives.

    Raises BadInput for a rule that there is not, and for numbers that are no permutation.
    """
    order = _order(workload, rank)
    return replace(workload, agents=tuple(workload.agents[index] for index in order))


def check_rank(rank: str) -> None:
    """Raise BadInput for what is neither a rule nor a permutation of 1 to n."""
    if rank not in RANKS:
        _permutation(rank)


def solos(workload: Workload) -> tuple[Solo, ...]:
    """What each agent does alone, in launch order."""
    return tuple(_solo(replace(workload, agents=(one,))) for one in workload.agents)


def _solo(alone: Workload) -> Solo:
    run = simulate(Setting(workload=alone, protocol=Serial()), Clock(alone.cost.tool_s))
    calls = ((one["at"], tuple(one["reads"]), tuple(one["writes"])) for one in run.history.of("invoke"))
    return Solo(seconds=run.seconds, calls=tuple(calls))


def _order(workload: Workload, rank: str) -> list[int]:
    launch = list(range(len(workload.agents)))
    match rank:
        case "launch":
            return launch
        case "shortest-first":
            alone = solos(workload)
            return sorted(launch, key=lambda index: alone[index].seconds)
        case "critical-path":
            return _critical(solos(workload))
        case "fewest-conflicts":
            return _fewest(solos(workload))
        case _:
            given = _permutation(rank)
            if len(given) != len(launch):
                raise BadInput(
                    f"--rank {rank!r} orders {len(given)} agents and {workload.name!r} has {len(launch)}; name each "
                    "once by its launch number"
                )
            return given


def _permutation(rank: str) -> list[int]:
    words = [word.strip() for word in rank.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
        raise BadInput(f"--rank is {rank!r}; known are {', '.join(RANKS)}, and launch numbers in order, like 2,1")
    given = [int(word) - 1 for word in words]
    if sorted(given) != list(range(len(given))):
        raise BadInput(f"--rank {rank!r} is no order of agents; name each once by its launch number, like 2,1")
    return given


def _critical(alone: tuple[Solo, ...]) -> list[int]:
    """Agents with most work at and behind them first: their own time, and the longest chain of those that read them.

    List scheduling by the longest path (Hu, 1961); agents that read each other count as one link, the longest of them.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(alone)))
    graph.add_edges_from((one, other) for one in graph for other in graph if _feeds(alone[one], alone[other]))
    links = nx.condensation(graph)
    behind: dict[int, float] = {}
    for link in reversed(list(nx.topological_sort(links))):
        behind[link] = max((behind[after] + _longest(alone, links, after) for after in links[link]), default=0.0)
    of = links.graph["mapping"]
    return sorted(range(len(alone)), key=lambda index: -(alone[index].seconds + behind[of[index]]))


def _longest(alone: tuple[Solo, ...], links: nx.DiGraph, link: int) -> float:
    return max(alone[index].seconds for index in links.nodes[link]["members"])


def _feeds(writer: Solo, reader: Solo) -> bool:
    """Whether some call of one agent reads what some call of another writes."""
    if writer is reader:
        return False
    return any(any_overlap(writes, reads) for _, _, writes in writer.calls for _, reads, _ in reader.calls)


def _fewest(alone: tuple[Solo, ...]) -> list[int]:
    """Whoever would be late for the others least often goes first, then whoever would of the rest (greedy)."""
    many = range(len(alone))
    late = {(one, other): _late(alone[one], alone[other]) for one in many for other in many if one != other}
    left, order = list(many), []
    while left:
        first = min(left, key=lambda one: sum(late[one, other] - late[other, one] for other in left if other != one))
        order.append(first)
        left.remove(first)
    return order


def _late(low: Solo, high: Solo) -> int:
    """How many pairs there are of a write of one agent and an earlier call of another that it conflicts with."""
    return sum(
        when > before and any_overlap(writes, (*reads, *other))
        for when, _, writes in low.calls
        for before, reads, other in high.calls
    )
