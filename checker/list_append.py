"""Serializability of list-append histories, decided exactly from what the reads show (Elle, VLDB 2020, section 4).

A list shows all its past versions, so the longest read of a key is its version order. Elements that
no committed read shows come after all of them, since lists only grow; two such elements by different
transactions may stand in either order, so no edge is drawn between them and any topological order
may decide. Hence ok is sound: in a topological order the writers of a read's elements stand before
the reader and the writer of the next element after it (all unread writers, when it read the longest
list), so the reader sees its list and nothing else. Every ok is replayed nevertheless.

A transaction whose end is unknown counts as committed when one of its elements was read, and as
never having happened otherwise, which no read contradicts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter

from checker.anomaly import Anomaly, local
from checker.judge import judge
from checker.precedence import Edge, overwrote, read_before, read_from
from checker.replay import replayed
from checker.transaction import Key, Transaction, shown, steps_in
from checker.verdict import Verdict

Element = tuple[Key, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appends:
    """Who appended what: `writer` of each (key, element), and each writer's elements `by` (name, key) in program order.

    Aborted writers are in `aborted` alone. `twice` are elements that two appends share, which
    makes a read of them ambiguous.
    """

    writer: Mapping[Element, str]
    by: Mapping[tuple[str, Key], tuple[object, ...]]
    aborted: Mapping[Element, str]
    twice: tuple[Element, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one committed transaction saw of a key from outside: the list before its own appends."""

    reader: str
    key: Key
    seen: tuple[object, ...]


def check_list_append(transactions: Sequence[Transaction]) -> Verdict:
    """Serializable, or not, with the anomalies; unknown only when two appends of one element make reads ambiguous."""
    start = perf_counter()
    size = {"transactions": len(transactions), "operations": steps_in(transactions)}
    appends = appended(transactions)
    committed = [one for one in transactions if one.status == "committed"]
    if not committed:
        missing = ("no transaction is known to have committed, so there is nothing to judge",)
        return Verdict(verdict="unknown", criterion="serializable", missing=missing, **size)
    reads, faults = _outside_reads(committed)
    if appends.twice and not faults:
        key, element = appends.twice[0]
        missing = (
            f"{element} is appended to {shown(key)} twice, so a read cannot tell the two apart; "
            "append each element once",
        )
        return Verdict(verdict="unknown", criterion="serializable", missing=missing, **size)
    orders, incompatible = version_orders(reads)
    faults += incompatible + _faults(reads, orders, appends)
    seen = {
        appends.writer[key, element]
        for key, order in orders.items()
        for element in order
        if (key, element) in appends.writer
    }
    names = [
        one.name for one in transactions if one.status == "committed" or (one.status == "unknown" and one.name in seen)
    ]
    edges = dependencies(reads, orders, appends, set(names))
    verdict = judge(names, edges, extra_anomalies=faults, operations=size["operations"], counted=size["transactions"])
    return replace(replayed(verdict, transactions), seconds=perf_counter() - start)


def appended(transactions: Sequence[Transaction]) -> Appends:
    """Who appended what, from the transactions of every status. An aborted append never hides a live one."""
    writer, by, aborted, twice = {}, {}, {}, []
    for one in transactions:
        for kind, key, element in one.steps:
            if kind == "append" and one.status == "aborted":
                aborted[key, element] = one.name
            elif kind == "append":
                if (key, element) in writer:
                    twice.append((key, element))
                writer[key, element] = one.name
                by.setdefault((one.name, key), []).append(element)
    by = {owner: tuple(elements) for owner, elements in by.items()}
    return Appends(writer=writer, by=by, aborted=aborted, twice=tuple(twice))


def _outside_reads(committed: Sequence[Transaction]) -> tuple[list[Read], list[Anomaly]]:
    """For each transaction and key the list seen from outside, and the internal contradictions."""
    reads, faults = [], []
    for one in committed:
        outside: dict[Key, tuple] = {}
        own: dict[Key, tuple] = {}
        for kind, key, value in one.steps:
            mine = own.get(key, ())
            if kind == "append":
                own[key] = (*mine, value)
                continue
            cut = len(value) - len(mine)
            expected = outside.setdefault(key, value[: max(cut, 0)]) + mine
            if value != expected:
                told = f"by its own steps it should be {_list(expected)}"
                because = f"{one.name} read {shown(key)} as {_list(value)}, and {told}"
                faults.append(local("internal", [one.name], [because]))
        reads += [Read(reader=one.name, key=key, seen=seen) for key, seen in outside.items()]
    return reads, faults


def version_orders(reads: Sequence[Read]) -> tuple[dict[Key, tuple], list[Anomaly]]:
    """For each key the longest list read, which is its version order, and the reads that are no prefix of it.

    An element that stands in it twice is a fault of its own and keeps its first place only.
    """
    longest: dict[Key, Read] = {}
    for read in reads:
        if read.key not in longest or len(read.seen) > len(longest[read.key].seen):
            longest[read.key] = read
    faults = []
    for read in reads:
        best = longest[read.key]
        if best.seen[: len(read.seen)] != read.seen:
            because = (
                f"{read.reader} read {shown(read.key)} as {_list(read.seen)}, and {best.reader} read it as "
                f"{_list(best.seen)}, which does not continue that"
            )
            faults.append(local("incompatible order", [read.reader, best.reader], [because]))
    return {key: tuple(dict.fromkeys(read.seen)) for key, read in longest.items()}, faults


