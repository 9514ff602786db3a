"""What each operation was given, saw, answered and wrote last, in columns by operation. Judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from checker.columnar.meaning import Meaning
from coagent.column import LISTS
from coagent.table import Form, Table

SEVERAL, NONE = -2, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """By operation: its row, the rows of its last answer and last write (-1: none), its form, and where its arguments
    begin; then by what these rows say.

    `saw_path`, `saw`, `wrote_path` and `wrote` are of the one cell seen or written, SEVERAL where there are more, and
    NONE where there is none.
    """

    invoked: np.ndarray
    acted: np.ndarray
    changed: np.ndarray
    form: np.ndarray
    given: np.ndarray
    saw_path: np.ndarray
    saw: np.ndarray
    status: np.ndarray
    value: np.ndarray
    wrote_path: np.ndarray
    wrote: np.ndarray

    def argument(self, table: Table, form: Form, name: str, ops: np.ndarray) -> np.ndarray:
        """The texts of an argument, of operations of this form."""
        return table.columns["args_value"][self.given[ops] + form.args.index(name)]

    def among(self, ops: np.ndarray) -> "Calls":
        """Those of some operations alone."""
        return Calls(**{name: getattr(self, name)[ops] for name in self.__slots__})


def calls(table: Table, start: Mapping[str, np.ndarray], acted: np.ndarray, changed: np.ndarray) -> Calls:
    """What the operations come to by their last answers and writes."""
    columns, invoked = table.columns, table.owners
    saw_path, saw = _single(table, start, "saw", acted)
    wrote_path, wrote = _single(table, start, "wrote", changed)
    return Calls(
        invoked=invoked,
        acted=acted,
        changed=changed,
        form=columns["form"][invoked],
        given=start["args"][invoked],
        saw_path=saw_path,
        saw=saw,
        status=columns["status"][acted],
        value=columns["value"][acted],
        wrote_path=wrote_path,
        wrote=wrote,
    )


def _single(table: Table, start: Mapping[str, np.ndarray], name: str, rows: np.ndarray) -> list[np.ndarray]:
    """Path and value of the only entry of each row."""
    count = np.where(rows >= 0, table.columns[name][rows], 0)
    first = start[name][rows]
    found = []
    for part in LISTS[name][:2]:
        column = table.columns[part]
        entry = column[np.minimum(first, len(column) - 1)] if len(column) else np.zeros(len(rows), np.int32)
        found.append(np.where(count == 1, entry, np.where(count > 1, SEVERAL, NONE).astype(np.int32)))
    return found


def declared(table: Table, meaning: Meaning, of: Calls, side: str) -> np.ndarray:
    """The path that each operation gives as the first argument that its form declares on this side, or -1."""
    found = np.full(len(of.form), -1, np.int32)
    for number, form in enumerate(table.forms):
        for name in (getattr(form, side) or ())[:1]:
            ops = np.flatnonzero(of.form == number)
            found[ops] = meaning.path[of.argument(table, form, name, ops)]
    return found
