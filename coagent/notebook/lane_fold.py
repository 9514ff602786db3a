"""Follows what happened on each agent's lane: stretches that take time, marks that do not, notices as arrows.

Positions are steps and seconds both, so that a picture may space either evenly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from coagent.history import Record

KINDS = ("inference", "judging", "tool", "held", "parked")
"""Stretches: thinking; thinking about a notice and what it undoes (the repair); a call under way; a call that a
notice held back; a call that waits for others."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """On lane `lane`, from step `first` at `begun` seconds to step `last` at `ended`."""

    lane: int
    kind: str
    first: int
    last: int
    begun: float
    ended: float
    op: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on a lane; `op` is the operation it is about, or empty."""

    lane: int
    kind: str
    step: int
    at: float
    op: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A notice from the lane whose operation caused it to the lane of who is told."""

    source: int
    target: int
    step: int
    at: float
    op: str
    cause: str


class LaneFold:
    """The lanes so far."""

    def __init__(self, names: Iterable[str]) -> None:
        self.lane = {name: place for place, name in enumerate(names)}
        self.stretches: list[Stretch] = []
        self.marks: list[Mark] = []
        self.arrows: list[Arrow] = []
        self._open: dict[tuple[str, str], tuple[int, float, str]] = {}
        self._judging: set[str] = set()
        self._calls: dict[str, Record] = {}
        self._repairs: set[str] = set()

    def take(self, step: int, record: Record) -> None:
        """Follow a record of this step."""
        kind, op, at = record["event"], record.get("op", ""), record["at"]
        agent = record.get("agent") or (self._calls[op]["agent"] if op in self._calls else "")
        match kind:
            case "invoke":
                self._calls[op] = record
                if "replaces" in record:
                    self._repairs.add(op)
                self._begin(agent, "tool", step, at, op)
            case "infer":
                self._begin(agent, "thought", step, at)
                self._judging.discard(agent)
            case "inferred":
                self._close(agent, "thought", "judging" if agent in self._judging else "inference", step, at)
                self._judging.discard(agent)
            case "result":
                self._close(agent, "tool", "tool", step, at)
                self._mark(agent, self._kind(op), step, at, op)
            case "park":
                self._close(agent, "tool", "tool", step, at)
                self._begin(agent, "parked", step, at, op)
            case "release" | "withdraw":
                self._close(agent, "parked", "parked", step, at)
                if kind == "release":
                    self._begin(agent, "tool", step, at, op)
            case "notify":
                source = self._calls[record["cause"]]["agent"]
                self.arrows.append(Arrow(self.lane[source], self.lane[agent], step, at, op, record["cause"]))
            case _:
                self._rest(step, record, agent)

    def _rest(self, step: int, record: Record, agent: str) -> None:
        kind, op, at = record["event"], record.get("op", ""), record["at"]
        match kind:
            case "hold":
                self._begin(agent, "held", step, at)
            case "consume":
                self._judging.add(agent)
                self._mark(agent, "consume", step, at, ",".join(record["ops"]))
            case "judge":
                self._close(agent, "held", "held", step, at)
                made = "keep" if record["decision"] == "keep" else "revise"
                self._mark(agent, made, step, at, ",".join(record["ops"]))
            case "undo" | "redo" | "mask" | "cancel":
                self._mark(agent, kind, step, at, op)
            case "inherit":
                self._mark(agent, "undo", step, at, op)
            case "finish":
                self._close(agent, "held", "held", step, at)
                self._mark(agent, "report", step, at)
            case "commit" | "merge":
                self._mark(agent, kind, step, at)
            case "abort" | "give-up":
                for one in ("tool", "parked", "thought", "held"):
                    self._close(agent, one, {"thought": "inference"}.get(one, one), step, at)
                if kind == "abort":
                    self._mark(agent, "abort", step, at)

    def still_open(self, step: int, at: float) -> list[Stretch]:
        """The stretches that have not ended, as far as they have come."""
        found = []
        for (agent, what), (first, begun, op) in self._open.items():
            kind = {"thought": "judging" if agent in self._judging else "inference"}.get(what, what)
            found.append(Stretch(self.lane[agent], kind, first, max(step, first), begun, max(at, begun), op))
        return found

    def _kind(self, op: str) -> str:
        if op in self._repairs:
            return "repair"
        return "write" if self._calls[op]["writes"] else "read"

    def _begin(self, agent: str, what: str, step: int, at: float, op: str = "") -> None:
        self._open.setdefault((agent, what), (step, at, op))

    def _close(self, agent: str, what: str, kind: str, step: int, at: float) -> None:
        if (agent, what) in self._open:
            first, begun, op = self._open.pop((agent, what))
            self.stretches.append(Stretch(self.lane[agent], kind, first, step, begun, at, op))

    def _mark(self, agent: str, kind: str, step: int, at: float, op: str = "") -> None:
        self.marks.append(Mark(self.lane[agent], kind, step, at, op))
