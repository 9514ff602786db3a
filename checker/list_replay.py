"""Replays a list-append history in the order found and compares every read: the independent judge of an "ok".

Knows nothing of versions, edges or how the order was found: it appends what the transactions append,
at the places given, and looks at what each read should then have returned.
"""

import numpy as np

from checker.columns import COMMITTED, NEVER, Array, Columns, same_items, spread
from checker.transaction import shown


def mismatch(columns: Columns, reads_at: Array, writes_at: Array) -> str:
    """The first read that this order does not explain, as a sentence; empty when all agree.

    `reads_at` and `writes_at` are the places where each transaction reads and where its appends take
    effect (equal in a serial order); NEVER for one that does not happen. A read shows all appends
    that took effect before its place, and then its own transaction's earlier ones.
    """
    left_out = np.flatnonzero((columns.status == COMMITTED) & ((reads_at == NEVER) | (writes_at == NEVER)))
    if len(left_out):
        return f"{columns.names[left_out[0]]} is not in it"
    appends = np.flatnonzero(columns.appends)
    appends = appends[writes_at[columns.owner[appends]] != NEVER]
    appends = appends[np.lexsort((appends, writes_at[columns.owner[appends]], columns.key[appends]))]
    elements = columns.element[appends]
    span = int(max(reads_at.max(initial=0), writes_at.max(initial=0))) + 1
    code = columns.key[appends] * span + writes_at[columns.owner[appends]]
    reads = np.flatnonzero(~columns.appends & (columns.status[columns.owner] == COMMITTED))
    key = columns.key[reads]
    low = np.searchsorted(code, key * span)
    others = np.searchsorted(code, key * span + reads_at[columns.owner[reads]]) - low
    own, own_elements = _own_before(columns, reads)
    right = columns.length[reads] == others + own
    rows = np.flatnonzero(right)
    start = columns.start[reads]
    right[rows] = same_items(columns.seen, start[rows], elements, low[rows], others[rows])
    rows = np.flatnonzero(right & (own > 0))
    first = np.cumsum(own) - own
    right[rows] = same_items(columns.seen, start[rows] + others[rows], own_elements, first[rows], own[rows])
    if right.all():
        return ""
    wrong = int(reads[np.flatnonzero(~right)[0]])
    return f"{columns.names[columns.owner[wrong]]} would not read {shown(columns.keys[columns.key[wrong]])} as it did"


def _own_before(columns: Columns, reads: Array) -> tuple[Array, Array]:
    """For each of these reads how many appends to its key its transaction made before it, and all their elements."""
    begin = np.searchsorted(columns.owner, columns.owner[reads])
    which, place = spread(reads - begin)
    step = begin[which] + place
    mine = columns.appends[step] & (columns.key[step] == columns.key[reads][which])
    return np.bincount(which[mine], minlength=len(reads)), columns.element[step[mine]]


def against_orders(columns: Columns, reads_at: Array, writes_at: Array, order: str) -> str:
    """The first pair that stands against session order (`so`, `rt`) or real time (`rt`); empty when there is none.

    Whoever ended before another began, or came first in its session, must take effect before the other reads.
    """
    happens = reads_at != NEVER
    if order:
        rows = np.flatnonzero(happens & (columns.session != NEVER))
        rows = rows[np.argsort(columns.session[rows], kind="stable")]
        sure = rows[columns.status[rows] == COMMITTED]
        for one, other in ((sure[:-1], sure[1:]),):
            same = columns.session[one] == columns.session[other]
            odd = np.flatnonzero(same & (writes_at[one] > reads_at[other]))
            if len(odd):
                return f"{columns.names[other[odd[0]]]} comes before {columns.names[one[odd[0]]]} of its own session"
    if order == "rt":
        rows = np.flatnonzero(happens)
        rows = rows[np.argsort(reads_at[rows])]
        by_effect = np.flatnonzero(happens & (columns.status == COMMITTED) & (columns.ended != NEVER))
        by_effect = by_effect[np.argsort(writes_at[by_effect])]
        soonest = np.minimum.accumulate(columns.ended[by_effect][::-1])[::-1]
        at = np.searchsorted(writes_at[by_effect], reads_at[rows], "right")
        later = np.append(soonest, np.iinfo(np.int64).max)[at]
        odd = np.flatnonzero((columns.begun[rows] != NEVER) & (later < columns.begun[rows]))
        if len(odd):
            return f"{columns.names[rows[odd[0]]]} comes before one that had ended when it began"
    return ""


def overlap(columns: Columns, reads_at: Array, writes_at: Array) -> str:
    """The first two transactions that append to one key while neither has ended before the other starts, if any."""
    appends = np.flatnonzero(columns.appends)
    appends = appends[writes_at[columns.owner[appends]] != NEVER]
    owner, key = columns.owner[appends], columns.key[appends]
    order = np.lexsort((writes_at[owner], key))
    owner, key = owner[order], key[order]
    odd = np.flatnonzero(
        (key[1:] == key[:-1]) & (owner[1:] != owner[:-1]) & (writes_at[owner[:-1]] > reads_at[owner[1:]])
    )
    if not len(odd):
        return ""
    one, other = columns.names[owner[odd[0]]], columns.names[owner[odd[0] + 1]]
    return f"{one} and {other} both append to {shown(columns.keys[key[odd[0]]])} and overlap"
