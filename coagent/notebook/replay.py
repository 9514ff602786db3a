"""A recorded run, ready to be stepped through either way: what every object, agent and lane showed at each step.

Built once from the records; looking at a step is a bisection and never runs anything again. Knows no widget.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

from coagent.history import History, Record
from coagent.lanes import call, rows
from coagent.notebook.context_fold import ContextFold
from coagent.notebook.frame import Frame, Span, coarser, frames
from coagent.notebook.lane_fold import Arrow, LaneFold, Mark, Stretch
from coagent.notebook.object_card import ObjectLine, Order, card, shown
from coagent.notebook.object_fold import ObjectFold
from coagent.notebook.version_line import VersionLine

MOST_OPERATIONS = 6_000
"""Operations up to which every step is a step; beyond, several are taken at once."""

MOST_STEPS = 4_000
"""Steps of a run that is shown aggregated."""

UNDO, NOTICE = ("undo", "redo", "inherit", "mask"), ("notify",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A run by steps. `texts` says in words what each step did, `jumps` where there are notices and undos.

    `objects` are by path, `contexts` by agent an entry each, `status` by agent. `each` is how many steps of the
    history are one here: 1, or more in a long run, which then has no contexts. `frames` name the records of each step.
    """

    history: History
    agents: tuple[str, ...]
    filtered: bool
    frames: tuple[Frame, ...]
    texts: tuple[str, ...]
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]
    arrows: tuple[Arrow, ...]
    jumps: dict[str, tuple[int, ...]]
    objects: dict[str, ObjectLine]
    order: Order
    untouched: int
    contexts: dict[str, tuple[VersionLine, ...]]
    status: dict[str, VersionLine]
    operations: int
    each: int

    def __len__(self) -> int:
        return len(self.frames)

    def object(self, path: str, step: int) -> dict[str, object] | None:
        """An object at a step: `value`, `writer`, `trajectory` (serial order), `physical` (order of application), and
        by agent what each `reads` there; None before anything touched it."""
        line = self.objects.get(path)
        return card(line, step, self.order) if line and line.known <= step else None

    def context(self, agent: str, step: int) -> list[dict[str, object]]:
        """An agent's context at a step, oldest entry first."""
        return [card for line in self.contexts.get(agent, ()) if (card := line.at(step)) is not None]

    def next(self, kind: str, step: int) -> int | None:
        """The next step after this one with a `notice` or an `undo`; None when there is none."""
        return next((one for one in self.jumps[kind] if one > step), None)


def replay(
    history: History,
    breaks: Collection[int] = (),
    *,
    most: int = MOST_OPERATIONS,
    steps: int = MOST_STEPS,
    closely: Span | None = None,
) -> Replay:
    """The run of a history, whole or so far (without its `end`). `breaks` as in `frames`.

    Beyond `most` operations it has about `steps` steps, but for the seconds of `closely`, which have all of theirs.
    """
    records = history.records
    operations = sum(record["event"] == "invoke" for record in records)
    cut, each = frames(records, breaks), 1
    if operations > most:
        cut, each = coarser(cut, steps, closely)
    return _Folding(history, cut, each, operations).replay()


