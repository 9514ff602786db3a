"""The levels by their definitions, decided by trying everything: judges that share only values with the checker.

Each takes a handful of committed transactions whose values are written once each, nil at first.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations, product

from checker.transaction import Transaction

Pairs = set[tuple[str, str]]
"""`(a, b)`: a comes before b."""


def sessions(there: Sequence[Transaction]) -> Pairs:
    return {
        (one.name, other.name)
        for place, one in enumerate(there)
        for other in there[place + 1 :]
        if one.session is not None and one.session == other.session
    }


def real_time(there: Sequence[Transaction]) -> Pairs:
    return {(one.name, other.name) for one in there for other in there if one.ended < other.begun} | sessions(there)


def kept(there: Sequence[Transaction], order: str) -> Pairs:
    return {"": set, "so": lambda: sessions(there), "rt": lambda: real_time(there)}[order]()


def holds(order: Sequence[str], pairs: Pairs) -> bool:
    place = {name: number for number, name in enumerate(order)}
    return all(place[one] < place[other] for one, other in pairs)


def serializable(there: Sequence[Transaction], order: str) -> bool:
    """Some serial order shows every read its value."""
    pairs = kept(there, order)
    return any(
        holds([one.name for one in way], pairs) and explains([(one, half) for one in way for half in "sc"])
        for way in permutations(there)
    )


def snapshot_isolated(there: Sequence[Transaction], order: str) -> bool:
    """Some order of starts and commits shows every read the state at its start; writers of one key do not overlap."""
    pairs = {(f"c{one}", f"s{other}") for one, other in kept(there, order)}
    return any(holds([half + one.name for one, half in way], pairs) and explains(way) for way in _interleaved(there))


def _interleaved(there: Sequence[Transaction]) -> Iterator[list]:
    if not there:
        yield []
        return
    first = there[0]
    for way in _interleaved(there[1:]):
        for start in range(len(way) + 1):
            for commit in range(start, len(way) + 1):
                yield [*way[:start], (first, "s"), *way[start:commit], (first, "c"), *way[commit:]]


def explains(way: Sequence[tuple[Transaction, str]]) -> bool:
    """True when the snapshots taken at these starts explain all reads, and nobody wrote in between what one writes."""
    state: dict[object, tuple[object, int]] = {}
    begun: dict[str, int] = {}
    for now, (one, half) in enumerate(way):
        written = {key: value for kind, key, value in one.steps if kind == "w"}
        if half == "c":
            if any(state.get(key, (None, -1))[1] > begun[one.name] for key in written):
                return False
            state |= {key: (value, now) for key, value in written.items()}
            continue
        begun[one.name], own = now, {}
        for kind, key, value in one.steps:
            if kind == "w":
                own[key] = value
            elif value != (own[key] if key in own else state.get(key, (None, -1))[0]):
                return False
    return True


def outside(one: Transaction, *, own_writes: bool = True) -> list[tuple[object, object]]:
    """Reads before the transaction's own write of the key; without `own_writes` those that contradict it as well."""
    found, own = [], {}
    for kind, key, value in one.steps:
        if kind == "w":
            own[key] = value
        elif key not in own or (not own_writes and value != own[key]):
            found.append((key, value))
    return found


def sound(there: Sequence[Transaction], *, repeatable: bool, own_writes: bool = True) -> bool:
    """Reads are of final values of others, of nil, or one's own last write; and repeatable, where that is asked.

    Without `own_writes` a transaction may read another's value though it wrote the key itself.
    """
    last = {(key, value): one.name for one in there for key, value in finals(one).items()}
    for one in there:
        own, seen = {}, {}
        for kind, key, value in one.steps:
            if kind == "w":
                own[key] = value
            elif key in own and (own_writes or value == own[key]):
                if value != own[key]:
                    return False
            elif value is not None and last.get((key, value), one.name) == one.name:
                return False
            elif repeatable and seen.setdefault(key, value) != value:
                return False
    return True


def finals(one: Transaction) -> dict:
    return {key: value for kind, key, value in one.steps if kind == "w"}


def commit_order(there: Sequence[Transaction], level: str, so: Pairs) -> bool:
    """Biswas and Enea's axiom of read committed, read atomic or causal, over every total order (OOPSLA 2019)."""
    if not sound(there, repeatable=level != "read-committed"):
        return False
    first = "the first state"
    last = {(key, value): one.name for one in there for key, value in finals(one).items()}
    keys = {key for one in there for _, key, _ in one.steps}
    writes = {one.name: set(finals(one)) for one in there} | {first: keys}
    reads = {one.name: [(key, last.get((key, value), first)) for key, value in outside(one)] for one in there}
    names = [first, *(one.name for one in there)]
    so = so | {(first, one.name) for one in there}
    wr = {(writer, name) for name, seen in reads.items() for _, writer in seen}
    past = closed(so | wr)
    if any(one == other for one, other in past):
        return False

    def seen_by(name: str, place: int) -> set[str]:
        match level:
            case "read-committed":
                return {writer for _, writer in reads[name][:place]}
            case "read-atomic":
                return {one for one, other in so | wr if other == name}
            case _:
                return {one for one, other in past if other == name}

    needed = set(past)
    for name, seen in reads.items():
        for place, (key, writer) in enumerate(seen):
            for other in names:
                if other not in (writer, name) and key in writes[other] and other in seen_by(name, place):
                    needed.add((other, writer))
    return any(holds(way, needed) for way in permutations(names))


def closed(pairs: Pairs) -> Pairs:
    pairs = set(pairs)
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    return pairs


def adya(there: Sequence[Transaction], level: str, order: str) -> bool:
    """Some order of each key's versions has no cycle that the level forbids (Adya, thesis, chapter 4)."""
    if not sound(there, repeatable=False, own_writes=False):
        return False
    by = {(key, value): one.name for one in there for key, value in finals(one).items()}
    keys = sorted({key for key, _ in by})
    ways = product(*(permutations([value for at, value in by if at == key]) for key in keys))
    beside = kept(there, order)
    return any(_allowed(_edges(there, by, dict(zip(keys, way, strict=True))), beside, level) for way in ways)


def _edges(there: Sequence[Transaction], by: dict, versions: dict) -> set[tuple[str, str, str, object]]:
    edges = set()
    for key, values in versions.items():
        edges |= {("ww", by[key, one], by[key, other], key) for one, other in pairwise(values)}
    for one in there:
        for key, value in outside(one, own_writes=False):
            later = versions.get(key, ())
            if value is not None:
                edges.add(("wr", by[key, value], one.name, key))
                later = later[later.index(value) + 1 :]
            if later:
                edges.add(("rw", one.name, by[key, later[0]], key))
    return {edge for edge in edges if edge[1] != edge[2]}


def _allowed(edges: set, beside: Pairs, level: str) -> bool:
    flow = {(one, other) for kind, one, other, _ in edges if kind != "rw"} | beside
    past = closed(flow)
    every = closed(flow | {(one, other) for _, one, other, _ in edges})
    if any(one == other for one, other in past):
        return False
    for kind, one, other, key in edges:
        if kind == "rw" and level == "repeatable-read" and (other, one) in every:
            return False
        if kind == "rw" and level == "consistent-view" and (other, one) in past:
            return False
        same = closed({(a, b) for how, a, b, at in edges if how == "ww" and at == key})
        if kind == "rw" and level == "cursor-stability" and (other, one) in same:
            return False
    return True
