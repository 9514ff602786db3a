"""A recorded history as columns: one row for each record, and a single row, a `call`, for an operation that went
straight through. Holds what the records hold, exactly and in their order; judges nothing.

Paths, JSON values and the shapes of calls are numbered once and meant by their numbers, so that two
cells are equal when their numbers are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from coagent.column import LISTS, SCALARS, TIMES
from coagent.history import Record

KINDS = (
    "verbatim",
    "call",
    "infer",
    "inferred",
    "invoke",
    "prepare",
    "exec",
    "undo",
    "redo",
    "mask",
    "result",
    "refresh",
    "notify",
    "consume",
    "judge",
    "repair",
    "hold",
    "inherit",
)
"""What a row is, by number. `verbatim` is any record that the columns do not hold, kept as it is; `call` stands for
infer, inferred (both may be missing) and invoke, which stood earlier, and for prepare and exec (neither, for a call
that only reads) and result, which stood together where the row stands."""

KIND = {name: number for number, name in enumerate(KINDS)}

FIELD = {
    "by": "other",
    "cause": "other",
    "heir": "other",
    "replaces": "other",
    "decision": "word",
    "action": "word",
    "cancelled": "flag",
    "prompt_tokens": "prompt",
    "cached_tokens": "cached",
    "output_tokens": "output",
}
"""The column of a field, where it is not called as the field is."""

STATUSES = ("ok", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Form:
    """The shape of a call: tool, names of its arguments, and what it declares.

    `reads` and `writes` name the arguments whose values are the paths, in order; None where the row spells them out.
    """

    tool: str
    args: tuple[str, ...]
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    blind: bool
    recoverable: bool

    def text(self) -> str:
        """The form as JSON."""
        return json.dumps([self.tool, self.args, self.reads, self.writes, self.blind, self.recoverable])


def form_of(text: str) -> Form:
    """A form from its JSON. Raises ValueError when it is none."""
    shape = json.loads(text)
    match shape:
        case [str() as tool, list() as args, reads, writes, bool() as blind, bool() as recoverable]:
            names = [None if one is None else tuple(one) for one in (args, reads, writes)]
            if all(isinstance(name, str) for many in names for name in many or ()) and len(set(args)) == len(args):
                if set(names[1] or ()) | set(names[2] or ()) <= set(args):
                    return Form(tool, names[0], names[1], names[2], blind, recoverable)
    raise ValueError(f"{text[:60]} is no form of a call")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A history as columns. `columns` by name are int32 (TIMES float64), rows in the order of their last records;
    `paths` are strings, `texts` JSON, `records` the verbatim ones in order."""

    header: Record
    columns: Mapping[str, np.ndarray]
    paths: Sequence[str]
    texts: Sequence[str]
    forms: Sequence[Form]
    records: Sequence[Record]
    where: str = ""
    _known: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.columns["kind"])

    def starts(self, name: str) -> np.ndarray:
        """Where each row's entries of a list begin, and where the last ones end: n + 1 numbers."""
        if name not in self._known:
            counts = np.maximum(self.columns[name], 0)
            self._known[name] = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        return self._known[name]

    def values(self) -> list[object] | None:
        """The texts as JSON values; None when one is no JSON."""
        if "values" not in self._known:
            self._known["values"] = _values(self.texts)
        return self._known["values"]

    @property
    def late(self) -> np.ndarray:
        """How many records stand together at each row: 3 for a call that writes, otherwise 1."""
        writing = (self.columns["kind"] == KIND["call"]) & (self.columns["captured"] >= 0)
        return np.where(writing, 3, 1)

    def first(self) -> np.ndarray:
        """The place, among all records in full, of the first record that stands at each row."""
        if "first" not in self._known:
            late = self.late
            self._known["first"] = np.cumsum(self.columns["skip"].astype(np.int64) + late) - late
        return self._known["first"]

    @property
    def owners(self) -> np.ndarray:
        """The rows that invoke the operations, by operation."""
        if "owners" not in self._known:
            kind = self.columns["kind"]
            rows = np.flatnonzero((kind == KIND["call"]) | (kind == KIND["invoke"]))
            found = np.full(len(rows), -1, np.int64)
            found[self.columns["op"][rows]] = rows
            self._known["owners"] = found
        return self._known["owners"]


