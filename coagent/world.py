"""The closed world of a simulated run: engine, scripted agents, store, and the effects in flight.

All nondeterminism is in `choices()`: which inference ends next, which effect completes next. Who
chooses is somebody else's business: the clock, everyone, chance, the reader. A world is a value;
`take` returns another one, and the history so far comes along without counting as state.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from immutables import Map

from coagent import crank, effect, store
from coagent.actor import Actor
from coagent.operation import Value
from coagent.path import ancestors, any_overlap
from coagent.performer import Live
from coagent.performer import opened as stocked
from coagent.recording import Digest, Recorder, Tally
from coagent.workload import Setting


class Choice(NamedTuple):
    """Something that may happen next: an agent's inference ends (`infer`), or an effect completes (on an
    operation, or the merge of an agent's fork)."""

    act: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One state of a run. Two worlds are equal when everything that can still happen is."""

    setting: Setting = field(compare=False)
    run: object
    actors: Map
    live: Live
    flights: tuple[effect.Perform | effect.Merge, ...] = ()
    recorder: Recorder | Tally | Digest = field(compare=False)

    def choices(self) -> tuple[Choice, ...]:
        """What may happen next: inferences that may end, by agent, then effects that nothing earlier conflicts with."""
        ends = [Choice("infer", name) for name in self.order if self.actors[name].mode == "inferring"]
        return (*ends, *(Choice(flight.act, flight.op) for _, flight in self.ready()))

    def moves(self) -> list[tuple[Choice, int | None]]:
        """The choices, each with its effect's index in flight (None: an inference), for `crank.taken`."""
        ends = [(Choice("infer", name), None) for name in self.order if self.actors[name].mode == "inferring"]
        return ends + [(Choice(flight.act, flight.op), at) for at, flight in self.ready()]

    def take(self, choice: Choice, *, at: float = 0.0) -> "World":
        """The world after this choice, at a time in seconds. Raises ValueError when it is not among the choices."""
        return crank.taken(self, choice, at)

    @property
    def order(self) -> tuple[str, ...]:
        """Agent names in pre-order."""
        return tuple(agent.name for agent in self.setting.workload.agents)

    @property
    def quiescent(self) -> bool:
        """GlobalQuiet: every agent has committed (or given up), and nothing is in flight."""
        return not self.flights and all(one.mode == "done" for one in self.actors.values())

    @property
    def final_state(self) -> dict[str, Value]:
        """The values that the live store holds, by path."""
        return store.values(self.live.cells)

    @property
    def reports(self) -> dict[str, object]:
        """The agents' last messages."""
        return {name: self.actors[name].report for name in self.order}

    def ready(self) -> Iterator[tuple[int, effect.Perform | effect.Merge]]:
        """The effects that may complete now, with their index in flight: nothing before them conflicts (C2)."""
        if len(self.flights) == 1:
            if self.flights[0].act != "unknown":
                yield 0, self.flights[0]
            return
        before: dict[str | None, Touched] = defaultdict(Touched)
        for at, flight in enumerate(self.flights):
            here = before[flight.place]
            if flight.act != "unknown" and not here.conflicts(flight):
                yield at, flight
            here.add(flight)


class Touched:
    """The footprints of the effects met so far in one place, for asking quickly whether a later one conflicts."""

    def __init__(self) -> None:
        self._ops: set[str] = set()
        self._written: set[str] = set()
        self._above_written: set[str] = set()
        self._read: set[str] = set()
        self._above_read: set[str] = set()

    def add(self, flight: effect.Perform | effect.Merge) -> None:
        """Remember an effect."""
        self._ops.add(flight.op)
        for paths, at, above in (
            (flight.writes, self._written, self._above_written),
            (flight.reads, self._read, self._above_read),
        ):
            for path in paths:
                if path not in at:
                    at.add(path)
                    above.update(ancestors(path))

    def conflicts(self, flight: effect.Perform | effect.Merge) -> bool:
        """Whether one writes what the other touches, or they are on one operation."""
        return (
            flight.op in self._ops
            or any(_meets(path, self._written, self._above_written) for path in (*flight.reads, *flight.writes))
            or any(_meets(path, self._read, self._above_read) for path in flight.writes)
        )


def _meets(path: str, at: set[str], above: set[str]) -> bool:
    return path in at or path in above or any(one in at for one in ancestors(path))


def conflict(left: effect.Perform | effect.Merge, right: effect.Perform | effect.Merge) -> bool:
    """Whether two effects must keep their order: in one place, one writes what the other touches, or they share an
    operation (C2)."""
    return left.place == right.place and (
        left.op == right.op
        or any_overlap(left.writes, (*right.reads, *right.writes))
        or any_overlap(right.writes, left.reads)
    )


def opened(setting: Setting, recorder: Recorder | Tally | Digest | None = None, live: Live | None = None) -> World:
    """The world at the start: every agent launched, in pre-order, and whoever may begin is inferring.

    `live` is the store of the workload's state, where the caller has it from before.
    """
    workload = setting.workload
    actors = Map(
        {
            one.name: Actor(name=one.name, index=index, context_tokens=workload.cost.system_tokens)
            for index, one in enumerate(workload.agents)
        }
    )
    recorder = Recorder() if recorder is None else recorder
    world = World(
        setting=setting,
        run=setting.protocol.start(),
        actors=actors,
        live=stocked(workload.state, recorder.sees) if live is None else live,
        recorder=recorder,
    )
    return crank.launched(world)
