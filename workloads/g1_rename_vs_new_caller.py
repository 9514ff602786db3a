"""G1, a phantom in a working tree: one agent renames a function wherever it is called, another adds a call of it.

The new caller is a new file, so no write meets another: `git merge` of the two branches is clean, and what it
makes cannot be imported. A renames in one file at a time, and in a file more where it found the new caller.
"""

import re
from collections.abc import Generator, Mapping
from functools import partial

from coagent.live.targets import git_tree
from coagent.live.targets.git_tree import REPO
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import shop
from workloads.git_tool import GIT_TOOLS, create, on, search, write
from workloads.row import at

NAME = "g1-rename-vs-new-caller"
OLD, NEW = "vat_of", "tax_on"
TESTS = 4
"""How many tests the project has in the end."""


def rename(notes: bool) -> Generator[Intent, Result, Value]:
    """A: find the files with the old name and replace it in each. Reports the files."""
    found = (yield Intent(call=search(OLD))).value
    for file, _ in found:
        yield Intent(call=on("replace", file, old=OLD, new=NEW))
    if notes:
        yield Intent(call=write("NOTES.md", "Names say what they are about.\n"))
    return tuple(file for file, _ in found)


def extend() -> Generator[Intent, Result, Value]:
    """B: look up what computes the tax, add a module that calls it, and the module's test. Reports what it calls."""
    found = (yield Intent(call=search("Value-added tax"))).value
    functions = [name for _, text in found for name in re.findall(r"^def (\w+)\(net\):", text, re.MULTILINE)]
    if not functions:
        return None
    yield Intent(call=create("shipping.py", shop.shipping(functions[0])))
    yield Intent(call=create("test_shipping.py", shop.SHIPPING_TEST))
    return functions[0]


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The project's tests pass, those of the new module among them, and the old name is nowhere."""
    tree = git_tree.files(state)
    ran = git_tree.run_tests(tree)
    return ran.passed and ran.tests == TESTS and not any(OLD in text for text in tree.values())


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then writes a file of notes: B searched it too, and finds nothing in it."""
    return Workload(
        name=NAME,
        story=f"A renames {OLD} to {NEW} wherever it is called while B adds a module that calls it.",
        state=tuple((at(REPO, file), text) for file, text in shop.FILES.items()),
        agents=(Agent(name="A", program=partial(rename, irrelevant)), Agent(name="B", program=extend)),
        tools=GIT_TOOLS,
        invariant=holds,
        merge=git_tree.merged,
    )
