"""Events as JSON and back, so that an engine can be fed again with what it was fed: lists stand for tuples.

Decides nothing but the notation.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from coagent import event
from coagent.history import frozen
from coagent.operation import Call, Declaration, Result, Sighting

_KINDS = {
    kind.__name__.lower(): kind
    for kind in (
        event.Launched,
        event.Inferring,
        event.Invoked,
        event.Retracted,
        event.Finished,
        event.Died,
        event.Performed,
        event.Merged,
    )
}
_NESTED = {"call": Call, "declaration": Declaration, "result": Result}


def event_out(what: event.Event) -> dict[str, object]:
    """An event as JSON has it, its kind under `kind`; fields at their defaults are left out."""
    return {"kind": type(what).__name__.lower(), **_out(what)}


def event_in(record: Mapping[str, object]) -> event.Event:
    """The event back. Raises KeyError or TypeError for what is none."""
    given = {name: value for name, value in record.items() if name != "kind"}
    for name, nested in _NESTED.items():
        if name in given:
            given[name] = nested(**{key: frozen(value) for key, value in given[name].items()})
    if "saw" in given:
        given["saw"] = tuple(Sighting(**{key: frozen(value) for key, value in one.items()}) for one in given["saw"])
    return _KINDS[record["kind"]](**{name: frozen(value) for name, value in given.items()})


def _out(value: object) -> object:
    match value:
        case tuple():
            return [_out(item) for item in value]
        case _ if is_dataclass(value):
            found = {one.name: (getattr(value, one.name), one.default) for one in fields(value)}
            return {name: _out(held) for name, (held, default) in found.items() if not _is(held, default)}
        case _:
            return value


def _is(value: object, default: object) -> bool:
    """Whether a field is at its default; booleans are not integers."""
    return type(value) is type(default) and value == default
