"""Steps over columns: entries of rows, the entry before on the same path, the row before of the same operation."""

import numpy as np


def entries(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries of some rows of a list that starts at `start[row]`: for each, which of `rows`, and its index."""
    low = start[rows]
    count = start[rows + 1] - low
    which = np.repeat(np.arange(len(rows)), count)
    ahead = np.cumsum(count) - count
    return which, np.arange(len(which)) + np.repeat(low - ahead, count)


def ordered(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """What sorts pairs of numbers from 0 on, by the first and then the second; equal pairs as they stand."""
    if not len(high):
        return np.zeros(0, np.int64)
    within, below = len(high).bit_length(), int(low.max()).bit_length()
    keys = high.astype(np.int64) << below | low
    if int(high.max()).bit_length() + below + within > 62:
        return np.argsort(keys, kind="stable")
    # Sorting the numbers with their places in their last bits takes half the time of asking for the places.
    return np.sort(keys << within | np.arange(len(high))) & ((1 << within) - 1)


def previous(path: np.ndarray, change: np.ndarray) -> np.ndarray:
    """For entries sorted by path: the index of the last change before each on its path, or -1."""
    at = np.arange(len(path))
    last = np.maximum.accumulate(np.where(change, at, -1)) if len(path) else at
    before = np.concatenate(([-1], last[:-1])) if len(path) else at
    begin = np.maximum.accumulate(np.where(np.concatenate(([True], path[1:] != path[:-1])), at, 0)) if len(path) else at
    return np.where(before >= begin, before, -1)


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
    keys = (high.astype(np.int64) - int(high.min())) * span + (low - least)
    if int(keys.max()) < 8 * len(keys) + 1000:
        there = np.zeros(int(keys.max()) + 1, bool)
        there[keys] = True
        return (np.cumsum(there) - 1)[keys]
    return np.unique(keys, return_inverse=True)[1]
