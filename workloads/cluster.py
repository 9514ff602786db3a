"""A small cluster as cells, `cluster/KIND/NAME/FIELD` with kinds and fields as Kubernetes names them, and its tools.

There are no pods: a container waits or runs by the image that its deployment names.
"""

from collections.abc import Mapping

from coagent.argument_schema import BOOLEAN, INTEGER, PART, TEXT, arguments, listed
from coagent.operation import Call, Declaration, Result, Value
from coagent.tool import TOOLS, Args, Case, Meaning, Tool, View, Writes
from workloads.row import at, creating, listing, reading, setting

DEPLOYMENTS = "cluster/deployments"
SERVICES = "cluster/services"
NODES = "cluster/nodes"
BUDGETS = "cluster/poddisruptionbudgets"
CONFIGMAPS = "cluster/configmaps"
PAGER = "pager"
"""Whom a page goes to is a row, and `pages` are what was sent; it is outside the cluster and takes nothing back."""

CRASHING = ("hotel-reservation:v0-rc", "hotel-reservation:rc")
"""The images that do not start."""

CRASH_LOOP = "CrashLoopBackOff"
"""Why a container waits whose image does not start."""


def place(name: str, field: str = "") -> str:
    """The path of a deployment, or of one of its fields."""
    return at(DEPLOYMENTS, name, field)


def deployment(name: str, image: str, replicas: int, **fields: Value) -> tuple[tuple[str, Value], ...]:
    """The cells of a deployment; `fields` are those that a cell has besides."""
    cells = {"image": image, "replicas": replicas, **fields}
    return tuple((place(name, field), value) for field, value in cells.items())


def field_of(state: Mapping[str, Value], rows: str, field: str) -> dict[str, Value]:
    """The values of one field by row, for those rows of a final state that have it."""
    named = (path.split("/") for path in state if path.startswith(f"{rows}/"))
    names = sorted({parts[rows.count("/") + 1] for parts in named})
    return {name: state[at(rows, name, field)] for name in names if at(rows, name, field) in state}


def _rolled_out(view: View, args: Args) -> tuple[Result, Writes]:
    late = tuple(name for name in args["names"] if view.cell(place(name, "image")) != (args["image"],))
    return Result("ok", late), ()


def _waiting_reason(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(place(args["name"], "image"))
    return Result("ok", CRASH_LOOP if cell and cell[0] in CRASHING else None), ()


_IMAGE = place("{name}", "image")
_WAITS = f"present('{_IMAGE}') and value('{_IMAGE}') in {list(CRASHING)}"
_LATE = f"[name for name in names if not present('{_IMAGE}') or value('{_IMAGE}') != image]"
_ROLLED_OUT = Tool(
    "rolled_out",
    lambda args: Declaration(reads=tuple(place(name, "image") for name in args["names"])),
    _rolled_out,
    "which of the named deployments do not run the image yet",
    Meaning((Case(value=_LATE),)),
    arguments(names=listed(PART), image=TEXT),
)
_WAITING_REASON = Tool(
    "waiting_reason",
    lambda args: Declaration(reads=(place(args["name"], "image"),)),
    _waiting_reason,
    f"why a deployment's container waits, {CRASH_LOOP} or null",
    Meaning((Case(_WAITS, value=f"'{CRASH_LOOP}'"), Case(value="null"))),
    arguments(name=PART),
)
FLAGS = "data/demo.flagd.json"

CLUSTER_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    **{
        tool.name: tool
        for tool in (
            listing("images", DEPLOYMENTS, ("image",), "every deployment with its image"),
            listing("sizes", DEPLOYMENTS, ("replicas",), "every deployment with its replicas"),
            listing("pins", DEPLOYMENTS, ("nodeName",), "every pinned deployment with its node"),
            listing("commands", DEPLOYMENTS, ("command", "labels/owner"), "every deployment, its command and owner"),
            listing("nodes", NODES, ("unschedulable",), "every node, and whether it is closed to new pods"),
            listing("budgets", BUDGETS, ("selector/app",), "every PodDisruptionBudget with the app that it protects"),
            listing("pages", PAGER, ("pages",), "everybody who was paged, with their pages"),
            reading("image_of", DEPLOYMENTS, "image", "fetch a deployment for its image, or null"),
            reading("selected", SERVICES, "selector/app", "fetch a service for the app that it selects, or null"),
            reading("flags", CONFIGMAPS, FLAGS, "fetch a ConfigMap for its feature flags, a JSON text, or null"),
            setting("set_image", DEPLOYMENTS, "image", "set a deployment's image, or fail with 'missing'"),
            setting("scale", DEPLOYMENTS, "replicas", "set a deployment's replicas, or fail with 'missing'", INTEGER),
            setting("pin", DEPLOYMENTS, "nodeName", "pin a deployment to a node, or fail with 'missing'"),
            setting("set_command", DEPLOYMENTS, "command", "set a deployment's command, or fail with 'missing'"),
            setting(
                "cordon", NODES, "unschedulable", "close a node to new pods or open it, or fail with 'missing'", BOOLEAN
            ),
            setting("repoint", SERVICES, "selector/app", "let a service select an app, or fail with 'missing'"),
            setting("move_budget", BUDGETS, "selector/app", "let a budget protect an app, or fail with 'missing'"),
            creating(
                "create_deployment",
                DEPLOYMENTS,
                ("image", "replicas"),
                "create a deployment, or fail with 'exists'",
                {"replicas": INTEGER},
            ),
            creating(
                "create_budget",
                BUDGETS,
                ("selector/app", "minAvailable"),
                "create a PodDisruptionBudget, or fail with 'exists'",
                {"minAvailable": INTEGER},
            ),
            _ROLLED_OUT,
            _WAITING_REASON,
        )
    },
}
"""The scenario calls and the cluster's own."""


def images() -> Call:
    """List every deployment with its image."""
    return Call("images")


def set_image(name: str, image: str) -> Call:
    """Set a deployment's image."""
    return named("set_image", name, image=image)


def create_deployment(name: str, image: Value, replicas: int) -> Call:
    """Create a deployment."""
    return named("create_deployment", name, image=image, replicas=replicas)


def rolled_out(names: tuple[str, ...], image: str) -> Call:
    """Ask which deployments do not run an image yet."""
    return Call("rolled_out", (("names", names), ("image", image)))


def get(name: str, field: str) -> Call:
    """Read one field of a deployment."""
    return Call("get", (("path", place(name, field)),))


def put(path: str, value: Value) -> Call:
    """Set a label, an annotation or a text of data, whatever was there."""
    return Call("put", (("path", path), ("value", value)))


def named(tool: str, name: str, **values: Value) -> Call:
    """The call of a tool on one object of its kind, by name."""
    return Call(tool, (("name", name), *values.items()))
