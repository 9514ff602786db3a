"""G3, the index of a shared working tree: one agent's commit takes along what another has staged meanwhile.

B stages its test before the module is there, so that the commit which sweeps the test up does not pass its own
tests. A working tree each would do here: replayed as a rebase does, the two branches are right. Under OCC both agents
may give up: A has read what B staged and so falls with B, and B falls because it commits over A, every time anew.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.live.targets import git_tree
from coagent.live.targets.git_tool import COMMITS, INDEX, committed, numbered, tree_of
from coagent.live.targets.git_tree import REPO
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads import shop
from workloads.git_tool import GIT_TOOLS, create, on, read, write
from workloads.row import at

NAME = "g3-swept-into-commit"
DOWN, NEAREST = "net * RATE_PERCENT // 100", "(net * RATE_PERCENT + 50) // 100"
"""How A finds the tax rounded, and how it leaves it."""

CHANGES = {"A": {"tax.py"}, "B": {"shipping.py", "test_shipping.py"}}
"""The files that each agent means to commit."""


def commit(author: str) -> Call:
    """Commit the index."""
    return Call("commit", (("author", author),))


def mend(stages: bool) -> Generator[Intent, Result, Value]:
    """A: round the tax to the nearest cent, stage the file, commit. Reports the commit, or why there is none."""
    text = (yield Intent(call=read("tax.py"))).value
    yield Intent(call=write("tax.py", text.replace(DOWN, NEAREST)))
    yield Intent(call=on("stage", "tax.py"))
    done = (yield Intent(call=commit("A"))).value
    if stages:
        yield Intent(call=on("stage", "README.md"))
    return done


def extend() -> Generator[Intent, Result, Value]:
    """B: write a test and stage it, then the module that it tests, and commit. Reports the commit, or why not."""
    for file, text in (("test_shipping.py", shop.SHIPPING_TEST), ("shipping.py", shop.shipping("vat_of"))):
        yield Intent(call=create(file, text))
        yield Intent(call=on("stage", file))
    return (yield Intent(call=commit("B"))).value


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """A commit of each agent with its own files and no others; every commit passes its tests; nothing is left over."""
    trees = _trees(state)
    changes = {
        state[at(COMMITS, numbered(number), "author")]: _changed(trees[number - 1], trees[number])
        for number in range(1, len(trees))
    }
    settled = git_tree.files(state) == trees[-1] == git_tree.files(state, INDEX)
    return len(trees) == 3 and changes == CHANGES and settled and all(git_tree.run_tests(tree).passed for tree in trees)


def rebased(
    base: Mapping[str, Value], ours: Mapping[str, Value], theirs: Mapping[str, Value]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The commits of `theirs` put on those of `ours` one by one, each by a `git merge` with what it was made on.

    Index and working tree are then as the last commit has them. The conflicts are paths in the working tree.
    """
    begun, made, tip = len(_trees(base)), _trees(theirs), _trees(ours)[-1]
    cells = {path: value for path, value in ours.items() if path.startswith(f"{COMMITS}/")}
    conflicts: set[str] = set()
    number = len(_trees(ours))
    for old in range(begun, len(made)):
        tip, clashing = git_tree.merged(made[old - 1], tip, made[old])
        conflicts.update(clashing)
        cells |= dict(committed(theirs[at(COMMITS, numbered(old), "author")], number, tip))
        number += 1
    copies = {at(folder, file): text for folder in (INDEX, REPO) for file, text in tip.items()}
    return {**copies, **cells}, tuple(at(REPO, file) for file in sorted(conflicts))


def _trees(state: Mapping[str, Value]) -> list[dict[str, str]]:
    """The tree of every commit, from the first."""
    names = sorted({path.split("/")[1] for path in state if path.startswith(f"{COMMITS}/")})
    return [git_tree.files(state, tree_of(name)) for name in names]


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {file for file in {*before, *after} if before.get(file) != after.get(file)}


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then stages a file that nobody has changed: B's commit reads it as it was."""
    begun = ((at(folder, file), text) for folder in (REPO, INDEX) for file, text in shop.FILES.items())
    return Workload(
        name=NAME,
        story="A stages and commits a change in a working tree where B stages and commits another.",
        state=(*begun, *committed("start", 0, shop.FILES)),
        agents=(Agent(name="A", program=partial(mend, irrelevant)), Agent(name="B", program=extend)),
        tools=GIT_TOOLS,
        invariant=holds,
        merge=rebased,
    )
