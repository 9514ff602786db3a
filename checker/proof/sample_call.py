"""Calls with unknown arguments on unknown cells: what the proofs about tools speak of, derived from their meanings.

Arguments that go into paths take a few names in all their relations (same, different, one below the other), which
is all that a tool can tell of paths; every other argument is an unknown.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from string import Formatter

from checker.proof.symbolic_tool import perform, plain_cell, plain_value
from checker.proof.tracked import Cells, Tracked
from coagent.operation import Call, Cell, Declaration, Result, Value
from coagent.tool import Tool, Writes

NAMES = ("p", "q", "p/a")
"""What goes into paths."""

LIST = ("p", "q")
"""What an argument is whose items go into paths."""

_WORDS = {"true", "false", "null"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """A tool's arguments by what becomes of them: `paths` go into paths, `lists` are walked, the rest are `values`.

    `whole`: a path argument is a path of its own, so it may lie below another.
    """

    paths: tuple[str, ...]
    lists: tuple[str, ...]
    values: tuple[str, ...]
    whole: bool
    templates: tuple[str, ...]


def parameters(tool: Tool) -> Parameters:
    """The arguments that a tool's meaning names, in the order of their names. ValueError for a tool without one."""
    if tool.meaning is None:
        raise ValueError(f"the tool {tool.name!r} is not declared as data")
    sources = [one for case in tool.meaning.cases for one in (case.when, case.value)]
    written = [pair for case in tool.meaning.cases for pair in case.writes]
    sources += [source for _, source in written if source is not None]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source, mode="eval"))]
    bound = {node.target.id for node in nodes if isinstance(node, ast.comprehension)}
    walked = {node.iter.id for node in nodes if isinstance(node, ast.comprehension) and isinstance(node.iter, ast.Name)}
    templates = [path for path, _ in written]
    templates += [node.args[0].value for node in nodes if isinstance(node, ast.Call) and _asks(node)]
    paths = {name for one in templates for _, name, _, _ in Formatter().parse(one) if name} - bound
    functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    named = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in functions} - bound - _WORDS
    return Parameters(
        paths=tuple(sorted(paths)),
        lists=tuple(sorted(walked)),
        values=tuple(sorted(named - paths - walked)),
        whole=any(one == f"{{{name}}}" for one in templates for name in paths),
        templates=tuple(dict.fromkeys(templates)),
    )


def _asks(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in ("present", "value", "children")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A call of a tool: arguments that go into paths are known, `unknown` are the symbols of the others."""

    tool: Tool
    known: Mapping[str, Value]
    unknown: Mapping[str, str]
    templates: tuple[str, ...]

    def declared(self) -> Declaration:
        """The footprint; it depends on nothing unknown."""
        return self.tool.declare({**self.known, **dict.fromkeys(self.unknown)})

    def touched(self) -> set[str]:
        """The paths that the call may touch."""
        fields = {name for one in self.templates for _, name, _, _ in Formatter().parse(one) if name}
        found = set()
        for values in product(*[self._choices(name) for name in sorted(fields)]):
            found |= {one.format_map(dict(zip(sorted(fields), values, strict=True))) for one in self.templates}
        return found

    def paths(self) -> set[str]:
        """The paths that the call may touch or declares, and some below them."""
        found = {*self.declared().footprint, *self.touched()}
        return found | {f"{path}/a" for path in found}

    def _choices(self, name: str) -> tuple[str, ...]:
        value = self.known.get(name)
        return (value,) if isinstance(value, str) else LIST

    def act(self, cells: Cells, live: dict[str, Cell], state: Mapping[str, Cell]) -> tuple[Result, Writes]:
        """Carry the call out on live cells, which change; `state` are the symbols' cells here."""
        result, wrote = perform(self.tool, cells, Live(cells, live), self.arguments(cells, state))
        live.update(wrote)
        return result, wrote

    def arguments(self, cells: Cells, state: Mapping[str, Cell]) -> dict[str, object]:
        """The arguments by name, the unknown ones tracked."""
        trace = cells.trace
        unknown = {
            name: Tracked(state[symbol][0], trace.numbering.symbol(symbol), trace)
            for name, symbol in self.unknown.items()
        }
        return {**self.known, **unknown}

    def call(self, state: Mapping[str, Cell]) -> Call:
        """The call as it is in a state."""
        unknown = {name: state[symbol][0] for name, symbol in self.unknown.items()}
        return Call(self.tool.name, tuple(sorted({**self.known, **unknown}.items(), key=_path_first)))


def _path_first(pair: tuple[str, Value]) -> tuple[bool, str]:
    return pair[0] not in ("path", "name", "event"), pair[0]


class Live:
    """A view of cells that were written, over the symbolic ones."""

    def __init__(self, cells: Cells, live: Mapping[str, Cell]) -> None:
        self._cells, self._live = cells, live

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        return self._live[path] if path in self._live else self._cells.start(path)

    def below(self, path: str) -> Iterable[str]:
        """Every path strictly below that holds a value, sorted."""
        known = {*self._live, *self._cells.universe}
        return iter(sorted(one for one in known if one.startswith(path + "/") and self.cell(one)))


def samples(tool: Tool, tag: str = "", names: Iterable[str] = ()) -> list[Sample]:
    """The calls of a tool up to the names in their paths; `tag` tells the unknowns of two calls apart.

    Without `names` a single path has one name, because there is nothing that it could be told from.
    """
    shape = parameters(tool)
    pool = tuple(names) or (NAMES if len(shape.paths) > 1 else NAMES[:1])
    pool = pool if shape.whole else tuple(one for one in pool if "/" not in one)
    found = []
    for values in product(pool, repeat=len(shape.paths)):
        known = dict(zip(shape.paths, values, strict=True)) | dict.fromkeys(shape.lists, LIST)
        unknown = {name: f"{name}{tag}" for name in shape.values}
        found.append(Sample(tool=tool, known=known, unknown=unknown, templates=shape.templates))
    return found


def opening(calls: Iterable[Sample]) -> dict[str, Cell]:
    """A state to begin with: nothing anywhere, arguments null."""
    calls = list(calls)
    cells: dict[str, Cell] = {path: () for one in calls for path in sorted(one.paths())}
    cells["elsewhere"] = ()
    return cells | {symbol: (None,) for one in calls for symbol in one.unknown.values()}


def universe(state: Mapping[str, Cell], calls: Iterable[Sample]) -> dict[str, Cell]:
    """The cells of a state without the arguments."""
    arguments = {symbol for one in calls for symbol in one.unknown.values()}
    return {name: cell for name, cell in state.items() if name not in arguments}


def inside(path: str, region: Iterable[str]) -> bool:
    """Whether a path is one of a region's, or below one."""
    return any(path == one or path.startswith(one + "/") for one in region)


def plain_result(result: Result) -> Result:
    """A result without its term."""
    return Result(result.status, plain_value(result.value))


Side = tuple[Cells, Mapping[str, Cell]]
"""Symbolic cells, and what was written over them."""


def compared(about: str, path: str, left: Side, right: Side) -> tuple[tuple[str, int, int], list[str]]:
    """The pair of terms of a path's cell on two sides, and in words how they differ here."""
    found = [(cells, live[path] if path in live else cells.start(path)) for cells, live in (left, right)]
    shown = [_cell(plain_cell(cell)) for _, cell in found]
    differs = [] if shown[0] == shown[1] else [f"{path} {about} is {shown[0]}, and not {shown[1]}"]
    return (f"{path} {about}", *(cells.number(path, cell) for cells, cell in found)), differs


def _cell(cell: Cell) -> str:
    return repr(cell[0]) if cell else "absent"
