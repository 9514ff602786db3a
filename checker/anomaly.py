"""The named anomalies as a table, and the name of a cycle by the first row that it fits.

Decides what a cycle or a local fault is called, never whether a history is right. Names after
Adya (PhD thesis, MIT 1999, chapter 4), Berenson et al. (SIGMOD 1995) and Elle (Kingsbury and
Alvaro, VLDB 2020).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checker.precedence import Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What a cycle must look like. Limits are inclusive; None says any.

    `kinds` are the edge kinds allowed, `needs` those that must occur, `rw` how many rw edges,
    `apart` that no two rw edges follow each other, `size` and `objects` how many transactions and
    objects, `collection` that some rw edge read a listing.
    """

    kinds: frozenset[str] = frozenset({"ww", "wr", "rw"})
    needs: frozenset[str] = frozenset()
    rw: tuple[int, int | None] = (0, None)
    apart: bool | None = None
    size: int | None = None
    objects: int | None = None
    collection: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A row: the name, Adya's name, the defining cycle (None: a local fault), and what it means."""

    name: str
    adya: str
    says: str
    cycle: Pattern | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A found anomaly: its names, the transactions in it, and a sentence for each reason.

    `cycle` are the edges of a cycle in order, each ending where the next starts; empty for a local fault.
    """

    name: str
    adya: str
    transactions: tuple[str, ...]
    because: tuple[str, ...]
    cycle: tuple[Edge, ...] = field(default=(), compare=False)


_WRITES, _FLOW = frozenset({"ww"}), frozenset({"ww", "wr"})
_SAME_OBJECT = frozenset({"ww", "rw"})

TABLE: tuple[Kind, ...] = (
    Kind(name="internal", adya="internal", says="A transaction did not see what it had itself read or written."),
    Kind(name="future read", adya="future-read", says="A transaction read what it wrote only later."),
    Kind(name="garbage read", adya="garbage", says="A transaction read a value that no transaction wrote."),
    Kind(
        name="duplicate elements",
        adya="duplicate-elements",
        says="A list was read with the same element twice, although it was appended once.",
    ),
    Kind(
        name="incompatible order",
        adya="incompatible-order",
        says="Two reads saw the writes to one object in orders that cannot both be true.",
    ),
    Kind(name="aborted read", adya="G1a", says="A committed transaction read what an aborted one wrote."),
    Kind(
        name="dirty update",
        adya="dirty-update",
        says="A committed write was built on what an aborted transaction wrote.",
    ),
    Kind(
        name="intermediate read",
        adya="G1b",
        says="A transaction read a version that its writer replaced before it committed.",
    ),
    Kind(
        name="cyclic versions",
        adya="cyclic-versions",
        says="The versions of one object come out each before the other.",
    ),
    Kind(
        name="order inversion",
        adya="order-inversion",
        says="A transaction depends on one that the declared order puts after it.",
    ),
    Kind(
        name="too-new read",
        adya="too-new-read",
        says="An operation saw what a higher position wrote.",
    ),
    Kind(
        name="stale read",
        adya="stale-read",
        says="An operation kept a premise that a lower position had changed.",
    ),
    Kind(
        name="missed notice",
        adya="missed-notice",
        says="The result of an operation changed and its agent did not consume a notice of it.",
    ),
    Kind(
        name="wrong result",
        adya="wrong-result",
        says="An operation returned or wrote what it does not come to at its place in the order.",
    ),
    Kind(
        name="wrong revision",
        adya="wrong-revision",
        says="What an agent let stand is not what its program comes to, run again on what it was told (assumption A3).",
    ),
    Kind(
        name="downward notice",
        adya="downward-notice",
        says="An agent was told of what its own or a higher position did.",
    ),
    Kind(
        name="premature unrecoverable call",
        adya="premature-unrecoverable",
        says="A call that cannot be undone did not wait for the lower ranks to commit, or for its agent's notices.",
    ),
    Kind(
        name="double apply",
        adya="double-apply",
        says="An operation was carried out twice without an undo between.",
    ),
    Kind(
        name="livelock",
        adya="livelock",
        says="A chain of notices and repairs came back to where it began, again and again, and the run did not end.",
    ),
    Kind(
        name="unanswered cancellation",
        adya="unanswered-cancellation",
        says="An operation was cancelled or undone, and neither redone nor reissued nor retracted.",
    ),
    Kind(
        name="orphaned report",
        adya="orphaned-report",
        says="A final report is not the one that its agent finished with.",
    ),
    Kind(
        name="footprint escape",
        adya="footprint-escape",
        says="An operation touched what it had not declared (assumption A2).",
    ),
    Kind(
        name="repeated unrecoverable call",
        adya="repeated-unrecoverable",
        says="A call that cannot be undone was undone, carried out again, or outlived its attempt.",
    ),
    Kind(
        name="undo out of order",
        adya="undo-order",
        says="An operation was undone while a later one stood on what it had written.",
    ),
    Kind(
        name="lost inverse",
        adya="lost-inverse",
        says="What was captured for undo is not what was there.",
    ),
    Kind(
        name="diverged state",
        adya="diverged-state",
        says="The live state at the end is not what the write trajectories come to.",
    ),
    Kind(
        name="dirty write",
        adya="G0",
        cycle=Pattern(kinds=_WRITES, needs=_WRITES),
        says="Transactions overwrote each other's writes in opposite orders.",
    ),
    Kind(
        name="circular information flow",
        adya="G1c",
        cycle=Pattern(kinds=_FLOW, needs=frozenset({"wr"})),
        says="Transactions each depend on what the other wrote.",
    ),
    Kind(
        name="lost update",
        adya="G-single",
        cycle=Pattern(kinds=_SAME_OBJECT, needs=_WRITES, rw=(1, 1), size=2, objects=1),
        says="A transaction read an object, another wrote it, and the first overwrote that unseen.",
    ),
    Kind(
        name="lost update",
        adya="G2-item",
        cycle=Pattern(kinds=_SAME_OBJECT, rw=(2, 2), size=2, objects=1),
        says="Two transactions read one version of an object and both replaced it.",
    ),
    Kind(
        name="phantom",
        adya="G2",
        cycle=Pattern(rw=(1, None), collection=True),
        says="A transaction listed a collection and another changed its members, each before the other.",
    ),
    Kind(
        name="outdated read",
        adya="G-single",
        cycle=Pattern(kinds=frozenset({"rw"}), rw=(1, 1)),
        says="A transaction missed a write that had ended before it began, or that came first in its session.",
    ),
    Kind(
        name="read skew",
        adya="G-single",
        cycle=Pattern(rw=(1, 1)),
        says="A transaction saw one effect of another and missed a second one.",
    ),
    Kind(
        name="write skew",
        adya="G2-item",
        cycle=Pattern(rw=(2, 2), size=2),
        says="Two transactions each read what the other then wrote.",
    ),
    Kind(
        name="long fork",
        adya="G-nonadjacent",
        cycle=Pattern(rw=(2, None), apart=True),
        says="Readers saw independent writes in opposite orders.",
    ),
    Kind(
        name="anti-dependency cycle",
        adya="G2-item",
        cycle=Pattern(rw=(2, None), collection=False),
        says="Several transactions in a ring each missed what the next one wrote.",
    ),
    Kind(
        name="anti-dependency cycle",
        adya="G2",
        cycle=Pattern(),
        says="Transactions in a ring each come before the next.",
    ),
    Kind(
        name="no serial order",
        adya="not-serializable",
        says="Every serial order was tried, and none explains all the reads.",
    ),
)
"""Local faults first, then cycles from the most specific to the least: the first row that fits names a cycle."""

RANK = {(kind.name, kind.adya): place for place, kind in enumerate(TABLE)}
_SUFFIX = {"rt": "-realtime", "so": "-process"}


def local(name: str, transactions: Iterable[str], because: Iterable[str]) -> Anomaly:
    """An anomaly that is no cycle, by its name in the table; KeyError when the table has no such name."""
    row = {kind.name: kind for kind in TABLE}[name]
    return Anomaly(name=row.name, adya=row.adya, transactions=tuple(transactions), because=tuple(because))


def classify(cycle: Sequence[Edge]) -> tuple[str, str]:
    """Name and Adya name of a cycle, given as its edges in order, each ending where the next one starts.

    Session and real-time edges are set aside for the name and told by a suffix to Adya's.
    """
    suffix = next((_SUFFIX[kind] for kind in ("rt", "so") if any(edge.kind == kind for edge in cycle)), "")
    row = next(kind for kind in TABLE if kind.cycle is not None and fits(cycle, kind.cycle))
    return row.name, row.adya + suffix


def fits(cycle: Sequence[Edge], pattern: Pattern) -> bool:
    """True when the cycle has the shape that the pattern asks for."""
    plain = [edge for edge in cycle if edge.kind not in _SUFFIX]
    kinds = {edge.kind for edge in plain}
    rw = sum(edge.kind == "rw" for edge in plain)
    apart = not any(edge.kind == "rw" == cycle[place - 1].kind for place, edge in enumerate(cycle))
    least, most = pattern.rw
    return (
        kinds <= pattern.kinds
        and pattern.needs <= kinds
        and least <= rw
        and (most is None or rw <= most)
        and pattern.apart in (None, apart)
        and pattern.size in (None, len(cycle))
        and pattern.objects in (None, len({edge.object for edge in plain}))
        and pattern.collection in (None, any(edge.collection for edge in plain))
    )


def ranked(anomalies: Iterable[Anomaly]) -> tuple[Anomaly, ...]:
    """The anomalies in the table's order, equal ones once."""
    last = len(TABLE)
    once = dict.fromkeys(anomalies)
    return tuple(sorted(once, key=lambda one: RANK.get((one.name, one.adya), last)))
