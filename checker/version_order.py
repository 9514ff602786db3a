"""The versions of every list, inferred from what the reads show (Elle, VLDB 2020, section 4), in columns.

Decides what each read saw from outside its transaction, what order the elements of a key came in,
and which read contradicts that; it neither names anomalies nor judges.
"""

from dataclasses import dataclass, replace

import numpy as np

from checker.columns import ABORTED, COMMITTED, NEVER, UNKNOWN, Array, Columns, same_items, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """A row for each read of a committed transaction, in program order.

    The list read is `seen[start:start + length]` of the history. `prefix` tells whether the longest
    list read of the key continues it. `wrong` are the steps whose read contradicts the
    transaction's own earlier steps.
    """

    step: Array
    reader: Array
    key: Array
    start: Array
    length: Array
    prefix: Array
    wrong: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """A row for each element of the longest list of each key, in order, keys one after the other.

    The rows of key k are `first[k]` to `first[k + 1]`; `read` tells whether it was read at all.
    `append` is the live append of an element, `aborted` that of an aborted transaction when there is
    no live one (both places in `Appends`, NEVER: none). `repeated` marks the second coming of an
    element. `longest` is the read that showed it, by key.
    """

    key: Array
    element: Array
    append: Array
    aborted: Array
    repeated: Array
    first: Array
    read: Array
    longest: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Appends:
    """A row for each append of any transaction: its step, owner, key, element, and rank among its owner's to the key.

    `last` marks the final one, `twice` those whose element another live append of the key shares.
    """

    step: Array
    owner: Array
    key: Array
    element: Array
    rank: Array
    last: Array
    live: Array
    twice: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What was inferred, with `taken`: the transactions that happened, committed or of unknown end but read."""

    columns: Columns
    reads: Reads
    versions: Versions
    appends: Appends
    taken: Array
    finder: "Finder"

    def writer(self, append: Array) -> Array:
        """The transactions of these appends; NEVER for none."""
        return np.where(append == NEVER, NEVER, self.appends.owner[append]) if len(self.appends.owner) else append


def inferred(columns: Columns, *, agreed: bool = False) -> Lists:
    """Everything that the reads show. Costs a few sorts of the steps and a look at each element read.

    Where reads of a key disagree, its order is that of the longest (Elle's rule: what the others show was lost). With
    `agreed` it is cut where several equally long ones part, since nothing tells then which was kept; the levels that
    forbid such reads need no cut.
    """
    appends, codes = _appends(columns)
    step = np.flatnonzero(~columns.appends & (columns.status[columns.owner] == COMMITTED))
    reads = Reads(
        step=step,
        reader=columns.owner[step],
        key=columns.key[step],
        start=columns.start[step],
        length=columns.length[step],
        prefix=np.ones(len(step), bool),
        wrong=_contradicted(columns),
    )
    reads, versions = _versions(columns, reads, codes, agreed)
    taken = columns.status == COMMITTED
    read = versions.append[versions.append != NEVER]
    unknown = columns.status[appends.owner[read]] == UNKNOWN
    taken[appends.owner[read][unknown]] = True
    return Lists(columns=columns, reads=reads, versions=versions, appends=appends, taken=taken, finder=codes)


def grouped(group: Array) -> tuple[Array, Array, Array]:
    """A stable order by group, whether each row in it starts one, and the number of the group in that order."""
    order = np.argsort(group, kind="stable")
    new = np.ones(len(order), bool)
    new[1:] = np.diff(group[order]) != 0
    return order, new, np.cumsum(new) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Finds an append by key and element: the `values` appended, and the sorted codes and places of live and aborted
    appends."""

    values: Array
    live: tuple[Array, Array]
    aborted: tuple[Array, Array]

    def find(self, kind: tuple[Array, Array], key: Array, element: Array) -> Array:
        """The places of the appends of these elements to these keys; NEVER where there is none."""
        codes, places = kind
        value = np.searchsorted(self.values, element)
        value[value == len(self.values)] = 0
        if not len(codes):
            return np.full(len(key), NEVER)
        wanted = key * len(self.values) + value
        at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        return np.where((self.values[value] == element) & (codes[at] == wanted), places[at], NEVER)


def _appends(columns: Columns) -> tuple[Appends, Finder]:
    step = np.flatnonzero(columns.appends)
    owner, key, element = columns.owner[step], columns.key[step], columns.element[step]
    live = columns.status[owner] != ABORTED
    order, new, group = grouped(owner * len(columns.keys) + key)
    rank, last = np.empty(len(order), np.int64), np.empty(len(order), bool)
    rank[order] = np.arange(len(order)) - np.flatnonzero(new)[group]
    last[order] = np.append(new[1:], True) if len(order) else new
    values = np.unique(element)
    code = key * max(len(values), 1) + np.searchsorted(values, element)
    found, twice = {}, np.zeros(len(step), bool)
    for name, chosen in (("live", live), ("aborted", ~live)):
        places = np.flatnonzero(chosen)
        places = places[np.argsort(code[places], kind="stable")]
        found[name] = code[places], places
        if name == "live":
            twice[places[1:]] = np.diff(code[places]) == 0
    codes = Finder(values=values, **found)
    made = {"step": step, "owner": owner, "key": key, "element": element, "rank": rank, "last": last}
    return Appends(live=live, twice=twice, **made), codes


def _contradicted(columns: Columns) -> Array:
    """The reads that do not return what their own transaction's earlier reads of and appends to the key come to."""
    steps = np.flatnonzero(columns.status[columns.owner] == COMMITTED)
    order, new, group = grouped(columns.owner[steps] * len(columns.keys) + columns.key[steps])
    steps = steps[order]
    mine = columns.appends[steps]
    before = np.cumsum(mine) - mine
    own_first = before[new][group] if len(group) else before
    own = before - own_first
    at = np.flatnonzero(~mine)
    step, group, own, own_first = steps[at], group[at], own[at], own_first[at]
    new = np.ones(len(at), bool)
    new[1:] = np.diff(group) != 0
    head = np.flatnonzero(new)[np.cumsum(new) - 1] if len(at) else at
    length, start = columns.length[step], columns.start[step]
    cut = np.maximum(length[head] - own[head], 0)
    fits = length == cut + own
    rows = np.flatnonzero(fits & ~new)
    fits[rows] = same_items(columns.seen, start[rows], columns.seen, start[head[rows]], cut[rows])
    rows = np.flatnonzero(fits & (own > 0))
    elements = columns.element[steps[mine]]
    fits[rows] = same_items(columns.seen, start[rows] + cut[rows], elements, own_first[rows], own[rows])
    return np.sort(step[~fits])


def _versions(columns: Columns, reads: Reads, codes: Finder, agreed: bool) -> tuple[Reads, Versions]:
    """The longest list of each key with the appends of its elements, and the reads with `prefix` filled in."""
    keys = len(columns.keys)
    order = np.lexsort((reads.step, -reads.length, reads.key))
    new = np.ones(len(order), bool)
    new[1:] = np.diff(reads.key[order]) != 0
    longest = np.full(keys, NEVER)
    longest[reads.key[order[new]]] = order[new]
    count = np.zeros(keys, np.int64)
    known = longest != NEVER
    count[known] = reads.length[longest[known]]
    begin = np.zeros(keys, np.int64)
    begin[known] = reads.start[longest[known]]
    prefix = same_items(columns.seen, reads.start, columns.seen, begin[reads.key], reads.length)
    if agreed and not prefix.all():
        rivals = np.flatnonzero(~prefix & (reads.length == count[reads.key]))
        np.minimum.at(count, reads.key[rivals], _common(columns, reads, rivals, begin))
        prefix &= reads.length <= count[reads.key]
    key, place = spread(count)
    element = columns.seen[begin[key] + place]
    live = codes.find(codes.live, key, element)
    aborted = np.where(live == NEVER, codes.find(codes.aborted, key, element), NEVER)
    versions = Versions(
        key=key,
        element=element,
        append=live,
        aborted=aborted,
        repeated=_repeated(key, element),
        first=np.concatenate([[0], np.cumsum(count)]),
        read=known,
        longest=longest,
    )
    return replace(reads, prefix=prefix), versions


def _common(columns: Columns, reads: Reads, odd: Array, begin: Array) -> Array:
    """For each of these reads how many of its first elements are those of the longest list of its key."""
    which, place = spread(reads.length[odd])
    ours, longest = reads.start[odd][which] + place, begin[reads.key[odd]][which] + place
    differ = np.flatnonzero(columns.seen[ours] != columns.seen[longest])
    common = reads.length[odd].copy()
    np.minimum.at(common, which[differ], place[differ])
    return common


def _repeated(group: Array, element: Array) -> Array:
    """Marks each item that has come before in its group."""
    order = np.lexsort((np.arange(len(group)), element, group))
    again = np.zeros(len(group), bool)
    again[order[1:]] = (np.diff(group[order]) == 0) & (np.diff(element[order]) == 0)
    return again


def with_repeats(lists: Lists, reads: Array) -> Array:
    """Marks, of these reads, those whose own list has an element twice."""
    which, place = spread(lists.reads.length[reads])
    again = _repeated(which, lists.columns.seen[lists.reads.start[reads][which] + place])
    found = np.zeros(len(reads), bool)
    found[which[again]] = True
    return found
