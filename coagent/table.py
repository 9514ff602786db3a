"""A recorded history as columns: one row for each record, and a single row, a `call`, for an operation that went
straight through. Holds what the records hold, exactly and in their order; judges nothing.

Paths, JSON values and the shapes of calls are numbered once and meant by their numbers, so that two
cells are equal when their numbers are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

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
    """A history as columns. `columns` by name are signed integers of at most 32 bits (TIMES float64), rows in the order
    of their last records; `paths` are strings, `texts` JSON, `records` the verbatim ones in order."""

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

    @property
    def bits(self) -> np.ndarray:
        """The kind of each row as a single bit, to be told from several at once."""
        if "bits" not in self._known:
            self._known["bits"] = np.left_shift(np.uint32(1), self.columns["kind"].astype(np.uint32))
        return self._known["bits"]

    def among(self, wanted: Iterable[str]) -> np.ndarray:
        """Where a row is of one of these kinds."""
        return (self.bits & bits_of(wanted)) > 0

    def starts(self, name: str) -> np.ndarray:
        """Where each row's entries of a list begin, and where the last ones end: n + 1 numbers."""
        if name not in self._known:
            counts = np.maximum(self.columns[name], 0)
            start = np.zeros(len(counts) + 1, _wide(int(counts.sum(dtype=np.int64))))
            np.cumsum(counts, dtype=start.dtype, out=start[1:])
            self._known[name] = start
        return self._known[name]

    def values(self) -> list[object] | None:
        """The texts as JSON values; None when one is no JSON."""
        if "values" not in self._known:
            self._known["values"] = _values(self.texts)
        return self._known["values"]

    @property
    def late(self) -> np.ndarray:
        """How many records stand together at each row: 3 for a call that writes, otherwise 1."""
        if "late" not in self._known:
            writing = (self.columns["kind"] == KIND["call"]) & (self.columns["captured"] >= 0)
            self._known["late"] = writing.astype(np.int8) * 2 + 1
        return self._known["late"]

    def first(self) -> np.ndarray:
        """The place, among all records in full, of the first record that stands at each row."""
        if "first" not in self._known:
            late, skip = self.late, self.columns["skip"]
            between = late.astype(np.int32)
            between[1:] = between[:-1]
            between[:1] = 0
            between += skip
            self._known["first"] = np.cumsum(between, dtype=_wide(int(between.sum(dtype=np.int64))))
        return self._known["first"]

    @property
    def owners(self) -> np.ndarray:
        """The rows that invoke the operations, by operation."""
        if "owners" not in self._known:
            rows = np.flatnonzero(self.among(INVOKED))
            found = np.full(len(rows), -1, np.int64)
            found[self.columns["op"][rows]] = rows
            self._known["owners"] = found
        return self._known["owners"]


def _wide(most: int) -> type[np.signedinteger]:
    """What holds sums up to this one; half the memory is worth as much as half the work."""
    return np.int32 if most < 2**31 else np.int64


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


def used(kinds: np.ndarray, column: str) -> np.ndarray | None:
    """The rows whose kind may have anything in a column; None when all may. All others hold what says nothing."""
    users = USERS.get(column)
    return None if users is None else among(kinds, users)


def bits_of(wanted: Iterable[str]) -> int:
    """These kinds as bits."""
    return sum(1 << KIND[one] for one in set(wanted))


def among(kinds: np.ndarray, wanted: Iterable[str]) -> np.ndarray:
    """Where a row is of one of these kinds."""
    return (np.left_shift(np.uint32(1), kinds.astype(np.uint32)) & bits_of(wanted)) > 0


def nothing(column: str) -> int:
    """What a row holds in a column that it has no use for."""
    return 0 if column == "skip" or column.startswith("before_") else -1


_OUTCOME = ("call", "redo", "result", "refresh", "notify")
NEEDED = {
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
"""The kinds of row that must have something in a column."""

INVOKED = ("call", "invoke")
USERS = {
    **{name: NEEDED[name] for name in ("op", "agent", "status", "value", "attempt", "word", "flag", "ops", "wrote")},
    **dict.fromkeys(("number", "key", "place", "reads", "writes"), INVOKED),
    **dict.fromkeys(("form", "args"), (*INVOKED, "hold")),
    **{f"{side}_{part}": ("call",) for side in ("at", "before") for part in ("infer", "inferred", "invoke")},
    **dict.fromkeys(("prompt", "cached", "output"), ("call", "inferred")),
    **dict.fromkeys(("route", "saw"), _OUTCOME),
    "wrote": ("call", *NEEDED["wrote"]),
    "captured": ("call", *NEEDED["captured"]),
    "other": ("invoke", "repair", *NEEDED["other"]),
    "at_end": tuple(KINDS[1:]),
}
"""The kinds of row that may have something in a column, where not all may."""
