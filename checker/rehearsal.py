"""Runs the effective operations of a run again, one after the other: does each come to what was recorded of it?

Knows the meaning of calls by the tools that it is given, and nothing of how an order was found.
"""

from collections.abc import Mapping, Sequence

from checker.anomaly import Anomaly, local
from checker.conflict import looked_at, silent
from checker.effective import Effective, Reduced
from checker.oracle import Ledger
from checker.told import said, worth
from coagent.history import History, frozen
from coagent.operation import Cell
from coagent.path import any_overlap
from coagent.tool import TOOLS, Tool


def replayed(
    history: History, run: Reduced, order: Sequence[str], tools: Mapping[str, Tool] = TOOLS
) -> tuple[list[Anomaly], dict[str, Cell]]:
    """Run the effective operations in a serial order: what does not come out as recorded, and the final cells.

    A call whose meaning is known is executed again: result and writes must agree, and then it does not matter which
    cells they rest on. Of any other every cell that it saw must hold then what it saw. A commuting call, whose total
    nobody was told, has no premise, and writes what it comes to at its place.
    """
    rank = {name: place for place, name in enumerate(order)}
    ledger = Ledger((path, frozen(value)) for path, value in history.header["state"].items())
    writers: dict[str, str] = {}
    found: list[Anomaly] = []
    for one in sorted(run.operations, key=lambda one: (rank[one.transaction], one.position)):
        wrote: Mapping[str, Cell] = one.wrote
        if silent(one):
            result, comes = TOOLS["add"].exec(ledger, dict(one.args))
            wrote = dict(comes)
            if result.status != "ok" or wrote.keys() != one.wrote.keys():
                why = f"{one.op} (add) was done; at its place in the order it is {worth(result)}"
                found.append(local("wrong result", [one.transaction], [why]))
        else:
            otherwise = _meaning(one, ledger, tools)
            if otherwise or one.lost or one.tool not in tools:
                found += _premises(run, one, ledger, writers)
            found += otherwise
        writers.update(dict.fromkeys(wrote, one.op))
        ledger.put(wrote.items())
    return found, ledger.cells


def _premises(run: Reduced, one: Effective, ledger: Ledger, writers: Mapping[str, str]) -> list[Anomaly]:
    """The cells that an operation saw otherwise than its place in the order shows them."""
    found = []
    for path in sorted(looked_at(one, ledger.tree)):
        cell, writer = one.saw.get(path, ((), None))
        now = ledger.cell(path)
        if repr(cell) == repr(now):
            continue
        newer = writer in run.positions and run.positions[writer] > one.position
        due = f"{run.owner[writers[path]]} wrote it" if path in writers else "it was at the start"
        why = (
            f"{one.transaction} read {path} as {said(cell)}"
            + (f", which {run.owner[writer]} wrote" if writer in run.owner else "")
            + f"; at its place in the order it is {said(now)}, as {due}"
        )
        names = [one.transaction, *([run.owner[writers[path]]] if path in writers else [])]
        found.append(local("too-new read" if newer else "stale read", dict.fromkeys(names), [why]))
    return found


def _meaning(one: Effective, ledger: Ledger, tools: Mapping[str, Tool]) -> list[Anomaly]:
    """A call of a known tool, executed again at its place: does it return and write what was recorded?"""
    if one.tool not in tools or one.lost:
        return []
    try:
        result, wrote = tools[one.tool].exec(ledger, dict(one.args))
        outside = sorted(path for path, _ in wrote if not any_overlap([path], one.writes))
    except (KeyError, TypeError, AttributeError):
        why = f"{one.op} calls {one.tool} with arguments that it does not take"
        return [local("wrong result", [one.transaction], [why])]
    found = []
    if outside:
        why = f"{one.op} ({one.tool}) writes {', '.join(outside)}, outside the footprint that it declared"
        found.append(local("footprint escape", [one.transaction], [why]))
    if repr(result) != repr(one.result):
        why = f"{one.op} ({one.tool}) returned {worth(one.result)}; at its place in the order it is {worth(result)}"
        found.append(local("wrong result", [one.transaction], [why]))
    if repr(sorted(wrote)) != repr(sorted(one.wrote.items())):
        why = f"{one.op} ({one.tool}) wrote {_cells(one.wrote)}; at its place in the order it is {_cells(dict(wrote))}"
        found.append(local("wrong result", [one.transaction], [why]))
    return found


def _cells(cells: Mapping[str, Cell]) -> str:
    return ", ".join(f"{path} = {said(cell)}" for path, cell in sorted(cells.items())) or "nothing"
