"""What an agent is asked when its premises changed, and what its answer means: keep, rewrite or retract.

The question is for the operations that depend on what changed, and for nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coagent.live.agents.arguments import Malformed, checked
from coagent.live.agents.completion import Message, ToolCall, ToolSpec
from coagent.live.agents.prompt import Premise
from coagent.live.agents.quoting import data, shown_call, shown_result
from coagent.operation import Call, Result


def _spec(name: str, says: str, more: Mapping[str, object]) -> ToolSpec:
    op = {"type": "string", "description": "an operation of yours, by its name"}
    reason = {"type": "string", "description": "why, in a few words"}
    schema = {
        "type": "object",
        "properties": {"op": op, **more, "reason": reason},
        "required": ["op", *more],
        "additionalProperties": False,
    }
    return ToolSpec(name=name, says=says, schema=schema)


JUDGEMENT_TOOLS: tuple[ToolSpec, ...] = (
    _spec("keep", "let an operation stand as it is: the change makes no difference to it", {}),
    _spec(
        "rewrite",
        "make an operation again in its own place, by the same tool with other arguments (or the same, if it was "
        "cancelled and is still right)",
        {"arguments": {"type": "object", "description": "all arguments of the tool, as in a call of it"}},
    ),
    _spec("retract", "take an operation back, because with what holds now it should not have been made", {}),
)
"""How a judgement is given, a call for each operation."""

QUESTION = """Judge your own work. Your operations that are listed below came after what the notice is about, in the
order in which you made them; each has its name, its call and its result. For each of them decide by your task:

- would you have made just this call, had you been told what holds now? Then call "keep";
- would you have made it with other arguments? Then call "rewrite" with all of its arguments, worked out from what holds
  now;
- would you not have made it at all? Then call "retract".

Change only what depends on the change; everything else is to be kept as it is. Do not put right what the other agent
did. If a call is missing that you would have made, make it after this, with your usual tools; and if you have reported
already, report again when all is done. Give all judgements in one answer, by calls of these tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An operation as its agent knows it; `result` None: it was cancelled."""

    op: str
    call: Call
    result: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Let the operation be."""

    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """Make the operation again in its place, with this call, which is of the same tool."""

    op: str
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract:
    """Take the operation back."""

    op: str


Decision = Keep | Rewrite | Retract


def question(premises: Sequence[Premise], done: Sequence[Done]) -> Message:
    """What is asked after the message of `prompt.notified` about these premises.

    `done` are the agent's operations that may depend on them, in program order: those after the first premise, and
    cancelled ones.
    """
    listed = [{"operation": one.op, "call": shown_call(one.call), "result": shown_result(one.result)} for one in done]
    about = [one.op for one in premises]
    return Message(role="user", text=f"{QUESTION}\n{data({'changed': about, 'operations': listed})}")


def decided(call: ToolCall, done: Sequence[Done], tools: Mapping[str, ToolSpec]) -> Decision | Malformed:
    """What a call of JUDGEMENT_TOOLS decides, or what is wrong with it, for `prompt.rejected`.

    `tools` are the agent's own, by name.
    """
    found = checked(call, {one.name: one for one in JUDGEMENT_TOOLS})
    if isinstance(found, Malformed):
        return found
    args = dict(found.args)
    own = {one.op: one for one in done}
    if args["op"] not in own:
        known = ", ".join(own) or "none"
        return Malformed(f"{call.name}: the field 'op' names no operation that is to be judged; those are: {known}")
    chosen = own[args["op"]]
    match call.name:
        case "keep" if chosen.result is None:
            return Malformed(
                f"keep: the operation {chosen.op} was cancelled and has no effect to keep; call 'rewrite' with the "
                "same arguments to have it again, or 'retract'"
            )
        case "keep":
            return Keep(op=chosen.op)
        case "retract":
            return Retract(op=chosen.op)
        case _:
            return _rewritten(chosen, args["arguments"], tools)


def _rewritten(chosen: Done, args: Mapping[str, object], tools: Mapping[str, ToolSpec]) -> Decision | Malformed:
    """The new call of the operation's tool; that it is the same as before is another way to keep it."""
    made = checked(ToolCall(id="", name=chosen.call.tool, arguments=json.dumps(args)), tools)
    if isinstance(made, Malformed):
        return Malformed(f"rewrite of {chosen.op}: {made.why}")
    if chosen.result is not None and repr(sorted(made.args)) == repr(sorted(chosen.call.args)):
        return Keep(op=chosen.op)
    return Rewrite(op=chosen.op, call=made)
