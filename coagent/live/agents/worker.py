"""An agent that a language model drives: the loop between the model's completions and the handle of a live run.

What a completion asks for is checked, carried out in its order, and answered, every call of it; what the runtime
answers decides what the model is told next. Whether the agent is buried when this fails is the caller's business.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coagent.history import Record
from coagent.live.agent import Agent, Usage
from coagent.live.agents.arguments import Malformed, checked, spec
from coagent.live.agents.completion import Completion, Message, Model, ToolCall
from coagent.live.agents.judgement import JUDGEMENT_TOOLS, Done, Insert, Keep, Retract, Rewrite, decided, offered
from coagent.live.agents.prompt import NUDGE, REPORT, answered, rejected, restarted, skipped
from coagent.live.agents.recalled import REPORTED, TAKEN, UNDONE, Recalled, noticed, recalled
from coagent.live.registry import BadCall
from coagent.live.seat import NO_USAGE, Turn
from coagent.operation import Call, Result
from coagent.tool import declare

JUDGING = frozenset(one.name for one in JUDGEMENT_TOOLS)
KEPT = Result("ok", "kept")
LATE = "call report alone and last, when you have seen the results of all your other calls"
NOTHING_TO_JUDGE = "there is nothing to judge: no notice has changed anything that you were told; go on with your task"
STAYS = "what it did cannot be undone, so that it stays as it is; report what follows from that"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a model counts as lost: after so many completions in all, after so many in a row that call no tool, or
    after so many rejected calls in a row."""

    completions: int = 200
    silent: int = 5
    rejected: int = 10


BOUNDS = Bounds()


