"""Takes every choice everywhere: all states of a small world, and every way it can end or fail to.

States are told apart by what can still happen, not by how they came about; what an exploration may leave out is said in
`coagent.canonical`, `coagent.symmetry` and `coagent.reduction`. Ends come with the shortest schedule met that leads
to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from coagent.canonical import nameless
from coagent.history import plain
from coagent.liveness import Lasso, lasso, turns_back
from coagent.part import Opaque
from coagent.program import report_out
from coagent.recording import Tally
from coagent.reduction import SAMPLE, Unsound
from coagent.state_space import Merging, Plain, StateSpace
from coagent.symmetry import Classes, alike, exchanges, mirrored
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
    private choice, were counted as one; `note` says why that was not done although it was asked for. States in which
    agents that are `alike` have changed places were counted as one too; the endings are all, by each agent's name.
    """

    states: int
    transitions: int
    depth: int
    open: int
    endings: tuple[Ending, ...]
    notified: bool
    reduced: bool = False
    alike: Classes = ()
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
    for classes, private in _reductions(setting) if reduced and not note else ():
        merging = Merging(setting, private=private, alike=classes, sample=sample)
        try:
            return replace(_searched(setting, merging, **bounds), note=note)
        except Unsound as error:
            note = f"explored again with fewer states taken for one: {error}"
        except Opaque:
            note = "states are not merged: the protocol keeps something that cannot be looked into"
            break
    return replace(_searched(setting, Plain(), **bounds), note=note)


def _reductions(setting: Setting) -> list[tuple[Classes, bool]]:
    """Who may change places and whether private choices go first, the most that may hold at first."""
    classes = alike(setting)
    return [*([(classes, True)] if classes else []), ((), True), ((), False)]


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
    if merging.alike:
        if turns_back(space):
            raise Unsound("a way leads back to where it came from, and whether it is fair hangs on who does what")
        _exchange(endings, setting, merging.alike)
    found = sorted(endings.values(), key=lambda one: (len(one.schedule), one.schedule))
    return Exploration(
        states=space.states,
        transitions=space.transitions,
        depth=max(space.depths),
        open=len(space.left),
        endings=tuple(found),
        notified=space.notified,
        reduced=merging.reduces,
        alike=merging.alike,
        cycle=lasso(space, setting),
    )


def _note(endings: dict[str, Ending], world: World, schedule: tuple[int, ...]) -> None:
    """Keep the shortest schedule to each ending."""
    found = ending(world, schedule)
    known = endings.setdefault(_said(found), found)
    if (len(schedule), schedule) < (len(known.schedule), known.schedule):
        endings[_said(found)] = found


def ending(world: World, schedule: tuple[int, ...]) -> Ending:
    """A world at its end."""
    last = {name: one.report if one.mode in ("resting", "done") else None for name, one in world.actors.items()}
    return Ending(
        kind="quiescent" if world.quiescent else "stuck",
        final_state={path: plain(value) for path, value in world.final_state.items()},
        reports={name: report_out(last[name]) for name in world.order},
        gave_up=tuple(name for name in world.order if world.actors[name].gave_up),
        schedule=schedule,
        died=tuple(name for name in world.order if world.actors[name].died),
    )


def _said(ending: Ending) -> str:
    """All of an ending but its schedule; 1 and true are two things."""
    return repr((ending.kind, ending.final_state, ending.reports, ending.gave_up, ending.died))


def _exchange(endings: dict[str, Ending], setting: Setting, classes: Classes) -> None:
    """Add what the endings come to when those who are alike change places, each with a schedule that leads there."""
    for known in sorted(endings.values(), key=lambda one: (len(one.schedule), one.schedule)):
        for renamed in exchanges(classes):
            reports = {renamed.get(name, name): report for name, report in known.reports.items()}
            gave_up, died = ({renamed.get(name, name) for name in names} for names in (known.gave_up, known.died))
            there = replace(
                known,
                reports={name: reports[name] for name in known.reports},
                gave_up=tuple(name for name in known.reports if name in gave_up),
                died=tuple(name for name in known.reports if name in died),
            )
            if _said(there) in endings:
                continue
            schedule, world = mirrored(setting, known.schedule, renamed) or ((), None)
            if world is None or _said(ending(world, schedule)) != _said(there):
                raise Unsound("the rule does not treat agents alike that it was said to treat alike")
            endings[_said(there)] = replace(there, schedule=schedule)
