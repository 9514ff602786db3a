"""Runs a world to its end: the clock, chance or a list chooses, and the outcome is a value with its history.

Seconds and tokens are simulated. Think times and tool times come from the workload's cost; ties go
to the first choice in order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from coagent.bad_input import BadInput
from coagent.history import History, plain
from coagent.operation import Value
from coagent.program import report_out
from coagent.recording import history
from coagent.world import Choice, Setting, World, opened

STEPS_PER_AGENT = 5_000
"""Choices for each agent after which a run counts as not reaching quiescence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `seconds` is simulated wall time; `schedule` the choices taken, enough to run it again."""

    quiescent: bool
    final_state: dict[str, Value]
    reports: dict[str, object]
    seconds: float
    schedule: tuple[int, ...]
    history: History
    world: World


Chooser = Callable[[World, tuple[Choice, ...]], tuple[int, float]]
"""Given a world and what may happen next: the index of the choice, and the time in seconds at which it happens."""


Progress = Callable[[int, str], None]
"""Called now and then with how much is done, and in words."""


def simulate(
    setting: Setting,
    chooser: Chooser,
    *,
    schedule: object = "clock",
    max_steps: int | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Run to the end, or to the bound on choices (then `quiescent` is False)."""
    world, taken, now = driven(opened(setting), chooser, max_steps=max_steps, progress=progress)
    return finished(world, taken, now, schedule)


def driven(
    world: World, chooser: Chooser, *, max_steps: int | None = None, progress: Progress | None = None
) -> tuple[World, tuple[int, ...], float]:
    """The world at the end, or at the bound on choices; the choices taken, and the time in seconds."""
    taken, now = [], 0.0
    max_steps = STEPS_PER_AGENT * len(world.order) if max_steps is None else max_steps
    while len(taken) < max_steps and (choices := world.choices()):
        index, now = chooser(world, choices)
        world = world.take(choices[index], at=now)
        taken.append(index)
        if progress and not len(taken) % 100:
            progress(len(taken), f"{len(taken):,} choices taken, {now:,.0f} simulated seconds")
    return world, tuple(taken), now


def finished(world: World, taken: tuple[int, ...], now: float, schedule: object) -> Outcome:
    """The outcome of a world that is run no further."""
    setting, recorder = world.setting, world.recorder
    quiescent = world.quiescent
    if quiescent:
        recorder = recorder.add("quiescent", now)
    header = {
        "workload": setting.workload.name,
        "protocol": setting.protocol.name,
        "seed": setting.seed,
        "schedule": list(schedule) if isinstance(schedule, tuple) else schedule,
        "agents": [{"name": name, "rank": [index + 1]} for index, name in enumerate(world.order)],
        "state": {path: plain(value) for path, value in setting.workload.state},
        "order": setting.protocol.promises,
    }
    reports = {name: report_out(report) for name, report in world.reports.items()}
    state = {path: plain(value) for path, value in world.final_state.items()}
    end = {"quiescent": quiescent, "final_state": state, "reports": reports}
    return Outcome(
        quiescent=quiescent,
        final_state=world.final_state,
        reports=world.reports,
        seconds=now,
        schedule=taken,
        history=history(recorder, header, end, now),
        world=world,
    )


class Clock:
    """Chooses what is due first: inferences after their think time, effects `tool_s` after nothing holds them back,
    launches at their own time."""

    def __init__(self, tool_s: float) -> None:
        self._tool_s, self._now, self._due = tool_s, 0.0, {}

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        due = {}
        for choice in choices:
            one = world.actors[choice.name] if choice.of_agent else None
            key = (choice, one.inferences if one else 0)
            if key in self._due:
                due[key] = self._due[key]
            elif choice.act == "launch":
                due[key] = max(self._now, world.setting.workload.agents[one.index].launch_s)
            else:
                due[key] = self._now + (one.think_s if one else self._tool_s)
        self._now, index, done = min((when, index, key) for index, (key, when) in enumerate(due.items()))
        del due[done]
        self._due = due
        return index, self._now


class Chance:
    """Chooses uniformly with a seeded generator; each choice takes a second."""

    def __init__(self, seed: int) -> None:
        self._random, self._now = Random(seed), 0.0

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        self._now += 1.0
        return self._random.randrange(len(choices)), self._now


class Listed:
    """Chooses by a list of indexes, then always the first; each choice takes a second.

    Raises BadInput when an index is out of range.
    """

    def __init__(self, schedule: Iterable[int]) -> None:
        self._schedule, self._step = tuple(schedule), 0

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        step, self._step = self._step, self._step + 1
        index = self._schedule[step] if step < len(self._schedule) else 0
        if not 0 <= index < len(choices):
            shown = ", ".join(f"{at}: {choice.act} {choice.name}" for at, choice in enumerate(choices))
            raise BadInput(
                f"index {step} of the schedule is {index}, but only {len(choices)} choices are open there ({shown}); "
                "the schedule may belong to another scenario or protocol"
            )
        return index, float(self._step)


class Wrapped:
    """Chooses by a list of any integers, each taken modulo the choices there are; after the list, the first.

    Any list is a schedule, so that it can be drawn at random and shortened at will.
    """

    def __init__(self, schedule: Iterable[int]) -> None:
        self._schedule, self._step = tuple(schedule), 0

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        step, self._step = self._step, self._step + 1
        return (self._schedule[step] if step < len(self._schedule) else 0) % len(choices), float(self._step)


class Priorities:
    """Chooses whose turn it is by random priorities, changed at a few random points of the run; a choice a second.

    Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): of n threads that take k choices, a fault that
    needs d orderings shows with a chance of at least 1/(n k^(d-1)). Each agent is two threads, its inferences and
    the effects on its operations. `depth` is d, `choices` the k expected.
    """

    def __init__(self, seed: int, *, depth: int = 3, choices: int = 60) -> None:
        self._random, self._step = Random(f"priorities/{seed}"), 0
        self._changes = frozenset(self._random.sample(range(1, choices), depth - 1))
        self._rank: dict[tuple[bool, str], float] = {}

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        self._step += 1
        threads = [_thread(choice) for choice in choices]
        for thread in threads:
            if thread not in self._rank:
                self._rank[thread] = 1.0 + self._random.random()
        index = max(range(len(choices)), key=lambda at: self._rank[threads[at]])
        if self._step in self._changes:
            self._rank[threads[index]] = -float(self._step)
            index = max(range(len(choices)), key=lambda at: self._rank[threads[at]])
        return index, float(self._step)


def _thread(choice: Choice) -> tuple[bool, str]:
    return choice.of_agent, choice.name if choice.of_agent else choice.name.rpartition(".")[0]


def chooser_of(schedule: object, seed: int, tool_s: float) -> Chooser:
    """The chooser that a `--schedule` names: `clock`, `random`, `pct` (random priorities), or a tuple of indexes."""
    match schedule:
        case "clock":
            return Clock(tool_s)
        case "random":
            return Chance(seed)
        case "pct":
            return Priorities(seed)
        case _:
            return Listed(schedule)
