"""Takes every choice everywhere: all states of a small world, and every way it can end or fail to.

States are told apart by what can still happen, not by how they came about; what an exploration may leave out is said in
`coagent.canonical` and `coagent.reduction`. Ends come with the shortest schedule met that leads to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coagent.canonical import Opaque, nameless
from coagent.history import plain
from coagent.liveness import Lasso, lasso
from coagent.operation import Value
from coagent.program import report_out
from coagent.recording import Tally
from coagent.reduction import SAMPLE, Unsound
from coagent.state_space import Merging, Plain, StateSpace
from coagent.world import Setting, World, opened

MAX_STATES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One way a run can end: final state and reports as JSON has them, and the shortest schedule there.

    `kind` is `quiescent`, or `stuck` when nothing can happen any more and not everybody has committed; whoever has
    not reported by then reports null.
    """

    kind: str
    final_state: dict[str, object]
    reports: dict[str, object]
    gave_up: tuple[str, ...]
    schedule: tuple[int, ...]
    died: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What exploring came to. `open` counts the states found that were not followed every way on; 0: this is all.

    `notified` says whether any explored schedule sends a notice, so that a property that holds for
    want of conflict is not mistaken for one that was tried. `cycle` is a fair way round for ever, if there is one:
    every choice that stays open is taken, and yet no end comes. `depth` is the length of the longest of the
    shortest schedules to a state. `reduced`: states that only differ in what cannot matter, or that only wait for a
    private choice, were counted as one; `note` says why that was not done although it was asked for.
    """

    states: int
    transitions: int
    depth: int
    open: int
    endings: tuple[Ending, ...]
    notified: bool
    reduced: bool = False
    cycle: Lasso | None = None
    note: str = ""

    @property
    def complete(self) -> bool:
        """Whether every reachable state was explored."""
        return self.open == 0


Progress = Callable[[int, int, int], None]
"""Called now and then with states found, states open, depth."""


def explore(
    setting: Setting,
    *,
    max_states: int = MAX_STATES,
    max_depth: int | None = None,
    reduced: bool = True,
    progress: Progress | None = None,
    sample: int = SAMPLE,
) -> Exploration:
    """Explore all schedules of a world, up to `max_states` distinct states and `max_depth` choices.

    One in `sample` uses of a reduction is checked; should one not hold, all is explored again without it.
    """
    bounds = {"max_states": max_states, "max_depth": max_depth, "progress": progress}
    note = ""
    if reduced and not nameless(setting):
        note = "states are not merged: operations' names matter here, or the protocol does not say that they are labels"
    for private in (True, False) if reduced and not note else ():
        try:
            return replace(_searched(setting, Merging(setting, private=private, sample=sample), **bounds), note=note)
        except Unsound as error:
            note = f"explored again with fewer states taken for one: {error}"
        except Opaque:
            note = "states are not merged: the protocol keeps something that cannot be looked into"
            break
    return replace(_searched(setting, Plain(), **bounds), note=note)


def _searched(
    setting: Setting,
    merging: Merging | Plain,
    *,
    max_states: int,
    max_depth: int | None,
    progress: Progress | None,
) -> Exploration:
    """One search."""
    space = StateSpace(merging, max_states=max_states)
    endings: dict[str, Ending] = {}
    space.enter(opened(setting, recorder=Tally()))
    told = 1
    while (met := space.next()) is not None:
        number, world, moves = met
        if not moves:
            _note(endings, world, space.schedule(number))
        elif max_depth is not None and space.depths[number] >= max_depth:
            space.leave_open(number)
        else:
            space.expand(number, world, moves)
        if progress and space.states - told >= 500:
            told = space.states
            progress(told, space.frontier, space.depths[number])
    merging.check(space)
    found = sorted(endings.values(), key=lambda one: (len(one.schedule), one.schedule))
    return Exploration(
        states=space.states,
        transitions=space.transitions,
        depth=max(space.depths),
        open=len(space.left),
        endings=tuple(found),
        notified=space.notified,
        reduced=merging.reduces,
        cycle=lasso(space, setting),
    )


def _note(endings: dict[str, Ending], world: World, schedule: tuple[int, ...]) -> None:
    """Keep the shortest schedule to each ending."""
    kind = "quiescent" if world.quiescent else "stuck"
    state: dict[str, Value] = world.final_state
    gave_up = tuple(name for name in world.order if world.actors[name].gave_up)
    died = tuple(name for name in world.order if world.actors[name].died)
    last = {name: one.report if one.mode in ("resting", "done") else None for name, one in world.actors.items()}
    reports = {name: last[name] for name in world.order}
    key = repr((kind, state, reports, gave_up, died))
    if key not in endings or (len(schedule), schedule) < (len(endings[key].schedule), endings[key].schedule):
        endings[key] = Ending(
            kind=kind,
            final_state={path: plain(value) for path, value in state.items()},
            reports={name: report_out(report) for name, report in reports.items()},
            gave_up=gave_up,
            schedule=schedule,
            died=died,
        )
