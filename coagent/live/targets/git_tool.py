"""The tools of coding agents on one working tree: its files as cells `repo/FILE`, the index and the commits beside it.

`index/FILE` is what the next commit will hold, all files of it; `commits/NUMBER` has an author and a whole tree. The
argument `path` is a cell's, `name` that of a file in the working tree. What these do to cells, `git` does to a
repository (`coagent.live.targets.git`).
"""

import base64
from collections.abc import Mapping
from dataclasses import replace

from coagent.argument_schema import PATH, TEXT, arguments, described
from coagent.live.targets.git_tree import REPO, run_tests
from coagent.live.targets.text_tool import replacing, searching
from coagent.operation import Declaration, Result, Value
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, children, failed

INDEX, COMMITS = "index", "commits"
DIGITS = 4
"""Of a commit's number, so that commits sort as they were made."""

SAID = 4_000
"""Characters, the last ones, of what tests print."""


def numbered(number: int) -> str:
    """A commit's name."""
    return f"{number:0{DIGITS}}"


def tree_of(commit: str) -> str:
    """Where a commit keeps its tree."""
    return f"{COMMITS}/{commit}/tree"


def committed(author: str, number: int, tree: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """The cells of a commit."""
    name = numbered(number)
    return ((f"{COMMITS}/{name}/author", author), *((f"{tree_of(name)}/{file}", text) for file, text in tree.items()))


def _declare_stage(args: Args) -> Declaration:
    staged = f"{INDEX}/{args['name']}"
    return Declaration(reads=(f"{REPO}/{args['name']}", staged), writes=(staged,))


def _stage(view: View, args: Args) -> tuple[Result, Writes]:
    """As `git add`: the index has the file as the working tree has it, or not at all."""
    cell, staged = view.cell(f"{REPO}/{args['name']}"), f"{INDEX}/{args['name']}"
    return (OK, ((staged, cell),)) if cell or view.cell(staged) else (failed("missing"), ())


def _declare_commit(args: Args) -> Declaration:
    return Declaration(reads=(INDEX, COMMITS), writes=(COMMITS,))


def _commit(view: View, args: Args) -> tuple[Result, Writes]:
    """As `git commit`: all that is in the index, whoever put it there."""
    last = children(view, COMMITS)[-1:]
    index = _tree(view, INDEX)
    if last and index == _tree(view, tree_of(last[0])):
        return failed("nothing to commit"), ()
    number = int(last[0]) + 1 if last else 0
    cells = committed(args["author"], number, index)
    return Result("ok", numbered(number)), tuple((path, (value,)) for path, value in cells)


def _tree(view: View, folder: str) -> dict[str, Value]:
    return {path[len(folder) + 1 :]: view.cell(path)[0] for path in view.below(folder)}


def _declare_rename(args: Args) -> Declaration:
    both = (f"{REPO}/{args['name']}", f"{REPO}/{args['to']}")
    return Declaration(reads=both, writes=both)


def _rename(view: View, args: Args) -> tuple[Result, Writes]:
    old, new = f"{REPO}/{args['name']}", f"{REPO}/{args['to']}"
    cell = view.cell(old)
    if not cell:
        return failed("missing"), ()
    return (failed("exists"), ()) if view.cell(new) else (OK, ((new, cell), (old, ())))


def _grep(view: View, args: Args) -> tuple[Result, Writes]:
    found = []
    for path in view.below(REPO):
        text = view.cell(path)[0]
        lines = text.splitlines() if isinstance(text, str) else ()
        hits = ((path[len(REPO) + 1 :], n, line) for n, line in enumerate(lines, start=1) if args["text"] in line)
        found.extend(hits)
    return Result("ok", tuple(found)), ()


def _run_tests(view: View, args: Args) -> tuple[Result, Writes]:
    """Whether all passed, how many ran, what they printed. A file that is a link is not there."""
    tree: dict[str, str | bytes] = {}
    for file, value in _tree(view, REPO).items():
        match value:
            case str():
                tree[file] = value
            case ("base64", str(data)):
                tree[file] = base64.b64decode(data)
    try:
        ran = run_tests(tree)
    except ValueError as error:
        return failed(str(error)), ()
    return Result("ok", (ran.passed, ran.tests, ran.said[-SAID:])), ()


_FILE = described(PATH, "a file of the working tree, such as src/main.py")
_CELL = described(PATH, f"{REPO}/FILE, {INDEX}/FILE or {COMMITS}/NUMBER/tree/FILE")
_OWN = described(PATH, f"{REPO}/FILE, in the working tree")
_SCHEMAS = {
    "get": arguments(path=_CELL),
    "list": arguments(path=_CELL),
    "put": arguments(path=_OWN, value=TEXT),
    "create": arguments(path=_OWN, value=TEXT),
    "delete": arguments(path=_OWN),
    "search": arguments(text=TEXT),
    "replace": arguments(name=_FILE, old=TEXT, new=TEXT),
}

_UNKNOWN = "not present('repo/{name}') and not present('index/{name}')"
_STAGED = Meaning(
    (
        Case(_UNKNOWN, "failed", "'missing'"),
        Case("present('repo/{name}')", writes=(("index/{name}", "value('repo/{name}')"),)),
        Case(writes=(("index/{name}", None),)),
    )
)
_RENAMED = Meaning(
    (
        Case("not present('repo/{name}')", "failed", "'missing'"),
        Case("present('repo/{to}')", "failed", "'exists'"),
        Case(writes=(("repo/{to}", "value('repo/{name}')"), ("repo/{name}", None))),
    )
)

_TREE_TOOLS = (
    searching("search", REPO, "", "the files of the working tree that have a text, with what they hold"),
    replacing("replace", REPO, "", "replace a text wherever it is in a file, or fail with 'missing'"),
    Tool(
        "stage",
        _declare_stage,
        _stage,
        "put a file into the index, or fail with 'missing'",
        _STAGED,
        schema=arguments(name=_FILE),
    ),
    Tool(
        "commit",
        _declare_commit,
        _commit,
        "commit the index, or fail with 'nothing to commit'",
        schema=arguments(author=TEXT),
    ),
    Tool(
        "rename",
        _declare_rename,
        _rename,
        "give a file another name, or fail with 'missing' or 'exists'",
        _RENAMED,
        schema=arguments(name=_FILE, to=_FILE),
    ),
    Tool(
        "grep",
        lambda args: Declaration(reads=(REPO,)),
        _grep,
        "file, number and text of each line with a text in it, in all folders of the working tree",
        schema=arguments(text=TEXT),
    ),
    Tool(
        "run_tests",
        lambda args: Declaration(reads=(REPO,)),
        _run_tests,
        "run the unittest tests of the working tree: whether all passed, how many ran, what they printed",
        schema=arguments(),
    ),
)

GIT_TOOLS: Mapping[str, Tool] = {
    tool.name: replace(tool, schema=_SCHEMAS.get(tool.name, tool.schema))
    for tool in (*(TOOLS[name] for name in ("get", "list", "put", "create", "delete")), *_TREE_TOOLS)
}
"""Read, list, write, create and delete files by path; search, replace, rename, stage, commit and run tests."""
