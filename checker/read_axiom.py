"""Read committed, read atomic and causal consistency of register histories, decided in polynomial time.

The axioms of Biswas and Enea (OOPSLA 2019): whoever a transaction has seen, and who wrote what it
reads, was overwritten by the writer it read from; the commit order must hold all of that. What counts as seen is
the level's: whoever it read from before (read committed), whoever it read from or that came before in its
session (read atomic), or anyone before those (causal). Read committed without sessions is Adya's
PL-2, which asks no more than that what was read was committed first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from checker.anomaly import Anomaly, local
from checker.order import Order, bits
from checker.polygraph import Polygraph
from checker.precedence import Edge, ordering, overwrote, read_from
from checker.register_fact import Outside
from checker.transaction import Key, Transaction, shown

MOST = 50_000
"""Transactions of the largest history whose causal past is computed: two bitsets each, 600 MB together."""

Seen = Iterator[tuple[int, int, Key, int | None]]
"""`(reader, seen, key, writer)`: the reader saw the second, which wrote the key, and read the key as the writer wrote
it, or as it was at first (None)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The polygraph with its `wr` edges and those of sessions or real time, each transaction's reads, and its place."""

    graph: Polygraph
    reads: Sequence[Sequence[tuple[Key, int | None]]]
    writes: Sequence[frozenset[Key]]
    before: Mapping[int, int]
    """The transaction before, in the same session, where sessions count."""


def axioms(base: str, case: Case) -> tuple[list[Edge], list[Anomaly]]:
    """The edges that every commit order must hold, and the reads of initial values that none explains."""
    found: dict[tuple[int, int], Edge] = {}
    faults = []
    names = case.graph.names
    for first, then, why in case.graph.arrows:
        if why[0] == "wr":
            found.setdefault((first, then), read_from(names[first], names[then], shown(why[1])))
        elif why[0] in ("so", "rt"):
            found.setdefault((first, then), ordering(why[0], names[first], names[then]))
    rules = {"read-committed": _committed, "read-atomic": _atomic, "causal": _causal}
    for reader, seen, key, writer in rules[base](case):
        thing = shown(key)
        if writer is None:
            because = f"{names[reader]} comes after {names[seen]}, which wrote {thing}, and still read it as nil"
            faults.append(local("read skew", [names[seen], names[reader]], [because]))
        elif (seen, writer) not in found:
            because = f"{names[reader]} comes after {names[seen]}, which wrote {thing} too, and still read it as "
            found[seen, writer] = overwrote(names[seen], names[writer], thing, f"{because}{names[writer]} wrote it")
    return list(found.values()), faults


def case_of(graph: Polygraph, there: Sequence[Transaction], heard: Mapping[str, Outside], *, sessions: bool) -> Case:
    """The case of a polygraph whose transactions are `there`; `sessions` says whether their sessions count."""
    by_value = {(key, value): place for place, one in enumerate(there) for kind, key, value in one.steps if kind == "w"}
    reads, before, last = [], {}, {}
    for place, one in enumerate(there):
        seen = heard[one.name].reads if one.name in heard else ()
        reads.append([(key, by_value.get((key, value))) for key, value in seen])
        if sessions and one.session is not None:
            if one.session in last:
                before[place] = last[one.session]
            if one.status == "committed":
                last[one.session] = place
    writes = [frozenset(key for kind, key, _ in one.steps if kind == "w") for one in there]
    return Case(graph=graph, reads=reads, writes=writes, before=before)


def _committed(case: Case) -> Seen:
    for reader, reads in enumerate(case.reads):
        places: dict[Key, list[int]] = {}
        for place, (key, _) in enumerate(reads):
            places.setdefault(key, []).append(place)
        met = set()
        for place, (_, seen) in enumerate(reads):
            if seen is None or seen == reader or seen in met:
                continue
            met.add(seen)
            for key in case.writes[seen] & places.keys():
                for later in places[key]:
                    writer = reads[later][1]
                    if later > place and writer not in (seen, reader):
                        yield reader, seen, key, writer


def _atomic(case: Case) -> Seen:
    latest: dict[int, dict[Key, int]] = {}
    for reader, reads in enumerate(case.reads):
        earlier = case.before.get(reader)
        written = dict(latest.get(earlier, {})) if earlier is not None else {}
        sources = {seen for _, seen in reads if seen is not None}
        for key, writer in reads:
            own = {written[key]} if key in written else set()
            for seen in own | {seen for seen in sources if key in case.writes[seen]}:
                if seen not in (writer, reader) and writer != reader:
                    yield reader, seen, key, writer
        latest[reader] = written | dict.fromkeys(case.writes[reader], reader)


def _causal(case: Case) -> Seen:
    known = Order(case.graph.size)
    for first, then, why in case.graph.arrows:
        if why[0] in ("wr", "so", "rt") and first != then:
            known.note((first, then, why, 0))
    if not known.close():
        return
    masks = {key: sum(1 << writer for writer in writers) for key, writers in case.graph.writers.items()}
    for reader, reads in enumerate(case.reads):
        for key, writer in reads:
            older = 0 if writer is None else known.before[writer] | 1 << writer
            for seen in bits(known.before[reader] & masks.get(key, 0) & ~older & ~(1 << reader)):
                yield reader, seen, key, writer