class Astray(Exception):
    """The model goes on without coming to an end. The message says in one sentence what it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """How it ended: the last words of the runtime, and the context as it was then."""

    turn: Turn
    context: tuple[Message, ...]


Counted = Callable[[str, Completion], None]
"""What is told of every completion: whose it is, and what it took."""


async def work(
    agent: Agent,
    model: Model,
    task: str,
    *,
    records: Callable[[], Iterable[Record]] = tuple,
    bounds: Bounds = BOUNDS,
    counted: Counted = lambda name, completion: None,
) -> Worked:
    """Do a task, given in words, until the agent's run is committed or given up.

    `records` gives those of the run so far: an agent that has a past goes on from there, its context made again from
    them. Raises BadInput for a task or tools that cannot be shown to a model, NoCompletion or BadInput when the model
    fails for good, Astray when it comes to no end; the agent is still in the run then.
    """
    worker = _Worker(agent, model, bounds, counted)
    turn = await agent.turn()
    worker.begin(recalled(agent.name, task, records()))
    while not turn.over:
        turn = await worker.step(turn)
    return Worked(turn=turn, context=tuple(worker.context))


class _Worker:
    """One agent at work: its context, what it was told of each operation, and what its completions have taken that no
    inference of the history has counted yet."""

    def __init__(self, agent: Agent, model: Model, bounds: Bounds, counted: Counted) -> None:
        self.context: list[Message] = []
        self._agent, self._model, self._bounds, self._counted = agent, model, bounds, counted
        self._own = {name: spec(tool) for name, tool in agent.tools.items()}
        self._specs = offered(self._own.values())
        self._told: dict[str, Result | None] = {}
        self._usage = dict(NO_USAGE)
        self._completions = self._silent = self._rejected = 0
        self._judges = self._acted = False

    def begin(self, past: Recalled) -> None:
        """Go on from this past."""
        self.context, self._judges = list(past.context), past.notified
        self._told = {entry.op: entry.result for entry in self._agent.log}

    async def step(self, turn: Turn) -> Turn:
        """One completion and all that it asks for; the turn that it led to, or the same when it led to none."""
        calls = (await self._completed()).calls
        if not calls:
            self._silent += 1
            if self._silent > self._bounds.silent:
                raise Astray(f"it has called no tool in {self._silent} answers in a row")
            self.context.append(NUDGE)
            return turn
        self._silent, self._acted = 0, False
        for place, call in enumerate(calls, start=1):
            message, after = await self._answer(call, last=place == len(calls))
            self.context.append(message)
            turn = after or turn
            if after and (after.kind != "result" or after.notices):
                self.context += [_not_made(after, one.id) for one in calls[place:]]
                self._hear(after)
                break
        return turn

    async def _completed(self) -> Completion:
        if self._completions >= self._bounds.completions:
            raise Astray(f"it has come to no end in {self._completions} answers")
        self._completions += 1
        completion = await self._model.complete(self.context, list(self._specs.values()))
        self._counted(self._agent.name, completion)
        prompt, cached = completion.prompt_tokens or 0, completion.cached_tokens or 0
        taken = {"prompt_tokens": prompt - cached, "cached_tokens": cached}
        taken["output_tokens"] = completion.output_tokens or 0
        self._usage = {name: self._usage[name] + taken[name] for name in NO_USAGE}
        self.context.append(completion.message)
        return completion

    # a call

    async def _answer(self, call: ToolCall, *, last: bool) -> tuple[Message, Turn | None]:
        """Carry a call out, if it is one; its answer, and the turn that it led to, if any."""
        if call.name == REPORT.name:
            made = self._report(call, last=last)
        elif call.name in JUDGING:
            made = self._judged(call)
        else:
            made = self._checked(checked(call, self._own))
        turn = None
        if not isinstance(made, Malformed | Keep):
            made, turn = await self._carried_out(made)
        if isinstance(made, Malformed):
            self._rejected, self._acted = self._rejected + 1, True
            if self._rejected > self._bounds.rejected:
                raise Astray(f"{self._rejected} calls in a row were rejected, the last because {made.why}")
            return rejected(call.id, made.why), None
        self._rejected = 0
        if isinstance(made, Keep):
            return answered(call.id, made.op, KEPT), None
        if turn.kind != "result":
            reported = isinstance(made, _Final) and turn.kind != "held"
            return answered(call.id, REPORT.name, REPORTED) if reported else _not_made(turn, call.id), turn
        if isinstance(made, Retract):
            self._told.pop(made.op, None)
            return answered(call.id, made.op, TAKEN), turn
        self._acted = True
        self._told[turn.op] = turn.result
        return answered(call.id, turn.op, turn.result), turn

    def _report(self, call: ToolCall, *, last: bool) -> "_Final | Malformed":
        if not last or self._acted:
            return Malformed(f"report: {LATE}")
        found = checked(call, {REPORT.name: REPORT})
        return found if isinstance(found, Malformed) else _Final(dict(found.args)["report"])

    def _judged(self, call: ToolCall) -> Keep | Rewrite | Retract | Insert | Malformed:
        """What a judgement decides. There is none before a notice; and what cannot be undone is not made again."""
        if not self._judges:
            return Malformed(f"{call.name}: {NOTHING_TO_JUDGE}")
        done = [Done(op=entry.op, call=entry.call, result=entry.result) for entry in self._agent.log]
        decision = decided(call, done, self._own)
        match decision:
            case Rewrite(op=op) | Retract(op=op) if self._stays(next(one for one in done if one.op == op)):
                return Malformed(f"{call.name} of {op}: {STAYS}")
            case Rewrite(call=made) | Insert(call=made):
                fits = self._checked(made)
                return fits if isinstance(fits, Malformed) else decision
            case _:
                return decision

    def _stays(self, done: Done) -> bool:
        return done.result is not None and not declare(self._agent.tools, done.call).recoverable

    def _checked(self, call: Call | Malformed) -> Call | Malformed:
        """The call as the registry lets it in: its paths, sizes and characters are looked at too."""
        if isinstance(call, Malformed):
            return call
        try:
            return self._agent.checked(call.tool, dict(call.args))
        except BadCall as error:
            return Malformed(str(error))

    async def _carried_out(self, made: "Act") -> "tuple[Act | Malformed, Turn | None]":
        """Let the runtime carry it out; the turn that it led to, or why the runtime does not take it."""
        usage, self._usage = self._usage, dict(NO_USAGE)
        if self._agent.past:
            # Nothing will be done, nor counted: the next inference counts it.
            self._usage = usage
        try:
            return made, await self._act(made, usage)
        except BadCall as error:
            self._usage = usage
            return Malformed(str(error)), None

    async def _act(self, made: "Act", usage: Usage) -> Turn:
        agent = self._agent
        match made:
            case _Final(report=report):
                return await agent.finish(report, usage=usage)
            case Rewrite(op=op, call=call):
                return await agent.invoke(call, replaces=op, usage=usage)
            case Insert(before=op, call=call):
                return await agent.invoke(call, before=op, usage=usage)
            case Retract(op=op):
                entry = next(one for one in agent.log if one.op == op)
                undone = entry.result is not None and declare(agent.tools, entry.call).writes
                return await (agent.retract if undone else agent.drop)(op, usage=usage)
            case call:
                return await agent.invoke(call, usage=usage)

    # what the runtime says

    def _hear(self, turn: Turn) -> None:
        """Append what the model is told of a turn, beside the answers to its calls."""
        if turn.kind == "restarted":
            self.context.append(restarted(turn.attempt))
            self._judges = False
        self.context += noticed(self._agent.log, self._told, turn.notices)
        self._judges = self._judges or bool(turn.notices)
        self._told = {entry.op: entry.result for entry in self._agent.log}


@dataclass(frozen=True, slots=True)
class _Final:
    """The report."""

    report: object


Act = Call | Rewrite | Retract | Insert | _Final


def _not_made(turn: Turn, id: str) -> Message:
    """The answer to a call that was not carried out, because of this turn."""
    return rejected(id, UNDONE) if turn.kind in ("restarted", "gave-up") else skipped(id)
