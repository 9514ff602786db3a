"""K5, write skew in the cluster: one agent pins a service to the first open node, another empties and closes that node.

A reads nodes and writes a deployment, B reads deployments and writes a node: no two writes meet, and
without control the service is pinned to the node that B has just closed.
"""

from collections.abc import Generator, Mapping

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import CLUSTER_TOOLS, DEPLOYMENTS, NODES, deployment, field_of, named, place, put
from workloads.row import at

NAME = "k5-pin-vs-cordon"
IMAGE = "hotel-reservation:latest"
CLOSED = {"node-0": False, "node-1": False, "node-2": False, "node-3": True}
PINS = {"geo": "node-3", "profile": "node-1", "rate": "node-0", "search": "node-2"}
LEAVING, REFUGE = "node-0", "node-1"
"""The node that B empties, and where what runs there goes."""

TASK_A = (
    "Pin the deployment geo to the first open node. List the nodes; the first one listed that is not closed to new "
    "pods is it. Report the name of the node, as a string. If no node is open, pin nothing and report null."
)
ALSO_A = ' Before you report, put the text "backend" at the path cluster/deployments/geo/labels/tier.'
TASK_B = (
    "Empty the node node-0 and close it. List which deployments are pinned to which nodes; pin each one that was "
    "listed on node-0 to node-1; then cordon node-0. Report a list of the names of the deployments that you moved, "
    "in the order in which they were listed; it is empty if there were none."
)


def pin() -> Generator[Intent, Result, Value]:
    """A: pin geo to the first node that is open. Reports the node."""
    nodes = (yield Intent(call=Call("nodes"))).value
    node = next((name for name, closed in nodes if not closed), None)
    if node is not None:
        yield Intent(call=named("pin", "geo", nodeName=node))
    return node


def labelling() -> Generator[Intent, Result, Value]:
    """A, who also labels geo when it is pinned."""
    node = yield from pin()
    yield Intent(call=put(place("geo", "labels/tier"), "backend"))
    return node


def empty() -> Generator[Intent, Result, Value]:
    """B: move to another node what is pinned to node-0, and cordon it. Reports what was moved."""
    pins = (yield Intent(call=Call("pins"))).value
    moved = tuple(name for name, node in pins if node == LEAVING)
    for name in moved:
        yield Intent(call=named("pin", name, nodeName=REFUGE))
    yield Intent(call=named("cordon", LEAVING, unschedulable=True))
    return moved


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """node-0 is closed, and every deployment is pinned to a node that is open."""
    closed, pins = field_of(state, NODES, "unschedulable"), field_of(state, DEPLOYMENTS, "nodeName")
    return closed[LEAVING] and set(pins) == set(PINS) and not any(closed[node] for node in pins.values())


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels geo: that lies in what B listed, and changes nothing B saw."""
    pinned = (deployment(name, IMAGE, 1, nodeName=node) for name, node in PINS.items())
    return Workload(
        name=NAME,
        story="A pins geo to the first open node while B moves everything off that node and cordons it.",
        state=(
            *(cell for cells in pinned for cell in cells),
            *((at(NODES, name, "unschedulable"), closed) for name, closed in CLOSED.items()),
        ),
        agents=(
            Agent(name="A", program=labelling if irrelevant else pin, task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=empty, task=TASK_B),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
