"""Makes a history shorter and back again: records to rows, a straight call to one row, and rows to the same records.

What a row cannot hold exactly, field for field and in order, stays as it was recorded. Judges nothing.
"""

import json
from collections.abc import Callable, Mapping
from itertools import chain
from operator import itemgetter

import numpy as np

from coagent.column import FLAT, SCALARS, TIMES
from coagent.field_kind import is_value
from coagent.history import RECORDS, History, Record
from coagent.table import FIELD, KIND, STATUSES, Form, Table

TOP = 2**31 - 1
_INVOKED = ("position", "tool", "args", "reads", "writes", "blind", "recoverable")
_DEFAULT = (
    dict.fromkeys((*SCALARS, *TIMES), -1)
    | dict.fromkeys(("skip", "before_infer", "before_inferred", "before_invoke"), 0)
    | dict.fromkeys(FLAT, ())
)


class Misfit(Exception):
    """A record that the columns cannot hold exactly."""


def compacted(history: History) -> Table:
    """The history as columns, every straight call in one row; `expanded` gives back the same records."""
    packing = Packing(history.header)
    for record in history.records:
        packing.take(record)
    return packing.table(history.where)


class Packing:
    """Takes the records of a history one by one, in order, and makes the table of them."""

    def __init__(self, header: Record) -> None:
        self.header = header
        self.agents = {one["name"]: (index, one["rank"]) for index, one in enumerate(header["agents"])}
        self.paths: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.known: dict[object, int] = {}
        self.forms: dict[Form, int] = {}
        self.ops: dict[str, int] = {}
        self.shapes: dict[tuple[str, ...], list[tuple[str, Callable]] | None] = {}
        self.slots: list[tuple | Record | None] = []
        self.thinking: dict[str, list[int]] = {}
        self.invoked: dict[str, tuple[int, dict]] = {}

    def take(self, record: Record) -> None:
        """One more record."""
        kind, at = record["event"], len(self.slots)
        self.slots.append(record)
        match kind:
            case "infer":
                self.thinking[record["agent"]] = [at]
            case "inferred":
                before = self.thinking.get(record["agent"], [])
                self.thinking[record["agent"]] = [before[0], at] if len(before) == 1 else []
            case "invoke":
                self.invoke(record, at)
            case "result" if record["op"] in self.invoked:
                self.straight(record, at, *self.invoked.pop(record["op"]))

    def invoke(self, record: Record, at: int) -> None:
        """Number an operation, when the columns can name and place it; nothing else in them may then speak of it."""
        row, op = dict(_DEFAULT), record["op"]
        self.ops[op] = len(self.ops)
        try:
            self.fill(row, record)
        except Misfit:
            del self.ops[op]
            return
        if "replaces" not in record:
            self.invoked[op] = at, row

    def straight(self, record: Record, at: int, invoked: int, row: dict) -> None:
        """Make one row of a call that went straight through, when it fits."""
        invoke = self.slots[invoked]
        first = at
        if invoke["writes"]:
            first = at - 2
            prepare, done = self.slots[first], self.slots[at - 1]
            if not (_is(prepare, "prepare", record["op"]) and _is(done, "exec", record["op"])):
                return
            if not (prepare["at"] == done["at"] == record["at"] and done["status"] == record["status"]):
                return
        thought = self.thinking.get(record["agent"], [])
        early = [*thought, invoked] if len(thought) == 2 and thought[1] < invoked else [invoked]
        if len(early) == 3 and self.slots[early[0]]["attempt"] != invoke["attempt"]:
            early = [invoked]
        rows = [self.slots[place] for place in early]
        if record["agent"] != invoke["agent"]:
            return
        try:
            for one in (*rows[:-1], *self.slots[first : at + 1]):
                self.fill(row, one)
        except Misfit:
            return
        row["kind"] = KIND["call"]
        for one, place in zip(rows, early, strict=True):
            row[f"before_{one['event']}"], row[f"at_{one['event']}"] = first - place, one["at"]
        for place in (*early, *range(first, at)):
            self.slots[place] = None
        if len(early) == 3:
            self.thinking[record["agent"]] = []
        self.slots[at] = _tuple(row)

    def fill(self, row: dict, record: Record) -> None:
        """Put a record's fields in a row. Raises Misfit when they are not just those of its kind, in order."""
        kind = record["event"]
        shape = (kind, *record)
        if shape not in self.shapes:
            self.shapes[shape] = _fillers(kind, record)
        fillers = self.shapes[shape]
        if fillers is None or type(record["at"]) is not float:
            raise Misfit
        row["at_end"] = record["at"]
        if "tool" in record:
            self.fill_form(row, record, kind)
        for name, filler in fillers:
            filler(self, row, name, record[name])

    def fill_form(self, row: dict, record: Record, kind: str) -> None:
        args = record["args"]
        if not isinstance(record["tool"], str):
            raise Misfit
        if kind == "hold":
            form = Form(record["tool"], tuple(args), None, None, False, True)
        else:
            rank = self.agents[record["agent"]][1]
            position = record["position"]
            if not all(type(record[name]) is bool for name in ("blind", "recoverable")):
                raise Misfit
            if position[:-1] == rank and type(position[-1]) is int and abs(position[-1]) < TOP:
                row["key"] = position[-1]
            else:
                row["place"] = self.text(position)
            reads, writes = _named(record["reads"], args), _named(record["writes"], args)
            form = Form(record["tool"], tuple(args), reads, writes, record["blind"], record["recoverable"])
            row["reads"] = self.text(record["reads"]) if reads is None else -1
            row["writes"] = self.text(record["writes"]) if writes is None else -1
            row["number"] = self.called(record["op"], record["agent"])
        row["form"] = self.forms.setdefault(form, len(self.forms))
        row["args"], row["args_value"] = len(args), [self.cell(value) for value in args.values()]

    def called(self, op: str, agent: str) -> int:
        number = op[len(agent) + 1 :]
        if op == f"{agent}.{number}" and number.isascii() and number.isdigit() and str(int(number)) == number:
            if int(number) < TOP:
                return int(number)
        return -2 - self.text(op)

    def path(self, path: str) -> int:
        return self.paths.setdefault(_whole(path), len(self.paths))

    def cell(self, value: object) -> int:
        """A value that a cell may hold."""
        if not is_value(value):
            raise Misfit
        return self.text(value)

    def text(self, value: object) -> int:
        """Any JSON, by its text."""
        key = (type(value), value) if isinstance(value, int | str | None) else None
        found = self.known.get(key) if key else None
        if found is None:
            text = _whole(json.dumps(value, ensure_ascii=False))
            found = self.texts.setdefault(text, len(self.texts))
            if key:
                self.known[key] = found
        return found

    def op(self, op: str | None) -> int:
        if op is None:
            return -1
        if op not in self.ops:
            raise Misfit
        return self.ops[op]

    def table(self, where: str) -> Table:
        """The table of what was taken."""
        rows, records, skips, skip = [], [], [], 0
        for slot in self.slots:
            if slot is None:
                skip += 1
                continue
            if not isinstance(slot, tuple):
                slot = self.row(slot, records)
            late = 3 if slot[_KIND_AT] == KIND["call"] and slot[_CAPTURED_AT] >= 0 else 1
            skips.append(skip - (late - 1))
            rows.append(slot)
            skip = 0
        columns = _columns(rows)
        columns["skip"] = np.array(skips, np.int32)
        return Table(
            header=self.header,
            columns=columns,
            paths=list(self.paths),
            texts=list(self.texts),
            forms=list(self.forms),
            records=records,
            where=where,
        )

    def row(self, record: Record, records: list[Record]) -> tuple:
        """A record as a row of its own; verbatim when it does not fit."""
        row = dict(_DEFAULT)
        try:
            if record["event"] not in KIND:
                raise Misfit
            self.fill(row, record)
            row["kind"] = KIND[record["event"]]
        except Misfit:
            row = {**_DEFAULT, "kind": KIND["verbatim"]}
            records.append({name: value for name, value in record.items() if name != "crc"})
        return _tuple(row)


