"""Reads a list-append history straight into columns, from JSON lines or EDN lines, or declines.

The fast road beside `elle.py`: it takes only what it has checked through and through, plain
transactions of integers by integer processes, and returns None for anything else, which the
careful reader then reads or refuses with the exact place. It never refuses anything itself.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, compress

import numpy as np
import orjson

from checker.columns import COMMITTED, NEVER, STATUS, UNKNOWN, Array, Columns

CHUNK = 700_000
"""Bytes that are taken apart at once."""

LONGEST = 10_000_000
"""Bytes of the longest line that is read here."""

_ENDS = {"ok": STATUS["committed"], "fail": STATUS["aborted"], "info": STATUS["unknown"]}
_FIELDS, _WORDS = ("index", "type", "process", "value", "time", "f"), (*_ENDS, "invoke", "txn", "append", "r")
"""The keywords of a history in EDN, as keys of its maps and as values; with any other the careful reader reads it."""

_MADE_JSON = tuple(
    (b":%b " % word.encode(), b'"%b"%b' % (word.encode(), after))
    for words, after in ((_FIELDS, b":"), (_WORDS, b","))
    for word in words
)

_PLAIN_EDN = bytes(range(97, 123)) + b"0123456789:,{}[] \t\r\n"


class _Other(Exception):
    """Something that only the careful reader decides."""


@dataclass(slots=True)
class _Rows:
    """What is known of the lines so far: a transaction a row, and what each line that tells its steps tells.

    `open` is the transaction that each process runs, with the steps that it invoked; without
    `paired` every line is a transaction. `owner`, `steps` and `parts` are by telling line and step.
    """

    paired: bool
    lines: int = 0
    status: list[int] = field(default_factory=list)
    process: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    index: list[object] = field(default_factory=list)
    open: dict[int, tuple[int, list]] = field(default_factory=dict)
    owner: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    parts: dict[str, list[Array]] = field(default_factory=dict)


def load_columns(raw: bytes) -> Columns | None:
    """The history in columns; None when anything in it needs the careful reader, right or wrong."""
    head = raw[:4096].lstrip()
    edn = head.startswith(b"{:")
    if b"\0" in raw or not (edn or head.startswith(b'{"')):
        return None
    rows = None
    try:
        with _quiet_collector():
            for chunk in _chunks(raw):
                maps = _edn(chunk) if edn else _json(chunk)
                rows = rows or _Rows(paired=maps[0]["type"] == "invoke")
                _taken(rows, maps)
            return _columns(rows) if rows else None
    except (_Other, KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError):
        return None


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Millions of lists are made and none is in a ring: the collector would only walk them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _chunks(raw: bytes) -> Iterator[bytes]:
    """The text in pieces of whole lines."""
    start = 0
    while start < len(raw):
        end = raw.rfind(b"\n", start, start + CHUNK) + 1 if start + CHUNK < len(raw) else len(raw)
        if end <= start:
            raise _Other
        if chunk := raw[start:end].strip():
            yield chunk
        start = end


def _json(chunk: bytes) -> list[dict]:
    lines = chunk.split(b"\n")
    if max(map(len, lines), default=0) > LONGEST:
        raise _Other
    return [orjson.loads(line) for line in lines if line]


def _edn(chunk: bytes) -> list[dict]:
    """EDN maps, one a line, made JSON: as known keywords, integers, nil and brackets are all there is, only commas,
    spaces and quotes need to change. What is left wrong is no JSON."""
    if chunk.translate(None, _PLAIN_EDN):
        raise _Other
    text = chunk.replace(b"\r\n", b"\n").translate(bytes.maketrans(b",\t", b"  "))
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    for spaced, close in ((b"[ ", b"["), (b"{ ", b"{"), (b" ]", b"]"), (b" }", b"}"), (b" \n", b"\n"), (b"\n ", b"\n")):
        text = text.replace(spaced, close)
    text = text.replace(b"][", b"] [")
    for word, made in _MADE_JSON:
        text = text.replace(word, made)
    return [orjson.loads(line) for line in text.replace(b" nil]", b",null]").replace(b" ", b",").split(b"\n")]


def _only(found: set, allowed: set) -> None:
    if not found <= allowed:
        raise _Other


def _taken(rows: _Rows, maps: Sequence[dict]) -> None:
    """Adds lines to the rows; _Other when one is not plain."""
    fields = _fields(maps)
    types, processes, values = fields["type"], fields["process"], fields["value"]
    _only(set(types), {"invoke", *_ENDS} if rows.paired else set(_ENDS))
    _only(set(map(type, processes)), {int})
    _only(set(map(type, values)), {list})
    rows.index += fields.get("index", [None] * len(maps))
    _kinds([steps for steps, kind in zip(values, types, strict=True) if kind == "invoke"])
    told = _paired(rows, types, processes, values) if rows.paired else _alone(rows, types, processes, values)
    rows.steps += map(len, told)
    _steps(rows, list(chain.from_iterable(told)))


def _fields(maps: Sequence[dict]) -> dict[str, Sequence]:
    """The columns of the fields. Those that are not used are checked too, as nothing in them may be what the careful
    reader refuses."""
    _only(set(map(type, maps)), {dict})
    shapes = set(map(tuple, maps))
    if len(shapes) == 1:
        (names,) = shapes
        found = dict(zip(names, zip(*map(dict.values, maps), strict=True), strict=True))
    else:
        found = {name: [one.get(name) for one in maps] for name in set().union(*shapes)}
    _only(set(found), {"index", "type", "process", "f", "value", "time", "error"})
    for name, allowed in (("index", int), ("time", int), ("error", str)):
        if name in found:
            _only(set(map(type, found[name])), {allowed, type(None)})
    if "f" in found:
        _only(set(found["f"]), {"txn", None})
    return found


def _alone(rows: _Rows, types: Sequence[str], processes: Sequence[int], values: Sequence[list]) -> Sequence[list]:
    """Every line a transaction of its own, which begins nowhere."""
    first, rows.lines = rows.lines, rows.lines + len(types)
    rows.status += [_ENDS[kind] for kind in types]
    rows.process += processes
    rows.begun += [NEVER] * len(types)
    rows.ended += range(first, rows.lines)
    rows.owner += range(first, rows.lines)
    return values


def _paired(rows: _Rows, types: Sequence[str], processes: Sequence[int], values: Sequence[list]) -> list[list]:
    """Notes the transactions that begin and end; the steps told by those that end."""
    told, place = [], rows.lines
    for kind, process, steps in zip(types, processes, values, strict=True):
        if kind == "invoke":
            if process in rows.open:
                raise _Other
            rows.open[process] = len(rows.begun), steps
            rows.begun.append(place)
            rows.ended.append(NEVER)
            rows.status.append(UNKNOWN)
            rows.process.append(process)
        else:
            number, invoked = rows.open.pop(process)
            rows.ended[number] = place
            rows.status[number] = _ENDS[kind]
            rows.owner.append(number)
            told.append(steps if steps or kind == "ok" else invoked)
        place += 1
    rows.lines = place
    return told


def _kinds(values: list[list]) -> None:
    """Checks the steps of invocations, of which only what they are counts."""
    steps = list(chain.from_iterable(values))
    _only(set(map(type, steps)), {list})
    _only(set(map(len, steps)), {2, 3})
    _only({step[0] for step in steps}, {"r", "append"})


def _steps(rows: _Rows, steps: list[list]) -> None:
    """Adds the columns of these steps: kind, key, element appended, and the lists read."""
    _only(set(map(type, steps)), {list})
    _only(set(map(len, steps)), {3})
    flat = list(chain.from_iterable(steps))
    kinds, keys, values = flat[::3], flat[1::3], flat[2::3]
    _only(set(kinds), {"r", "append"})
    _only(set(map(type, keys)), {int})
    appends = np.fromiter(map(len, kinds), np.int8, len(kinds)) > 1
    added = list(compress(values, appends.tolist()))
    lists = list(compress(values, (~appends).tolist()))
    _only(set(map(type, added)), {int})
    _only(set(map(type, lists)), {list, type(None)})
    read = [one or () for one in lists]
    seen = list(chain.from_iterable(read))
    _only(set(map(type, seen)), {int})
    length = np.zeros(len(steps), np.int64)
    length[~appends] = np.fromiter(map(len, read), np.int64, len(read))
    element = np.full(len(steps), NEVER, np.int64)
    element[appends] = np.array(added, np.int64)
    columns = {"key": np.array(keys, np.int64), "appends": appends, "element": element, "length": length}
    for name, column in (columns | {"seen": np.array(seen, np.int64)}).items():
        rows.parts.setdefault(name, []).append(column)


def _columns(rows: _Rows) -> Columns:
    """The transactions of the lines, in the order of their invocations, each with the steps that a line told."""
    waiting = list(rows.open.values())
    rows.owner += [number for number, _ in waiting]
    rows.steps += [len(steps) for _, steps in waiting]
    _steps(rows, [step for _, steps in waiting for step in steps])
    parts = {name: np.concatenate(parts) for name, parts in rows.parts.items()}
    if not parts["appends"].any():
        raise _Other
    status = np.array(rows.status, np.int8)
    owner = np.repeat(np.array(rows.owner, np.int64), rows.steps)
    step = np.argsort(owner, kind="stable")
    step = step[(status[owner[step]] == COMMITTED) | parts["appends"][step]]
    keys, key = np.unique(parts["key"][step], return_inverse=True)
    begun, ended = np.array(rows.begun, np.int64), np.array(rows.ended, np.int64)
    return Columns(
        names=_names(rows.index, np.where(ended == NEVER, begun, ended)),
        status=status,
        session=np.array(rows.process, np.int64),
        begun=begun,
        ended=ended if rows.paired else np.full(len(ended), NEVER),
        owner=owner[step],
        key=key,
        appends=parts["appends"][step],
        element=parts["element"][step],
        start=(np.cumsum(parts["length"]) - parts["length"])[step],
        length=parts["length"][step],
        seen=parts["seen"],
        keys=tuple(keys.tolist()),
    )


def _names(index: list[object], last: Array) -> tuple[str, ...]:
    """`T` and the index of each transaction's last line, or its place when not every line has an index of its own."""
    own = set(map(type, index)) == {int} and len(set(index)) == len(index)
    return tuple([f"T{index[place]}" for place in last.tolist()] if own else [f"T{place}" for place in last.tolist()])
