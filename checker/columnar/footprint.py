"""Which operations looked at or wrote what they had not declared (assumption A2), or may have seen more than they say.

Paths that a form finds among the arguments are compared by number; any others, pair by pair, once each.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from checker.columnar.meaning import Meaning
from checker.columnar.stepping import entries
from coagent.path import any_overlap
from coagent.table import Form, Table
from coagent.tool import TOOLS


def escapes(
    table: Table,
    meaning: Meaning,
    start: Mapping[str, np.ndarray],
    invoked: np.ndarray,
    acted: np.ndarray,
    wrote: np.ndarray,
) -> np.ndarray:
    """The operations that left what they declared, or that read with a tool that nobody knows and saw nothing."""
    found = np.zeros(len(invoked), bool)
    saw = np.flatnonzero(acted >= 0)
    which, at = entries(start["saw"], acted[saw])
    _outside(table, meaning, start, invoked, "reads", saw[which], table.columns["saw_path"][at], found)
    changed = np.flatnonzero(wrote >= 0)
    which, at = entries(start["wrote"], wrote[changed])
    _outside(table, meaning, start, invoked, "writes", changed[which], table.columns["wrote_path"][at], found)
    strange = np.array([one.reads != () and one.tool not in TOOLS for one in table.forms], bool)
    return found | (strange[table.columns["form"][invoked]] & (table.columns["saw"][acted] <= 0))


def _outside(
    table: Table,
    meaning: Meaning,
    start: Mapping[str, np.ndarray],
    invoked: np.ndarray,
    side: str,
    ops: np.ndarray,
    paths: np.ndarray,
    found: np.ndarray,
) -> None:
    """Mark in `found` the operations one of whose paths here overlaps nothing of what they declared on this side."""
    form = table.columns["form"][invoked[ops]]
    inside = np.zeros(len(ops), bool)
    for number, shape in enumerate(table.forms):
        for name in getattr(shape, side) or ():
            mine = np.flatnonzero(form == number)
            place = start["args"][invoked[ops[mine]]] + shape.args.index(name)
            inside[mine] |= meaning.path[table.columns["args_value"][place]] == paths[mine]
    left = np.flatnonzero(~inside)
    if not len(left):
        return
    rows = invoked[ops[left]]
    named = [getattr(shape, side) for shape in table.forms]
    declared = [table.columns[side][rows]]
    for at in range(max(len(names or ()) for names in named)):
        where = [shape.args.index(names[at]) if at < len(names or ()) else -1 for shape, names in _named(table, named)]
        where = np.array(where)[form[left]]
        place = np.where(where >= 0, start["args"][rows] + where, 0)
        declared.append(np.where(where >= 0, table.columns["args_value"][place], -1))
    pairs = zip(paths[left].tolist(), *(column.tolist() for column in declared), strict=True)
    known: dict[tuple[int, ...], bool] = {}
    for op, pair in zip(ops[left].tolist(), pairs, strict=True):
        if pair not in known:
            known[pair] = _within(meaning, pair)
        if not known[pair]:
            found[op] = True


def _named(table: Table, named: list[tuple[str, ...] | None]) -> Iterator[tuple[Form, tuple[str, ...] | None]]:
    return zip(table.forms, named, strict=True)


def _within(meaning: Meaning, pair: tuple[int, ...]) -> bool:
    """Whether a path overlaps one of those declared: the texts of a list of paths, or -1, then of single ones or -1."""
    path, listed, *single = pair
    declared = [*(meaning.values[listed] if listed >= 0 else ()), *(meaning.values[one] for one in single if one >= 0)]
    return any_overlap([meaning.paths[path].rstrip("/")], declared)
