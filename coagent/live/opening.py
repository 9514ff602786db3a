"""Opens live runs: a new one on targets, or one that a journal holds, after the runtime was stopped or killed.

Also gives the history of a run, which is what its journal holds between a header and an end.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.event import IllegalEvent
from coagent.history import VERSION, History, Record, plain
from coagent.live.actuator import Probe, no_probe
from coagent.live.apart import check_apart
from coagent.live.joined import JoinedTarget
from coagent.live.journal import Journal, MemoryJournal
from coagent.live.ledger import Ledger
from coagent.live.limits import PATIENCE, Limits
from coagent.live.reaching import cells_of
from coagent.live.session import Session
from coagent.live.step import Diverged
from coagent.live.target import Target
from coagent.protocols.mtpo import Mtpo
from coagent.tool import TOOLS, Tool

_HEAD: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "protocol": str,
    "order": str,
    "target": dict,
    "start": (dict, type(None)),
}


@asynccontextmanager
async def session(
    *targets: Target,
    tools: Mapping[str, Tool] = TOOLS,
    protocol: object | None = None,
    journal: Journal | None = None,
    name: str = "live",
    whole: bool = False,
    limits: Limits = PATIENCE,
    probe: Probe = no_probe,
    more: Mapping[str, object] | None = None,
) -> AsyncIterator[Session]:
    """A new live run on targets, under a protocol (MTPO by default), journalled in memory unless told otherwise.

    `whole`: all cells of the targets are read at the start and at the end; without, the history tells of those cells
    that operations met. `more` is kept in the journal's head. Raises BadInput for targets with one root, a journal that
    holds a run or lies in a target, or a protocol that wants forks, which live state has none of.
    """
    protocol = Mtpo() if protocol is None else protocol
    if "Fork" in protocol.emits:
        raise BadInput(f"{protocol.name} works on forks, and live state cannot be forked; choose another protocol")
    journal, joined = journal or MemoryJournal(), JoinedTarget(targets)
    if isinstance(file := getattr(journal, "file", None), Path):
        check_apart(file, targets)
    start = await cells_of(joined, joined.roots, limits) if whole else None
    head = {
        "version": VERSION,
        "name": name,
        "protocol": protocol.name,
        "order": protocol.promises,
        "target": joined.spec,
        "start": None if start is None else {path: plain(value) for path, value in sorted(start.items())},
        **(more or {}),
    }
    await journal.open(head)
    live = Session(Ledger(protocol, tools), joined, journal, limits=limits, probe=probe)
    try:
        yield live
    finally:
        await live.close()


@asynccontextmanager
async def resumed(
    *targets: Target,
    journal: Journal,
    tools: Mapping[str, Tool] = TOOLS,
    protocol: object | None = None,
    limits: Limits = PATIENCE,
    probe: Probe = no_probe,
) -> AsyncIterator[Session]:
    """The live run that a journal holds, gone on with: what was half-done is found by reading, and finished.

    Agents go on where they are: `agent(name)` gives their handles. Raises BadInput when the journal holds no run, one
    under another protocol or of another version, or one that this engine does not do again as it was done.
    """
    protocol = Mtpo() if protocol is None else protocol
    try:
        ledger, began = known(journal, protocol, tools)
    except BadInput:
        await journal.close()
        raise
    live = Session(ledger, JoinedTarget(targets), journal, limits=limits, probe=probe, began=began)
    try:
        yield live
    finally:
        await live.close()


def checked_head(head: Mapping[str, object]) -> Mapping[str, object]:
    """The head of a journal that holds a run of this version. Raises BadInput, which says what is wrong with it."""
    if not head:
        raise BadInput("the journal holds no run; it was made, and nothing was begun on it")
    if (version := head.get("version")) != VERSION:
        raise BadInput(f"the journal is of version {version}, this is {VERSION}; recover it with that one")
    for name, kinds in _HEAD.items():
        if not isinstance(head.get(name), kinds):
            raise BadInput(f"the journal's head has no {name!r} that makes sense; it is damaged, or none of coagent's")
    tools = head.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(one, str) for one in tools):
        raise BadInput("the journal's head names its tools by what is no text; it is damaged, or none of coagent's")
    return head


def known(journal: Journal, protocol: object, tools: Mapping[str, Tool]) -> tuple[Ledger, float]:
    """What is known after all that a journal holds, and the time in seconds of the last. Raises BadInput."""
    under = checked_head(journal.head)["protocol"]
    if under != protocol.name:
        raise BadInput(f"the journal's run is under {under}, not {protocol.name}; say so")
    try:
        return replayed(journal.records(), protocol, tools)
    except BadInput:
        raise
    except Exception as error:  # a journal can be wrong in any way there is
        why = str(error) if isinstance(error, Diverged | IllegalEvent) else f"{type(error).__name__} {error}".strip()
        raise BadInput(
            f"the journal does not replay ({why}); it is damaged, or was written by another version of coagent "
            "or with other tools, so recover it with those"
        ) from error


def replayed(records: Iterable[Record], protocol: object, tools: Mapping[str, Tool]) -> tuple[Ledger, float]:
    """What is known after these records, and the time in seconds of the last. Raises Diverged."""
    ledger, at = Ledger(protocol, tools), 0.0
    kept = list(records)
    for number, record in enumerate(kept, 1):
        if type(record.get("at")) not in (int, float) or type(record.get("event")) is not str:
            raise Diverged(f"record {number} says no time or no event")
    for record in ledger.replay(kept):
        at = record["at"]
    ledger.ready.clear()
    return ledger, kept[-1]["at"] if kept else at


async def history_of(live: Session) -> History:
    """The history of a live run so far: what the journal holds, and the live state as it is now. Raises BadInput
    when a target does not answer."""
    head, ledger = live.journal.head, live.ledger
    begun = head["start"] if head["start"] is not None else None
    if begun is None:
        begun = {path: plain(cell[0]) for path, cell in sorted(ledger.start.items()) if cell}
        touched = {*ledger.start, *ledger.cells}
        now = await cells_of(live.target, sorted(touched), live.actuator.limits) if touched else {}
        final = {path: plain(value) for path, value in sorted(now.items()) if path in touched}
    else:
        now = await cells_of(live.target, live.target.roots, live.actuator.limits)
        final = {path: plain(value) for path, value in sorted(now.items())}
    return finished(head, list(live.journal.records()), ledger, begun, final)


def finished(
    head: Mapping[str, object],
    records: list[Record],
    ledger: Ledger,
    begun: Mapping[str, object],
    final: Mapping[str, object],
) -> History:
    """A history from what a journal holds, the state at the start and the state at the end, by path."""
    seats = sorted(ledger.seats.values(), key=lambda one: one.rank)
    header = {
        "history": "coagent",
        "version": VERSION,
        "sealed": True,
        "simulated": False,
        "workload": head["name"],
        "protocol": head["protocol"],
        "seed": 0,
        "schedule": "clock",
        "agents": [{"name": one.name, "rank": list(one.rank)} for one in seats],
        "state": dict(begun),
        "order": head["order"],
        **({"models": head["models"]} if "models" in head else {}),
    }
    at = records[-1]["at"] if records else 0.0
    quiet = [{"at": at, "event": "quiescent"}] if ledger.quiescent else []
    end = {
        "at": at,
        "event": "end",
        "records": len(records) + len(quiet),
        "quiescent": ledger.quiescent,
        "final_state": dict(final),
        "reports": {one.name: _report(one.report) for one in seats},
    }
    return History(header, (*records, *quiet, end))


def _report(report: object) -> object:
    from coagent.program import report_out

    return report_out(report)
