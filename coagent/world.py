"""The closed world of a simulated run: engine, scripted agents, store, and the effects in flight.

All nondeterminism is in `choices()`: which inference ends next, which effect completes next, and when a late agent
is launched. Who
chooses is somebody else's business: the clock, everyone, chance, the reader. A world is a value;
`take` returns another one, and the history so far comes along without counting as state.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple

from immutables import Map

from coagent import crank, effect, store
from coagent.actor import Actor
from coagent.flights import Flights
from coagent.operation import Value
from coagent.path import any_overlap
from coagent.performer import Live
from coagent.performer import opened as stocked
from coagent.recording import Digest, Recorder, Tally
from coagent.workload import Setting, check_launches


class Choice(NamedTuple):
    """Something that may happen next: an agent's inference ends (`infer`), an agent comes late (`launch`), or an
    effect completes (on an operation, or the `merge` of an agent's fork)."""

    act: str
    name: str

    @property
    def of_agent(self) -> bool:
        """Whether `name` is an agent's, not an operation's."""
        return self.act in ("infer", "launch")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One state of a run. Two worlds are equal when everything that can still happen is."""

    setting: Setting = field(compare=False)
    run: object
    actors: Map
    live: Live
    flights: Flights = Flights()
    recorder: Recorder | Tally | Digest = field(compare=False)

    def choices(self) -> tuple[Choice, ...]:
        """What may happen next: inferences that may end, and the next late agent's launch, by agent; then effects that
        nothing earlier conflicts with."""
        return tuple(choice for choice, _ in self.moves())

    def moves(self) -> list[tuple[Choice, int | None]]:
        """The choices, each with its effect's ticket (None: an inference or a launch), for `crank.taken`."""
        found: list[tuple[Choice, int | None]] = []
        for one in self.setting.workload.agents:
            mode = self.actors[one.name].mode
            if mode == "inferring":
                found.append((Choice("infer", one.name), None))
            elif mode == "absent":
                found.append((Choice("launch", one.name), None))
                break
        return found + [(Choice(flight.act, flight.op), at) for at, flight in self.flights.ready()]

    def take(self, choice: Choice, *, at: float = 0.0) -> "World":
        """The world after this choice, at a time in seconds. Raises ValueError when it is not among the choices."""
        return crank.taken(self, choice, at)

    @property
    def order(self) -> tuple[str, ...]:
        """Agent names in pre-order."""
        return tuple(agent.name for agent in self.setting.workload.agents)

    @property
    def quiescent(self) -> bool:
        """GlobalQuiet: every agent has come, and committed or given up, and nothing is in flight."""
        return not self.flights and all(one.mode == "done" for one in self.actors.values())

    @property
    def final_state(self) -> dict[str, Value]:
        """The values that the live store holds, by path."""
        return store.values(self.live.cells)

    @property
    def reports(self) -> dict[str, object]:
        """The agents' last messages."""
        return {name: self.actors[name].report for name in self.order}

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        return import_module("coagent.notebook.display").world_html(self)


def conflict(left: effect.Perform | effect.Merge, right: effect.Perform | effect.Merge) -> bool:
    """Whether two effects must keep their order: in one place, one writes what the other touches, or they share an
    operation (C2)."""
    return left.place == right.place and (
        left.op == right.op
        or any_overlap(left.writes, (*right.reads, *right.writes))
        or any_overlap(right.writes, left.reads)
    )


def opened(setting: Setting, recorder: Recorder | Tally | Digest | None = None, live: Live | None = None) -> World:
    """The world at the start: who does not come late is launched, in pre-order, and whoever may begin is inferring.

    `live` is the store of the workload's state, where the caller has it from before.
    Raises BadInput when the agents are not listed in the order of their coming.
    """
    workload = setting.workload
    check_launches(workload.agents)
    actors = Map(
        {
            one.name: Actor(
                name=one.name,
                index=index,
                mode="absent" if one.launch_s else "waiting",
                context_tokens=workload.cost.system_tokens,
            )
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
