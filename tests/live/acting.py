"""A scripted program in a model's place: it reads the messages of a context, as a model would, and answers by calls.

What it knows is what is in the messages: results, notices, and what became of its earlier calls.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coagent.actor import Action, Ask, Entry, Program, Report, TakeBack, next_action
from coagent.history import frozen
from coagent.live.agents.completion import Completion, Message, ToolCall, ToolSpec
from coagent.live.agents.prompt import restarted
from coagent.live.agents.quoting import BEGIN, END
from coagent.live.agents.wire import request
from coagent.operation import Call, Result
from coagent.tool import Tool
from coagent.workload import Agent, Cost, Workload
from tests.live.model_server import Say, Script

Wire = Mapping[str, object]
"""A message as it goes over the wire."""


def acting(program: Program, tools: Mapping[str, Tool]) -> Script:
    """What the model server says for this program."""
    return lambda messages, before: Say(calls=_calls(program, log_of(messages), tools))


def among(programs: Mapping[str, Program], tools: Mapping[str, Tool]) -> Script:
    """The same for several agents, who are told apart by the first message: `You are the agent NAME.`"""

    def script(messages: Sequence[Wire], before: int) -> Say:
        return acting(programs[_name(messages)], tools)(messages, before)

    return script


@dataclass(kw_only=True)
class Thinking:
    """Programs in a model's place without a server, for virtual time; each inference takes what the program says, or
    the workload's cost."""

    workload: Workload
    name: str = "thinking"
    settings: Mapping[str, object] = field(default_factory=dict)
    asked: list[Sequence[Wire]] = field(default_factory=list)
    breaks_at: int | None = None

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        """What the program does next."""
        if len(self.asked) == self.breaks_at:
            raise RuntimeError("the process of the model is gone")
        wire = request(messages, ())["messages"]
        self.asked.append(wire)
        programs = {one.name: one.program for one in self.workload.agents}
        who = next(one for one in self.workload.agents if one.name == _name(wire))
        action = next_action(who.program, log_of(wire), self.workload.tools)
        begun_s = asyncio.get_running_loop().time()
        await asyncio.sleep(_seconds(action, who, wire, self.workload.cost))
        say = among(programs, self.workload.tools)(wire, 0)
        calls = [
            ToolCall(id=f"{len(wire)}-{place}", name=name, arguments=text)
            for place, (name, text) in enumerate(say.calls)
        ]
        took_s = asyncio.get_running_loop().time() - begun_s
        return Completion(
            calls=tuple(calls), prompt_tokens=10 * len(wire), cached_tokens=8, output_tokens=5, seconds=took_s
        )


def _seconds(action: Action, who: Agent, messages: Sequence[Wire], cost: Cost) -> float:
    """As in simulated runs: judging what is fresh, then thinking of the next call, unless it was thought of before."""
    notice, *before = [one["content"] or "" for one in reversed(messages) if one["role"] != "assistant"]
    fresh = "Judge your own work" in notice or "Results that you were given" in notice
    held = fresh and any("not carried out" in one for one in before[:2])
    judging = cost.judge_s if fresh else 0.0
    match action:
        case Report():
            own = who.finish_think_s if who.finish_think_s is not None else who.think_s
        case Ask(decision="append"):
            own = action.think_s if action.think_s is not None else who.think_s
        case _:
            return max(judging, cost.judge_s)
    return max(judging, cost.judge_s) if held else judging + (cost.think_s if own is None else own)


def _name(messages: Sequence[Wire]) -> str:
    return messages[0]["content"].split("You are the agent ", 1)[1].split(".", 1)[0]


def _calls(program: Program, log: tuple[Entry, ...], tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
    action = next_action(program, log, tools)
    dropped = [("retract", {"op": op}) for op in action.drops]
    match action:
        case Ask(decision="append"):
            last = (action.call.tool, dict(action.call.args))
        case Ask(decision="insert"):
            arguments = dict(action.call.args)
            last = ("insert_before", {"op": action.before, "tool": action.call.tool, "arguments": arguments})
        case Ask():
            last = ("rewrite", {"op": action.replaces, "arguments": dict(action.call.args)})
        case TakeBack():
            last = ("retract", {"op": action.op})
        case Report():
            last = ("report", {"report": action.report})
    return [(name, json.dumps(args)) for name, args in (*dropped, last)]


def log_of(messages: Sequence[Wire]) -> tuple[Entry, ...]:
    """The operations of an agent as its context has them, in their order, with their newest results."""
    log: list[Entry] = []
    asked: dict[str, tuple[str, str]] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            asked[call["id"]] = (call["function"]["name"], call["function"]["arguments"])
        found = data_in(message["content"] or "")
        if message["role"] == "tool":
            _take(log, *asked[message["tool_call_id"]], found)
        elif message["content"] == restarted(_attempt(message["content"])).text:
            log.clear()
        elif found and "notices" in found:
            now = {one["operation"]: _result(one["now"]) for one in found["notices"]}
            log[:] = [Entry(one.op, one.call, now.get(one.op, one.result)) for one in log]
    return tuple(log)


def _attempt(text: str) -> int:
    """The number of the attempt that a message tells of; 0 where it tells of none."""
    found = re.search(r"This is attempt ([0-9]+):", text or "")
    return int(found[1]) if found else 0


def data_in(text: str) -> dict | None:
    """What a message has between the marks."""
    lines = text.split("\n")
    return json.loads(lines[lines.index(BEGIN) + 1]) if BEGIN in lines and END in lines else None


def _take(log: list[Entry], name: str, text: str, answer: Mapping[str, object]) -> None:
    """What became of one call."""
    if answer["status"] == "rejected" or name in ("keep", "report"):
        return
    args = json.loads(text)
    places = {entry.op: place for place, entry in enumerate(log)}
    if name == "retract":
        del log[places[args["op"]]]
        return
    match name:
        case "rewrite":
            tool, given = log[places[args["op"]]].call.tool, args["arguments"]
        case "insert_before":
            tool, given = args["tool"], args["arguments"]
        case _:
            tool, given = name, args
    entry = Entry(
        answer["operation"], Call(tool, tuple((key, frozen(value)) for key, value in given.items())), _result(answer)
    )
    match name:
        case "rewrite":
            log[places[args["op"]]] = entry
        case "insert_before":
            log.insert(places[args["op"]], entry)
        case _:
            log.append(entry)


def _result(found: Mapping[str, object] | None) -> Result | None:
    return None if found is None else Result(found["status"], frozen(found["value"]))
