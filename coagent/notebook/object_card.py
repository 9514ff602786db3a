"""What an object shows at a step, from what happened to it until then; the page does the same with the same events.

Costs what happened to that one object, never the length of the run.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coagent.notebook.object_fold import LANDED, LIFTED, MASKED
from coagent.operation import Cell, show

SHOWN = 10
"""Writes of an object that are told, the newest ones; those before are counted."""

STANDING = {"applied": LANDED, "redone": LANDED, "merged": LANDED, "masked": MASKED, "undone": LIFTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLine:
    """An object: from which step it is known, its value in words at the start (None: absent), and its events, each
    (step, act, operation, value in words, writer)."""

    path: str
    known: int
    start: str | None
    events: Sequence[tuple[int, str, str, str | None, str | None]]

    def until(self, step: int) -> Sequence[tuple[int, str, str, str | None, str | None]]:
        """The events up to and with a step."""
        return self.events[: bisect_right(self.events, step, key=lambda event: event[0])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The serial order: by operation its place and its agent, by agent the place that it reads from (None: what is
    live), and by agent the steps between which it worked on a fork."""

    serial: Mapping[str, int]
    owner: Mapping[str, str]
    bounds: Mapping[str, int | None]
    forked: Mapping[str, Sequence[Sequence[int | None]]] = field(default_factory=dict)


def card(line: ObjectLine, step: int, order: Order) -> dict[str, object]:
    """An object at a step: `value`, `writer`, `trajectory`, `physical`, and by agent what each `reads`."""
    value, writer, trajectory, physical = _folded(line, step)
    serial = sorted(trajectory.items(), key=lambda item: order.serial[item[0]])
    reads = {agent: _read(line, step, agent, order, serial, (value, writer)) for agent in order.bounds}
    return {
        "value": value,
        "writer": writer,
        "trajectory": [[name, *how] for name, how in serial[-SHOWN:]],
        "earlier": max(len(serial) - SHOWN, 0),
        "physical": physical[-SHOWN:],
        "before": max(len(physical) - SHOWN, 0),
        "reads": reads,
    }


def _folded(line: ObjectLine, step: int) -> tuple[str | None, str | None, dict, list]:
    value, writer, trajectory, physical, gone = line.start, None, {}, [], set()
    for _, act, op, after, by in line.until(step):
        match act:
            case "gone" | "left":
                trajectory.pop(op, None)
                gone.update({op} if act == "gone" else ())
                continue
            case "forked":
                continue
            case "undone":
                value, writer = after, by
                if op in trajectory:
                    trajectory[op] = (trajectory[op][0], LIFTED)
            case "taken out":
                pass
            case _:
                if act != "masked":
                    value, writer = after, by
                if op not in gone:
                    trajectory[op] = (after, STANDING[act])
        physical.append([act, op, after])
    return value, writer, trajectory, physical


def _read(line: ObjectLine, step: int, agent: str, order: Order, serial: list, live: tuple) -> list[str | None]:
    forks = order.forked.get(agent, ())
    since = next((first for first, last in forks if first <= step and (last is None or step < last)), None)
    if since is not None:
        on_fork = [event for event in line.until(step) if event[1] == "forked" and event[0] >= since]
        own = [event[3:] for event in on_fork if order.owner[event[2]] == agent]
        return list(own[-1] if own else _folded(line, since)[:2])
    bound = order.bounds[agent]
    if bound is None:
        return list(live)
    below = [(name, how[0]) for name, how in serial if order.serial[name] < bound]
    return [below[-1][1], below[-1][0]] if below else [line.start, None]


def shown(cell: Cell) -> str | None:
    """A cell in words, cut where it is long; None when absent."""
    if not cell:
        return None
    text = show(cell[0])
    return text if len(text) <= 120 else text[:117] + "..."
