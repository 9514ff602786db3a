"""One question to one world: does this scenario, under this protocol, have a run that is not as promised?

Asked of every schedule (exploring) or of one (a chooser). What is promised is decided by the programs run serially, and
the checker says from the history what went wrong; giving up after restarts is no fault of what the others did.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from coagent.explore import Ending
from coagent.exploring import Promise, explored
from coagent.history import plain
from coagent.program import report_out
from coagent.running import Ran, judged
from coagent.scenario import Scenario
from coagent.simulate import Chooser, Outcome, Wrapped, simulate
from coagent.stepper import follow
from coagent.testing.small_world import calls
from coagent.workload import from_scenario
from coagent.world import Setting

STEPS = 2_000
"""Choices after which a sampled run counts as not ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A run that is not as promised: a scenario with its schedule in it, the run, and why it is wrong.

    `kind` is `ending` (final state or reports are of no promised order), `stuck` (nothing can happen any
    more, and not everyone has committed), `livelock` (a cycle of states in which notices go round), `endless` (no end
    within the bound on choices) or `history` (the end is right, and the checker finds that the history is not).
    """

    scenario: Scenario
    kind: str
    why: str
    ran: Ran

    @property
    def schedule(self) -> tuple[int, ...]:
        """The choice indexes that lead there; what is not said is always the first."""
        return self.scenario.schedule or ()

    @property
    def anomalies(self) -> tuple[str, ...]:
        """The names of what the checker finds in the history."""
        return tuple(dict.fromkeys(one.name for one in self.ran.verdict.anomalies))

    @property
    def judges(self) -> tuple[str, ...]:
        """Who convicts, each without knowing of the others: the serial oracle, the checker, its blame, the graph."""
        found = {
            "oracle": self.kind in ("ending", "stuck"),
            "checker": self.ran.verdict.verdict == "violated",
            "blame": self.ran.verdict.blame == "protocol",
            "state graph": self.kind == "livelock",
        }
        return tuple(name for name, convicts in found.items() if convicts)

    @property
    def calls(self) -> int:
        """The calls in its programs."""
        return calls(self.scenario)

    @property
    def agents(self) -> int:
        """Its agents."""
        return len(self.scenario.agents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What exploring one world came to. `open` states were left at the bound, `depth` choices were taken at most."""

    name: str
    states: int
    open: int
    depth: int
    schedules: int
    notified: bool
    gave_up: bool
    witness: Witness | None


def every_schedule(scenario: Scenario, protocol: object, *, max_states: int) -> Trial:
    """Explore a scenario; the witness, when there is one, is on a shortest schedule.

    Of a world with more states than that, and nothing wrong in those, one schedule is followed to its end besides: it
    may have none.
    """
    workload = from_scenario(scenario)
    found = explored(workload, protocol, max_states=max_states)
    wrong = next((one for one in found.endings if one.others is False), None)
    witness, cycle = None, found.exploration.cycle
    if wrong is not None:
        kind = "stuck" if wrong.ending.kind == "stuck" else "ending"
        witness = _witness(scenario, kind, wrong.why, followed(scenario, protocol, wrong.ending.schedule))
    elif cycle is not None:
        why = (
            f"after {len(cycle.stem)} choices, the same {len(cycle.cycle)} lead round for ever, with notices on the way"
        )
        witness = _witness(scenario, "livelock", why, followed(scenario, protocol, (*cycle.stem, *cycle.cycle)))
    elif found.exploration.open:
        witness = one_schedule(scenario, protocol, Wrapped(()))
    return Trial(
        name=scenario.name,
        states=found.exploration.states,
        open=found.exploration.open,
        depth=found.exploration.depth,
        schedules=len(found.endings),
        notified=found.exploration.notified,
        gave_up=any(one.ending.gave_up for one in found.endings),
        witness=witness,
    )


def followed(scenario: Scenario, protocol: object, schedule: Iterable[int]) -> Ran:
    """The run along a schedule, judged."""
    return judged(follow(Setting(workload=from_scenario(scenario), protocol=protocol), schedule))


def one_schedule(scenario: Scenario, protocol: object, chooser: Chooser, *, steps: int = STEPS) -> Witness | None:
    """Run a scenario once; the witness if the run is not as promised."""
    workload = from_scenario(scenario)
    setting = Setting(workload=workload, protocol=protocol)
    outcome = simulate(setting, chooser, max_steps=steps)
    if not outcome.quiescent and outcome.world.choices():
        why = f"no end after {steps:,} choices"
        return _witness(scenario, "endless", why, judged(outcome))
    ended = Promise(workload, protocol.promises).judge(_ending(outcome))
    if ended.others is False:
        kind = "ending" if outcome.quiescent else "stuck"
        return _witness(scenario, kind, ended.why, judged(outcome))
    ran = judged(outcome)
    if ran.verdict.verdict == "violated":
        return _witness(scenario, "history", "the end is right, and the history is not", ran)
    return None


def plainest(witness: Witness, protocol: object) -> Witness:
    """The witness on a schedule that goes on with first choices as early as it can, and takes them where it can."""
    if witness.kind in ("livelock", "endless"):
        return witness
    best = witness

    def improved(schedule: tuple[int, ...]) -> bool:
        nonlocal best
        found = one_schedule(witness.scenario, protocol, Wrapped(schedule))
        alike = found is not None and (found.kind, found.anomalies) == (witness.kind, witness.anomalies)
        best = found if alike else best
        return alike

    for kept in range(len(best.schedule)):
        if improved(best.schedule[:kept]):
            break
    for at in range(len(best.schedule)):
        for lower in range(best.schedule[at] if at < len(best.schedule) else 0):
            if improved((*best.schedule[:at], lower, *best.schedule[at + 1 :])):
                break
    return best


Question = Callable[[Scenario], Witness | None]
"""Whether a scenario has a wrong run: its witness, or None when none was found."""


def _witness(scenario: Scenario, kind: str, why: str, ran: Ran) -> Witness:
    schedule = _without_tail(ran.outcome.schedule) if kind != "livelock" else ran.outcome.schedule
    return Witness(scenario=replace(scenario, schedule=schedule), kind=kind, why=why, ran=ran)


def _without_tail(schedule: tuple[int, ...]) -> tuple[int, ...]:
    """The schedule without the zeros at its end, which are what is taken anyway."""
    kept = len(schedule)
    while kept and schedule[kept - 1] == 0:
        kept -= 1
    return schedule[:kept]


def _ending(outcome: Outcome) -> Ending:
    world = outcome.world
    return Ending(
        kind="quiescent" if outcome.quiescent else "stuck",
        final_state={path: plain(value) for path, value in outcome.final_state.items()},
        reports={name: report_out(report) for name, report in outcome.reports.items()},
        gave_up=tuple(name for name in world.order if world.actors[name].gave_up),
        died=tuple(name for name in world.order if world.actors[name].died),
        schedule=outcome.schedule,
    )
