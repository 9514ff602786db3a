"""What an effect is about to do to a target, as it is written down before it does it."""

from dataclasses import dataclass

from coagent.event_json import event_in
from coagent.history import Record, cell_in, sightings_in
from coagent.live.target import Memo
from coagent.operation import Cell, Result, Sighting
from coagent.recording import cells_out, entries_out, outcome_out
from coagent.store import Entry as Held

Writes = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What an effect is about to do: what it captured and the target's memo of it, what it will leave, its result."""

    op: str
    act: str
    captured: tuple[tuple[str, Held], ...]
    wrote: Writes
    memo: Memo
    result: Result
    saw: tuple[Sighting, ...] = ()

    def record(self) -> dict[str, object]:
        """The fields of its record."""
        return {
            "op": self.op,
            "act": self.act,
            "captured": entries_out(self.captured),
            "wrote": cells_out(self.wrote),
            "memo": dict(self.memo),
            **outcome_out(self.result, "", self.saw),
        }


def intent_in(record: Record) -> Intent:
    """An intent read back from its record."""
    return Intent(
        op=record["op"],
        act=record["act"],
        captured=tuple((one.path, (one.cell, one.writer)) for one in sightings_in(record["captured"])),
        wrote=tuple((path, cell_in(cell)) for path, cell in record["wrote"].items()),
        memo=record["memo"],
        result=event_in({"kind": "performed", "op": "", "act": "", "result": _result(record)}).result,
        saw=sightings_in(record["saw"]),
    )


def _result(record: Record) -> dict[str, object]:
    return {"status": record["status"], "value": record["value"]}
