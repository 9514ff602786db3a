"""What a call does to symbolic cells, from its tool's meaning as data, held to the tool itself each time it runs.

A tool without a meaning is carried out on the cells as they are, and whatever it looks at is pinned.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache

from checker.proof.symbolic_expression import Reader
from checker.proof.tracked import GONE, Cells, Tracked, WrongTerm
from coagent.operation import Call, Cell, Result, Value, same
from coagent.tool import Args, Case, Meaning, Tool, View, Writes


@cache
def _tree(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


class Symbolic:
    """One call of a tool with a meaning on symbolic cells, as a view shows them."""

    def __init__(self, meaning: Meaning, cells: Cells, view: View, args: Mapping[str, object]) -> None:
        self.meaning, self.cells, self.view, self.trace = meaning, cells, view, cells.trace
        names = {name: one if isinstance(one, Tracked) else self.trace.tracked(one) for name, one in args.items()}
        functions = {
            "present": lambda reader, call: self.present(reader, call),
            "value": lambda reader, call: self.look(self.path(reader, call))[0],
            "children": lambda reader, call: self.children(self.path(reader, call)),
            "integer": lambda reader, call: self.kind(reader, call, "whole"),
            "listed": lambda reader, call: self.kind(reader, call, "nil", "cons"),
        }
        self.reader = Reader(names, self.trace, functions)

    def carried_out(self) -> tuple[Result, Writes]:
        """The result, its value tracked, and the cells written, tracked too."""
        for case in self.meaning.cases:
            if self.reader.read(_tree(case.when)).truthy():
                return self.taken(case)
        raise WrongTerm("no case of the meaning applies")

    def taken(self, case: Case) -> tuple[Result, Writes]:
        wrote = tuple(
            (self.filled(self.reader, path), GONE if source is None else (self.reader.read(_tree(source)),))
            for path, source in case.writes
        )
        return Result(case.status, self.reader.read(_tree(case.value))), wrote

    def filled(self, reader: Reader, template: str) -> str:
        return template.format_map({name: one.pin() for name, one in reader.names.items() if f"{{{name}}}" in template})

    def path(self, reader: Reader, call: ast.Call) -> str:
        return self.filled(reader, call.args[0].value)

    def look(self, path: str) -> Cell:
        return self.cells.look(path, self.view.cell(path))

    def present(self, reader: Reader, call: ast.Call) -> Tracked:
        return self.trace.tracked(bool(self.look(self.path(reader, call))))

    def kind(self, reader: Reader, call: ast.Call, *kinds: str) -> Tracked:
        value = reader.read(call.args[0])
        terms = self.trace.numbering
        number = terms.any_of(terms.is_a(kind, value.number) for kind in kinds)
        return reader.truth(value.made in kinds, number)

    def children(self, path: str) -> Tracked:
        """Sorted names of the direct children; of each name only whether it is there is noted."""
        start, terms = path + "/", self.trace.numbering
        below = {*self.view.below(path), *(one for one in self.cells.universe if one.startswith(start))}
        groups: dict[str, list[str]] = {}
        for one in sorted(below):
            groups.setdefault(one[len(start) :].split("/", 1)[0], []).append(one)
        found = []
        for name, paths in sorted(groups.items()):
            held = [(self.cells.number(one, cell), bool(cell)) for one in paths for cell in [self.view.cell(one)]]
            there = terms.any_of(terms.negated(terms.is_a("absent", number)) for number, _ in held)
            if self.trace.decide(there, any(present for _, present in held)):
                found.append(name)
        return self.trace.tracked(tuple(found))


class Plain:
    """A view of tracked cells as the tool itself knows cells; with `pins`, whatever it shows is pinned."""

    def __init__(self, view: View, pins: Cells | None = None) -> None:
        self._view, self._pins = view, pins

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        cell = self._view.cell(path)
        if self._pins:
            self._pins.look(path, cell)
            _ = cell and cell[0].pin()
        return plain_cell(cell)

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below that holds a value, sorted."""
        if self._pins:
            for one in sorted(self._pins.universe):
                _ = one.startswith(path + "/") and self.cell(one)
        return self._view.below(path)


def plain_cell(cell: Cell) -> Cell:
    """A cell without its term."""
    return (plain_value(cell[0]),) if cell else ()


def plain_value(value: object) -> Value:
    """A value without its term."""
    return value.value if isinstance(value, Tracked) else value


def plain_call(call: Call) -> Call:
    """A call without the terms of its arguments."""
    return Call(call.tool, tuple((name, plain_value(value)) for name, value in call.args))


def perform(tool: Tool, cells: Cells, view: View, args: Args) -> tuple[Result, Writes]:
    """Carry out a call on tracked cells, by its meaning, and hold that to the tool. Raises WrongTerm."""
    if tool.meaning is None:
        return _pinned(tool, cells, view, args)
    real, written = tool.exec(Plain(view), {name: plain_value(value) for name, value in args.items()})
    result, wrote = Symbolic(tool.meaning, cells, view, args).carried_out()
    alike = (real.status, written) == (result.status, tuple((path, plain_cell(cell)) for path, cell in wrote))
    if not (alike and same(real.value, plain_value(result.value)) and _spelled_alike(written, wrote)):
        raise WrongTerm(f"the tool {tool.name!r} does not do what its meaning says")
    return result, wrote


def _pinned(tool: Tool, cells: Cells, view: View, args: Args) -> tuple[Result, Writes]:
    """A call whose meaning nobody has declared, as it goes where everything that it looks at is as it is here."""
    given = {name: value.pin() if isinstance(value, Tracked) else value for name, value in args.items()}
    result, wrote = tool.exec(Plain(view, cells), given)
    known = cells.trace.tracked
    return Result(result.status, known(result.value)), tuple(
        (path, (known(cell[0]),) if cell else GONE) for path, cell in wrote
    )


def _spelled_alike(written: Writes, wrote: Writes) -> bool:
    return all(same(one, plain_cell(other)) for (_, one), (_, other) in zip(written, wrote, strict=True))
