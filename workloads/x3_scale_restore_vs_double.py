"""X3, read-modify-write in the cluster: one agent brings what is at nothing back to one replica, another doubles all.

B lists the sizes and sets each to twice what it listed, the one at nothing last: what A restored in between goes down
again. A size is set by what was read, so that doing it twice gives four.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import CLUSTER_TOOLS, DEPLOYMENTS, deployment, field_of, named, place, put

NAME = "x3-scale-restore-vs-double"
IMAGE = "hotel-reservation:latest"
SIZES = {"frontend": 1, "geo": 1, "search": 0}
"""Replicas at the start."""

TASK_A = (
    "Bring up what is down. List all deployments with their replicas; scale each one that was listed with 0 replicas "
    "to 1. Report a list of their names, in the order in which they were listed; it is empty if there were none."
)
ALSO_A = ' Before you report, put the text "backend" at the path cluster/deployments/search/labels/tier.'
TASK_B = (
    "Double the size of every deployment. List all deployments with their replicas; then scale each, in the order in "
    "which they were listed, to twice the replicas that it was listed with, also one with 0. Report the list as you "
    "got it, a list [name, replicas] for each deployment."
)


def restore(labels: bool) -> Generator[Intent, Result, Value]:
    """A: scale to one replica whatever has none. Reports what that was."""
    listed = (yield Intent(call=Call("sizes"))).value
    down = tuple(name for name, replicas in listed if replicas == 0)
    for name in down:
        yield Intent(call=named("scale", name, replicas=1))
    if labels:
        yield Intent(call=put(place("search", "labels/tier"), "backend"))
    return down


def double() -> Generator[Intent, Result, Value]:
    """B: scale every deployment to twice its replicas. Reports them all as they were."""
    listed = (yield Intent(call=Call("sizes"))).value
    for name, replicas in listed:
        yield Intent(call=named("scale", name, replicas=2 * replicas))
    return listed


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """What was down has one replica or two, and the others have two."""
    sizes = field_of(state, DEPLOYMENTS, "replicas")
    down = {name for name, replicas in SIZES.items() if not replicas}
    return set(sizes) == set(SIZES) and all(
        replicas in ((1, 2) if name in down else (2,)) for name, replicas in sizes.items()
    )


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels search: that lies in what B listed, and changes nothing B saw."""
    return Workload(
        name=NAME,
        story="A brings what has no replicas back to one while B doubles every deployment.",
        state=tuple(cell for name, replicas in SIZES.items() for cell in deployment(name, IMAGE, replicas)),
        agents=(
            Agent(name="A", program=partial(restore, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=double, task=TASK_B),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