def _values(texts: Sequence[str]) -> list[object] | None:
    import orjson

    try:
        found = orjson.loads("[" + ",".join(texts) + "]")
        if len(found) == len(texts):
            return found
    except ValueError:
        pass
    try:
        return [json.loads(text) for text in texts]
    except (ValueError, RecursionError):
        return None


def fault(table: Table) -> str:
    """What keeps the columns from fitting together, or nothing: every number in range, every record in one place."""
    columns, rows = table.columns, len(table)
    for name in (*SCALARS, *TIMES):
        if len(columns[name]) != rows:
            return f"{name} has {len(columns[name])} entries for {rows} rows"
    for name, parts in LISTS.items():
        total = int(np.maximum(columns[name], 0).sum())
        for part in parts:
            if len(columns[part]) != total:
                return f"{part} has {len(columns[part])} entries, and {name} counts {total}"
    if table.values() is None:
        return "a text is no JSON"
    return _numbers_fault(table) or _ranges_fault(table) or _places_fault(table)


def _numbers_fault(table: Table) -> str:
    kind, op = table.columns["kind"], table.columns["op"]
    if len(kind) and not 0 <= kind.min() <= kind.max() < len(KINDS):
        return "a row is of an unknown kind"
    if (kind == KIND["verbatim"]).sum() != len(table.records):
        return "some verbatim records have no row, or rows no record"
    invoking = op[among(kind, _INVOKED)]
    named = np.zeros(len(invoking), bool)
    if len(invoking) and not 0 <= invoking.min() <= invoking.max() < len(invoking):
        return "the operations are not numbered one by one"
    named[invoking] = True
    if not named.all():
        return "two operations have one number"
    return ""


def _ranges_fault(table: Table) -> str:
    columns, texts, kind = table.columns, len(table.texts), table.columns["kind"]
    invoking = (kind == KIND["call"]) | (kind == KIND["invoke"])
    ops, paths = int(invoking.sum()), len(table.paths)
    tops = dict.fromkeys(("value", "route", "word", "place", "reads", "writes", "saw_value", "captured_value"), texts)
    tops |= dict.fromkeys(("wrote_value", "args_value"), texts) | {"form": len(table.forms)}
    tops |= dict.fromkeys(("op", "other", "saw_writer", "captured_writer", "ops_op"), ops)
    tops |= dict.fromkeys(("saw_path", "captured_path", "wrote_path"), paths)
    tops |= {"agent": len(table.header["agents"]), "status": len(STATUSES), "flag": 2}
    for name, top in tops.items():
        column = columns[name]
        least = 0 if name in ("ops_op", "args_value") or name.endswith("_path") else -1
        if len(column) and not least <= column.min() <= column.max() < top:
            return f"{name} names what is not there"
    formed = columns["form"] >= 0
    sizes = np.array([len(form.args) for form in table.forms], np.int32)
    if np.any(columns["args"][~formed] >= 0) or np.any(columns["args"][formed] != sizes[columns["form"][formed]]):
        return "args are not as many as the form has"
    shapeless = np.array([form.reads is None for form in table.forms] + [False], bool)[columns["form"]]
    spelled = np.array([form.writes is None for form in table.forms] + [False], bool)[columns["form"]]
    if np.any(shapeless & invoking & (columns["reads"] < 0)) or np.any(spelled & invoking & (columns["writes"] < 0)):
        return "a call does not say what it declares"
    if np.any(invoking & ~formed) or np.any(invoking & (columns["key"] == -1) & (columns["number"] == -1)):
        return "a call has no shape or no name"
    if len(kind) and columns["number"].min() < -1 - texts:
        return "number names what is not there"
    for name in _NEEDED:
        if np.any((columns[name] < 0) & among(kind, _NEEDED[name])):
            return f"{name} is missing where it is needed"
    other = np.flatnonzero(kind != KIND["call"])
    others = kind[other]
    for name, users in USERS.items():
        # Most rows are calls, and nearly every column is of use to them.
        column, mine = (
            (columns[name][other], among(others, users)) if "call" in users else (columns[name], used(kind, name))
        )
        if np.any((column != nothing(name)) & ~mine):
            return f"{name} is where it says nothing"
    return ""


