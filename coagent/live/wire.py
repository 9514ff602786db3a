"""What goes over the network between a runtime and its agents, as JSON and back: turns, notices, logs, tools, events.

Decides nothing but the notation, and refuses what is not written in it: what arrives is somebody else's.
"""

import json
from collections.abc import Mapping
from itertools import takewhile

from coagent.actor import Entry
from coagent.event import Event, Finished, Invoked, Retracted
from coagent.history import frozen, plain, sightings_in, sightings_out
from coagent.live.seat import Turn
from coagent.operation import Call, Declaration, Notice, Result, Value
from coagent.program import report_out
from coagent.tool import Tool

Body = Mapping[str, object]

MAX_DEPTH = 12
"""Lists and objects inside one another, in a report or anywhere in a request."""

MAX_DIGITS = 1_000
"""Of an integer in a request."""


class Malformed(ValueError):
    """A text that is not what goes over this wire. The message is one sentence."""


def parsed(text: bytes) -> dict[str, object]:
    """A JSON object. Raises Malformed for no JSON, no object, a name twice, fractions, NaN, and what is too deep."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_float=_no_fraction, parse_constant=_no_fraction)
    except Malformed:
        raise
    except RecursionError:
        raise Malformed(f"the body is nested deeper than {MAX_DEPTH}; flatten it") from None
    except (ValueError, UnicodeDecodeError):
        raise Malformed("the body is no JSON in UTF-8; send one JSON object") from None
    if not isinstance(found, dict):
        raise Malformed("the body is JSON, but no object; send one JSON object")
    _shallow(found, MAX_DEPTH)
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("an object in the body has one name twice; send it once")
    return found


def _no_fraction(text: str) -> object:
    raise Malformed("the body has a number in it that is no integer; send integers, or texts")


def _shallow(value: object, left: int) -> None:
    if not left:
        raise Malformed(f"the body is nested deeper than {MAX_DEPTH}; flatten it")
    match value:
        case dict():
            for name, item in value.items():
                _shallow(name, left), _shallow(item, left - 1)
        case list():
            for item in value:
                _shallow(item, left - 1)
        case str():
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise Malformed("a text in the body has half a surrogate pair in it; send valid Unicode")
        case int() if value.bit_length() > MAX_DIGITS * 4:
            raise Malformed(f"an integer in the body has more than {MAX_DIGITS:,} digits; send a smaller one")


def checked(body: Body, required: Mapping[str, type], optional: Mapping[str, type] = {}) -> Body:
    """The body, when it has the required fields, perhaps the optional ones, no others, each of its kind."""
    known = {**required, **optional}
    for name in body:
        if name not in known:
            raise Malformed(f"there is no field {name[:60]!a} here; there are {', '.join(known) or 'none'}")
    for name, kind in known.items():
        if name not in body:
            if name in required:
                raise Malformed(f"the field {name!r} is missing")
        elif kind is not object and type(body[name]) is not kind:
            raise Malformed(f"the field {name!r} has to be {_KINDS[kind]}")
    return body


_KINDS = {str: "a text", int: "an integer", dict: "an object", list: "a list", bool: "true or false"}


# turns, notices, logs


def result_out(result: Result | None) -> object:
    """A result, or null for one that was cancelled."""
    return None if result is None else {"status": result.status, "value": plain(result.value)}


def result_in(found: Body | None) -> Result | None:
    """A result back."""
    return None if found is None else Result(found["status"], frozen(found["value"]))


def notice_out(notice: Notice) -> dict[str, object]:
    """A notice: data from the runtime, whatever texts its result holds."""
    return {
        "agent": notice.agent,
        "op": notice.op,
        "cause": notice.cause,
        "result": result_out(notice.result),
        "saw": sightings_out(notice.saw),
    }


def notice_in(found: Body) -> Notice:
    """A notice back."""
    given = {name: found[name] for name in ("agent", "op", "cause")}
    return Notice(**given, result=result_in(found["result"]), saw=sightings_in(found["saw"]))


def turn_out(turn: Turn) -> dict[str, object]:
    """A turn with its notices."""
    return {
        "kind": turn.kind,
        "op": turn.op,
        "result": result_out(turn.result),
        "notices": [notice_out(notice) for notice in turn.notices],
        "because": turn.because,
        "attempt": turn.attempt,
        "number": turn.number,
    }


def turn_in(found: Body) -> Turn:
    """A turn back."""
    given = {name: found[name] for name in ("kind", "op", "because", "attempt", "number")}
    return Turn(**given, result=result_in(found["result"]), notices=tuple(map(notice_in, found["notices"])))


def entry_out(entry: Entry) -> dict[str, object]:
    """An operation of a log."""
    return {"op": entry.op, **call_out(entry.call), "result": result_out(entry.result)}


def entry_in(found: Body) -> Entry:
    """An operation of a log back."""
    return Entry(found["op"], call_in(found), result_in(found["result"]))


def log_change(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> dict[str, object]:
    """What makes the new log of the old one: how many of its first entries stay, and what follows them."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(old, new, strict=False)))
    return {"keep": same, "more": [entry_out(entry) for entry in new[same:]]}


