"""Steps over columns: entries of rows, the entry before on the same path, the row before of the same operation."""

import numpy as np


def entries(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of some rows of a list that starts at `start[row]`: for each, which of `rows`, and its index."""
    low = start[rows]
    count = start[1:][rows] - low
    most = count.max(initial=0)
    if most <= 1:
        which = np.arange(len(rows)) if count.min(initial=1) == 1 else np.flatnonzero(count)
        return which, low[which].astype(np.int64)
    which = np.repeat(np.arange(len(rows)), count)
    ahead = np.cumsum(count) - count
    return which, np.arange(len(which)) + np.repeat(low - ahead, count)


def grouped(groups: np.ndarray, count: int) -> np.ndarray:
    """What sorts numbers from 0 up to `count`, equal ones as they stand, by counting them."""
    from scipy.sparse import csr_array

    # Turning a matrix with one entry a row from rows to columns is a counting sort, an eighth of the time of sorting.
    size = len(groups)
    one = np.arange(size + 1, dtype=np.int32 if size < 2**31 - 1 else np.int64)
    return (
        csr_array((np.zeros(size, np.int8), groups.astype(one.dtype, copy=False), one), (size, count)).tocsc().indices
    )


def ordered(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """What sorts pairs of numbers from 0 on, by the first and then the second; equal pairs as they stand."""
    if not len(high):
        return np.zeros(0, np.int64)
    order = grouped(low, int(low.max()) + 1)
    return order[grouped(high[order], int(high.max()) + 1)]


def previous(path: np.ndarray, change: np.ndarray) -> np.ndarray:
    """For entries sorted by path: the index of the last change before each on its path, or -1."""
    last = np.full(len(path), -1, np.int64)
    if len(path):
        np.maximum.accumulate(np.where(change[:-1], np.arange(len(path) - 1), -1), out=last[1:])
        last[path[last] != path] = -1
    return last


def latest(op: np.ndarray, rows: np.ndarray, asked: np.ndarray, asking: np.ndarray) -> np.ndarray:
    """For each of the rows asking, about the operation `asked`: the last of `rows` before it that is of that one
    (`op`, row by row), or -1."""
    there = np.isin(op, asked) if len(asked) < len(op) // 8 else np.ones(len(op), bool)
    op, rows = op[there], rows[there]
    if not len(rows):
        return np.full(len(asking), -1, np.int64)
    keys = op.astype(np.int64) << 32 | rows
    order = np.argsort(keys)
    at = np.searchsorted(keys[order], asked.astype(np.int64) << 32 | np.maximum(asking, 0)) - 1
    found = order[np.maximum(at, 0)]
    return np.where((at >= 0) & (asking >= 0) & (op[found] == asked), rows[found], -1)


def ranked(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The place of each pair of numbers among the different ones, in the order of `high`, then of `low`."""
    if not len(high):
        return np.zeros(0, np.int64)
    least, span = int(low.min()), int(low.max()) - int(low.min()) + 1
    keys = (high.astype(np.int64) - int(high.min())) * span + (low.astype(np.int64) - least)
    if int(keys.max()) < 8 * len(keys) + 1000:
        there = np.zeros(int(keys.max()) + 1, bool)
        there[keys] = True
        return (np.cumsum(there) - 1)[keys]
    return np.unique(keys, return_inverse=True)[1]
