"""Serializability of register histories, whose version orders nobody recorded (NP-complete; Papadimitriou 1979).

Certain edges first, saturated: a cycle is violated. Then a search for a serial order: found is ok,
after a replay; exhausted is violated; out of budget is unknown, never ok. A transaction whose end
is unknown counts when one of its values was read, and as never having happened otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from checker.anomaly import Anomaly, local, ranked
from checker.judge import judge
from checker.polygraph import Reading, certain, saturated
from checker.precedence import Edge
from checker.replay import replayed
from checker.serial_search import Block, search
from checker.transaction import Key, Transaction, shown, steps_in
from checker.verdict import Verdict

Version = tuple[Key, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Who wrote which value: `final` versions by all their live writers, those `replaced` within their own
    transaction, and those that were `aborted`, by one writer each."""

    final: Mapping[Version, tuple[str, ...]]
    replaced: Mapping[Version, str]
    aborted: Mapping[Version, str]


def check_register(transactions: Sequence[Transaction], *, budget: int | None = None) -> Verdict:
    """Serializable, or not, or unknown when the search met its budget (states)."""
    start = perf_counter()
    size = {"transactions": len(transactions), "operations": steps_in(transactions)}
    writes = written(transactions)
    committed = [one for one in transactions if one.status == "committed"]
    if not committed:
        missing = ("no transaction is known to have committed, so there is nothing to judge",)
        return Verdict(verdict="unknown", criterion="serializable", missing=missing, **size)
    blocks, faults = [], []
    for one in committed:
        block, internal = block_of(one)
        blocks.append(block)
        faults += internal
        faults += [fault for version in block.reads.items() if (fault := _unwritten(block.name, version, writes))]
    live = _with_observed(transactions, blocks, writes)
    verdict = replayed(_decided(live, faults, writes, budget, size), transactions)
    return replace(verdict, seconds=perf_counter() - start)


def written(transactions: Sequence[Transaction]) -> Writes:
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


def block_of(one: Transaction) -> tuple[Block, list[Anomaly]]:
    """What a transaction read from outside and left behind, and where it contradicts its own steps."""
    reads: dict[Key, object] = {}
    writes: dict[Key, object] = {}
    faults = []
    for kind, key, value in one.steps:
        if kind == "w":
            writes[key] = value
            continue
        expected = writes[key] if key in writes else reads.setdefault(key, value)
        if value != expected:
            because = (
                f"{one.name} read {shown(key)} as {_value(value)}, and by its own steps it should be {_value(expected)}"
            )
            faults.append(local("internal", [one.name], [because]))
    return Block(name=one.name, reads=reads if one.status == "committed" else {}, writes=writes), faults


def _unwritten(reader: str, version: Version, writes: Writes) -> Anomaly | None:
    """The fault of reading a version that no serial order could show from outside, if it is one."""
    key, value = version
    others = [writer for writer in writes.final.get(version, ()) if writer != reader]
    if others or value is None:
        return None
    thing = shown(key)
    if version in writes.final:
        return local("internal", [reader], [f"{reader} read {thing} as {_value(value)} before it wrote that itself"])
    if version in writes.replaced:
        writer = writes.replaced[version]
        because = f"{reader} read {thing} as {_value(value)}, which {writer} wrote and then replaced"
        return local("intermediate read", [writer, reader], [because])
    if version in writes.aborted:
        writer = writes.aborted[version]
        return local(
            "aborted read",
            [writer, reader],
            [f"{reader} read {thing} as {_value(value)}, which {writer} wrote and aborted"],
        )
    return local("garbage read", [reader], [f"{reader} read {thing} as {_value(value)}, which no transaction wrote"])


def _with_observed(transactions: Sequence[Transaction], blocks: Sequence[Block], writes: Writes) -> list[Block]:
    """The committed blocks, and those of unknown end that somebody read, in the order of the history."""
    seen = {writer for block in blocks for version in block.reads.items() for writer in writes.final.get(version, ())}
    ready = {block.name: block for block in blocks}
    found = []
    for one in transactions:
        if one.name in ready:
            found.append(ready[one.name])
        elif one.status == "unknown" and one.name in seen:
            found.append(block_of(one)[0])
    return found


def _decided(
    live: Sequence[Block], faults: Sequence[Anomaly], writes: Writes, budget: int | None, size: dict
) -> Verdict:
    """The verdict on the live blocks, before any replay."""
    names = [block.name for block in live]
    doubtful = ambiguous(live, writes)
    readings = list(readings_of(live, writes)) if not doubtful else []
    edges, after = saturated(names, readings, certain(readings))
    if faults or after is None:
        return judge(names, edges, extra_anomalies=faults, operations=size["operations"], counted=size["transactions"])
    found = search(live, _before(names, edges), budget)
    common = {"criterion": "serializable", **size}
    if found.order is not None:
        return Verdict(verdict="ok", order=found.order, **common)
    if not found.complete:
        return Verdict(verdict="unknown", missing=_gave_up(found.states, doubtful), **common)
    because = (
        f"none of the serial orders of these {len(names)} transactions explains every read; "
        f"{found.states} states were tried"
    )
    return Verdict(verdict="violated", anomalies=ranked([local("no serial order", names, [because])]), **common)


def ambiguous(live: Sequence[Block], writes: Writes) -> tuple[Version, ...]:
    """The versions read whose writer is not certain: written twice, or nil written over the initial nil."""
    read = dict.fromkeys(version for block in live for version in block.reads.items())
    return tuple(version for version in read if len(writes.final.get(version, ())) + (version[1] is None) > 1)


def readings_of(live: Sequence[Block], writes: Writes) -> Iterator[Reading]:
    """Every version that was read, with its readers and the other writers of its key."""
    readers: dict[Version, list[str]] = {}
    writers: dict[Key, list[str]] = {}
    for block in live:
        for version in block.reads.items():
            readers.setdefault(version, []).append(block.name)
        for key in block.writes:
            writers.setdefault(key, []).append(block.name)
    for version, names in readers.items():
        writer = next(iter(writes.final.get(version, ())), None)
        if writer is None and version[1] is not None:
            continue
        others = tuple(name for name in writers.get(version[0], ()) if name != writer)
        yield Reading(thing=shown(version[0]), writer=writer, readers=tuple(names), others=others)


def _before(names: Sequence[str], edges: Sequence[Edge]) -> list[int]:
    index = {name: place for place, name in enumerate(names)}
    before = [0] * len(names)
    for edge in edges:
        before[index[edge.target]] |= 1 << index[edge.source]
    return before


def _gave_up(states: int, doubtful: Sequence[Version]) -> tuple[str, ...]:
    missing = [f"the version orders: no serial order was found, nor excluded, in {states - 1} states"]
    if doubtful:
        key, value = doubtful[0]
        missing.append(
            f"the writer of some values: {shown(key)} was set to {_value(value)} more than once; write each value once"
        )
    return tuple(missing)


def _value(value: object) -> str:
    return "nil" if value is None else str(value)
