"""The tools of coding agents on one working tree: its files as cells `repo/FILE`, the index and the commits beside it.

`index/FILE` is what the next commit will hold, all files of it; `commits/NUMBER` has an author and a whole tree. A
path that is passed to a tool is that of a file in the working tree.
"""

from collections.abc import Mapping

from coagent.argument_schema import PATH, TEXT, arguments
from coagent.operation import Call, Declaration, Result, Value
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, children, failed
from workloads.git_tree import REPO
from workloads.row import at
from workloads.text_tool import replacing, searching

INDEX, COMMITS = "index", "commits"
DIGITS = 4
"""Of a commit's number, so that commits sort as they were made."""


def tree_of(commit: str) -> str:
    """Where a commit keeps its tree."""
    return at(COMMITS, commit, "tree")


def numbered(number: int) -> str:
    """A commit's name."""
    return f"{number:0{DIGITS}}"


def committed(author: str, number: int, tree: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """The cells of a commit."""
    name = numbered(number)
    return ((at(COMMITS, name, "author"), author), *((at(tree_of(name), file), text) for file, text in tree.items()))


def _declare_stage(args: Args) -> Declaration:
    staged = at(INDEX, args["name"])
    return Declaration(reads=(at(REPO, args["name"]), staged), writes=(staged,))


def _stage(view: View, args: Args) -> tuple[Result, Writes]:
    """As `git add`: the index has the file as the working tree has it, or not at all."""
    cell, staged = view.cell(at(REPO, args["name"])), at(INDEX, args["name"])
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


_UNKNOWN = "not present('repo/{name}') and not present('index/{name}')"
_STAGED = Meaning(
    (
        Case(_UNKNOWN, "failed", "'missing'"),
        Case("present('repo/{name}')", writes=(("index/{name}", "value('repo/{name}')"),)),
        Case(writes=(("index/{name}", None),)),
    )
)

GIT_TOOLS: Mapping[str, Tool] = {
    **TOOLS,
    **{
        tool.name: tool
        for tool in (
            searching("search", REPO, "", "the files of the working tree that have a text, with what they hold"),
            replacing("replace", REPO, "", "replace a text wherever it is in a file, or fail with 'missing'"),
            Tool(
                "stage",
                _declare_stage,
                _stage,
                "put a file into the index, or fail with 'missing'",
                _STAGED,
                arguments(name=PATH),
            ),
            Tool(
                "commit",
                _declare_commit,
                _commit,
                "commit the index, or fail with 'nothing to commit'",
                schema=arguments(author=TEXT),
            ),
        )
    },
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
