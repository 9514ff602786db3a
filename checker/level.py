"""The isolation levels as a table: what each forbids, and which order beyond the data it must respect.

Decides what a level is, never whether a history meets it. Levels and their phenomena after Adya
(PhD thesis, MIT 1999, chapter 4) and Berenson et al. (SIGMOD 1995); the session and strict variants
are named as Elle names them (Kingsbury and Alvaro, VLDB 2020); read atomic and causal consistency
after Biswas and Enea (OOPSLA 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from checker.anomaly import Anomaly
from coagent.bad_input import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A row. `adya` is Adya's name where there is one. `forbids` are the phenomena by Adya name (the cycles without
    suffix, see `checker.anomaly.TABLE`). `order` is what beside the data must hold: nothing, `so` (the order of each
    session) or `rt` (real time, which holds sessions too)."""

    name: str
    adya: str
    forbids: frozenset[str]
    says: str
    order: str = ""


_RU = frozenset({"duplicate-elements", "cyclic-versions", "G0"})
_RC = _RU | {"garbage", "incompatible-order", "future-read", "G1a", "G1b", "dirty-update", "G1c"}
_CS = _RC | {"lost-update"}
_CV = _CS | {"G-single"}
_SI = _CV | {"internal", "G-nonadjacent"}
_RR = _CV | {"G-nonadjacent", "G2-item"}
_SER = _SI | _RR | {"G2", "not-serializable"}

_PLAIN = (
    Level(name="read-uncommitted", adya="PL-1", forbids=_RU, says="Writes to several objects are not interleaved."),
    Level(name="read-committed", adya="PL-2", forbids=_RC, says="Only what was committed, and is final, is read."),
    Level(
        name="read-atomic",
        adya="",
        forbids=_RC | {"internal", "fractured-read"},
        says="Of each transaction all effects are seen, or none.",
    ),
    Level(
        name="causal",
        adya="",
        forbids=_RC | {"internal", "fractured-read", "causality"},
        says="Whoever sees an effect sees all that led to it, sessions included.",
        order="so",
    ),
    Level(name="cursor-stability", adya="PL-CS", forbids=_CS, says="No update of an object is lost."),
    Level(name="consistent-view", adya="PL-2+", forbids=_CV, says="What is read is some consistent state."),
    Level(
        name="snapshot-isolation", adya="PL-SI", forbids=_SI, says="Reads are of one past state; writers do not meet."
    ),
    Level(name="repeatable-read", adya="PL-2.99", forbids=_RR, says="Serializable but for what listings miss."),
    Level(
        name="view-serializable",
        adya="",
        forbids=_SER,
        says="Some serial order has the same reads and the same last writes.",
    ),
    Level(name="conflict-serializable", adya="PL-3", forbids=_SER, says="Some serial order keeps every conflict."),
    Level(name="serializable", adya="PL-3", forbids=_SER, says="Some serial order explains everything."),
)
"""Weakest first; not every two can be compared."""

_NAMED = {one.name: one for one in _PLAIN}
_ORDERED = ("read-uncommitted", "read-committed", "consistent-view", "snapshot-isolation", "serializable")


def _named(prefix: str, name: str) -> str:
    return "strict-serializable" if (prefix, name) == ("strong-", "serializable") else prefix + name


LEVELS: Mapping[str, Level] = _NAMED | {
    _named(prefix, name): Level(
        name=_named(prefix, name),
        adya=_NAMED[name].adya,
        forbids=_NAMED[name].forbids,
        says=f"{_NAMED[name].says[:-1]}, {says}.",
        order=order,
    )
    for prefix, order, says in (
        ("strong-session-", "so", "in an order that keeps that of each session"),
        ("strong-", "rt", "in an order that keeps that of real time"),
    )
    for name in _ORDERED
}
"""Every level by name."""

ALIASES = {
    "strong-serializable": "strict-serializable",
    "read-atomicity": "read-atomic",
    "causal-consistency": "causal",
    "PL-1": "read-uncommitted",
    "PL-2": "read-committed",
    "PL-CS": "cursor-stability",
    "PL-2+": "consistent-view",
    "PL-SI": "snapshot-isolation",
    "PL-2.99": "repeatable-read",
    "PL-3": "serializable",
}
"""Other names in use."""


_ANY = frozenset().union(*(one.forbids for one in _PLAIN))


def counts(level: Level, anomaly: Anomaly) -> bool:
    """Whether an anomaly breaks the level: it forbids the phenomenon, or the phenomenon is none that levels tell apart.

    A session or real-time suffix is the caller's concern; a lost update counts under its own name too.
    """
    plain = anomaly.adya.removesuffix("-process").removesuffix("-realtime")
    names = {plain, "lost-update"} if anomaly.name == "lost update" else {plain}
    return bool(names & level.forbids) or not names & _ANY


def level(name: str) -> Level:
    """The level of this name or alias. Raises BadInput that lists the names."""
    found = LEVELS.get(ALIASES.get(name, name))
    if found is None:
        raise BadInput(f"unknown level {name!r}; known are {', '.join([*LEVELS, *ALIASES])}")
    return found