class _Folding:
    """The folds side by side, and the cards that they come to."""

    def __init__(self, history: History, cut: Sequence[Frame], each: int, operations: int) -> None:
        header = history.header
        self.history, self.frames, self.each, self.operations = history, cut, each, operations
        self.ranks = {one["name"]: tuple(one["rank"]) for one in header["agents"]}
        self.filtered = header["order"] == "declared"
        self.objects = ObjectFold(header)
        self.contexts = ContextFold(self.ranks, self.objects, self.filtered)
        self.lanes = LaneFold(self.ranks)
        self.known: dict[str, int] = {}

    def replay(self) -> Replay:
        """Take every record once."""
        jumps: dict[str, list[int]] = {"notice": [], "undo": []}
        for step, frame in enumerate(self.frames):
            self.objects.step = step
            for record in self.history.records[frame.first : frame.last]:
                self._take(step, record)
                _jump(jumps, step, record["event"])
        end = self.frames[-1].at if self.frames else 0.0
        stretches = [*self.lanes.stretches, *self.lanes.still_open(len(self.frames) - 1, end)]
        return Replay(
            history=self.history,
            agents=tuple(self.ranks),
            filtered=self.filtered,
            frames=tuple(self.frames),
            texts=_texts(self.history, self.frames),
            stretches=tuple(sorted(stretches, key=lambda one: one.first)),
            marks=tuple(self.lanes.marks),
            arrows=tuple(self.lanes.arrows),
            jumps={kind: tuple(steps) for kind, steps in jumps.items()},
            objects=self._objects(),
            order=self._order(),
            untouched=len(self.objects.start.keys() - self.known.keys()),
            contexts={} if self.each > 1 else {name: tuple(lines) for name, lines in self.contexts.entries.items()},
            status=self.contexts.status,
            operations=self.operations,
            each=self.each,
        )

    def _take(self, step: int, record: Record) -> None:
        moved = tuple(self.objects.take(record))
        self.lanes.take(step, record)
        if self.each == 1:
            self.contexts.take(step, record, moved)
        for path in moved:
            self.known.setdefault(path, step)
        for path in record.get("saw", ()) if record["event"] in ("result", "redo") else ():
            if path[-1] != "/":
                self.known.setdefault(path, step)

    def _objects(self) -> dict[str, ObjectLine]:
        found = {}
        for path in sorted(self.known):
            happened = self.objects.events.get(path, ())
            events = tuple((step, act, op, shown(cell), writer) for step, act, op, cell, writer in happened)
            start = shown(self.objects.start.get(path, ()))
            found[path] = ObjectLine(path=path, known=self.known[path], start=start, events=events)
        return found

    def _order(self) -> Order:
        ops = sorted(self.objects.ops.values(), key=lambda one: one.position)
        places = [one.position for one in ops]
        bounds = {
            name: bisect_left(places, (*rank, inf)) if self.filtered else None for name, rank in self.ranks.items()
        }
        return Order(
            serial={one.name: place for place, one in enumerate(ops)},
            owner={one.name: one.agent for one in ops},
            bounds=bounds,
            forked=dict(self.objects.forked),
        )


def _jump(jumps: dict[str, list[int]], step: int, kind: str) -> None:
    for name, kinds in (("notice", NOTICE), ("undo", UNDO)):
        if kind in kinds and (not jumps[name] or jumps[name][-1] != step):
            jumps[name].append(step)


def _texts(history: History, cut: Sequence[Frame]) -> tuple[str, ...]:
    """What each step did, in words."""
    words: list[str] = []
    for record, row in rows(history):
        if row is not None:
            words.append(f"{row.agent} {_said(row.text, row.source)}")
        else:
            words.append(_quiet(record))
    found = []
    for frame in cut:
        told = [word for word in words[frame.first : frame.last] if word]
        acts = [word for word in told if not word.endswith(" thinks")]
        told = acts or told
        more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
        found.append("; ".join(told[:3]) + more or "nothing that anybody notices")
    return tuple(found)


def _said(text: str, source: str | None) -> str:
    return text if source is None else f"is told by a notice from {source}: {text}"


def _quiet(record: Record) -> str:
    match record["event"]:
        case "launch" if not record["at"]:
            return f"{record['agent']} is launched"
        case "invoke":
            return f"{record['agent']} calls {record['op']}: {call(record)}"
        case "infer":
            return f"{record['agent']} thinks"
        case "repair":
            return f"{record['agent']} puts {record['by']} in the place of {record['op']}" if "by" in record else ""
        case "release":
            return f"{record['agent']} may go on with {record['op']}"
        case "consume":
            return f"{record['agent']} reads the notice about {', '.join(record['ops'])}"
        case "quiescent":
            return "GlobalQuiet: everyone has ended, nothing is under way"
        case _:
            return ""
