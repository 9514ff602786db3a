"""Makes list-append histories of any size, serializable but for a planted cycle, to time and test the checker with.

Shaped as Elle's generator shapes them (Kingsbury and Alvaro, VLDB 2020, section 7): a few keys at a
time, each replaced after a number of appends so that lists stay short. Judges nothing.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from coagent.bad_input import BadInput

PLANTS = ("", "dirty write", "circular information flow", "read skew", "write skew", "long fork", "stale read")
"""What may be planted: nothing, or a cycle of that name; a `stale read` is against real time alone."""

_LINES = {
    "json": '{{"index":{index},"type":"{type}","process":{process},"f":"txn","value":[{value}]}}\n',
    "edn": "{{:index {index}, :type :{type}, :process {process}, :f :txn, :value [{value}]}}\n",
}
_STEPS = {
    ("json", "r"): '["r",{},{}]',
    ("json", "append"): '["append",{},{}]',
    ("edn", "r"): "[:r {} {}]",
    ("edn", "append"): "[:append {} {}]",
}
_NIL, _BETWEEN = {"json": "null", "edn": "nil"}, {"json": ",", "edn": " "}

Step = tuple[str, int, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many `transactions`, by how many `processes`, over how many `keys` at a time; a key is replaced after
    `appends` of them; transactions have 1 to `longest` steps, half of them reads. One in `failing` aborts (0: none)."""

    transactions: int
    processes: int = 10
    keys: int = 10
    appends: int = 32
    longest: int = 7
    failing: int = 0
    planted: str = ""
    seed: int = 0


@dataclass(slots=True)
class _Store:
    """The lists as they stand, the keys in use, and the element that each key gets next."""

    shape: Shape
    chance: random.Random
    lists: dict[int, list[int]] = field(default_factory=dict)
    live: list[int] = field(default_factory=list)
    given: dict[int, int] = field(default_factory=dict)
    last_key: int = 0

    def fresh(self) -> int:
        self.last_key += 1
        return self.last_key - 1

    def plan(self) -> list[Step]:
        """The steps that a client sends: reads without a result, appends of elements that no one else has."""
        chance, steps = self.chance.random, []
        for _ in range(1 + int(chance() * self.shape.longest)):
            place = int(chance() * len(self.live))
            key = self.live[place]
            if chance() < 0.5:
                steps.append(("r", key, None))
                continue
            steps.append(("append", key, self.element(key)))
            if self.given[key] == self.shape.appends:
                self.live[place] = self.fresh()
        return steps

    def element(self, key: int) -> int:
        self.given[key] = self.given.get(key, 0) + 1
        return self.given[key]

    def run(self, steps: list[Step]) -> list[Step]:
        """The steps as they come out when nothing else runs between them."""
        done = []
        for kind, key, value in steps:
            now = self.lists.setdefault(key, [])
            if kind == "append":
                now.append(value)
                done.append((kind, key, value))
            else:
                done.append((kind, key, now[:]))
        return done


def history(shape: Shape, format: str = "json") -> Iterator[str]:
    """The lines of a history of this shape, as JSON or EDN, each with its newline: an invocation or an end each.

    The same shape gives the same lines. Raises BadInput for an unknown format or plant.
    """
    if format not in _LINES or shape.planted not in PLANTS:
        raise BadInput(f"samples are json or edn, and what may be planted is one of {', '.join(PLANTS[1:])}")
    for index, (type, process, steps) in enumerate(_events(shape)):
        value = _BETWEEN[format].join(_shown(format, step) for step in steps)
        yield _LINES[format].format(index=index, type=type, process=process, value=value)


def _shown(format: str, step: Step) -> str:
    kind, key, value = step
    if kind == "r":
        value = _NIL[format] if value is None else "[" + _BETWEEN[format].join(map(str, value)) + "]"
    return _STEPS[format, kind].format(key, value)


def _events(shape: Shape) -> Iterator[tuple[str, int, list[Step]]]:
    """Type, process and steps of each event. A transaction takes effect at one moment between its two events."""
    chance = random.Random(shape.seed)
    store = _Store(shape=shape, chance=chance)
    store.live = [store.fresh() for _ in range(shape.keys)]
    running: dict[int, tuple[str, list[Step]]] = {}
    begun, middle = 0, shape.transactions // 2
    while begun < shape.transactions or running:
        process = int(chance.random() * shape.processes)
        if process not in running:
            if begun < shape.transactions:
                if begun == middle and shape.planted:
                    yield from _planted(shape, store)
                begun += 1
                steps = store.plan()
                running[process] = "invoke", steps
                yield "invoke", process, steps
            continue
        state, steps = running[process]
        if state == "invoke":
            fails = shape.failing and chance.random() < 1 / shape.failing
            running[process] = ("fail", steps) if fails else ("ok", store.run(steps))
        else:
            yield state, process, steps
            del running[process]


def _planted(shape: Shape, store: _Store) -> Iterator[tuple[str, int, list[Step]]]:
    """A few transactions by processes of their own, over two fresh keys, that form the cycle asked for."""
    x, y = store.fresh(), store.fresh()
    x1, y1, x2, y2 = ("append", x, 1), ("append", y, 1), ("append", x, 2), ("append", y, 2)
    rows: dict[str, list[list[Step]]] = {
        "dirty write": [[x1, y1], [x2, y2], [("r", x, [1, 2]), ("r", y, [2, 1])]],
        "circular information flow": [[x1, ("r", y, [1])], [y1, ("r", x, [1])]],
        "read skew": [[x1, y1], [("r", x, [1]), ("r", y, [])]],
        "write skew": [[("r", x, []), y1], [("r", y, []), x1]],
        "long fork": [[x1], [y1], [("r", x, [1]), ("r", y, [])], [("r", y, [1]), ("r", x, [])]],
        "stale read": [[x1], [("r", x, [])], [("r", x, [1])]],
    }
    told = list(enumerate(rows[shape.planted], shape.processes))
    if shape.planted == "stale read":
        for process, steps in told:
            yield "invoke", process, _sent(steps)
            yield "ok", process, steps
        return
    for process, steps in told:
        yield "invoke", process, _sent(steps)
    for process, steps in told:
        yield "ok", process, steps


def _sent(steps: list[Step]) -> list[Step]:
    return [(kind, key, None if kind == "r" else value) for kind, key, value in steps]