def _fillers(kind: str, record: Record) -> list[tuple[str, Callable]] | None:
    """What puts each field of such a record in a row; None when its fields are not those of the kind, in order."""
    fields = RECORDS[kind]
    names = [name for name in fields if name in record or not fields[name].startswith("?")]
    if ("tool" in record) != ("args" in record) or "refused" in record:
        return None
    if ["at", "event", *names] != [name for name in record if name != "crc"]:
        return None
    return [(name, _FILL[name]) for name in names if name not in _INVOKED]


def _is(slot: object, kind: str, op: str) -> bool:
    return isinstance(slot, Mapping) and slot["event"] == kind and slot["op"] == op


def _named(paths: list[str], args: Mapping[str, object]) -> tuple[str, ...] | None:
    """The arguments whose values are these paths, in order; None when some path is no argument's."""
    by_value = {value: name for name, value in reversed(args.items()) if isinstance(value, str)}
    names = tuple(by_value.get(path) for path in paths)
    return None if None in names or "" in paths else names


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misfit from None
    return text


def _integer(packing: Packing, row: dict, name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= TOP:
        raise Misfit
    row[FIELD.get(name, name)] = value


def _fill_agent(packing: Packing, row: dict, name: str, value: str) -> None:
    row["agent"] = packing.agents[value][0]


def _fill_op(packing: Packing, row: dict, name: str, value: str) -> None:
    row[FIELD.get(name, name)] = packing.op(value)


def _fill_ops(packing: Packing, row: dict, name: str, value: list[str]) -> None:
    row["ops"], row["ops_op"] = len(value), [packing.op(op) for op in value]


def _fill_text(packing: Packing, row: dict, name: str, value: object) -> None:
    row[FIELD.get(name, name)] = packing.text(value)


def _fill_status(packing: Packing, row: dict, name: str, value: str) -> None:
    row["status"] = STATUSES.index(value)


def _fill_flag(packing: Packing, row: dict, name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise Misfit
    row["flag"] = int(value)


def _fill_sightings(packing: Packing, row: dict, name: str, value: Mapping[str, Mapping]) -> None:
    row[name] = len(value)
    if any(tuple(one) not in (("value", "writer"), ("writer",)) for one in value.values()):
        raise Misfit
    row[f"{name}_path"] = [packing.path(path) for path in value]
    row[f"{name}_value"] = [packing.cell(one["value"]) if "value" in one else -1 for one in value.values()]
    row[f"{name}_writer"] = [packing.op(one["writer"]) for one in value.values()]


def _fill_cells(packing: Packing, row: dict, name: str, value: Mapping[str, Mapping]) -> None:
    if any(tuple(one) not in ((), ("value",)) for one in value.values()):
        raise Misfit
    row["wrote"], row["wrote_path"] = len(value), [packing.path(path) for path in value]
    row["wrote_value"] = [packing.cell(one["value"]) if one else -1 for one in value.values()]


_FILL: Mapping[str, Callable[[Packing, dict, str, object], None]] = {
    "agent": _fill_agent,
    "op": _fill_op,
    "ops": _fill_ops,
    "status": _fill_status,
    "cancelled": _fill_flag,
    "saw": _fill_sightings,
    "captured": _fill_sightings,
    "wrote": _fill_cells,
    **dict.fromkeys(("value", "route", "decision", "action"), _fill_text),
    **dict.fromkeys(("by", "cause", "heir", "replaces"), _fill_op),
    **dict.fromkeys(("attempt", "prompt_tokens", "cached_tokens", "output_tokens"), _integer),
}
_ORDER = (*SCALARS, *TIMES)
_SCALARS_OF, _LISTS_OF = itemgetter(*_ORDER), itemgetter(*FLAT)
_KIND_AT, _CAPTURED_AT = _ORDER.index("kind"), _ORDER.index("captured")


def _tuple(row: dict) -> tuple:
    """A row as a tuple: its numbers, then its lists."""
    return (*_SCALARS_OF(row), *_LISTS_OF(row))


def _columns(rows: list[tuple]) -> dict[str, np.ndarray]:
    found = {}
    for at, name in enumerate(_ORDER):
        found[name] = np.fromiter((row[at] for row in rows), np.float64 if name in TIMES else np.int32, len(rows))
    for at, name in enumerate(FLAT, len(_ORDER)):
        found[name] = np.fromiter(chain.from_iterable(row[at] for row in rows), np.int32)
    return found
