"""What an agent's context holds of its run, worked out from the records: its calls, results, notices, new attempts.

A context that was lost with its process is made again here; of a model's own words only the calls are left.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coagent.actor import Entry
from coagent.history import Record, frozen
from coagent.inference import entered
from coagent.live.agents.completion import Message, ToolCall
from coagent.live.agents.judgement import Done, question
from coagent.live.agents.prompt import REPORT, answered, notified, opening, premise, rejected, restarted, skipped
from coagent.operation import Call, Notice, Position, Result

UNDONE = "everything of this attempt was undone; what to do is said below"
TAKEN = Result("ok", "taken back")
REPORTED = Result("ok", "taken down")


def noticed(log: Sequence[Entry], told: Mapping[str, Result | None], notices: Sequence[Notice]) -> tuple[Message, ...]:
    """What an agent is told of notices, and asked, if it has done anything since that may rest on them.

    `log` are its operations with what holds now, `told` the results that it was told before, by operation. A notice of
    an operation that it has taken back is of no matter.
    """
    places = {entry.op: place for place, entry in enumerate(log)}
    about = [one for one in notices if one.op in places]
    if not about:
        return ()
    premises = [premise(one, call=log[places[one.op]].call, told=told[one.op], by=agent_of(one.cause)) for one in about]
    first = min(places[one.op] for one in about)
    done = [
        Done(op=entry.op, call=entry.call, result=entry.result)
        for place, entry in enumerate(log)
        if place > first or entry.result is None
    ]
    return (notified(premises), *([question(premises, done)] if done else []))


def agent_of(op: str) -> str:
    """Whose operation it is, by its name."""
    return op.rpartition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """An agent's context, and whether a notice has come to it in its present attempt."""

    context: tuple[Message, ...]
    notified: bool


def recalled(name: str, task: str, records: Iterable[Record]) -> Recalled:
    """The past of an agent as of these records, which are a run's in order. Raises BadInput as `opening` does."""
    memory = _Memory(name, task)
    for record in records:
        if record.get("agent") == name:
            memory.take(record)
    return Recalled(context=tuple(memory.context), notified=memory.notified)


class _Memory:
    """The context so far, the operations that stand, the notices that are not consumed, and the call under way."""

    def __init__(self, name: str, task: str) -> None:
        self.context: list[Message] = [*opening(name, task)]
        self._log: tuple[Entry, ...] = ()
        self._notices: dict[str, Notice] = {}
        self._asked: tuple[Call, str | None, str | None] | None = None
        self._places: dict[str, Position] = {}
        self._numbered, self.notified = 0, False

    def take(self, record: Record) -> None:
        """One record of the agent."""
        match record["event"]:
            case "invoke":
                call = Call(record["tool"], tuple((key, frozen(value)) for key, value in record["args"].items()))
                self._asked = (call, self._before(record), record.get("replaces"))
            case "repair" if record["action"] == "retract":
                self._log = tuple(entry for entry in self._log if entry.op != record["op"])
                self._say("retract", {"op": record["op"]}, lambda id: answered(id, record["op"], TAKEN))
            case "result":
                self._answered(record["op"], _result(record))
            case "hold":
                name, args = (record["tool"], record["args"]) if "tool" in record else (REPORT.name, {"report": None})
                self._say(name, args, skipped)
            case "finish":
                report = {"report": record["report"]}
                self._say(REPORT.name, report, lambda id: answered(id, REPORT.name, REPORTED))
            case "notify":
                result = None if record["cancelled"] else _result(record)
                agent, op = record["agent"], record["op"]
                self._notices[op] = Notice(agent=agent, op=op, cause=record["cause"], result=result)
            case "consume":
                self._consumed(record["ops"])
            case "abort":
                self._aborted(record["attempt"])
            case "give-up":
                # There is no other attempt after the last one.
                self.context.pop()
            case "withdraw":
                self._asked = None

    def _before(self, record: Record) -> str | None:
        """The operation in front of which a call was placed; None: after all others, or in the place of another."""
        place = self._places[record["op"]] = tuple(record["position"])
        if "replaces" in record:
            return None
        return next((entry.op for entry in self._log if self._places[entry.op] > place), None)

    def _say(self, name: str, args: Mapping[str, object], answer: Callable[[str], Message]) -> None:
        """A call of the agent, and what it was answered."""
        self._numbered += 1
        id = f"recalled-{self._numbered}"
        asked = ToolCall(id=id, name=name, arguments=json.dumps(dict(args), ensure_ascii=False))
        self.context += [Message(role="assistant", calls=(asked,)), answer(id)]

    def _call(self, answer: Callable[[str], Message]) -> None:
        """The call under way, as the agent made it."""
        call, before, replaces = self._asked
        args = dict(call.args)
        if replaces:
            self._say("rewrite", {"op": replaces, "arguments": args}, answer)
        elif before:
            self._say("insert_before", {"op": before, "tool": call.tool, "arguments": args}, answer)
        else:
            self._say(call.tool, args, answer)

    def _answered(self, op: str, result: Result) -> None:
        self._call(lambda id: answered(id, op, result))
        call, before, replaces = self._asked
        self._log, self._asked = entered(self._log, Entry(op, call, result), before, replaces), None

    def _consumed(self, ops: Sequence[str]) -> None:
        self.notified, told = True, {entry.op: entry.result for entry in self._log}
        notices = [self._notices.pop(op) for op in ops]
        now = {one.op: one.result for one in notices}
        self._log = tuple(Entry(one.op, one.call, now.get(one.op, one.result)) for one in self._log)
        self.context += noticed(self._log, told, notices)

    def _aborted(self, attempt: int) -> None:
        if self._asked:
            self._call(lambda id: rejected(id, UNDONE))
        self._log, self._notices, self._asked, self.notified = (), {}, None, False
        self.context.append(restarted(attempt + 1))


def _result(record: Record) -> Result:
    return Result(record["status"], frozen(record["value"]))
