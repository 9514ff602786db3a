"""K2, the papers' case study: one agent repairs every deployment on a bad image, another makes a canary of one of them.

Phantom and stale read: a canary created from geo's image before geo is repaired carries the bad
image on. Whichever agent goes first, in the end no deployment runs the bad image and the canary runs
geo's: B's canary is either made from the repaired image, or listed and repaired by A.

The think times are fitted once, to the papers' timeline of this case (P1, case study): serial 50.2 s, naive 31.8 s
(wrong), 2PL 53.1 s, OCC 63.7 s, MTPO 32.8 s, and 6.4 s from A's write to B's finished repair. They
are the same for every protocol.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Cost, Workload
from workloads.cluster import (
    CLUSTER_TOOLS,
    create_deployment,
    deployment,
    get,
    images,
    named,
    place,
    put,
    rolled_out,
    set_image,
)

GOOD, BAD = "hotel-reservation:latest", "hotel-reservation:v0-rc"
STATE = tuple(
    cell
    for name, image in (
        ("frontend", GOOD),
        ("geo", BAD),
        ("profile", BAD),
        ("rate", BAD),
        ("recommendation", GOOD),
        ("search", GOOD),
    )
    for cell in deployment(name, image, 1)
)
COST = Cost(think_s=1.1, judge_s=2.0, tool_s=0.1)
TASK_A = f"""Repair every deployment that runs the bad image {BAD}. List all deployments with their images; set the \
image \
of each that was listed with the bad one to {GOOD}; then ask once, for all that you set, which of them do not run \
{GOOD} \
yet. Report how many you set less how many do not run it yet, as an integer."""
ALSO_A = ' Before you report, put the text "backend" at the path cluster/deployments/geo/labels/tier.'
TASK_B = (
    "Make a canary of the deployment geo. {First}; get its replicas at the path cluster/deployments/geo/replicas; "
    "then create the deployment geo-canary with the same image and as many replicas. Then get the image of the "
    "canary at the path cluster/deployments/geo-canary/image, and report it, as a string."
)
FETCH, GET = "Fetch geo for its image", "Get its image at the path cluster/deployments/geo/image"
"""How B begins."""


def repair(labels: bool) -> Generator[Intent, Result, Value]:
    """A: list the cluster, set every bad image right, verify. Reports how many it repaired."""
    listed = yield Intent(call=images(), think_s=0.8)
    bad = tuple(name for name, image in listed.value if image == BAD)
    for index, name in enumerate(bad):
        yield Intent(call=set_image(name, GOOD), think_s=13.7 if index == 0 else 1.1)
    late = yield Intent(call=rolled_out(bad, GOOD), think_s=1.2)
    if labels:
        yield Intent(call=put(place("geo", "labels/tier"), "backend"), think_s=5.0)
    return len(bad) - len(late.value)


def canary(whole: bool) -> Generator[Intent, Result, Value]:
    """B: read geo's image and size, create geo-canary with them, verify. Reports the image that the canary runs.

    The image is read alone, or by fetching geo as a whole.
    """
    image = yield Intent(call=named("image_of", "geo") if whole else get("geo", "image"), think_s=0.3)
    replicas = yield Intent(call=get("geo", "replicas"), think_s=2.1)
    yield Intent(call=create_deployment("geo-canary", image.value, replicas.value), think_s=3.1)
    runs = yield Intent(call=get("geo-canary", "image"), think_s=13.1)
    return runs.value


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """No deployment runs the bad image, and the canary runs what geo runs."""
    running = [value for path, value in state.items() if path.endswith("/image")]
    return BAD not in running and state.get(place("geo-canary", "image")) == state[place("geo", "image")]


def workload(*, irrelevant: bool = False) -> Workload:
    """The case study with its fitted think times.

    With `irrelevant`, B fetches geo as a whole and A labels it last: that lies in what B fetched, and changes nothing
    B saw.
    """
    return Workload(
        name="k2-canary-on-bad-image",
        state=STATE,
        agents=(
            Agent(
                name="A",
                program=partial(repair, irrelevant),
                finish_think_s=3.1,
                task=TASK_A + ALSO_A * irrelevant,
            ),
            Agent(
                name="B",
                program=partial(canary, irrelevant),
                finish_think_s=11.2,
                task=TASK_B.format(First=FETCH if irrelevant else GET),
            ),
        ),
        tools=CLUSTER_TOOLS,
        cost=COST,
        invariant=holds,
        story="A repairs every deployment on a bad image while B creates a canary from geo's image.",
    )
