"""Agents as data, and the programs they are: from what an agent has observed so far to its next call.

Decides nothing about time, order or storage: a program yields what it wants to do and is sent what came of it.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial

from coagent.arithmetic import EvaluationError, kind
from coagent.expression import Expression
from coagent.history import plain
from coagent.operation import Call, Result, Value
from coagent.path_template import PathTemplate
from coagent.placed_json import brief

MAX_ROUNDS = 10_000
"""Rounds of all loops together that an agent may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The next call of an agent, and the seconds of inference before it; None leaves those to whoever runs it."""

    call: Call
    think_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The report of an agent whose program could not go on; the message says why."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep:
    """A call with arguments still to be worked out; `bind` is the name its result gets, `think_s` in seconds."""

    tool: str
    args: tuple[tuple[str, PathTemplate | Expression], ...]
    bind: str | None = None
    think_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """The steps to take when `test` is true as Python has it (0, '', null and the empty list are not), and when not."""

    test: Expression
    then: tuple["Step", ...]
    otherwise: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """The steps to take once for each item of a list, `name` bound to it."""

    name: str
    items: Expression
    do: tuple["Step", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the last message says, unless a later report replaces it; the program goes on."""

    value: Expression


Step = CallStep | If | For | Report


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentScript:
    """An agent of a scenario; `think_s` is its own default, `finish_think_s` the inference before its last message."""

    name: str
    steps: tuple[Step, ...]
    think_s: float = 5.0
    finish_think_s: float | None = None

    @property
    def last_think_s(self) -> float:
        """Seconds of inference before the last message, which default to those before any call."""
        return self.think_s if self.finish_think_s is None else self.finish_think_s


Program = Callable[[], Generator[Intent, Result, Value | Failure]]
"""An agent's behaviour: a fresh generator that yields intents, is sent their results, and returns its report."""


def program(script: AgentScript) -> Program:
    """The behaviour of a script.

    `as` binds the result's value, which is the error word when the call failed. The report is that of the last report
    step taken, null without any, or a Failure where the program could not go on.
    """
    return partial(_run, script)


def steady(behaviour: Program) -> Program:
    """The behaviour, which ends with a Failure as its report where its own code raises, as a script's does.

    State that another agent or a fault has left behind can be of a kind that nobody wrote the program for.
    """
    return behaviour if script_of(behaviour) else partial(_steadied, behaviour)


def _steadied(behaviour: Program) -> Generator[Intent, Result, Value | Failure]:
    try:
        return (yield from behaviour())
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def script_of(behaviour: Program) -> AgentScript | None:
    """The script that a behaviour follows, when `program` made it."""
    known = isinstance(behaviour, partial) and behaviour.func is _run
    return behaviour.args[0] if known else None


def report_out(report: Value | Failure) -> object:
    """A report as JSON has it: tuples become lists, a Failure `{"error": message}`."""
    return {"error": report.message} if isinstance(report, Failure) else plain(report)


@dataclass(slots=True)
class _Run:
    names: dict[str, Value]
    report: Value = None
    rounds: int = 0


def _run(script: AgentScript) -> Generator[Intent, Result, Value | Failure]:
    run = _Run({})
    try:
        yield from _take(script.steps, run)
    except EvaluationError as error:
        return Failure(str(error))
    return run.report


def _take(steps: tuple[Step, ...], run: _Run) -> Generator[Intent, Result, None]:
    for step in steps:
        match step:
            case CallStep():
                result = yield Intent(call=_call(step, run), think_s=step.think_s)
                if step.bind is not None:
                    run.names[step.bind] = result.value
            case If():
                yield from _take(step.then if step.test.evaluate(run.names) else step.otherwise, run)
            case For():
                for item in _items(step, run):
                    run.names[step.name] = item
                    yield from _take(step.do, run)
            case Report():
                run.report = step.value.evaluate(run.names)


def _call(step: CallStep, run: _Run) -> Call:
    args = [
        (name, given.fill(run.names) if isinstance(given, PathTemplate) else given.evaluate(run.names))
        for name, given in step.args
    ]
    return Call(step.tool, tuple(args))


def _items(step: For, run: _Run) -> Iterator[Value]:
    items = step.items.evaluate(run.names)
    if not isinstance(items, tuple):
        raise EvaluationError(f"'for {step.name}' needs a list, and {brief(step.items.source)} is {kind(items)}")
    for item in items:
        run.rounds += 1
        if run.rounds > MAX_ROUNDS:
            raise EvaluationError(f"'for {step.name}' takes the agent past {MAX_ROUNDS:,} rounds of its loops")
        yield item
