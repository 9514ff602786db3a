"""A small cluster as cells, `cluster/deployments/<name>/{image,replicas}` as Kubernetes names them, and its tools."""

from collections.abc import Mapping

from coagent.operation import Call, Declaration, Result, Value
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, children, failed

DEPLOYMENTS = "cluster/deployments"


def place(name: str, field: str = "") -> str:
    """The path of a deployment, or of one of its fields."""
    return f"{DEPLOYMENTS}/{name}/{field}" if field else f"{DEPLOYMENTS}/{name}"


def deployment(name: str, image: str, replicas: int) -> tuple[tuple[str, Value], ...]:
    """The cells of a deployment."""
    return ((place(name, "image"), image), (place(name, "replicas"), replicas))


def _images(view: View, args: Args) -> tuple[Result, Writes]:
    names = children(view, DEPLOYMENTS)
    found = tuple((name, view.cell(place(name, "image"))) for name in names)
    return Result("ok", tuple((name, cell[0]) for name, cell in found if cell)), ()


def _set_image(view: View, args: Args) -> tuple[Result, Writes]:
    path = place(args["name"], "image")
    if not view.cell(path):
        return failed("missing"), ()
    return OK, ((path, (args["image"],)),)


def _create(view: View, args: Args) -> tuple[Result, Writes]:
    if view.cell(place(args["name"], "image")):
        return failed("exists"), ()
    return OK, tuple((path, (value,)) for path, value in deployment(args["name"], args["image"], args["replicas"]))


def _rolled_out(view: View, args: Args) -> tuple[Result, Writes]:
    late = tuple(name for name in args["names"] if view.cell(place(name, "image")) != (args["image"],))
    return Result("ok", late), ()


def _declare_field(args: Args) -> Declaration:
    path = place(args["name"], "image")
    return Declaration(reads=(path,), writes=(path,))


def _declare_whole(args: Args) -> Declaration:
    path = place(args["name"])
    return Declaration(reads=(path,), writes=(path,))


_IMAGE = f"{DEPLOYMENTS}/{{name}}/image"
_REPLICAS = f"{DEPLOYMENTS}/{{name}}/replicas"
_IMAGES_MEAN = Meaning(
    (Case(value=f"[[name, value('{_IMAGE}')] for name in children('{DEPLOYMENTS}') if present('{_IMAGE}')]"),)
)
_SET_MEANS = Meaning(
    (Case(f"not present('{_IMAGE}')", "failed", "'missing'"), Case(writes=((_IMAGE, "image"),))),
)
_CREATE_MEANS = Meaning(
    (
        Case(f"present('{_IMAGE}')", "failed", "'exists'"),
        Case(writes=((_IMAGE, "image"), (_REPLICAS, "replicas"))),
    )
)
_ROLLED_OUT_MEANS = Meaning(
    (Case(value=f"[name for name in names if not present('{_IMAGE}') or value('{_IMAGE}') != image]"),)
)

CLUSTER_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    "images": Tool(
        "images",
        lambda args: Declaration(reads=(DEPLOYMENTS,)),
        _images,
        "every deployment with its image",
        _IMAGES_MEAN,
    ),
    "set_image": Tool(
        "set_image", _declare_field, _set_image, "set a deployment's image, or fail with 'missing'", _SET_MEANS
    ),
    "create_deployment": Tool(
        "create_deployment", _declare_whole, _create, "create a deployment, or fail with 'exists'", _CREATE_MEANS
    ),
    "rolled_out": Tool(
        "rolled_out",
        lambda args: Declaration(reads=tuple(place(name, "image") for name in args["names"])),
        _rolled_out,
        "which of the named deployments do not run the image yet",
        _ROLLED_OUT_MEANS,
    ),
}
"""The scenario calls and the cluster's own."""


def images() -> Call:
    """List every deployment with its image."""
    return Call("images")


def set_image(name: str, image: str) -> Call:
    """Set a deployment's image."""
    return Call("set_image", (("name", name), ("image", image)))


def create_deployment(name: str, image: Value, replicas: int) -> Call:
    """Create a deployment."""
    return Call("create_deployment", (("name", name), ("image", image), ("replicas", replicas)))


def rolled_out(names: tuple[str, ...], image: str) -> Call:
    """Ask which deployments do not run an image yet."""
    return Call("rolled_out", (("names", names), ("image", image)))


def get(name: str, field: str) -> Call:
    """Read one field of a deployment."""
    return Call("get", (("path", place(name, field)),))
