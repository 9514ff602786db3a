"""View serializability of a totally ordered read/write log, exactly (Papadimitriou, JACM 1979; NP-complete).

Searches a serial order in which every read takes its value from the same transaction and every key
is left by the same one. Exact when it ends; running out of budget is None, never an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checker.formats.schedule import Log

STATES = 200_000
"""States that are entered before the search gives up, about two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What must stay: the `sources` of each transaction's reads by key (None: the initial value), its `writes`, and the
    `final` writer of each key. `broken` says why no serial order can do, or is empty."""

    sources: Mapping[str, Mapping[str, str | None]]
    writes: Mapping[str, frozenset[str]]
    final: Mapping[str, str]
    broken: str


def view_of(log: Log) -> View:
    """The view of a log. A read between a transaction's own write and another's, or of a write that its transaction
    replaces, or two reads of one key from different writers, are in no serial order."""
    sources: dict[str, dict[str, str | None]] = {who: {} for who, _, _ in log}
    writes: dict[str, set[str]] = {who: set() for who, _, _ in log}
    last = {(who, key): place for place, (who, kind, key) in enumerate(log) if kind == "w"}
    at: dict[str, tuple[str, int]] = {}
    broken = []
    for place, (who, kind, key) in enumerate(log):
        if kind == "w":
            at[key] = who, place
            writes[who].add(key)
            continue
        writer, written = at.get(key, (None, -1))
        if writer == who:
            continue
        if key in writes[who]:
            broken.append(f"{who} wrote {key} and then read it as {writer} wrote it")
        elif writer is not None and last[writer, key] != written:
            broken.append(f"{who} read {key} as {writer} wrote it before writing it again")
        elif sources[who].setdefault(key, writer) != writer:
            broken.append(f"{who} read {key} from two writers")
    final = {key: who for key, (who, _) in at.items()}
    kept = {who: frozenset(keys) for who, keys in writes.items()}
    return View(sources=sources, writes=kept, final=final, broken=broken[0] if broken else "")


def view_order(view: View, budget: int = STATES) -> tuple[tuple[str, ...] | None, bool]:
    """An order with this view, or None; and whether the search ended before the budget did."""
    names = list(view.sources)
    states = 0
    seen: set[tuple] = set()
    stack: list[tuple[tuple[str, ...], dict[str, str]]] = [((), {})]
    while stack:
        order, current = stack.pop()
        if len(order) == len(names):
            return order, True
        state = frozenset(order), frozenset(current.items())
        if state in seen:
            continue
        seen.add(state)
        states += 1
        if states > budget:
            return None, False
        done = set(order)
        for who in reversed(names):
            if who not in done and _fits(view, who, current, done):
                stack.append(((*order, who), current | dict.fromkeys(view.writes[who], who)))
    return None, True


def _fits(view: View, who: str, current: Mapping[str, str], done: set[str]) -> bool:
    """Whether `who` can run next: its reads find their writers, and it overwrites nothing that must be seen later."""
    if any(current.get(key) != source for key, source in view.sources[who].items()):
        return False
    return not any(_still_needed(view, who, key, current.get(key), done) for key in view.writes[who])


def _still_needed(view: View, who: str, key: str, writer: str | None, done: set[str]) -> bool:
    if writer is not None and view.final[key] == writer:
        return True
    return any(
        reader != who and reader not in done and key in sources and sources[key] == writer
        for reader, sources in view.sources.items()
    )


def certain_pairs(view: View) -> Sequence[tuple[str, str, str, str]]:
    """Kind, source, target and key of what holds in every order with this view: reads after their writers, reads of
    the initial value before all writers, and the final writer last."""
    found = []
    for who, sources in view.sources.items():
        for key, source in sources.items():
            others = [one for one, keys in view.writes.items() if key in keys and one != who]
            found += [("rw", who, one, key) for one in others] if source is None else [("wr", source, who, key)]
    for key, final in view.final.items():
        found += [("ww", one, final, key) for one, keys in view.writes.items() if key in keys and one != final]
    return found
