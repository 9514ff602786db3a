"""What the numbers in a table mean to a screening: values, integers, paths, what was there at first and in the end.

Decides whether the meanings are of the kinds that the format has, and nothing else.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from coagent.field_kind import CHECKS, is_value
from coagent.table import KIND, Table

FAR = 2**61
"""Integers from here on are reckoned with elsewhere, in Python."""

_VALUES = ("args_value", "saw_value", "captured_value", "wrote_value")
_PLAIN = (str, int, bool, type(None))
_WORDS = {"judge": ("keep", "rewrite", "retract", "insert"), "repair": ("rewrite", "retract", "insert")}
_CHOSEN = {"reads": "paths", "writes": "paths", "place": "position", "route": "str"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """`paths` are the table's and after them those that only the start state has; `listing` marks those ending in `/`.

    By text: `values` as JSON has them, `integer` the small integers (`whole` says where,
    `number` where there is an integer of any size), `path` the path that a text
    spells, or -1. By path: the text there at the start (`initial`) and in the recorded end (`final`), -1 for nothing.
    """

    paths: Sequence[str]
    listing: np.ndarray
    values: Sequence[object]
    numbers: Mapping[str, int]
    integer: np.ndarray
    whole: np.ndarray
    number: np.ndarray
    path: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    ordered: tuple[Sequence[str], Sequence[int]] = field(repr=False)

    def text(self, value: object) -> int:
        """The number of a JSON value, or -9 when the table has none like it."""
        return self.numbers.get(json.dumps(value, ensure_ascii=False), -9)

    def below(self, start: str) -> Iterator[int]:
        """The paths that begin so (with a folder and its `/`), those that say that something was listed aside."""
        names, numbers = self.ordered
        for at in range(bisect_left(names, start), len(names)):
            if not names[at].startswith(start):
                return
            if not names[at].endswith("/"):
                yield numbers[at]


def meanings(table: Table) -> Meaning | None:
    """The meanings; None when one is not of its kind, so that the records have to be read one by one."""
    values = table.values()
    if values is None or not _kinds_hold(table, values):
        return None
    paths = list(table.paths)
    known = {path: at for at, path in enumerate(paths)}
    state, end = table.header["state"], table.records[-1].get("final_state") if table.records else None
    if not isinstance(state, dict) or not isinstance(end, dict):
        return None
    for path in state:
        if path not in known:
            known[path] = len(paths)
            paths.append(path)
    numbers = {text: at for at, text in enumerate(table.texts)}
    kinds = [type(one) for one in values]
    spelled = [at for at, kind in enumerate(kinds) if kind is str]
    counted = [at for at, kind in enumerate(kinds) if kind is int]
    strings, integers = ({values[at]: at for at in some} for some in (spelled, counted))
    try:
        initial, final = (_cells(cells, known, numbers, strings, integers) for cells in (state, end))
    except (TypeError, ValueError):
        return None
    number, whole, integer = (np.zeros(len(values), kind) for kind in (bool, bool, np.int64))
    small = [at for at in counted if -FAR < values[at] < FAR]
    number[counted], whole[small], integer[small] = True, True, [values[at] for at in small]
    path = np.full(len(values), -1, np.int64)
    path[spelled] = [known.get(values[at], -1) for at in spelled]
    listing = np.array([one.endswith("/") for one in paths], bool)
    return Meaning(
        paths=paths,
        listing=listing,
        values=values,
        numbers=numbers,
        integer=integer,
        whole=whole,
        number=number,
        path=path,
        initial=initial,
        final=final,
        ordered=_ordered(paths) if listing.any() else ((), ()),
    )


def _ordered(paths: Sequence[str]) -> tuple[list[str], list[int]]:
    """The paths sorted, and their numbers."""
    import polars as pl

    names = pl.Series(paths, dtype=pl.String)
    order = names.arg_sort()
    return names.gather(order).to_list(), order.to_list()


def _kinds_hold(table: Table, values: Sequence[object]) -> bool:
    """Whether every text is what the places where it stands allow (see `coagent.field_kind`)."""
    columns = table.columns
    odd = [at for at, kind in enumerate(map(type, values)) if kind not in _PLAIN and not is_value(values[at])]
    if odd and not _used(_VALUES, columns, len(values)).isdisjoint(odd):
        return False
    for name, kind in _CHOSEN.items():
        if not all(CHECKS[kind](values[at]) for at in _used((name,), columns, len(values))):
            return False
    if _misnamed(table, np.array([type(one) is not str or not one for one in values], bool)):
        return False
    for kind, words in _WORDS.items():
        rows = columns["kind"] == KIND[kind]
        if not all(values[at] in words for at in np.unique(columns["word"][rows]).tolist()):
            return False
    return True


def _misnamed(table: Table, wrong: np.ndarray) -> bool:
    """Whether an argument that a form takes for a path is one of the texts that are none."""
    columns, owners = table.columns, table.owners
    start, form = table.starts("args")[owners], columns["form"][owners]
    for number, shape in enumerate(table.forms):
        mine = start[form == number]
        for name in {*(shape.reads or ()), *(shape.writes or ())}:
            if np.any(wrong[columns["args_value"][mine + shape.args.index(name)]]):
                return True
    return False


def _used(names: Iterable[str], columns: Mapping[str, np.ndarray], size: int) -> set[int]:
    """The numbers below `size` that occur in these columns."""
    used = np.zeros(size + 1, bool)
    for name in names:
        used[columns[name]] = True
    return set(np.flatnonzero(used[:-1]).tolist())


def _cells(
    cells: Mapping[str, object],
    known: Mapping[str, int],
    numbers: dict[str, int],
    strings: Mapping[str, int],
    integers: Mapping[int, int],
) -> np.ndarray:
    """What some paths hold, by number; values that no text is like get numbers of their own."""
    found = [-1] * len(known)
    for path, value in cells.items():
        if path in known:
            kind = type(value)
            at = strings.get(value) if kind is str else integers.get(value) if kind is int else None
            if at is None:
                at = numbers.setdefault(json.dumps(value, ensure_ascii=False), len(numbers))
            found[known[path]] = at
    return np.array(found, np.int64)
