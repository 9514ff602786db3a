"""What the numbers in a table mean to a screening: values, integers, paths, what was there at first and in the end.

Decides whether the meanings are of the kinds that the format has, and nothing else.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from coagent.field_kind import CHECKS, is_value
from coagent.table import KIND, Table

FAR = 2**61
"""Integers from here on are reckoned with elsewhere, in Python."""

_VALUES = ("args_value", "saw_value", "captured_value", "wrote_value")
_KINDS = {str: 0, int: 1, bool: 2, type(None): 2}
_OTHER = 3
_WORDS = {"judge": ("keep", "rewrite", "retract", "insert"), "repair": ("rewrite", "retract", "insert")}
_CHOSEN = {"reads": "paths", "writes": "paths", "place": "position", "route": "str"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """`paths` are the table's and after them those that only the start state has; `listing` marks those ending in `/`.

    By text: `values` as JSON has them, `integer` the small integers (`whole` says where,
    `number` where there is an integer of any size), `path` the path that a text
    spells, or -1. By path: the text there at the start (`initial`) and in the recorded end (`final`), -1 for nothing;
    `beyond` are the paths in the recorded end that nothing else knows.
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
    beyond: Sequence[str]
    _known: dict[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict, init=False, repr=False)

    def text(self, value: object) -> int:
        """The number of a JSON value, or -9 when the table has none like it."""
        return self.numbers.get(json.dumps(value, ensure_ascii=False), -9)

    def below(self, start: str) -> Iterator[int]:
        """The paths that begin so (with a folder and its `/`), those that say that something was listed aside."""
        # Sorted when first asked for: calls that list may be there though no row says that it saw a folder.
        if not self._known:
            self._known["ordered"] = _ordered(self.paths)
        names, numbers = self._known["ordered"]
        for at in range(bisect_left(names, start), len(names)):
            if not names[at].startswith(start):
                return
            if not names[at].endswith("/"):
                yield numbers[at]


def meanings(table: Table) -> Meaning | None:
    """The meanings; None when one is not of its kind, so that the records have to be read one by one."""
    values = table.values()
    if values is None:
        return None
    kinds = np.fromiter(map(_KINDS.get, map(type, values), repeat(_OTHER)), np.int8, len(values))
    if not _kinds_hold(table, values, kinds):
        return None
    paths = list(table.paths)
    known = dict(zip(paths, range(len(paths)), strict=True))
    state, end = table.header["state"], table.records[-1].get("final_state") if table.records else None
    if not isinstance(state, dict) or not isinstance(end, dict):
        return None
    for path in state:
        if path not in known:
            known[path] = len(paths)
            paths.append(path)
    numbers = dict(zip(table.texts, range(len(table.texts)), strict=True))
    try:
        initial, final = (_cells(cells, known, numbers) for cells in (state, end))
    except (TypeError, ValueError):
        return None
    spelled, counted = (np.flatnonzero(kinds == _KINDS[kind]).tolist() for kind in (str, int))
    number, whole, integer = (np.zeros(len(values), kind) for kind in (bool, bool, np.int64))
    small = [at for at in counted if -FAR < values[at] < FAR]
    number[counted], whole[small], integer[small] = True, True, [values[at] for at in small]
    path = np.full(len(values), -1, np.int32)
    path[spelled] = list(map(known.get, map(values.__getitem__, spelled), repeat(-1)))
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
        beyond=() if end.keys() <= known.keys() else [path for path in end if path not in known],
    )


def _ordered(paths: Sequence[str]) -> tuple[Sequence[str], Sequence[int]]:
    """The paths sorted, and their numbers."""
    import polars as pl

    names = pl.Series(paths, dtype=pl.String)
    if names.is_sorted():
        return paths, range(len(paths))
    order = names.arg_sort()
    return names.gather(order).to_list(), order.to_list()


def _kinds_hold(table: Table, values: Sequence[object], kinds: np.ndarray) -> bool:
    """Whether every text is what the places where it stands allow (see `coagent.field_kind`)."""
    columns = table.columns
    odd = [at for at in np.flatnonzero(kinds == _OTHER).tolist() if not is_value(values[at])]
    if odd and not _used(_VALUES, columns, len(values)).isdisjoint(odd):
        return False
    for name, kind in _CHOSEN.items():
        if not all(CHECKS[kind](values[at]) for at in _used((name,), columns, len(values))):
            return False
    wrong = kinds != _KINDS[str]
    if "" in values:
        wrong[[at for at, value in enumerate(values) if value == ""]] = True
    if _misnamed(table, wrong):
        return False
    for kind, words in _WORDS.items():
        rows = np.flatnonzero(columns["kind"] == KIND[kind])
        if not all(values[at] in words for at in np.unique(columns["word"][rows]).tolist()):
            return False
    return True


def _misnamed(table: Table, wrong: np.ndarray) -> bool:
    """Whether an argument that a form takes for a path is one of the texts that are none."""
    columns, owners = table.columns, table.owners
    start, form = table.starts("args")[owners], columns["form"][owners]
    for number, shape in enumerate(table.forms):
        mine = start[np.flatnonzero(form == number)]
        for name in {*(shape.reads or ()), *(shape.writes or ())}:
            if np.any(wrong[columns["args_value"][mine + shape.args.index(name)]]):
                return True
    return False


def _used(names: Iterable[str], columns: Mapping[str, np.ndarray], size: int) -> set[int]:
    """The numbers below `size` that occur in these columns."""
    used = np.zeros(size + 1, bool)
    for name in names:
        if columns[name].max(initial=-1) >= 0:
            used[columns[name]] = True
    return set(np.flatnonzero(used[:-1]).tolist())


def _cells(cells: Mapping[str, object], known: Mapping[str, int], numbers: dict[str, int]) -> np.ndarray:
    """What some paths hold, by number; values that no text is like get numbers of their own."""
    values = list(cells.values())
    # Truth and numbers with a point are equal to integers, and no dictionary takes a list for a key.
    told_apart = set(map(type, values)) <= {str, int, type(None)}
    keys = values if told_apart else [json.dumps(one, ensure_ascii=False) for one in values]
    distinct = dict(zip(keys, values, strict=True))
    for key, value in distinct.items():
        distinct[key] = numbers.setdefault(json.dumps(value, ensure_ascii=False), len(numbers))
    places = list(map(known.get, cells))
    found = np.full(len(known), -1, np.int32)
    there = [at for at, place in enumerate(places) if place is not None] if None in places else range(len(places))
    found[[places[at] for at in there]] = [distinct[keys[at]] for at in there]
    return found
