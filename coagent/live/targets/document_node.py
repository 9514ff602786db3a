"""What a node of a CRDT document is as the value of a cell, and how a node becomes another value with few edits.

Few edits, as other peers' edits of the same text or list are merged with ours, and theirs shall survive. Knows
nothing of files and paths.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from coagent.bad_input import BadInput
from coagent.live.target import Refused
from coagent.operation import Cell, Value, same

try:
    from pycrdt import Array, Map, Text
except ImportError:
    raise BadInput("documents need pycrdt, which is not installed; pip install 'coagent-mtpo[live]'") from None

EXACT = 2**53
"""A number in a document is a double: up to here it holds every integer."""


def cell_of(node: object) -> Cell:
    """The value of a node: texts, whole numbers, booleans, null and lists of those; absent for anything else.

    A number with a fraction is the shortest text of it.
    """
    if isinstance(node, float) and not _whole(node):
        return (repr(node),)
    try:
        return (_value(node),)
    except TypeError:
        return ()


def _whole(node: float) -> bool:
    return node.is_integer() and abs(node) <= EXACT


def _value(node: object) -> Value:
    match node:
        case Text():
            return str(node)
        case Array() | list():
            return tuple(_value(item) for item in node)
        case float() if _whole(node):
            return int(node)
        case None | bool() | int() | str():
            return node
        case _:
            raise TypeError("no value of a cell")


def kept_of(node: object) -> Mapping[str, object]:
    """What a node is beside its value, as JSON, where writing the value anew would not make it so."""
    match node:
        case Text():
            runs = [[run, attributes] for run, attributes in node.diff()]
            plain = all(isinstance(run, str) and not attributes for run, attributes in runs)
            return {} if plain else {"runs": _whole_numbers(runs)}
        case str() | list():
            return {"plain": True}
        case float() if not _whole(node) or str(node) == "-0.0":
            return {"number": node.hex()}
        case _:
            return {}


def _whole_numbers(found: object) -> object:
    """As JSON; what a text embeds that is no JSON is told by its type alone, and cannot be made again."""
    return json.loads(json.dumps(found, default=lambda one: {"embedded": type(one).__name__}))


def digest(node: object) -> str:
    """128 bits that tell what a node is now from what it was."""
    text = json.dumps([type(node).__name__, cell_of(node), kept_of(node)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def put(holder: Map, name: str, value: Value, kept: Mapping[str, object]) -> None:
    """Let the node of this name have this value; `kept` is what it is beside it, if that was of the same value."""
    check(value)
    node = holder[name] if name in holder else None
    if name in holder and not cell_of(node):
        raise Refused(f"{name!r} holds something that is no value here, and would be lost")
    made = _brought_back(value, kept)
    if made is not None:
        if type(node) is not type(made) or not same(node, made):
            holder[name] = made
        return
    match node, value:
        case Text(), str():
            _edit(node, value, kept.get("runs"))
        case Array(), tuple():
            _splice(node, value)
        case (str(), str()) | (list(), tuple()):
            if not same(_value(node), value):
                holder[name] = _plain(value)
        case _ if name not in holder or cell_of(node) != (value,) or not same(cell_of(node)[0], value):
            _make(holder, name, value, kept)


def _brought_back(value: Value, kept: Mapping[str, object]) -> object:
    """A node without parts of its own, as it was; None where `kept` says nothing or is of another value."""
    match kept:
        case {"number": str(text)} if cell_of(float.fromhex(text)) == (value,):
            return float.fromhex(text)
        case {"plain": True} if isinstance(value, str | tuple):
            return _plain(value)
        case _:
            return None


def _plain(value: Value) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _make(holder: Map, name: str, value: Value, kept: Mapping[str, object]) -> None:
    match value:
        case str():
            holder[name] = Text()
            _edit(holder[name], value, kept.get("runs"))
        case tuple():
            holder[name] = Array(_plain(value))
        case _:
            holder[name] = value


def _edit(text: Text, value: str, runs: object) -> None:
    """Replace the part in which the texts differ; where `runs` are of this text, let formats be as in them too."""
    if runs is not None and "".join(run for run, _ in runs if isinstance(run, str)) == value:
        _run(text, value, runs)
        return
    old = str(text)
    if old == value:
        return
    if any(not isinstance(run, str) for run, _ in text.diff()):
        raise Refused("this text embeds something that is no text, and cannot be edited here")
    head, tail = _common(old, value)
    # Places in a text count bytes of UTF-8.
    start = len(old[:head].encode())
    stop = start + len(old[head : len(old) - tail].encode())
    if stop > start:
        del text[start:stop]
    if added := value[head : len(value) - tail]:
        text.insert(start, added)


def _run(text: Text, value: str, runs: Sequence) -> None:
    now = _whole_numbers([[run, attributes] for run, attributes in text.diff()])
    if now == runs:
        return
    if any(isinstance(run, dict) and "embedded" in run for run, _ in runs):
        raise Refused("this text embedded something that cannot be made again")
    text.clear()
    names = {name for _, attributes in runs for name in attributes or ()}
    for run, attributes in runs:
        # A text that is put in takes on the formats on its left unless told otherwise.
        formats = {**dict.fromkeys(names), **(attributes or {})}
        (text.insert if isinstance(run, str) else text.insert_embed)(len(text), run, formats)


def _splice(array: Array, value: tuple[Value, ...]) -> None:
    old = _value(array)
    head, tail = _common(old, value)
    if len(old) - tail > head:
        del array[head : len(old) - tail]
    for place, item in enumerate(value[head : len(value) - tail], start=head):
        array.insert(place, _plain(item))


def _common(old: Sequence, new: Sequence) -> tuple[int, int]:
    """How long a beginning and an end the two share; together no longer than the shorter."""
    most = min(len(old), len(new))
    head = next((place for place in range(most) if not same(old[place], new[place])), most)
    rest = most - head
    return head, next((place for place in range(rest) if not same(old[-1 - place], new[-1 - place])), rest)


def check(value: Value) -> None:
    """Raise Refused for what a document cannot hold: integers beyond 2**53, and text that has no UTF-8."""
    match value:
        case int() if abs(value) > EXACT:
            raise Refused("a document holds integers up to 2**53 only")
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Refused("this text has characters that a document cannot hold") from None
        case tuple():
            for item in value:
                check(item)
