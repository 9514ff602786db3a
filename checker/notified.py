"""Judges our own histories: notified serializability in the declared order, serializability in any.

Sees the recorded events and nothing of the protocol. In the declared order, every effective read must
be `M(o, p)`, every result what the call comes to at its place, and the live state `M(o, end)` (P2
section 3). In any order, the precedence graph over recorded versions must be acyclic, and the order
found is replayed before it is called ok. Nothing is said of a run that did not reach GlobalQuiet.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from checker.anomaly import Anomaly, local
from checker.effective import Effective, Reduced, reduced
from checker.judge import judge
from checker.oracle import Ledger
from checker.precedence import Edge, overwrote, read_before, read_from
from checker.verdict import Verdict
from coagent.history import History, frozen
from coagent.operation import Cell, Result, show
from coagent.tool import TOOLS

MOST = 20
"""Faults of one kind that are told each."""


def check_history(history: History, *, order: str) -> Verdict:
    """The verdict on a recorded run. `order` is `declared` (notified serializability in the pre-order) or `any`."""
    start = perf_counter()
    run = reduced(history)
    missing = _missing(history, run)
    criterion = "notified-serializable" if order == "declared" else "serializable"
    size = {"criterion": criterion, "transactions": run.counted, "operations": len(run.owner)}
    if missing:
        return Verdict(verdict="unknown", missing=missing, seconds=perf_counter() - start, **size)
    final = {path: (frozen(value),) for path, value in history.end["final_state"].items()}
    faults = [*run.faults, *_diverged(run.live, final, "the recorded effects come to")]
    edges = edges_of(run)
    if order == "declared":
        verdict = _declared(history, run, faults, edges)
    else:
        verdict = _any(history, run, faults, edges)
    return replace(verdict, criterion=criterion, operations=len(run.owner), seconds=perf_counter() - start)


def _missing(history: History, run: Reduced) -> tuple[str, ...]:
    found = []
    if not history.end["quiescent"] or run.open:
        who = f" ({', '.join(run.open)} had not committed)" if run.open else ""
        found.append(f"the run did not reach quiescence{who}, and nothing is promised before")
    if run.unsettled:
        found.append(f"what became of {run.unsettled[0]} is not recorded")
    blind = [one for one in run.operations if one.reads and not one.saw and one.tool not in TOOLS]
    if blind:
        found.append(f"{blind[0].op} records no cells that it saw ('saw'), and its tool {blind[0].tool!r} is not known")
    return tuple(found)


def _declared(history: History, run: Reduced, faults: list[Anomaly], edges: list[Edge]) -> Verdict:
    found, final = replayed(history, run, run.transactions)
    faults += [*found, *_diverged(final, run.live, "the write trajectories come to")]
    if not faults:
        return Verdict(verdict="ok", criterion="", order=run.transactions, transactions=run.counted)
    return judge(run.transactions, edges, extra_anomalies=faults, declared=True, counted=run.counted)


def _any(history: History, run: Reduced, faults: list[Anomaly], edges: list[Edge]) -> Verdict:
    verdict = judge(run.transactions, edges, extra_anomalies=[*faults, *_aborted_reads(run)], counted=run.counted)
    if verdict.verdict != "ok":
        return verdict
    unseen = [one.op for one in run.operations if one.reads and one.saw is None]
    found, final = replayed(history, run, verdict.order)
    wrong = [*found, *_diverged(final, run.live, "the write trajectories come to")]
    if wrong and unseen:
        missing = (f"{unseen[0]} records no cells that it saw ('saw'), so the order of what touched them is not known",)
        return replace(verdict, verdict="unknown", order=None, missing=missing)
    return judge(run.transactions, edges, extra_anomalies=wrong, counted=run.counted) if wrong else verdict


def replayed(history: History, run: Reduced, order: Sequence[str]) -> tuple[list[Anomaly], dict[str, Cell]]:
    """Run the effective operations in a serial order: what does not come out as recorded, and the final cells.

    Every cell that an operation saw must hold then what it saw, and a call whose meaning is known is
    executed again: result and writes must agree.
    """
    rank = {name: place for place, name in enumerate(order)}
    ledger = Ledger((path, frozen(value)) for path, value in history.header["state"].items())
    writers: dict[str, str] = {}
    found: list[Anomaly] = []
    for one in sorted(run.operations, key=lambda one: (rank[one.transaction], one.position)):
        found += _premises(run, one, ledger, writers)
        found += _meaning(one, ledger)
        for path, cell in one.wrote.items():
            writers[path] = one.op
            if cell:
                ledger.cells[path] = cell
            else:
                ledger.cells.pop(path, None)
    return found[:MOST], ledger.cells


def _premises(run: Reduced, one: Effective, ledger: Ledger, writers: Mapping[str, str]) -> list[Anomaly]:
    """The cells that an operation saw otherwise than its place in the order shows them."""
    found = []
    for path in sorted(_looked_at(one, ledger.cells)):
        cell, writer = one.saw.get(path, ((), None))
        now = ledger.cells.get(path, ())
        if repr(cell) == repr(now):
            continue
        place = {op.op: op.position for op in run.operations}
        newer = writer in place and place[writer] > one.position
        due = f"{run.owner[writers[path]]} wrote it" if path in writers else "it was at the start"
        why = (
            f"{one.transaction} read {path} as {_cell(cell)}"
            + (f", which {run.owner[writer]} wrote" if writer in run.owner else "")
            + f"; at its place in the order it is {_cell(now)}, as {due}"
        )
        names = [one.transaction, *([run.owner[writers[path]]] if path in writers else [])]
        found.append(local("too-new read" if newer else "stale read", dict.fromkeys(names), [why]))
    return found


def _looked_at(one: Effective, cells: Iterable[str]) -> set[str]:
    """The paths whose cells an operation saw: those it names, and everything below what it listed."""
    seen = {path for path in one.saw or () if not path.endswith("/")}
    listed = tuple(path for path in one.saw or () if path.endswith("/"))
    return seen | {path for path in cells if listed and path.startswith(listed)}


def _meaning(one: Effective, ledger: Ledger) -> list[Anomaly]:
    """A call of a known tool, executed again at its place: does it return and write what was recorded?"""
    if one.tool not in TOOLS or one.lost:
        return []
    try:
        result, wrote = TOOLS[one.tool].exec(ledger, dict(one.args))
    except (KeyError, TypeError, AttributeError):
        why = f"{one.op} calls {one.tool} with arguments that it does not take"
        return [local("wrong result", [one.transaction], [why])]
    found = []
    if repr(result) != repr(one.result):
        why = f"{one.op} ({one.tool}) returned {_result(one.result)}; at its place in the order it is {_result(result)}"
        found.append(local("wrong result", [one.transaction], [why]))
    if repr(sorted(wrote)) != repr(sorted(one.wrote.items())):
        why = f"{one.op} ({one.tool}) wrote {_cells(one.wrote)}; at its place in the order it is {_cells(dict(wrote))}"
        found.append(local("wrong result", [one.transaction], [why]))
    return found


def edges_of(run: Reduced) -> list[Edge]:
    """The precedence edges between committed transactions, over the recorded versions of each cell (Adya)."""
    versions = _versions(run)
    edges: list[Edge] = []
    for path, chain in versions.items():
        edges += [overwrote(a.transaction, b.transaction, path) for a, b in zip(chain, chain[1:], strict=False)]
    counted = {one.op: one for one in run.operations}
    for one in run.operations:
        for path in _looked_at(one, versions):
            edges += _read_edges(one, path, versions.get(path, []), counted)
    return edges


def _read_edges(one: Effective, path: str, chain: list[Effective], counted: Mapping[str, Effective]) -> list[Edge]:
    writer = (one.saw or {}).get(path, ((), None))[1]
    source = counted.get(writer) if writer else None
    place = next((at for at, version in enumerate(chain) if version.op == writer), -1) + 1
    edges = [read_from(source.transaction, one.transaction, path)] if source else []
    later = [version for version in chain[place:] if version.transaction != one.transaction]
    if later and (source or not writer):
        listed = any(path.startswith(seen) for seen in one.saw if seen.endswith("/"))
        edges.append(read_before(one.transaction, later[0].transaction, path, collection=listed))
    return edges


def _versions(run: Reduced) -> dict[str, list[Effective]]:
    """The standing writes of each cell, in the order in which the live store got them last."""
    chains: dict[str, list[Effective]] = defaultdict(list)
    for one in sorted(run.operations, key=lambda one: one.applied):
        for path in one.wrote:
            chains[path].append(one)
    return dict(chains)


def _aborted_reads(run: Reduced) -> list[Anomaly]:
    """Reads of what was aborted or taken back (G1a), and of versions that their own writer replaced (G1b)."""
    found = []
    last = {(path, chain.transaction): chain.op for path, many in _versions(run).items() for chain in many}
    for one in run.operations:
        for path, (_, writer) in (one.saw or {}).items():
            if writer in run.cancelled:
                why = f"{one.transaction} read {path} as {run.owner[writer]} wrote it, but {run.cancelled[writer]}"
                found.append(local("aborted read", dict.fromkeys((one.transaction, run.owner[writer])), [why]))
            elif writer in run.owner and run.owner[writer] != one.transaction:
                final = last.get((path, run.owner[writer]), writer)
                if final != writer:
                    why = f"{one.transaction} read {path} as {writer} wrote it; {run.owner[writer]} then wrote it again"
                    found.append(local("intermediate read", (one.transaction, run.owner[writer]), [why]))
    return found[:MOST]


def _diverged(have: Mapping[str, Cell], want: Mapping[str, Cell], says: str) -> list[Anomaly]:
    found = []
    for path in sorted({*have, *want}):
        due, found_there = have.get(path, ()), want.get(path, ())
        if repr(due) != repr(found_there):
            why = f"{path} ends as {_cell(found_there)}, and {says} {_cell(due)}"
            found.append(local("diverged state", [], [why]))
    return found[:MOST]


def _cell(cell: Cell) -> str:
    return show(cell[0]) if cell else "absent"


def _cells(cells: Mapping[str, Cell]) -> str:
    return ", ".join(f"{path} = {_cell(cell)}" for path, cell in sorted(cells.items())) or "nothing"


def _result(result: Result) -> str:
    return show(result.value) if result.status == "ok" else f"{result.status} {show(result.value)}"