def _places_fault(table: Table) -> str:
    """Every place among the records in full is taken exactly once, and a call's parts stand in their order."""
    columns, first, late = table.columns, table.first(), table.late
    if len(table) == 0:
        return ""
    kind = columns["kind"]
    total = int(first[-1] + late[-1])
    early = [first - columns[f"before_{part}"] for part in ("infer", "inferred", "invoke")]
    there = [columns[f"before_{part}"] > 0 for part in ("infer", "inferred", "invoke")]
    if columns["skip"].min() < 0 or np.any(np.stack(there).any(axis=0) & (kind != KIND["call"])):
        return "parts of a call stand at what is no call"
    if not np.array_equal(there[2], kind == KIND["call"]) or not np.array_equal(there[0], there[1]):
        return "a call lacks parts"
    if np.any(there[0] & ~((early[0] < early[1]) & (early[1] < early[2]))):
        return "the parts of a call are out of order"
    taken, parts = np.zeros(total, bool), 0
    for place in (*(first[late > at] + at for at in range(3)), *(e[t] for e, t in zip(early, there, strict=True))):
        if len(place) and not 0 <= place.min() <= place.max() < total:
            return "a part of a call stands outside the history"
        taken[place] = True
        parts += len(place)
    return "" if parts == total and taken.all() else "two records stand in one place, or a place is empty"


def used(kinds: np.ndarray, column: str) -> np.ndarray | None:
    """The rows whose kind may have anything in a column; None when all may. All others hold what says nothing."""
    users = USERS.get(column)
    return None if users is None else among(kinds, users)


def among(kinds: np.ndarray, wanted: Iterable[str]) -> np.ndarray:
    """Where a row is of one of these kinds."""
    return (np.left_shift(np.uint32(1), kinds.astype(np.uint32)) & sum(1 << KIND[one] for one in set(wanted))) > 0


def nothing(column: str) -> int:
    """What a row holds in a column that it has no use for."""
    return 0 if column == "skip" or column.startswith("before_") else -1


_OUTCOME = ("call", "redo", "result", "refresh", "notify")
_NEEDED = {
    "op": (*_OUTCOME, "invoke", "prepare", "exec", "undo", "mask", "repair", "inherit"),
    "agent": ("call", "infer", "inferred", "invoke", "result", "notify", "consume", "judge", "repair", "hold"),
    "status": (*_OUTCOME, "exec"),
    "value": _OUTCOME,
    "form": ("call", "invoke"),
    "args": ("call", "invoke"),
    "captured": ("prepare",),
    "wrote": ("exec", "redo", "mask"),
    "ops": ("consume", "judge"),
    "word": ("judge", "repair"),
    "flag": ("notify",),
    "other": ("mask", "notify", "inherit"),
    "attempt": ("call", "infer", "invoke"),
}
_INVOKED = ("call", "invoke")
USERS = {
    **{name: _NEEDED[name] for name in ("op", "agent", "status", "value", "attempt", "word", "flag", "ops", "wrote")},
    **dict.fromkeys(("number", "key", "place", "reads", "writes"), _INVOKED),
    **dict.fromkeys(("form", "args"), (*_INVOKED, "hold")),
    **{f"{side}_{part}": ("call",) for side in ("at", "before") for part in ("infer", "inferred", "invoke")},
    **dict.fromkeys(("prompt", "cached", "output"), ("call", "inferred")),
    **dict.fromkeys(("route", "saw"), _OUTCOME),
    "wrote": ("call", *_NEEDED["wrote"]),
    "captured": ("call", *_NEEDED["captured"]),
    "other": ("invoke", "repair", *_NEEDED["other"]),
    "at_end": tuple(KINDS[1:]),
}
"""The kinds of row that may have something in a column, where not all may."""