def log_changed(old: tuple[Entry, ...], change: Body) -> tuple[Entry, ...]:
    """The new log."""
    return (*old[: change["keep"]], *map(entry_in, change["more"]))


# tools and calls


def call_out(call: Call) -> dict[str, object]:
    """A call; its arguments as pairs, since their order is the tool's."""
    return {"tool": call.tool, "args": [[name, plain(value)] for name, value in call.args]}


def call_in(found: Body) -> Call:
    """A call back."""
    return Call(found["tool"], tuple((name, frozen(value)) for name, value in found["args"]))


def tool_out(tool: Tool) -> dict[str, object]:
    """What is told of a tool."""
    return {"name": tool.name, "says": tool.says, "schema": tool.schema}


def declaration_out(declaration: Declaration) -> dict[str, object]:
    """A footprint, without the image of a blind write: nobody but the runtime needs it."""
    return {
        "reads": list(declaration.reads),
        "writes": list(declaration.writes),
        "blind": declaration.blind,
        "recoverable": declaration.recoverable,
    }


def declaration_in(found: Body) -> Declaration:
    """A footprint back."""
    lists = {name: tuple(found[name]) for name in ("reads", "writes")}
    return Declaration(**lists, blind=found["blind"], recoverable=found["recoverable"])


# what an agent does


def act_out(what: Event) -> dict[str, object]:
    """What an inference ended in, without who: that is the token's to say."""
    match what:
        case Invoked(call=call, before=before, replaces=replaces):
            places = {"before": before, "replaces": replaces}
            placed = {name: op for name, op in places.items() if op is not None}
            args = {name: plain(value) for name, value in call.args}
            return {"kind": "call", "tool": call.tool, "args": args, **placed}
        case Retracted(op=op, last=last):
            return {"kind": "retract" if last else "drop", "op": op}
        case Finished(report=report):
            return {"kind": "finish", "report": report_out(report)}
        case _:
            raise TypeError(f"{type(what).__name__} is nothing that an agent does")


ACTS: Mapping[str, tuple[Mapping[str, type], Mapping[str, type]]] = {
    "call": ({"kind": str, "tool": str, "args": dict}, {"before": str, "replaces": str}),
    "retract": ({"kind": str, "op": str}, {}),
    "drop": ({"kind": str, "op": str}, {}),
    "finish": ({"kind": str, "report": object}, {}),
}
"""The fields of each kind of act: those that must be there, and those that may."""


def act_in(found: object) -> Body:
    """An act whose fields are all there, each of its kind. Raises Malformed."""
    if not isinstance(found, dict) or found.get("kind") not in tuple(ACTS):
        raise Malformed(f"the act has to be an object whose kind is one of {', '.join(ACTS)}")
    return checked(found, *ACTS[found["kind"]])


def report_in(found: object) -> Value | Body:
    """A report back: a value, or a failure as histories have it, `{"error": message}`. Raises Malformed."""
    match found:
        case {"error": str(), **more} if not more:
            return found
        case _ if _has_object(found):
            raise Malformed("the report has an object in it; send a text, an integer, true, false, null or a list")
        case _:
            return frozen(found)


def _has_object(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_object, value)))


def text(data: object) -> str:
    """JSON on one line."""
    return json.dumps(data, separators=(",", ":"))
