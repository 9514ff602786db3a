"""What `view` can show, each as the same thing: a history, and where there is a setting the worlds it went through.

Decides what a thing is; raises BadInput, in a sentence, for what is no run.
"""

from dataclasses import dataclass
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.history import History
from coagent.recording import Recorder
from coagent.simulate import Outcome, finished
from coagent.world import Choice, Setting, World, opened

MOST_CHOICES = 2_000
"""Choices of a run up to which its worlds are gone through again, once, so that it can be forked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A run to show. With a `setting`, `worlds` are those before and after each choice of `schedule`, else none."""

    history: History
    setting: Setting | None = None
    schedule: tuple[int, ...] = ()
    worlds: tuple[World, ...] = ()

    @property
    def breaks(self) -> frozenset[int]:
        """Counts of records at which somebody chose."""
        return frozenset(one.recorder.count for one in self.worlds)


def source(thing: object) -> Source:
    """The run that a thing is: a path, a History, an Outcome or a Ran, a Setting, a Stepper, a World, a Witness or a
    Report of the testing kit. Raises BadInput for anything else."""
    match thing:
        case Source():
            return thing
        case str() | Path():
            return Source(history=_read(str(thing)))
        case History():
            return Source(history=_not_empty(thing))
        case Outcome():
            return _of_outcome(thing)
        case Setting():
            return _of_worlds(thing, (), (opened(thing),))
        case World():
            return _of_world(thing)
    for inner in ("witness", "ran", "outcome"):
        found = getattr(thing, inner, None)
        if found is not None and not callable(found):
            return source(found)
    if hasattr(thing, "verdict") and hasattr(thing, "witness"):
        raise BadInput(f"{thing.protocol} is {thing.verdict}: there is no counterexample to step through")
    if callable(getattr(thing, "outcome", None)):
        return source(thing.outcome())
    raise BadInput(
        f"a {type(thing).__name__} is no run; give the path of a history, a History, an Outcome, a Setting, a Stepper, "
        "a World or a counterexample"
    )


def take(run: Source, after: int, choice: int) -> Source:
    """The run that takes this choice after so many of its own; it goes on to the end if that one was at its end."""
    _can_fork(run)
    world, schedule = run.worlds[after], run.schedule[:after]
    world = _taken(world, choice, _at(run, after) + 1.0, after)
    worlds, ended = [*run.worlds[: after + 1], world], not run.worlds[-1].choices()
    if ended and after < len(run.schedule):
        return _to_the_end(run.setting, [*schedule, choice], worlds, _at(run, after) + 1.0)
    return _of_worlds(run.setting, (*schedule, choice), tuple(worlds))


def finish(run: Source, after: int) -> Source:
    """The run that takes the first choice, always, from after so many of its own."""
    _can_fork(run)
    return _to_the_end(run.setting, list(run.schedule[:after]), list(run.worlds[: after + 1]), _at(run, after))


def follow(run: Source, schedule: str) -> Source:
    """The run along a schedule written with commas, then by first choices to the end; what both share stays."""
    _can_fork(run)
    try:
        wanted = [int(one) for one in schedule.replace(" ", "").split(",") if one]
    except ValueError:
        raise BadInput("a schedule is choice indexes with commas between, such as 0,2,1") from None
    same = next((at for at, (one, other) in enumerate(zip(wanted, run.schedule, strict=False)) if one != other), None)
    same = min(len(wanted), len(run.schedule)) if same is None else same
    worlds, now = list(run.worlds[: same + 1]), _at(run, same)
    for place, choice in enumerate(wanted[same:], same):
        now += 1.0
        worlds.append(_taken(worlds[-1], choice, now, place))
    return _to_the_end(run.setting, wanted, worlds, now)


def said(choice: Choice, world: World) -> str:
    """A choice in words."""
    if choice.act == "infer":
        return f"{choice.name} finishes its inference"
    if choice.act == "launch":
        return f"{choice.name} is launched"
    return f"{choice.act} {choice.name}"


def _taken(world: World, choice: int, at: float, place: int) -> World:
    choices = world.choices()
    if not 0 <= choice < len(choices):
        shown = ", ".join(f"{index}: {one.act} {one.name}" for index, one in enumerate(choices))
        raise BadInput(
            f"there is no choice {choice} after {place} choices; open are {shown or 'none, for the run is over'}"
        )
    return world.take(choices[choice], at=at)


def _to_the_end(setting: Setting, schedule: list[int], worlds: list[World], now: float) -> Source:
    while (choices := worlds[-1].choices()) and len(schedule) < MOST_CHOICES:
        now += 1.0
        worlds.append(worlds[-1].take(choices[0], at=now))
        schedule.append(0)
    return _of_worlds(setting, tuple(schedule), tuple(worlds))


def _at(run: Source, after: int) -> float:
    """The time at which so many choices had been taken."""
    record = run.worlds[after].recorder.record
    return record["at"] if record else 0.0


def _can_fork(run: Source) -> None:
    if not run.worlds:
        raise BadInput("only a run whose workload is at hand can be forked; view a Setting, a Stepper or an Outcome")


def _of_worlds(setting: Setting, schedule: tuple[int, ...], worlds: tuple[World, ...]) -> Source:
    record = worlds[-1].recorder.record
    outcome = finished(worlds[-1], schedule, record["at"] if record else 0.0, schedule)
    return Source(history=outcome.history, setting=setting, schedule=schedule, worlds=worlds)


def _of_outcome(outcome: Outcome) -> Source:
    """The worlds of a run that is over: its choices taken once more, at the times they had."""
    setting = outcome.world.setting
    run = Source(history=_not_empty(outcome.history), setting=setting, schedule=outcome.schedule)
    if len(outcome.schedule) > MOST_CHOICES or not isinstance(outcome.world.recorder, Recorder):
        return run
    records, worlds = outcome.history.records, [opened(setting)]
    for index in outcome.schedule:
        count = worlds[-1].recorder.count
        at = records[count]["at"] if count < len(records) else 0.0
        worlds.append(worlds[-1].take(worlds[-1].choices()[index], at=at))
    return Source(history=outcome.history, setting=setting, schedule=outcome.schedule, worlds=tuple(worlds))


def _of_world(world: World) -> Source:
    """A world with what it has recorded; it is the start of what may come, as its schedule is not known."""
    if not isinstance(world.recorder, Recorder):
        raise BadInput("this world kept no history; open it with a Recorder, or view its Setting")
    return _of_worlds(world.setting, (), (world,))


def _read(path: str) -> History:
    from checker.formats import load
    from checker.formats.own import whole

    sources = load(path, "auto")
    one = sources[0] if isinstance(sources, list | tuple) else next(iter(sources))
    if one.format != "coagent":
        what = f"is a history of format {one.format}, which has no agents and steps; `coagent check` judges it"
        raise BadInput(what, path)
    return _not_empty(whole(one.content, one.where))


def _not_empty(history: History) -> History:
    if not any(record["event"] != "end" for record in history.records):
        raise BadInput("the history holds no events: nobody was launched in this run", history.where)
    return history
