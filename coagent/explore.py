"""Takes every choice everywhere: all states of a small world, breadth first, and every way it can end.

States are told apart by what can still happen, not by how they came about. Ends come with the
shortest schedule that leads to them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from coagent.history import plain
from coagent.operation import Value
from coagent.program import report_out
from coagent.world import Setting, World, opened

MAX_STATES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One way a run can end: final state and reports as JSON has them, and the shortest schedule there.

    `kind` is `quiescent`, or `stuck` when nothing can happen any more and not everybody has committed.
    """

    kind: str
    final_state: dict[str, object]
    reports: dict[str, object]
    gave_up: tuple[str, ...]
    schedule: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What exploring came to. `open` counts the states left unexplored at the bound; 0 means that this is everything.

    `notified` says whether any explored schedule sends a notice, so that a property that holds for
    want of conflict is not mistaken for one that was tried.
    """

    states: int
    transitions: int
    depth: int
    open: int
    endings: tuple[Ending, ...]
    notified: bool

    @property
    def complete(self) -> bool:
        """Whether every reachable state was explored."""
        return self.open == 0


Progress = Callable[[int, int, int], None]
"""Called now and then with states found, states open, depth."""


def explore(setting: Setting, *, max_states: int = MAX_STATES, progress: Progress | None = None) -> Exploration:
    """Explore all schedules of a world, up to `max_states` distinct states."""
    start = opened(setting)
    parents: list[tuple[int, int]] = [(-1, 0)]
    seen, layer = {(start, spelling(start))}, [(0, start)]
    endings: dict[str, Ending] = {}
    transitions = depth = left = 0
    notified = False
    while layer:
        deeper = []
        for number, world in layer:
            choices = world.choices()
            if not choices:
                _note(endings, world, parents, number)
            for index, choice in enumerate(choices):
                after = world.take(choice)
                transitions += 1
                notified = notified or _has_notice(world, after)
                key = (after, spelling(after))
                if key in seen:
                    continue
                if len(seen) >= max_states:
                    left += 1
                    continue
                seen.add(key)
                parents.append((number, index))
                deeper.append((len(parents) - 1, after))
                if progress and not len(seen) % 1000:
                    progress(len(seen), len(deeper), depth)
        layer, depth = deeper, depth + 1
    found = sorted(endings.values(), key=lambda one: (len(one.schedule), one.schedule))
    return Exploration(
        states=len(seen),
        transitions=transitions,
        depth=depth - 1,
        open=left,
        endings=tuple(found),
        notified=notified,
    )


def spelling(world: World) -> tuple[str, ...]:
    """The values in store and logs, spelled out, because Python holds `True` and `1` equal and agents do not."""
    cells = [repr(world.live.cells[path][0]) for path in sorted(world.live.cells)]
    logs = [repr([entry.result.value for entry in world.actors[name].log if entry.result]) for name in world.order]
    return (*cells, *logs)


def _note(endings: dict[str, Ending], world: World, parents: list[tuple[int, int]], number: int) -> None:
    """Keep the first, so shortest, schedule to each ending."""
    kind = "quiescent" if world.quiescent else "stuck"
    state: dict[str, Value] = world.final_state
    gave_up = tuple(name for name in world.order if world.actors[name].gave_up)
    key = repr((kind, state, world.reports, gave_up))
    if key not in endings:
        endings[key] = Ending(
            kind=kind,
            final_state={path: plain(value) for path, value in state.items()},
            reports={name: report_out(report) for name, report in world.reports.items()},
            gave_up=gave_up,
            schedule=_schedule(parents, number),
        )


def _schedule(parents: list[tuple[int, int]], number: int) -> tuple[int, ...]:
    taken = []
    while number:
        number, index = parents[number]
        taken.append(index)
    return tuple(reversed(taken))


def _has_notice(before: World, after: World) -> bool:
    """Whether the step between two neighbouring worlds sent a notice."""
    here = after.recorder
    while here.count > before.recorder.count:
        if here.record["event"] == "notify":
            return True
        here = here.before
    return False
