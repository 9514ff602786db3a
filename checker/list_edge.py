"""The precedence graph of a list-append history: edges between adjacent versions, and the orders beyond data.

Draws edges and tells them; judges nothing. Elements that no committed read shows come after all
that one does, in an order of their own that nobody knows, so no edge is drawn between two of them.
"""

from dataclasses import dataclass, replace

import numpy as np

from checker.arcs import CODE, Arcs
from checker.columns import COMMITTED, NEVER, Array, spread
from checker.cycle import Before
from checker.precedence import KINDS, Edge, ordering, overwrote, read_before, read_from
from checker.transaction import shown
from checker.version_order import Lists, grouped
from checker.witness import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The edges of data, and what each is about: the append it comes from and the one it leads to (NEVER: none)."""

    arcs: Arcs
    left: Array
    right: Array


def drawn(lists: Lists, *, first_unread: bool = False) -> Drawn:
    """The edges of data. With `first_unread`, a writer of an unread element that read all the others is put before the
    other such writers, as where no update may be lost."""
    rows = [_overwritten(lists), *_read(lists), *_unread(lists, first_unread)]
    source, target, kind, key, left, right = (np.concatenate(column) for column in zip(*rows, strict=True))
    kept = source != target
    size = len(lists.columns.names)
    arcs = Arcs(
        size=size,
        real=size,
        source=source[kept],
        target=target[kept],
        kind=kind[kept].astype(np.int8),
        thing=key[kept],
        collection=np.zeros(int(kept.sum()), bool),
    )
    return Drawn(arcs=arcs, left=left[kept], right=right[kept])


Rows = tuple[Array, Array, Array, Array, Array, Array]


def _rows(kind: str, source: Array, target: Array, key: Array, left: Array, right: Array) -> Rows:
    return source, target, np.full(len(source), CODE[kind]), key, left, right


def _live(lists: Lists) -> Array:
    """The rows of versions that a live transaction wrote, first comings only."""
    return np.flatnonzero((lists.versions.append != NEVER) & ~lists.versions.repeated)


def _overwritten(lists: Lists) -> Rows:
    live, versions = _live(lists), lists.versions
    next_to = versions.key[live[1:]] == versions.key[live[:-1]]
    left, right = versions.append[live[:-1][next_to]], versions.append[live[1:][next_to]]
    return _rows("ww", lists.writer(left), lists.writer(right), versions.key[live[1:][next_to]], left, right)


def _read(lists: Lists) -> tuple[Rows, Rows]:
    """wr edges from the last live element that a read shows, rw edges to the first live one that it does not."""
    reads, versions, live = lists.reads, lists.versions, _live(lists)
    prefix = np.flatnonzero(reads.prefix)
    key = reads.key[prefix]
    place = np.searchsorted(live, versions.first[key] + reads.length[prefix])
    last = _at(live, place - 1)
    found = (place > 0) & (last >= versions.first[key])
    left = np.where(found, _at(versions.append, last), NEVER)
    then = _at(live, place)
    more = (place < len(live)) & (then < versions.first[key + 1])
    right = np.where(more, _at(versions.append, then), NEVER)
    odd = np.flatnonzero(~reads.prefix & (reads.length > 0))
    ends = lists.columns.seen[reads.start[odd] + reads.length[odd] - 1]
    odd_left = lists.finder.find(lists.finder.live, reads.key[odd], ends)
    seen = np.concatenate([prefix, odd]), np.concatenate([left, odd_left])
    wr = _edges_of_reads(lists, "wr", *seen)
    return wr, _edges_of_reads(lists, "rw", prefix, right)


def _edges_of_reads(lists: Lists, kind: str, read: Array, append: Array) -> Rows:
    kept = append != NEVER
    kept[kept] = lists.taken[lists.writer(append[kept])]
    read, append = read[kept], append[kept]
    reader, key, none = lists.reads.reader[read], lists.reads.key[read], np.full(len(read), NEVER)
    if kind == "wr":
        return _rows("wr", lists.writer(append), reader, key, append, none)
    return _rows("rw", reader, lists.writer(append), key, none, append)


def _at(values: Array, place: Array) -> Array:
    """The values at these places; any value where there is none."""
    return values[np.clip(place, 0, len(values) - 1)] if len(values) else np.zeros(len(place), np.int64)


def unread(lists: Lists) -> Array:
    """For each writer and key the first append of one that happened but that no list shows."""
    appends = lists.appends
    hidden = appends.live & lists.taken[appends.owner] if len(appends.owner) else appends.live
    hidden[lists.versions.append[lists.versions.append != NEVER]] = False
    rows = np.flatnonzero(hidden)
    order, new, _ = grouped(appends.owner[rows] * len(lists.columns.keys) + appends.key[rows])
    return rows[order[new]]


def _unread(lists: Lists, first_unread: bool) -> list[Rows]:
    """Edges from the last version, and from all reads of the whole list, to every writer of an unread element."""
    appends, versions, reads = lists.appends, lists.versions, lists.reads
    hidden = unread(lists)
    hidden = hidden[versions.read[appends.key[hidden]]]
    hidden = hidden[np.argsort(appends.key[hidden], kind="stable")]
    key = appends.key[hidden]
    live = _live(lists)
    end = np.searchsorted(live, versions.first[key + 1])
    last = _at(live, end - 1)
    known = (end > 0) & (last >= versions.first[key])
    left = _at(versions.append, last)[known]
    found = [_rows("ww", lists.writer(left), appends.owner[hidden[known]], key[known], left, hidden[known])]
    full = np.flatnonzero(reads.prefix & _shows_all(lists, live))
    low, high = np.searchsorted(key, reads.key[full]), np.searchsorted(key, reads.key[full], "right")
    which, place = spread(high - low)
    then, reader = hidden[low[which] + place], reads.reader[full][which]
    none = np.full(len(then), NEVER)
    found.append(_rows("rw", reader, appends.owner[then], appends.key[then], none, then))
    if first_unread:
        found.append(_firsts(lists, hidden, reader, then))
    return found


def _shows_all(lists: Lists, live: Array) -> Array:
    """Whether no live element of the key comes after what a read shows."""
    reads, first = lists.reads, lists.versions.first
    return np.searchsorted(live, first[reads.key] + reads.length) == np.searchsorted(live, first[reads.key + 1])


def _firsts(lists: Lists, hidden: Array, reader: Array, then: Array) -> Rows:
    """ww edges from the one writer, if it is one, that read the whole list and appended to it, to the others."""
    appends, width = lists.appends, len(lists.columns.keys)
    own = np.flatnonzero(reader == appends.owner[then])
    sole = own[np.bincount(appends.key[then[own]], minlength=width)[appends.key[then[own]]] == 1]
    before = np.full(width, NEVER)
    before[appends.key[then[sole]]] = then[sole]
    left = before[appends.key[hidden]]
    kept = left != NEVER
    left, right = left[kept], hidden[kept]
    return _rows("ww", appends.owner[left], appends.owner[right], appends.key[right], left, right)


def with_orders(lists: Lists, arcs: Arcs, order: str) -> Arcs:
    """The edges with those of session order (`so`) and, for `rt`, those of real time through moments."""
    if not order:
        return arcs
    columns, taken = lists.columns, lists.taken
    rows = [_sessions(lists)]
    size = arcs.size
    if order == "rt":
        ends = np.flatnonzero((columns.status == COMMITTED) & (columns.ended != NEVER))
        ends = ends[np.argsort(columns.ended[ends])]
        moments = size + np.arange(len(ends))
        later = np.flatnonzero(taken & (columns.begun != NEVER))
        passed = np.searchsorted(columns.ended[ends], columns.begun[later])
        later, passed = later[passed > 0], passed[passed > 0]
        for source, target in ((ends, moments), (moments[:-1], moments[1:]), (_at(moments, passed - 1), later)):
            rows.append((source, target, np.full(len(source), CODE["rt"])))
        size += len(ends)
    source, target, kind = (np.concatenate(column) for column in zip(*rows, strict=True))
    more, none = len(source), np.zeros(len(source), np.int64)
    return replace(
        arcs,
        size=size,
        source=np.concatenate([arcs.source, source]),
        target=np.concatenate([arcs.target, target]),
        kind=np.concatenate([arcs.kind, kind.astype(np.int8)]),
        thing=np.concatenate([arcs.thing, none]),
        collection=np.concatenate([arcs.collection, none.astype(bool)]),
        number=np.concatenate([arcs.number, np.full(more, NEVER)]),
    )


def _sessions(lists: Lists) -> tuple[Array, Array, Array]:
    """From each committed transaction to the next of its session, and to those of unknown end in between: nothing is
    known to come after one of unknown end."""
    columns = lists.columns
    rows = np.flatnonzero(lists.taken & (columns.session != NEVER))
    rows = rows[np.argsort(columns.session[rows], kind="stable")]
    sure = columns.status[rows] == COMMITTED
    last = np.where(sure, np.arange(len(rows)), NEVER)
    last = np.concatenate([[NEVER], np.maximum.accumulate(last)[:-1]]) if len(rows) else last
    source = _at(rows, last)
    kept = (last != NEVER) & (columns.session[source] == columns.session[rows])
    return source[kept], rows[kept], np.full(int(kept.sum()), CODE["so"])


def befores(lists: Lists) -> dict[str, Before]:
    """By order kind, which of two transactions is known to come first."""
    columns = lists.columns

    def session(one: Array, other: Array) -> Array:
        same = (columns.session[one] == columns.session[other]) & (columns.session[one] != NEVER)
        return same & (one < other) & (columns.status[one] == COMMITTED)

    def time(one: Array, other: Array) -> Array:
        ended = (columns.ended[one] != NEVER) & (columns.status[one] == COMMITTED)
        return ended & (columns.ended[one] < columns.begun[other])

    return {"so": session, "rt": time}


def teller(lists: Lists, edges: Drawn) -> Teller:
    """Tells the edges by number, and those of an order by their two transactions."""
    names, appends, columns = lists.columns.names, lists.appends, lists.columns

    def edge(number: int) -> Edge:
        arcs = edges.arcs
        source, target = names[arcs.source[number]], names[arcs.target[number]]
        thing = shown(columns.keys[arcs.thing[number]])
        left, right = (
            None if append == NEVER else columns.shown_element(int(appends.element[append]))
            for append in (edges.left[number], edges.right[number])
        )
        match KINDS[arcs.kind[number]]:
            case "ww":
                because = f"{target} appended {right} to {thing} after {source} appended {left}"
                return overwrote(source, target, thing, because)
            case "wr":
                return read_from(source, target, thing, f"{target} read {thing} as {source} wrote it, up to {left}")
            case _:
                because = f"{source} read {thing} before {target} appended {right} to it"
                return read_before(source, target, thing, because)

    def ordered(kind: str, one: int, other: int) -> Edge:
        return ordering(kind, names[one], names[other])

    return Teller(edge=edge, ordered=ordered, before=befores(lists))