def _faults(reads: Sequence[Read], orders: Mapping[Key, tuple], appends: Appends) -> list[Anomaly]:
    """Garbage, duplicates, aborted and intermediate reads, dirty updates, and appends out of program order."""
    faults = [fault for read in reads if read.seen for fault in _faults_of_read(read, appends)]
    for key, order in orders.items():
        faults += _dirty_updates(key, order, appends)
        faults += _out_of_order(key, order, appends)
    return faults


def _faults_of_read(read: Read, appends: Appends) -> Iterator[Anomaly]:
    thing, seen, reader = shown(read.key), read.seen, read.reader
    if len(set(seen)) < len(seen):
        doubled = next(element for place, element in enumerate(seen) if element in seen[:place])
        yield local("duplicate elements", [reader], [f"{reader} read {thing} with {doubled} in it twice"])
    for element in seen:
        writer = appends.writer.get((read.key, element))
        if writer is None and (read.key, element) in appends.aborted:
            writer = appends.aborted[read.key, element]
            yield local(
                "aborted read",
                [writer, reader],
                [f"{reader} read {element} in {thing}, which {writer} appended and aborted"],
            )
        elif writer is None:
            yield local(
                "garbage read", [reader], [f"{reader} read {element} in {thing}, which no transaction appended"]
            )
        elif writer == reader:
            yield local("internal", [reader], [f"{reader} read {element} in {thing} before it appended that itself"])
    last = appends.writer.get((read.key, seen[-1]))
    if last not in (None, reader) and appends.by[last, read.key][-1] != seen[-1]:
        because = (
            f"{reader} read {thing} up to {seen[-1]}, and {last} went on to append {appends.by[last, read.key][-1]}"
        )
        yield local("intermediate read", [last, reader], [because])


def _dirty_updates(key: Key, order: tuple, appends: Appends) -> Iterator[Anomaly]:
    for before, after in pairwise(order):
        aborted, writer = appends.aborted.get((key, before)), appends.writer.get((key, after))
        if writer and aborted and (key, before) not in appends.writer:
            because = f"{writer} appended {after} to {shown(key)} after {before}, which {aborted} appended and aborted"
            yield local("dirty update", [aborted, writer], [because])


def _out_of_order(key: Key, order: tuple, appends: Appends) -> Iterator[Anomaly]:
    """Writers whose own elements do not stand in the version order as they appended them, from the first on."""
    found: dict[str, list] = {}
    for element in order:
        writer = appends.writer.get((key, element))
        if writer is not None:
            found.setdefault(writer, []).append(element)
    for writer, elements in found.items():
        intended = appends.by[writer, key]
        if tuple(elements) != intended[: len(elements)] and len(set(elements)) == len(elements):
            because = (
                f"{writer} appended {_list(intended)} in this order to {shown(key)}; the reads show {_list(elements)}"
            )
            yield local("incompatible order", [writer], [because])


def dependencies(
    reads: Sequence[Read], orders: Mapping[Key, tuple], appends: Appends, names: set[str]
) -> Iterator[Edge]:
    """ww, wr and rw edges between adjacent versions; elements without a live writer are stepped over."""
    unread = _unread(orders, appends, names)
    for key, order in orders.items():
        yield from _version_edges(key, order, unread.get(key, ()), appends)
    for read in reads:
        yield from _read_edges(read, orders[read.key], unread.get(read.key, ()), appends)


def _unread(orders: Mapping[Key, tuple], appends: Appends, names: set[str]) -> dict[Key, list[tuple[str, object]]]:
    """For each key that was read, the first unread element of every writer that has one."""
    unread: dict[Key, list[tuple[str, object]]] = {}
    observed = {key: set(order) for key, order in orders.items()}
    for (writer, key), elements in appends.by.items():
        if writer not in names or key not in orders:
            continue
        hidden = [element for element in elements if element not in observed[key]]
        if hidden:
            unread.setdefault(key, []).append((writer, hidden[0]))
    return unread


def _version_edges(key: Key, order: tuple, unread: Sequence[tuple[str, object]], appends: Appends) -> Iterator[Edge]:
    last, thing = None, shown(key)
    for element in order:
        writer = appends.writer.get((key, element))
        if writer is None:
            continue
        if last and last[0] != writer:
            yield overwrote(
                last[0], writer, thing, f"{writer} appended {element} to {thing} after {last[0]} appended {last[1]}"
            )
        last = writer, element
    if last:
        for writer, element in unread:
            if writer != last[0]:
                because = f"{writer} appended {element} to {thing} after {last[0]} appended {last[1]}"
                yield overwrote(last[0], writer, thing, because)


def _read_edges(read: Read, order: tuple, unread: Sequence[tuple[str, object]], appends: Appends) -> Iterator[Edge]:
    reader, key, seen, thing = read.reader, read.key, read.seen, shown(read.key)
    last = next((element for element in reversed(seen) if (key, element) in appends.writer), None)
    if last is not None:
        writer = appends.writer[key, last]
        if writer != reader:
            yield read_from(writer, reader, thing, f"{reader} read {thing} as {writer} wrote it, up to {last}")
    if order[: len(seen)] != seen:
        return
    for element in order[len(seen) :]:
        writer = appends.writer.get((key, element))
        if writer is not None:
            if writer != reader:
                yield read_before(
                    reader, writer, thing, f"{reader} read {thing} before {writer} appended {element} to it"
                )
            return
    for writer, element in unread:
        if writer != reader:
            yield read_before(reader, writer, thing, f"{reader} read {thing} before {writer} appended {element} to it")


def _list(elements: Sequence[object]) -> str:
    """A list as a sentence has it, its middle left out when it is long."""
    shown_all = [str(element) for element in elements]
    return "[" + ", ".join(shown_all if len(shown_all) <= 12 else [*shown_all[:5], "...", *shown_all[-5:]]) + "]"
