"""A scripted program in a model's place: it reads the messages of a context, as a model would, and answers by calls.

What it knows is what is in the messages: results, notices, and what became of its earlier calls.
"""

import json
import re
from collections.abc import Mapping, Sequence

from coagent.actor import Ask, Entry, Program, Report, TakeBack, next_action
from coagent.history import frozen
from coagent.live.agents.prompt import restarted
from coagent.live.agents.quoting import BEGIN, END
from coagent.operation import Call, Result
from coagent.tool import Tool
from tests.live.model_server import Say, Script

Wire = Mapping[str, object]
"""A message as it goes over the wire."""


def acting(program: Program, tools: Mapping[str, Tool]) -> Script:
    """What the model server says for this program."""
    return lambda messages, before: Say(calls=_calls(program, log_of(messages), tools))


def among(programs: Mapping[str, Program], tools: Mapping[str, Tool]) -> Script:
    """The same for several agents, who are told apart by the first message: `You are the agent NAME.`"""

    def script(messages: Sequence[Wire], before: int) -> Say:
        name = messages[0]["content"].split("You are the agent ", 1)[1].split(".", 1)[0]
        return acting(programs[name], tools)(messages, before)

    return script


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
    asked: dict[str, tuple[str, dict]] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            asked[call["id"]] = (call["function"]["name"], json.loads(call["function"]["arguments"]))
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


def _take(log: list[Entry], name: str, args: Mapping[str, object], answer: Mapping[str, object]) -> None:
    """What became of one call."""
    if answer["status"] == "rejected" or name in ("keep", "report"):
        return
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
