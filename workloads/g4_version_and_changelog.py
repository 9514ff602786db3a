"""G4, lost update in a working tree: two agents each release a change, which is a new version and a line on it.

Both come from the same version to the same next one, so that `git merge` takes the version for agreed on. It stops at
the changelog, where both have put a line in the same place; to keep both lines there makes one release of two.
"""

import re
from collections.abc import Generator, Mapping
from functools import partial

from coagent.live.targets import git_tree
from coagent.live.targets.git_tree import REPO
from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.git_tool import GIT_TOOLS, read, search, write
from workloads.row import at

NAME = "g4-version-and-changelog"
CHANGELOG, VERSION = "CHANGELOG.md", "version.py"
ENTRIES = {"A": "Invoices carry a number.", "B": "Shipping is free from 50.00 on."}
"""What each agent releases."""

LAST = "1.4.4"
"""The version in the end."""

TESTS = 2
"""How many tests the project has."""

TREE = {
    CHANGELOG: "# Changelog\n\n## 1.4.2\n\n- Taxes are rounded to the nearest cent.\n",
    VERSION: '"""Which release this is."""\n\nVERSION = "1.4.2"\n',
    "test_version.py": """import re
import unittest
from pathlib import Path

from version import VERSION

RELEASES = re.findall(r"^## (.+)\\n\\n- .+$", Path(__file__).with_name("CHANGELOG.md").read_text(), re.MULTILINE)


class Version(unittest.TestCase):
    def test_the_newest_release_in_the_changelog_is_this_one(self):
        self.assertEqual(RELEASES[0], VERSION)

    def test_each_release_follows_the_one_below_it(self):
        patches = [int(release.split(".")[2]) for release in RELEASES]
        self.assertEqual(patches, list(range(patches[0], 1, -1)))
""",
}
"""The working tree at the start."""


def release(entry: str, notes: bool) -> Generator[Intent, Result, Value]:
    """One agent: find the version, read the changelog, write the next version and what is new in it. Reports it."""
    found = (yield Intent(call=search("VERSION = "))).value
    at_last = [(file, re.search(r'VERSION = "(\d+)\.(\d+)\.(\d+)"', text)) for file, text in found]
    file, parts = next((pair for pair in at_last if pair[1]), (None, None))
    if parts is None:
        return None
    text = dict(found)[file]
    version = f"{parts[1]}.{parts[2]}.{int(parts[3]) + 1}"
    changelog = (yield Intent(call=read(CHANGELOG))).value
    title, below = changelog.split("\n\n", 1)
    yield Intent(call=write(file, text.replace(parts[0], f'VERSION = "{version}"')))
    yield Intent(call=write(CHANGELOG, f"{title}\n\n## {version}\n\n- {entry}\n\n{below}"))
    if notes:
        yield Intent(call=write("NOTES.md", "Invoices are numbered by year.\n"))
    return version


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The project's tests pass, both changes are in the changelog, once, and the version is the second next."""
    tree = git_tree.files(state)
    ran = git_tree.run_tests(tree)
    released = all(tree[CHANGELOG].count(one) == 1 for one in ENTRIES.values()) and f'"{LAST}"' in tree[VERSION]
    return ran.passed and ran.tests == TESTS and released


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then writes a file of notes: B searched it too, and finds nothing in it."""
    return Workload(
        name=NAME,
        story="A and B each release a change: the next version, and a line in the changelog.",
        state=tuple((at(REPO, file), text) for file, text in TREE.items()),
        agents=tuple(
            Agent(name=name, program=partial(release, entry, irrelevant and name == "A"))
            for name, entry in ENTRIES.items()
        ),
        tools=GIT_TOOLS,
        invariant=holds,
        merge=git_tree.merged,
    )
