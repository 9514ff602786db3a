"""Tools over a store of cells: what each call declares, does, and how it is undone.

A tool is three pure functions over a view of the store. `prepare` and `reverse` are the same for
every tool here, because what they capture are the previous cells (see `coagent.store`). The eight
calls of scenario files are at the bottom; workloads add their own in the same shape.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from coagent.argument_schema import INTEGER, PATH, VALUE, arguments, described
from coagent.operation import Call, Cell, Declaration, Result, Value, same

Args = Mapping[str, Value]
Writes = tuple[tuple[str, Cell], ...]


class View(Protocol):
    """What a tool may see of the store: cells by path, and the live paths below one."""

    def cell(self, path: str) -> Cell:
        """The cell at exactly this path."""
        ...

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below this one that holds a value, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a call can go: when, its result, and the cells that it leaves behind (None: absent).

    Sources are expressions as scenarios have them, over the arguments; beside the usual functions they have
    `present('path')`, `value('path')`, `children('path')`, `integer(x)`, `listed(x)`, and lists built from lists.
    A path holds `{name}` where an argument goes.
    """

    when: str = "true"
    status: str = "ok"
    value: str = "'ok'"
    writes: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a tool does, as data, for those who prove things of it: the first case that applies. One always must."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A named operation: `declare` gives the footprint from the arguments, `exec` result and writes from a view.

    `exec` must read only inside the declared reads, write only inside the declared writes, and
    return no writes with a failed result (assumption A2 of P1). `meaning` says again what `exec` does. `schema` is the
    JSON Schema of the arguments (an object): what a call from outside is checked against, and what a model is shown.
    """

    name: str
    declare: Callable[[Args], Declaration]
    exec: Callable[[View, Args], tuple[Result, Writes]]
    says: str = field(default="", compare=False)
    meaning: Meaning | None = field(default=None, compare=False)
    schema: Mapping[str, object] | None = field(default=None, compare=False)


OK = Result("ok", "ok")


def failed(word: str) -> Result:
    """A result that says: this had no effect, and why."""
    return Result("failed", word)


def declare(tools: Mapping[str, Tool], call: Call) -> Declaration:
    """What a call declares, by its tool's own rule; KeyError when there is no such tool."""
    return tools[call.tool].declare(dict(call.args))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _get(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(args["path"])
    return Result("ok", cell[0] if cell else None), ()


def children(view: View, path: str) -> tuple[str, ...]:
    """Sorted names of the direct children of a path, also of those that only have children themselves."""
    start = len(path) + 1
    return tuple(sorted({name[start:].split("/", 1)[0] for name in view.below(path)}))


def _list(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", children(view, args["path"])), ()


def _put(view: View, args: Args) -> tuple[Result, Writes]:
    return OK, ((args["path"], (args["value"],)),)


def _create(view: View, args: Args) -> tuple[Result, Writes]:
    if view.cell(args["path"]):
        return failed("exists"), ()
    return _put(view, args)


def _delete(view: View, args: Args) -> tuple[Result, Writes]:
    if not view.cell(args["path"]):
        return failed("missing"), ()
    return OK, ((args["path"], ()),)


def _add(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(args["path"])
    if not cell:
        return failed("missing"), ()
    if not (_is_integer(cell[0]) and _is_integer(args["by"])):
        return failed("type"), ()
    total = cell[0] + args["by"]
    return Result("ok", total), ((args["path"], (total,)),)


def _copy(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(args["path"])
    if not cell:
        return failed("missing"), ()
    return Result("ok", cell[0]), ((args["to"], cell),)


def _send(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(args["path"])
    sent = cell[0] if cell else ()
    if not isinstance(sent, tuple):
        return failed("type"), ()
    return OK, ((args["path"], ((*sent, args["value"]),)),)


def reading(args: Args) -> Declaration:
    """Declares a read of `path`."""
    return Declaration(reads=(args["path"],))


def putting(args: Args) -> Declaration:
    """Declares a blind write of `value` at `path`."""
    path = args["path"]
    return Declaration(writes=(path,), blind=True, image=((path, (args["value"],)),))


def changing(args: Args) -> Declaration:
    """Declares a read-modify-write of `path`."""
    return Declaration(reads=(args["path"],), writes=(args["path"],))


def _copying(args: Args) -> Declaration:
    return Declaration(reads=(args["path"],), writes=(args["to"],))


def _sending(args: Args) -> Declaration:
    return Declaration(reads=(args["path"],), writes=(args["path"],), recoverable=False)


def _means(*cases: Case) -> Meaning:
    return Meaning(cases)


_MISSING = Case("not present('{path}')", "failed", "'missing'")
_EXISTS = Case("present('{path}')", "failed", "'exists'")
_PUT = Case(writes=(("{path}", "value"),))
_COPIED = Case(value="value('{path}')", writes=(("{to}", "value('{path}')"),))
_TOTAL = "value('{path}') + by"
_SENT = "(value('{path}') if present('{path}') else []) + [value]"
_MEANINGS: Mapping[str, Meaning] = {
    "get": _means(Case("present('{path}')", value="value('{path}')"), Case(value="null")),
    "list": _means(Case(value="children('{path}')")),
    "put": _means(_PUT),
    "create": _means(_EXISTS, _PUT),
    "delete": _means(_MISSING, Case(writes=(("{path}", None),))),
    "add": _means(
        _MISSING,
        Case("not (integer(value('{path}')) and integer(by))", "failed", "'type'"),
        Case(value=_TOTAL, writes=(("{path}", _TOTAL),)),
    ),
    "copy": _means(_MISSING, _COPIED),
    "send": _means(
        Case("present('{path}') and not listed(value('{path}'))", "failed", "'type'"),
        Case(writes=(("{path}", _SENT),)),
    ),
}

_AT = arguments(path=PATH)
_WITH = arguments(path=PATH, value=VALUE)
_SCHEMAS: Mapping[str, Mapping[str, object]] = {
    "get": _AT,
    "list": _AT,
    "put": _WITH,
    "create": _WITH,
    "delete": _AT,
    "add": arguments(path=PATH, by=described(INTEGER, "what is added, less than 0 to take away")),
    "copy": arguments(path=PATH, to=described(PATH, "where the value is copied to, whatever it held")),
    "send": _WITH,
}

TOOLS: Mapping[str, Tool] = {
    tool.name: replace(tool, meaning=_MEANINGS[tool.name], schema=_SCHEMAS[tool.name])
    for tool in (
        Tool("get", reading, _get, "the value at a path, or null when absent"),
        Tool("list", reading, _list, "sorted names of the direct children of a path"),
        Tool("put", putting, _put, "set a path, whatever it held"),
        Tool("create", changing, _create, "set a path that holds nothing, or fail with 'exists'"),
        Tool("delete", changing, _delete, "remove a path's value, or fail with 'missing'"),
        Tool("add", changing, _add, "add an integer to an integer, or fail with 'missing' or 'type'"),
        Tool("copy", _copying, _copy, "copy one path's value to another, or fail with 'missing'"),
        Tool("send", _sending, _send, "append to the list at a path; cannot be undone"),
    )
}
"""The eight calls of a scenario file, by name."""


def outcome_equal(left: Result, right: Result) -> bool:
    """True when two results are the same to an agent: status and value, booleans and integers apart."""
    return left.status == right.status and same(left.value, right.value)
