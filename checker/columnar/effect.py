"""The live store by the recorded effects alone: what each path holds in the end, and whose captured cells and undoes
do not follow from what was written before. Knows nothing of the declared order.
"""

from dataclasses import dataclass

import numpy as np

from checker.columnar.stepping import entries, latest, ordered, previous
from coagent.table import KIND, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Every cell captured, written or put back, by path and then in time. `checks` says whether the entry changes its
    path as written (0), as put back (1), or was only captured (2); `by` is the operation, `doubted` what is not plain.
    """

    path: np.ndarray
    value: np.ndarray
    writer: np.ndarray
    checks: np.ndarray
    by: np.ndarray
    before: np.ndarray
    doubted: np.ndarray


def effects(table: Table) -> Effects:
    """The recorded effects in order, of a table that fits together (`coagent.table_check.fault`)."""
    columns, op = table.columns, table.columns["op"]
    calls = (columns["kind"] == KIND["call"]) & (columns["captured"] >= 0)
    prepared = np.flatnonzero(calls | table.among(("prepare",)))
    changed = np.flatnonzero(calls | table.among(("exec", "redo")))
    undone = np.flatnonzero(table.among(("undo",)))
    doubted = np.zeros(len(table.owners), bool)
    basis, doubtful = _bases(table, prepared, changed, undone)
    doubted[op[undone[doubtful]]] = True
    undone, basis = undone[~doubtful], basis[~doubtful]
    parts = []
    for rows, source, after, check in ((prepared, prepared, 0, 2), (changed, changed, 1, 0), (undone, basis, 0, 1)):
        name = "wrote" if check == 0 else "captured"
        at, entry = entries(table.starts(name), source)
        mine = rows[at]
        # A row's writes come after what it captured.
        moment, by = mine * 2 + after, op[mine]
        writer = by if check == 0 else columns["captured_writer"][entry]
        path, value = columns[f"{name}_path"][entry], columns[f"{name}_value"][entry]
        parts.append((path, moment, value, writer, np.full(len(at), check, np.int8), by))
    path, moment, value, writer, checks, by = (np.concatenate(many) for many in zip(*parts, strict=True))
    order = ordered(path, moment)
    path, checks = path[order], checks[order]
    return Effects(
        path=path,
        value=value[order],
        writer=writer[order],
        checks=checks,
        by=by[order],
        before=previous(path, checks < 2),
        doubted=doubted,
    )


def settled(of: Effects, initial: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each path holds in the end, from what it held at first; paths and operations where that is not plain."""
    was = np.where(of.before >= 0, of.value[of.before], initial[of.path])
    whose = np.where(of.before >= 0, of.writer[of.before], -1)
    wrong = np.flatnonzero((of.checks == 2) & (was != of.value) | (of.checks == 1) & (whose != of.by))
    doubted = of.doubted.copy()
    doubted[of.by[wrong]] = True
    live = initial.copy()
    change = np.flatnonzero(of.checks < 2)
    live[of.path[change]] = of.value[change]
    strayed = np.zeros(len(live), bool)
    strayed[of.path[wrong]] = True
    return live, strayed, doubted


def _bases(
    table: Table, prepared: np.ndarray, changed: np.ndarray, undone: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each undo, the row whose captured cells it puts back; and whether these are not just what was written."""
    columns, op = table.columns, table.columns["op"]
    basis = latest(op[prepared], prepared, op[undone], undone)
    write = latest(op[changed], changed, op[undone], undone)
    basis = _inherited(table, prepared, basis, undone)
    doubtful = (basis < 0) | (write < 0) | (columns["captured"][basis] != columns["wrote"][write])
    sure = np.flatnonzero(~doubtful)
    row, left = entries(table.starts("captured"), basis[sure])
    _, right = entries(table.starts("wrote"), write[sure])
    doubtful[sure[row[columns["captured_path"][left] != columns["wrote_path"][right]]]] = True
    return basis, doubtful


def _inherited(table: Table, prepared: np.ndarray, basis: np.ndarray, undone: np.ndarray) -> np.ndarray:
    """The bases, of an heir those of the operation that left under it; -1 where more than that went on."""
    op, left = table.columns["op"], np.flatnonzero(table.among(("inherit",)))
    heir = table.columns["other"][left]
    came = latest(heir, left, op[undone], undone)
    came = np.where(came > basis, came, -1)
    again = latest(heir, left, op[undone], came)
    lower = latest(op[prepared], prepared, op[came], came)
    deeper = latest(heir, left, op[came], came)
    return np.where(came < 0, basis, np.where((again > basis) | (deeper > lower), -1, lower))
