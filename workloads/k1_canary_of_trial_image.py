"""K1, dirty read in the cluster: one agent tries an image on geo and takes it back, another makes a canary of geo.

A's trial image crash-loops, so B's canary is right only when it carries neither the image that A found bad nor the
one that A tried: made before A lists what is bad, or from what A leaves behind.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import (
    CLUSTER_TOOLS,
    CRASHING,
    DEPLOYMENTS,
    create_deployment,
    deployment,
    field_of,
    images,
    named,
    place,
    put,
)

NAME = "k1-canary-of-trial-image"
GOOD, TRIAL, BAD = "hotel-reservation:latest", "hotel-reservation:rc", "hotel-reservation:v0-rc"
IMAGES = {"frontend": GOOD, "geo": BAD, "profile": GOOD}
TASK_A = f"""Repair the deployments whose image does not start. List all deployments with their images; the images \
{BAD} and {TRIAL} do not start. For each deployment that was listed with one of these: set its image to {TRIAL}, ask \
why \
its container waits, and if it waits for whatever reason, set its image to {GOOD}. Report how many deployments were \
listed \
with an image that does not start, as an integer."""
ALSO_A = ' Before you report, put the text "backend" at the path cluster/deployments/geo/labels/tier.'
TASK_B = (
    "Make a canary of the deployment geo. Fetch the image of geo; then create the deployment geo-canary with that "
    "image and 1 replica. Report the image, as a string. If geo has no image, create nothing and report null."
)


def fix(labels: bool) -> Generator[Intent, Result, Value]:
    """A: try the next image on every deployment whose own does not start, and the last good one where that crash-loops.

    Reports how many were fixed.
    """
    listed = (yield Intent(call=images())).value
    bad = tuple(name for name, image in listed if image in CRASHING)
    for name in bad:
        yield Intent(call=named("set_image", name, image=TRIAL))
        reason = (yield Intent(call=named("waiting_reason", name))).value
        if reason is not None:
            yield Intent(call=named("set_image", name, image=GOOD))
    if labels:
        yield Intent(call=put(place("geo", "labels/tier"), "backend"))
    return len(bad)


def canary() -> Generator[Intent, Result, Value]:
    """B: fetch geo, and create geo-canary with its image. Reports the image."""
    image = (yield Intent(call=named("image_of", "geo"))).value
    if image is None:
        return None
    yield Intent(call=create_deployment("geo-canary", image, 1))
    return image


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every deployment runs the good image, and the canary is one of them."""
    running = field_of(state, DEPLOYMENTS, "image")
    return set(running) == {*IMAGES, "geo-canary"} and set(running.values()) == {GOOD}


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels geo: that lies in what B fetched, and changes nothing B saw."""
    return Workload(
        name=NAME,
        story="A tries an image on geo that crash-loops and takes it back, while B makes a canary of geo.",
        state=tuple(cell for name, image in IMAGES.items() for cell in deployment(name, image, 1)),
        agents=(
            Agent(name="A", program=partial(fix, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=canary, task=TASK_B),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
