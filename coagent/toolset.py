"""Sets of tools by name, as a configuration or a journal's head names them."""

from collections.abc import Iterable, Mapping
from importlib import import_module

from coagent.bad_input import BadInput
from coagent.tool import TOOLS, Tool
from workloads import workload

TOOLSETS: Mapping[str, tuple[str, str]] = {
    "cells": ("coagent.tool", "TOOLS"),
    "git": ("coagent.live.targets.git_tool", "GIT_TOOLS"),
    "kube": ("coagent.live.targets.kube_tool", "KUBE_TOOLS"),
    "sql": ("coagent.live.targets.sql_tool", "SQL_TOOLS"),
    "office": ("coagent.live.targets.office_tool", "OFFICE_TOOLS"),
}
"""By name: the module, and what it calls them. `cells` are the eight calls of scenario files."""


def tools_of(named: object) -> Mapping[str, Tool]:
    """The tools that are named: a list of sets, or `{"workload": NAME}` for those of a workload; None: `cells`.

    Nothing but what is listed here is ever imported, for a journal is a file like any other. Raises BadInput.
    """
    match named:
        case None:
            return TOOLS
        case {"workload": str(name)}:
            return workload(name).tools
        case list() | tuple():
            return joined(named)
        case _:
            raise BadInput(f"{named!r} names no tools; give a list of {', '.join(TOOLSETS)}, or a workload")


def joined(names: Iterable[str]) -> Mapping[str, Tool]:
    """The tools of several sets. Raises BadInput for a set that there is not, and for two tools of one name."""
    found: dict[str, Tool] = {}
    for name in names:
        if name not in TOOLSETS:
            raise BadInput(f"there is no set of tools {name!r}; there are {', '.join(TOOLSETS)}")
        module, attribute = TOOLSETS[name]
        for tool in getattr(import_module(module), attribute).values():
            if found.get(tool.name, tool) is not tool and found[tool.name].exec is not tool.exec:
                raise BadInput(f"the set {name!r} has a tool {tool.name!r}, and another set has one of that name too")
            found[tool.name] = tool
    return found
