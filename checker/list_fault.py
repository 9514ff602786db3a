"""The local anomalies of a list-append history: what a single read, or the order of a single list, shows to be wrong.

Names and tells them; whether a level forbids them is decided elsewhere. Of each kind the first few
are told and the rest are counted, so that a history wrong throughout costs no more to explain.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from checker.anomaly import Anomaly, local
from checker.columns import NEVER, Array, spread
from checker.transaction import shown
from checker.version_order import Lists, with_repeats

TOLD = 20
"""Anomalies of one kind that are told each."""


def faults(lists: Lists) -> list[Anomaly]:
    """Internal contradictions, future, garbage, aborted and intermediate reads, duplicates, orders that disagree."""
    told = _Told(lists)
    kinds = (
        told.internal,
        told.incompatible,
        told.duplicates,
        told.unwritten,
        told.future,
        told.intermediate,
        told.dirty_updates,
        told.out_of_order,
    )
    return [one for kind in kinds for one in kind()]


def few(rows: Array, tell: Callable[[int], Anomaly], name: str) -> Iterator[Anomaly]:
    """The first rows told, the last of them with a note of how many more there are."""
    found = [tell(int(row)) for row in rows[:TOLD]]
    if len(rows) > TOLD:
        found[-1] = replace(
            found[-1], because=(*found[-1].because, f"{len(rows) - TOLD} more of the kind '{name}' exist")
        )
    return iter(found)


class _Told:
    """Finds each kind of fault as rows, and tells rows."""

    def __init__(self, lists: Lists) -> None:
        self.lists, self.columns = lists, lists.columns
        self.reads, self.versions, self.appends = lists.reads, lists.versions, lists.appends
        self.place = np.arange(len(lists.versions.key)) - lists.versions.first[lists.versions.key]

    def internal(self) -> Iterator[Anomaly]:
        return few(self.reads.wrong, self._internal, "internal")

    def _internal(self, step: int) -> Anomaly:
        columns = self.columns
        owner, key = int(columns.owner[step]), int(columns.key[step])
        steps = np.flatnonzero((columns.owner == owner) & (columns.key == key))
        first = int(steps[~columns.appends[steps]][0])
        own = steps[columns.appends[steps]]
        cut = max(int(columns.length[first]) - int((own < first).sum()), 0)
        start = int(columns.start[first])
        expected = [*columns.seen[start : start + cut].tolist(), *columns.element[own[own < step]].tolist()]
        start, length = int(columns.start[step]), int(columns.length[step])
        name = columns.names[owner]
        because = (
            f"{name} read {self._thing(key)} as {self._list(columns.seen[start : start + length].tolist())}, "
            f"and by its own steps it should be {self._list(expected)}"
        )
        return local("internal", [name], [because])

    def incompatible(self) -> Iterator[Anomaly]:
        return few(np.flatnonzero(~self.reads.prefix), self._incompatible, "incompatible order")

    def _incompatible(self, read: int) -> Anomaly:
        longest = int(self.versions.longest[self.reads.key[read]])
        one, other = self._reader(read), self._reader(longest)
        because = (
            f"{one} read {self._thing(int(self.reads.key[read]))} as {self._seen(read)}, and {other} read it as "
            f"{self._seen(longest)}, which does not continue that"
        )
        return local("incompatible order", [one, other], [because])

    def duplicates(self) -> Iterator[Anomaly]:
        """Of the lists that are continued by the longest, one for each element that comes again; others one by one."""
        again = np.flatnonzero(self.versions.repeated)
        yield from few(again, lambda row: self._duplicate(self._first_reader(row), row), "duplicate elements")
        odd = np.flatnonzero(~self.reads.prefix)
        odd = odd[with_repeats(self.lists, odd)]
        yield from few(odd, lambda read: self._duplicate(read, None), "duplicate elements")

    def _duplicate(self, read: int, version: int | None) -> Anomaly:
        seen = self._elements(read)
        doubled = next(element for place, element in enumerate(seen) if element in seen[:place])
        doubled = doubled if version is None else int(self.versions.element[version])
        name, thing = self._reader(read), self._thing(int(self.reads.key[read]))
        because = f"{name} read {thing} with {self.columns.shown_element(doubled)} in it twice"
        return local("duplicate elements", [name], [because])

    def unwritten(self) -> Iterator[Anomaly]:
        """Garbage and aborted reads: elements without a live append, with the first that read them."""
        dead = np.flatnonzero((self.versions.append == NEVER) & ~self.versions.repeated)
        for aborted in (True, False):
            rows = dead[(self.versions.aborted[dead] != NEVER) == aborted]
            name = "aborted read" if aborted else "garbage read"
            yield from few(rows, self._unwritten_version, name)
        odd = np.flatnonzero(~self.reads.prefix)[:TOLD]
        for read in odd.tolist():
            elements = np.array(self._elements(read), np.int64)
            live, aborted = self._appended(read, elements)
            for element in elements[live == NEVER].tolist():
                yield self._unwritten(read, element)

    def _unwritten_version(self, version: int) -> Anomaly:
        return self._unwritten(self._first_reader(version), int(self.versions.element[version]))

    def _appended(self, read: int, elements: Array) -> tuple[Array, Array]:
        key, finder = np.full(len(elements), self.reads.key[read]), self.lists.finder
        return finder.find(finder.live, key, elements), finder.find(finder.aborted, key, elements)

    def _unwritten(self, read: int, element: int) -> Anomaly:
        reader, thing = self._reader(read), self._thing(int(self.reads.key[read]))
        aborted = int(self._appended(read, np.array([element]))[1][0])
        shown_element = self.columns.shown_element(element)
        if aborted == NEVER:
            because = f"{reader} read {shown_element} in {thing}, which no transaction appended"
            return local("garbage read", [reader], [because])
        writer = self.columns.names[self.appends.owner[aborted]]
        because = f"{reader} read {shown_element} in {thing}, which {writer} appended and aborted"
        return local("aborted read", [writer, reader], [because])

    def future(self) -> Iterator[Anomaly]:
        """Reads of what the reader itself appends later."""
        reads, rows = self.reads, self._own_reads()
        which, place = spread(reads.length[rows])
        element = self.columns.seen[reads.start[rows][which] + place]
        read = rows[which]
        append = self.lists.finder.find(self.lists.finder.live, reads.key[read], element)
        own = np.flatnonzero(self.lists.writer(append) == reads.reader[read])
        later = own[self.appends.step[append[own]] > reads.step[read[own]]]
        yield from few(later, lambda row: self._future(int(read[row]), int(element[row])), "future read")

    def _own_reads(self) -> Array:
        """The reads of a key that their transaction appends to afterwards."""
        width = len(self.columns.keys)
        code = self.appends.owner * width + self.appends.key
        order = np.argsort(code[self.appends.last])
        step = self.appends.step[self.appends.last][order]
        wanted = self.reads.reader * width + self.reads.key
        if not len(order):
            return order
        at = np.minimum(np.searchsorted(code[self.appends.last][order], wanted), len(order) - 1)
        same = code[self.appends.last][order][at] == wanted
        return np.flatnonzero(same & (step[at] > self.reads.step))

    def _future(self, read: int, element: int) -> Anomaly:
        reader, thing = self._reader(read), self._thing(int(self.reads.key[read]))
        because = f"{reader} read {self.columns.shown_element(element)} in {thing} before it appended that itself"
        return local("future read", [reader], [because])

    def intermediate(self) -> Iterator[Anomaly]:
        """Reads up to an element that its writer went on from."""
        reads = self.reads
        some = np.flatnonzero(reads.length > 0)
        ends = self.columns.seen[reads.start[some] + reads.length[some] - 1]
        append = self.lists.finder.find(self.lists.finder.live, reads.key[some], ends)
        writer = self.lists.writer(append)
        early = (append != NEVER) & (writer != reads.reader[some])
        early[early] = ~self.appends.last[append[early]]
        rows = np.flatnonzero(early)
        yield from few(rows, lambda row: self._intermediate(int(some[row]), int(append[row])), "intermediate read")

    def _intermediate(self, read: int, append: int) -> Anomaly:
        owner, key = self.appends.owner[append], self.appends.key[append]
        final = np.flatnonzero((self.appends.owner == owner) & (self.appends.key == key) & self.appends.last)
        last, writer, reader = int(self.appends.element[final[0]]), self.columns.names[owner], self._reader(read)
        shown_element = self.columns.shown_element
        because = (
            f"{reader} read {self._thing(int(key))} up to {shown_element(int(self.appends.element[append]))}, "
            f"and {writer} went on to append {shown_element(last)}"
        )
        return local("intermediate read", [writer, reader], [because])

    def dirty_updates(self) -> Iterator[Anomaly]:
        """Elements appended by a live transaction right after one that was aborted."""
        versions = self.versions
        after = np.flatnonzero((versions.append[1:] != NEVER) & (versions.aborted[:-1] != NEVER)) + 1
        after = after[versions.key[after] == versions.key[after - 1]] if len(after) else after
        yield from few(after, self._dirty_update, "dirty update")

    def _dirty_update(self, version: int) -> Anomaly:
        versions, names, owner = self.versions, self.columns.names, self.appends.owner
        aborted, writer = names[owner[versions.aborted[version - 1]]], names[owner[versions.append[version]]]
        before, after = (self.columns.shown_element(int(versions.element[place])) for place in (version - 1, version))
        thing = self._thing(int(versions.key[version]))
        because = f"{writer} appended {after} to {thing} after {before}, which {aborted} appended and aborted"
        return local("dirty update", [aborted, writer], [because])

    def out_of_order(self) -> Iterator[Anomaly]:
        """Writers whose own elements do not stand in the list as they appended them, from the first on."""
        rows = np.flatnonzero((self.versions.append != NEVER) & ~self.versions.repeated)
        append = self.versions.append[rows]
        group = self.appends.owner[append] * len(self.columns.keys) + self.appends.key[append]
        order = np.argsort(group, kind="stable")
        new = np.ones(len(order), bool)
        new[1:] = np.diff(group[order]) != 0
        rank = np.arange(len(order)) - np.flatnonzero(new)[np.cumsum(new) - 1] if len(order) else order
        odd = np.unique(group[order][rank != self.appends.rank[append[order]]])
        yield from few(odd, self._out_of_order, "incompatible order")

    def _out_of_order(self, group: int) -> Anomaly:
        owner, key = divmod(group, len(self.columns.keys))
        intended = self.appends.element[(self.appends.owner == owner) & (self.appends.key == key)].tolist()
        rows = slice(self.versions.first[key], self.versions.first[key + 1])
        writers = self.lists.writer(self.versions.append[rows])
        found = self.versions.element[rows][(writers == owner) & ~self.versions.repeated[rows]].tolist()
        name = self.columns.names[owner]
        because = (
            f"{name} appended {self._list(intended)} in this order to {self._thing(key)}; "
            f"the reads show {self._list(found)}"
        )
        return local("incompatible order", [name], [because])

    def _first_reader(self, version: int) -> int:
        """The first read, in the history, that is a prefix of the longest list and shows this version."""
        reads = self.reads
        shows = (reads.key == self.versions.key[version]) & reads.prefix & (reads.length > self.place[version])
        return int(np.flatnonzero(shows)[np.argmin(reads.step[shows])])

    def _elements(self, read: int) -> list[int]:
        start, length = int(self.reads.start[read]), int(self.reads.length[read])
        return self.columns.seen[start : start + length].tolist()

    def _seen(self, read: int) -> str:
        return self._list(self._elements(read))

    def _reader(self, read: int) -> str:
        return self.columns.names[self.reads.reader[read]]

    def _thing(self, key: int) -> str:
        return shown(self.columns.keys[key])

    def _list(self, elements: Sequence[int]) -> str:
        return listed(map(self.columns.shown_element, elements))


def listed(elements: Iterable[str]) -> str:
    """A list as a sentence has it, its middle left out when it is long."""
    shown_all = list(elements)
    return "[" + ", ".join(shown_all if len(shown_all) <= 12 else [*shown_all[:5], "...", *shown_all[-5:]]) + "]"
