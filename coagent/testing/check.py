"""Tests a protocol: the contract first, then every schedule of small worlds, then random schedules of larger ones.

Stops at the first counterexample and makes it small. Nothing is timed and every draw is seeded, so the same protocol
and budget give the same report.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from coagent import naming
from coagent.bad_input import BadInput
from coagent.protocols.guard import Guard
from coagent.scenario import Scenario
from coagent.simulate import Chance, Priorities, Progress, Wrapped
from coagent.testing import report as reporting
from coagent.testing.contract import conformance, failure
from coagent.testing.report import Budget, Report
from coagent.testing.scenario_writer import written
from coagent.testing.shrink import shrunk
from coagent.testing.small_world import small_worlds
from coagent.testing.trial import Trial, Witness, every_schedule, one_schedule, plainest

QUICK = Budget(name="quick", states=5_000, examples=20, schedules=5, runs=5)
CI = Budget(name="ci", states=20_000, examples=1_000, schedules=6, runs=20)
NIGHTLY = Budget(name="nightly", states=400_000, examples=10_000, schedules=20, runs=200, agents=5, steps=8)
BUDGETS = {one.name: one for one in (QUICK, CI, NIGHTLY)}

SHRINKING = Budget(name="shrinking", states=2_000, examples=0, schedules=20, runs=0)
"""How far each smaller scenario is looked into when the counterexample is of a sampled one."""


class _Broken(Exception):
    """The protocol failed in the middle; the message says how and where."""


def check_protocol(
    protocol: object,
    *,
    budget: Budget | str = CI,
    folder: str | Path | None = None,
    worlds: tuple[Scenario, ...] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Look for a run that is not as the protocol promises.

    `protocol` is one, or a name (`mtpo`, `file.py:Name`). With a `folder`, the counterexample goes there as a
    scenario with its schedule in it, and as a history. `worlds` are explored instead of `small_worlds()`, and
    `progress` is called with how many worlds and random scenarios are done, and in words.
    Raises BadInput for a name or budget that there is not, and for files that are there already.
    """
    command, engine = _named(protocol)
    budget = _budget(budget)
    files = reporting.paths(Path(folder), engine.name) if folder is not None else ()
    report = _checked(engine, budget, small_worlds() if worlds is None else worlds, progress or (lambda *done: None))
    report = replace(report, command=command)
    if report.witness is None or not files:
        return report
    reporting.write(report.witness, files)
    return replace(report, files=files)


def _checked(engine: object, budget: Budget, worlds: tuple[Scenario, ...], tell: Progress) -> Report:
    random = [written(Random(f"contract/{number}"), f"random {number}") for number in range(budget.runs)]
    done = conformance(engine, [*random, *worlds])
    report = Report(
        protocol=engine.name, promises=engine.promises, budget=budget, verdict="acquitted", conformance=done
    )
    if done.refused:
        return replace(report, verdict="refused")
    try:
        report = _explored(engine, report, worlds, tell)
        if report.witness is None and budget.examples:
            report = _sampled(engine, report, len(worlds), tell)
    except _Broken as broken:
        return replace(report, verdict="refused", conformance=replace(done, refused=str(broken)))
    return report


def _explored(engine: object, report: Report, worlds: tuple[Scenario, ...], tell: Progress) -> Report:
    """Every schedule of each world, up to the first that goes wrong."""
    trials: list[Trial] = []
    for scenario in worlds:
        trial = _careful(every_schedule, scenario, engine, max_states=report.budget.states)
        trials.append(trial)
        tell(len(trials), f"every schedule of {scenario.name!r}: {trial.states:,} states")
        if trial.witness:
            report = replace(report, verdict="convicted", found=trial.witness)
            small = shrunk(trial.witness, partial(_any_schedule, engine, report.budget.states))
            report = replace(report, witness=plainest(small, engine))
            break
    return replace(report, worlds=tuple(trials))


def _sampled(engine: object, report: Report, before: int, tell: Progress) -> Report:
    """Random scenarios, each under a drawn schedule, under chance, and under random priorities.

    Each has a seed of its own, its number: what is drawn depends on nothing else that this process has done.
    """
    budget, runs, examples = report.budget, 0, 0
    found = small = None
    while found is None and examples < budget.examples:
        random = Random(f"trial/{examples}")
        examples += 1
        tell(before + examples, f"random scenarios, {runs:,} schedules")
        scenario = written(random, "generated", agents=budget.agents, steps=budget.steps, telling=True)
        schedule = random.choices(range(8), k=random.randrange(60))
        for chooser in _choosers(schedule, random.getrandbits(32), budget.schedules):
            runs += 1
            if found := _careful(one_schedule, scenario, engine, chooser):
                small = plainest(shrunk(found, partial(_some_schedule, engine)), engine)
                break
    verdict = "convicted" if found else "acquitted"
    return replace(report, verdict=verdict, examples=examples, schedules=runs, found=found, witness=small)


def _choosers(schedule: list[int], number: int, most: int) -> list:
    """A drawn schedule, then by turns chance and random priorities of two depths."""
    kinds = (Chance, Priorities, partial(Priorities, depth=2))
    return [Wrapped(schedule), *(kinds[at % 3](number + at) for at in range(most - 1))]


def _any_schedule(engine: object, states: int, scenario: Scenario) -> Witness | None:
    return _careful(every_schedule, scenario, engine, max_states=states).witness


def _some_schedule(engine: object, scenario: Scenario) -> Witness | None:
    """Every schedule if there are not too many, else some, and some in any case for what only a history shows."""
    trial = _careful(every_schedule, scenario, engine, max_states=SHRINKING.states)
    if trial.witness:
        return trial.witness
    for chooser in _choosers([], 0, SHRINKING.schedules):
        witness = _careful(one_schedule, scenario, engine, chooser)
        if witness:
            return witness
    return None


def _careful(work: object, scenario: Scenario, engine: object, *rest: object, **more: object) -> object:
    """Do it, and say what went wrong inside the protocol instead of raising that."""
    try:
        return work(scenario, engine, *rest, **more)
    except BadInput as error:
        raise _Broken(str(error)) from error
    except (Exception, SystemExit) as error:
        raise _Broken(f"{failure(error)} in a run of {scenario.name!r}") from error


def _named(protocol: object) -> tuple[str, object]:
    """What the command line calls the protocol, and the protocol; a guarded one without its guard."""
    engine = naming.protocol(protocol) if isinstance(protocol, str) else protocol
    command = protocol if isinstance(protocol, str) else f"file.py:{type(engine).__name__}"
    if engine is naming.protocols.PROTOCOLS.get(getattr(engine, "name", "")):
        command = engine.name
    for wanted in ("name", "promises", "start", "step"):
        if not hasattr(engine, wanted):
            raise BadInput(f"{type(engine).__name__} is no protocol: it has no .{wanted}; give one, or a name")
    return command, engine.inner if isinstance(engine, Guard) else engine


def _budget(budget: Budget | str) -> Budget:
    if isinstance(budget, Budget):
        return budget
    if budget not in BUDGETS:
        raise BadInput(f"there is no budget {budget!r}; there are {', '.join(BUDGETS)}")
    return BUDGETS[budget]
