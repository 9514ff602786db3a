"""The calls that the coding cells make on one working tree; the tools are those of `coagent.live.targets.git_tool`.

A path that is passed to a tool is that of a file in the working tree.
"""

from collections.abc import Mapping

from coagent.live.targets import git_tool
from coagent.live.targets.git_tree import REPO
from coagent.operation import Call, Value
from coagent.tool import TOOLS, Tool
from workloads.row import at

GIT_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    **{name: git_tool.GIT_TOOLS[name] for name in ("search", "replace", "stage", "commit")},
}
"""The scenario calls, which read and write files by path, and those of a working tree."""


def read(file: str) -> Call:
    """Read a file of the working tree."""
    return Call("get", (("path", at(REPO, file)),))


def write(file: str, text: str) -> Call:
    """Write a file of the working tree, whatever it held."""
    return Call("put", (("path", at(REPO, file)), ("value", text)))


def create(file: str, text: str) -> Call:
    """Write a file that there is not yet, or fail with 'exists'."""
    return Call("create", (("path", at(REPO, file)), ("value", text)))


def search(text: str) -> Call:
    """Find the files that have a text in them."""
    return Call("search", (("text", text),))


def on(tool: str, file: str, **values: Value) -> Call:
    """The call of a tool on one file."""
    return Call(tool, (("name", file), *values.items()))
