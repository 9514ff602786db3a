"""What a register history shows before anything is inferred: who wrote which value, what each transaction read from
outside, and the reads that no order of transactions could explain.

Knows values only; a transaction whose end is unknown counts when one of its values was read, and as
never having happened otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checker.anomaly import Anomaly, local
from checker.polygraph import Block
from checker.transaction import Key, Transaction, shown

Version = tuple[Key, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Who wrote which value: `final` versions by all their live writers, those `replaced` within their own
    transaction, and those that were `aborted`, by one writer each."""

    final: Mapping[Version, tuple[str, ...]]
    replaced: Mapping[Version, str]
    aborted: Mapping[Version, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The reads of one committed transaction that its own writes do not answer, as `(key, value)` in program order.

    `own` are reads that contradict its own writes, `changed` those of a key that came out otherwise before.
    """

    block: Block
    reads: tuple[Version, ...]
    own: tuple[Anomaly, ...]
    changed: tuple[Anomaly, ...]


def written(transactions: Iterable[Transaction]) -> Writes:
    """Who wrote which value, over transactions of every status."""
    final: dict[Version, tuple[str, ...]] = {}
    replaced, aborted = {}, {}
    for one in transactions:
        last = {key: value for kind, key, value in one.steps if kind == "w"}
        for kind, key, value in one.steps:
            if kind != "w":
                continue
            if one.status == "aborted":
                aborted[key, value] = one.name
            elif value != last[key]:
                replaced[key, value] = one.name
        if one.status != "aborted":
            for version in last.items():
                final[version] = (*final.get(version, ()), one.name)
    return Writes(final=final, replaced=replaced, aborted=aborted)


def outside(one: Transaction) -> Outside:
    """What a transaction saw and left. A read that contradicts its own writes counts as one from outside as well."""
    seen: dict[Key, list] = {}
    writes: dict[Key, object] = {}
    reads, own, changed = [], [], []
    for kind, key, value in one.steps:
        if kind == "w":
            writes[key] = value
            continue
        if key in writes and value == writes[key]:
            continue
        if key in writes:
            own.append(_internal(one.name, key, value, writes[key]))
        elif key in seen and value != seen[key][-1]:
            changed.append(_internal(one.name, key, value, seen[key][-1]))
        reads.append((key, value))
        if value not in seen.setdefault(key, []):
            seen[key].append(value)
    heard = {key: tuple(values) for key, values in seen.items()} if one.status == "committed" else {}
    block = Block(name=one.name, reads=heard, writes=writes)
    return Outside(block=block, reads=tuple(reads), own=tuple(own), changed=tuple(changed))


def _internal(reader: str, key: Key, value: object, expected: object) -> Anomaly:
    told = f"by its own steps it should be {shown_value(expected)}"
    return local("internal", [reader], [f"{reader} read {shown(key)} as {shown_value(value)}, and {told}"])


def unexplained(one: Outside, writes: Writes) -> Iterator[Anomaly]:
    """The faults of reading what no order of transactions could show from outside."""
    for version in dict.fromkeys(one.reads):
        if fault := _fault(one.block.name, version, writes):
            yield fault


def _fault(reader: str, version: Version, writes: Writes) -> Anomaly | None:
    key, value = version
    others = [writer for writer in writes.final.get(version, ()) if writer != reader]
    if others or value is None:
        return None
    seen = f"{reader} read {shown(key)} as {shown_value(value)}"
    if version in writes.final:
        return local("future read", [reader], [f"{seen} before it wrote that itself"])
    if version in writes.replaced:
        writer = writes.replaced[version]
        if writer == reader:
            return local("future read", [reader], [f"{seen}, which it wrote itself, but not then"])
        return local("intermediate read", [writer, reader], [f"{seen}, which {writer} wrote and then replaced"])
    if version in writes.aborted:
        writer = writes.aborted[version]
        return local("aborted read", [writer, reader], [f"{seen}, which {writer} wrote and aborted"])
    return local("garbage read", [reader], [f"{seen}, which no transaction wrote"])


def with_observed(transactions: Sequence[Transaction], committed: Mapping[str, Outside], writes: Writes) -> list[Block]:
    """The committed blocks, and those of unknown end that somebody read, in the order of the history."""
    seen = {writer for one in committed.values() for version in one.reads for writer in writes.final.get(version, ())}
    found = []
    for one in transactions:
        if one.name in committed:
            found.append(committed[one.name].block)
        elif one.status == "unknown" and one.name in seen:
            found.append(outside(one).block)
    return found


def ambiguous(live: Iterable[Block], writes: Writes) -> tuple[Version, ...]:
    """The versions read whose writer is not certain: written twice, or nil written over the initial nil."""
    read = dict.fromkeys((key, value) for block in live for key, values in block.reads.items() for value in values)
    return tuple(version for version in read if len(writes.final.get(version, ())) + (version[1] is None) > 1)


def shown_value(value: object) -> str:
    """A value as a sentence has it."""
    return "nil" if value is None else str(value)
