"""X4, an unrecoverable call in the cluster: one agent mends a wrong binary unless its owner was paged, another pages.

A page cannot be taken back, so it must not be about what is mended meanwhile.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import CLUSTER_TOOLS, DEPLOYMENTS, PAGER, deployment, field_of, named, place, put
from workloads.row import at

NAME = "x4-page-on-stale-binary"
IMAGE = "hotel-reservation:latest"
WRONG = "profile"
BINARIES = {"frontend": ("frontend", "ines"), WRONG: ("geo", "mina"), "rate": ("rate", "tomas")}
"""By deployment: the command that its container runs, which should be its own name, and who owns it."""

ALL_CLEAR, ON_CALL = "all clear", "on-call"
TASK_A = (
    "The deployment profile may run a wrong binary. List who was paged, with their pages. If any page begins with "
    '"profile runs ", leave the deployment alone; otherwise set its command to "profile". Report true if you set it, '
    "and false if not."
)
ALSO_A = ' Before you report, put the text "backend" at the path cluster/deployments/profile/labels/tier.'
TASK_B = (
    "Page the owners of what runs a wrong binary. List every deployment with its command and its owner; the command "
    'should be the deployment\'s own name. For each one where it is not, send the text "NAME runs COMMAND" (with '
    "the deployment's name and its command) to the path pager/OWNER/pages of its owner. If there was none, send the "
    'text "all clear" to the path pager/on-call/pages instead. A page cannot be taken back. Report a list of the '
    "texts about wrong binaries that you sent; it is empty if there were none."
)


def page(name: str, command: str) -> str:
    """What an owner is told."""
    return f"{name} runs {command}"


def mend(labels: bool) -> Generator[Intent, Result, Value]:
    """A: let profile run its own binary, unless somebody was paged about it. Reports whether it was mended."""
    paged = (yield Intent(call=Call("pages"))).value
    free = not any(text.startswith(f"{WRONG} runs ") for _, texts in paged for text in texts)
    if free:
        yield Intent(call=named("set_command", WRONG, command=WRONG))
    if labels:
        yield Intent(call=put(place(WRONG, "labels/tier"), "backend"))
    return free


def warn() -> Generator[Intent, Result, Value]:
    """B: page the owners of all that runs a wrong binary; where none does, give the all-clear. Reports the pages."""
    listed = (yield Intent(call=Call("commands"))).value
    pages = tuple((owner, page(name, command)) for name, command, owner in listed if command != name)
    for person, text in pages or ((ON_CALL, ALL_CLEAR),):
        yield Intent(call=Call("send", (("path", at(PAGER, person, "pages")), ("value", text))))
    return tuple(text for _, text in pages)


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The pages are about what still runs a wrong binary, each to its owner; if nothing does, all is clear."""
    return field_of(state, PAGER, "pages") == (_due(state) or {ON_CALL: (ALL_CLEAR,)})


def _due(state: Mapping[str, Value]) -> dict[str, tuple[str, ...]]:
    """The pages that the final state calls for, by owner."""
    owners, due = field_of(state, DEPLOYMENTS, "labels/owner"), {}
    for name, command in field_of(state, DEPLOYMENTS, "command").items():
        if command != name:
            due[owners[name]] = (*due.get(owners[name], ()), page(name, command))
    return due


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels profile: that lies in what B listed, and changes nothing B saw."""
    running = (
        deployment(name, IMAGE, 1, **{"command": command, "labels/owner": owner})
        for name, (command, owner) in BINARIES.items()
    )
    return Workload(
        name=NAME,
        story="A mends a wrong binary unless its owner was paged, while B pages the owners of wrong binaries.",
        state=tuple(cell for cells in running for cell in cells),
        agents=(
            Agent(name="A", program=partial(mend, irrelevant), task=TASK_A + ALSO_A * irrelevant),
            Agent(name="B", program=warn, task=TASK_B),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
