"""Whether one record of a history has the fields that its kind has, and fits the records before it.

Knows no list of kinds: `coagent.history` has that table.
"""

import json
from collections.abc import Container, Mapping

from coagent.bad_input import BadInput
from coagent.field_kind import CHECKS, NAMED


class Known:
    """What the lines read so far have named: agents with their ranks and attempts, operations with their agents."""

    def __init__(self, header: Mapping) -> None:
        self.ranks = {agent["name"]: agent["rank"] for agent in header["agents"]}
        self.attempts = dict.fromkeys(self.ranks, 1)
        self.ops: dict[str, str] = {}

    def problem(self, record: Mapping) -> str:
        """What a record, whose fields are of the right kinds, says against the lines before it; or nothing."""
        kind, agent, op = record["event"], record.get("agent"), record.get("op")
        attempt = self.attempts.get(agent)
        match kind:
            case "launch" if record["rank"] != self.ranks[agent]:
                return f"launches {agent!r} with rank {record['rank']}, and the header says {self.ranks[agent]}"
            case "infer" | "invoke" | "abort" | "fork" | "merge" if record["attempt"] != attempt:
                return f"is of attempt {record['attempt']} of {agent!r}, whose attempt is {attempt} here"
            case "invoke" if op in self.ops:
                return f"names {op!r}, which is invoked already; every operation needs its own name"
            case "invoke" if record["position"][: len(self.ranks[agent])] != self.ranks[agent]:
                return f"places {op!r} at {record['position']}, which does not begin with its agent's rank"
            case _ if kind != "invoke" and agent is not None and self.ops.get(op, agent) != agent:
                return f"says that {op!r} is {agent!r}'s, and it is {self.ops[op]!r}'s"
        return ""

    def note(self, record: Mapping) -> None:
        """Learn from a record."""
        if record["event"] == "invoke":
            self.ops[record["op"]] = record["agent"]
        elif record["event"] == "abort":
            self.attempts[record["agent"]] += 1


def check_fields(
    record: dict, fields: Mapping[str, str], agents: Container[str], ops: Container[str], place: str
) -> None:
    """Raise BadInput naming the first field that is missing, of another kind, or unknown."""
    for name, kind in fields.items():
        if name not in record:
            if kind.startswith("?"):
                continue
            raise BadInput(f"the {record.get('event', 'header')!r} record lacks {name!r}", place)
        problem = _problem(record[name], kind.removeprefix("?"), agents, ops)
        if problem:
            raise BadInput(f"{name!r} of the {record.get('event', 'header')!r} record {problem}", place)
    extra = set(record) - set(fields) - {"event", "at", "crc"}
    if extra:
        raise BadInput(f"the {record.get('event', 'header')!r} record has an unknown field {min(extra)!r}", place)


def _problem(value: object, kind: str, agents: Container[str], ops: Container[str]) -> str:
    """What is wrong with a field, or nothing."""
    if kind == "op" and not (isinstance(value, str) and value in ops):
        return f"names {value!r}, an operation that no line before invoked"
    if kind == "ops" and not (isinstance(value, list) and all(isinstance(op, str) and op in ops for op in value)):
        return "is not a list of operations invoked before"
    if kind == "agent" and not (isinstance(value, str) and value in agents):
        return f"names {value!r}, an agent that the header does not list"
    if kind in CHECKS and not CHECKS[kind](value):
        return f"is {json.dumps(value)[:60]}, which is not {NAMED[kind]}"
    return ""
