"""Which operations looked at or wrote what they had not declared (assumption A2), or may have seen more than they say.

Paths that a form finds among the arguments are compared by number; any others, pair by pair, once each.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from checker.columnar.call import NONE, Calls, declared
from checker.columnar.listing import Housed
from checker.columnar.meaning import Meaning
from checker.columnar.stepping import entries, ranked
from coagent.path import any_overlap
from coagent.table import Form, Table
from coagent.tool import TOOLS


def escapes(table: Table, meaning: Meaning, start: Mapping[str, np.ndarray], of: Calls, within: Housed) -> np.ndarray:
    """The operations that left what they declared, or that read with a tool that nobody knows and saw nothing."""
    found = np.zeros(len(of.form), bool)
    sides = (("reads", "saw", of.acted, of.saw_path), ("writes", "wrote", of.changed, of.wrote_path))
    for side, name, rows, path in sides:
        # Most operations saw and wrote just what their first argument says.
        odd = np.flatnonzero((path != NONE) & (path != declared(table, meaning, of, side)) & (rows >= 0))
        which, at = entries(start[name], rows[odd])
        _outside(table, meaning, of, within, side, odd[which], table.columns[f"{name}_path"][at], found)
    strange = np.array([one.reads != () and one.tool not in TOOLS for one in table.forms], bool)
    return found | (strange[of.form] & (of.saw_path == NONE)) if strange.any() else found


def _outside(
    table: Table,
    meaning: Meaning,
    of: Calls,
    within: Housed,
    side: str,
    ops: np.ndarray,
    paths: np.ndarray,
    found: np.ndarray,
) -> None:
    """Mark in `found` the operations one of whose paths here overlaps nothing of what they declared on this side."""
    form = of.form[ops]
    inside = np.zeros(len(ops), bool)
    for number, shape in enumerate(table.forms):
        for name in getattr(shape, side) or ():
            mine = np.flatnonzero(form == number)
            text = of.argument(table, shape, name, ops[mine])
            inside[mine] |= (meaning.path[text] == paths[mine]) | (within.home[paths[mine]] == text)
    left = np.flatnonzero(~inside)
    if not len(left):
        return
    ops, form, given = ops[left], form[left], of.given[ops[left]]
    named = [getattr(shape, side) for shape in table.forms]
    pairs = [paths[left], table.columns[side][of.invoked[ops]]]
    for at in range(max(len(names or ()) for names in named)):
        where = [shape.args.index(names[at]) if at < len(names or ()) else -1 for shape, names in _named(table, named)]
        where = np.array(where)[form]
        place = np.where(where >= 0, given + where, 0)
        pairs.append(np.where(where >= 0, table.columns["args_value"][place], -1))
    alike = np.zeros(len(left), np.int64)
    for column in pairs:
        alike = ranked(alike, column)
    one = np.zeros(int(alike.max()) + 1, np.int64)
    one[alike] = np.arange(len(left))
    outside = [not _within(meaning, pair) for pair in zip(*(column[one].tolist() for column in pairs), strict=True)]
    found[ops[np.array(outside, bool)[alike]]] = True


def _named(table: Table, named: list[tuple[str, ...] | None]) -> Iterator[tuple[Form, tuple[str, ...] | None]]:
    return zip(table.forms, named, strict=True)


def _within(meaning: Meaning, pair: tuple[int, ...]) -> bool:
    """Whether a path overlaps one of those declared: the texts of a list of paths, or -1, then of single ones or -1."""
    path, listed, *single = pair
    declared = [*(meaning.values[listed] if listed >= 0 else ()), *(meaning.values[one] for one in single if one >= 0)]
    return any_overlap([meaning.paths[path].rstrip("/")], declared)
