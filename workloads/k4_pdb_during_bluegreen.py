"""K4, read skew in the cluster: one agent cuts geo over from blue to green, another protects what the service selects.

B reads the service and then the deployment that it selects, and between the two A may have gone on. A's last call
moves the budget on blue where it listed one; where it listed none it looks at green again, so that A makes five calls
either way.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import BUDGETS, CLUSTER_TOOLS, SERVICES, deployment, field_of, get, named, put
from workloads.row import at

NAME = "k4-pdb-during-bluegreen"
BLUE, GREEN, IMAGE = "geo-blue", "geo-green", "hotel-reservation:latest"
REPLICAS, AVAILABLE = 3, 2
"""How many replicas geo runs with, and from how many on it is protected; how many a budget keeps available."""

NOTE = at(SERVICES, "geo", "annotations/unprotected")
TASK_A = (
    "Cut the service geo over from geo-blue to geo-green, in these steps: scale the deployment geo-green to 3 "
    "replicas; let the service geo select the app geo-green; scale the deployment geo-blue to 0 replicas; list the "
    "PodDisruptionBudgets, and let each one that was listed for the app geo-blue protect the app geo-green instead. "
    "If none was listed for geo-blue, get the value at the path cluster/deployments/geo-green/replicas as a last "
    "look. Report how many PodDisruptionBudgets you moved, as an integer."
)
ALSO_A = ' Before you report, put the text "green" at the path cluster/services/geo/labels/colour.'
TASK_B = (
    "Protect what the service geo selects. Fetch the service for the app that it selects; then get the replicas of "
    "the deployment of that name, at the path cluster/deployments/APP/replicas. If it has 3 replicas or more, create "
    "the PodDisruptionBudget geo for that app, with 2 as minAvailable, and report the app, as a string. Otherwise "
    'put the text "too few replicas" at the path cluster/services/geo/annotations/unprotected, and report null.'
)
THINK_B_S = 9.0
"""Seconds before each of B's calls: by the clock A, who takes the usual five, cuts over between B's two reads."""


def cut_over(labels: bool) -> Generator[Intent, Result, Value]:
    """A: scale green up, repoint the service, scale blue down, move what protects blue. Reports how many it moved."""
    yield Intent(call=named("scale", GREEN, replicas=REPLICAS))
    yield Intent(call=named("repoint", "geo", app=GREEN))
    yield Intent(call=named("scale", BLUE, replicas=0))
    listed = (yield Intent(call=Call("budgets"))).value
    left = tuple(name for name, app in listed if app == BLUE)
    for name in left:
        yield Intent(call=named("move_budget", name, app=GREEN))
    if not left:
        yield Intent(call=get(GREEN, "replicas"))
    if labels:
        yield Intent(call=put(at(SERVICES, "geo", "labels/colour"), "green"))
    return len(left)


def protect() -> Generator[Intent, Result, Value]:
    """B: create a budget for the app that the service selects if it has replicas enough, else say so on the service.

    Reports the app, or null.
    """
    app = (yield Intent(call=named("selected", "geo"))).value
    replicas = (yield Intent(call=get(app, "replicas"))).value
    if replicas is not None and replicas >= REPLICAS:
        yield Intent(call=named("create_budget", "geo", app=app, minAvailable=AVAILABLE))
        return app
    yield Intent(call=put(NOTE, "too few replicas"))
    return None


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Exactly one budget, on green, the service selects green, and nothing says that it is unprotected."""
    served = state.get(at(SERVICES, "geo", "selector/app")) == GREEN
    return served and field_of(state, BUDGETS, "selector/app") == {"geo": GREEN} and NOTE not in state


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels the service: that lies in what B fetched, and is not what B saw."""
    return Workload(
        name=NAME,
        story="A cuts geo over from blue to green while B creates a PodDisruptionBudget for what the service selects.",
        state=(
            *deployment(BLUE, IMAGE, REPLICAS),
            *deployment(GREEN, IMAGE, 0),
            (at(SERVICES, "geo", "selector/app"), BLUE),
        ),
        agents=(
            Agent(name="A", program=partial(cut_over, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=protect, think_s=THINK_B_S, task=TASK_B),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
