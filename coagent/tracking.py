"""Workloads over tracked values: the same agents and tools, each noting what its next step depends on.

A script's expressions become terms. A program in Python is opaque: what it reads is pinned, and so are its calls.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from checker.proof.symbolic_expression import Reader
from checker.proof.symbolic_tool import perform, plain_value
from checker.proof.tracked import Cells, NoValue, Trace, Tracked, WrongTerm
from coagent.arithmetic import EvaluationError, Names, kind
from coagent.expression import Expression
from coagent.operation import Call, Cell, Result, same
from coagent.path_template import PathTemplate
from coagent.placed_json import brief
from coagent.program import AgentScript, CallStep, Failure, For, If, Intent, Program, Report, Step, script_of
from coagent.tool import Args, Tool, View, Writes
from coagent.workload import Workload


def tracked_workload(workload: Workload, cells: Cells) -> Workload:
    """The workload over symbolic cells that are, here, what `cells.universe` says."""
    held = [(path, cells.start(path)) for path in sorted(cells.universe)]
    return replace(
        workload,
        state=tuple((path, cell[0]) for path, cell in held if cell),
        agents=tuple(replace(agent, program=tracked_program(agent.program, cells.trace)) for agent in workload.agents),
        tools={name: tracked_tool(tool, cells) for name, tool in workload.tools.items()},
    )


def tracked_tool(tool: Tool, cells: Cells) -> Tool:
    """The tool over tracked cells."""

    def act(view: View, args: Args) -> tuple[Result, Writes]:
        return perform(tool, cells, Wrapped(view, cells.trace), args)

    return replace(tool, exec=act, declare=_declared(tool))


def _declared(tool: Tool) -> Callable:
    """What the tool declares of the plain arguments, with the tracked ones in the image of a blind write."""

    def declare(args: Args) -> object:
        plain = {name: plain_value(value) for name, value in args.items()}
        declaration = tool.declare(plain)
        if not declaration.image or all(value is args[name] for name, value in plain.items()):
            return declaration
        return tool.declare(args)

    return declare


class Wrapped:
    """A view in which every value is tracked, also one that a plain call left there."""

    def __init__(self, view: View, trace: Trace) -> None:
        self._view, self._trace = view, trace

    def cell(self, path: str) -> Cell:
        """The cell at a path."""
        cell = self._view.cell(path)
        return (wrapped(cell[0], self._trace),) if cell else cell

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below that holds a value, sorted."""
        return self._view.below(path)


def wrapped(value: object, trace: Trace) -> Tracked:
    """A value as a tracked one."""
    return value if isinstance(value, Tracked) else trace.tracked(value)


def tracked_program(behaviour: Program, trace: Trace) -> Program:
    """The behaviour over tracked results."""
    script = script_of(behaviour)
    return partial(_opaque, behaviour) if script is None else partial(_follow, script, trace)


def _opaque(behaviour: Program) -> Generator[Intent, Result, object]:
    """A program that nobody can look into: all that it is told is pinned."""
    running, sent = behaviour(), None
    while True:
        try:
            intent = running.send(sent)
        except StopIteration as stop:
            return stop.value
        result = yield intent
        value = result.value.pin() if isinstance(result.value, Tracked) else result.value
        sent = Result(result.status, value)


@dataclass(slots=True)
class _Run:
    names: dict[str, Tracked]
    trace: Trace
    report: object


def _follow(script: AgentScript, trace: Trace) -> Generator[Intent, Result, object]:
    """As `coagent.program` runs a script, over tracked values."""
    run = _Run({}, trace, trace.tracked(None))
    try:
        yield from _take(script.steps, run)
    except EvaluationError as error:
        return Failure(str(error))
    return run.report


def _take(steps: Iterable[Step], run: _Run) -> Generator[Intent, Result, None]:
    for step in steps:
        match step:
            case CallStep():
                result = yield Intent(call=_call(step, run), think_s=step.think_s)
                if step.bind is not None:
                    run.names[step.bind] = wrapped(result.value, run.trace)
            case If():
                yield from _take(step.then if _worth(step.test, run).truthy() else step.otherwise, run)
            case For():
                for item in _items(step, run):
                    run.names[step.name] = item
                    yield from _take(step.do, run)
            case Report():
                run.report = _worth(step.value, run)


def _call(step: CallStep, run: _Run) -> Call:
    args = [
        (name, _path(given, run) if isinstance(given, PathTemplate) else _worth(given, run))
        for name, given in step.args
    ]
    return Call(step.tool, tuple(args))


def _path(template: PathTemplate, run: _Run) -> str:
    """The path; which one it is depends on the values put in, so they are pinned."""
    for name in template.names:
        run.names[name].pin()
    return template.fill(_plain(run.names))


def _items(step: For, run: _Run) -> list[Tracked]:
    items = _worth(step.items, run)
    if isinstance(items.value, tuple):
        return items.items()
    items.pin_kind()
    raise EvaluationError(f"'for {step.name}' needs a list, and {brief(step.items.source)} is {kind(items.value)}")


def _worth(expression: Expression, run: _Run) -> Tracked:
    """The value of an expression, held to what the expression itself says. Raises EvaluationError."""
    found, refused = None, None
    try:
        found = Reader(run.names, run.trace).read(_tree(expression))
    except NoValue:
        pass
    try:
        value = expression.evaluate(_plain(run.names))
    except EvaluationError as error:
        refused = error
    if refused and found is not None:
        # Too large for an expression: terms know no sizes, so the path is that of these very values.
        for name in expression.names:
            run.names[name].pin()
    if refused:
        raise refused
    if found is None or not same(found.value, value):
        raise WrongTerm(f"the expression {expression.source} is not translated rightly")
    return found


@cache
def _tree(expression: Expression) -> object:
    return expression.tree


def _plain(names: Mapping[str, Tracked]) -> Names:
    return {name: one.value for name, one in names.items()}
