"""What the live state has to be after the effects that a journal tells of: the uncancelled writes in serial order.

Worked out from the records alone, by calling the tools again on the start state; nothing of the engine or the ledger.
"""

from collections.abc import Iterable, Mapping

from coagent.history import Record, frozen
from coagent.operation import Value
from coagent.store import Pane
from coagent.tool import Tool


def standing(records: Iterable[Record], *, declared: bool) -> list[Record]:
    """The invocations whose writes stand: by serial position, or (not `declared`) in the order in which they landed."""
    ranks: dict[str, list[int]] = {}
    invoked: dict[str, Record] = {}
    stands: dict[str, None] = {}
    for record in records:
        match record["event"]:
            case "launch":
                ranks[record["agent"]] = record["rank"]
            case "invoke":
                invoked[record["op"]] = record
            case "mask":
                stands[record["op"]] = None
            case "exec" | "redo":
                stands.pop(record["op"], None)
                if record["status"] == "ok" and record["wrote"]:
                    stands[record["op"]] = None
            case "undo" | "cancel" | "inherit":
                stands.pop(record["op"], None)
    found = [invoked[op] for op in stands]
    if declared:
        found.sort(key=lambda one: (ranks[one["agent"]], one["position"]))
    return found


def materialized(
    start: Mapping[str, object], records: Iterable[Record], tools: Mapping[str, Tool], *, declared: bool
) -> dict[str, Value]:
    """The cells that there have to be, by path."""
    cells = {path: ((frozen(value),), None) for path, value in start.items()}
    for call in standing(records, declared=declared):
        _, wrote = tools[call["tool"]].exec(Pane(cells, {}), {name: frozen(arg) for name, arg in call["args"].items()})
        cells.update((path, (cell, None)) for path, cell in wrote)
    return {path: cell[0] for path, (cell, _) in cells.items() if cell}
