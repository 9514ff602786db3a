"""Every variant of MTPO against every judge: who convicts it, of what, after how many schedules, and how small it gets.

`python -m paper_figures.variant_table` prints the table in Markdown. A judge sees a run and no other judge; `expects`
of a variant is what the checker's answer is held to, and no judge is told it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from statistics import median

from checker.notified import check_history
from checker.proof import needless, prove_history
from checker.verdict import Verdict
from coagent.explore import Exploration
from coagent.exploring import explored
from coagent.protocols import VARIANTS
from coagent.protocols.variant import Variant
from coagent.running import equal, serial_outcome
from coagent.simulate import Chance, Outcome, simulate
from coagent.stepper import verdict
from coagent.testing import QUICK, check_protocol
from coagent.testing.small_world import world
from coagent.workload import Workload, from_scenario
from coagent.world import Setting

WORLD_OF: Mapping[str, str] = {
    "mtpo-without-filtered-reads": "read under a write",
    "mtpo-with-agent-positions": "write under a read and its write",
    "mtpo-without-reader-notices": "write under a read",
    "mtpo-without-any-notice": "write under a read",
    "mtpo-without-result-notices": "write under an addition",
    "mtpo-with-one-notice-per-operation": "two writes under a read",
    "mtpo-with-one-notice-per-agent": "write under two reads",
    "mtpo-with-downward-notices": "read under a write",
    "mtpo-without-reopening": "write under a read",
    "mtpo-without-notices-in-mid-inference": "write under a read",
    "mtpo-with-masked-notices": "write under a write under a read",
    "mtpo-without-slotting": "write under an addition",
    "mtpo-without-transitive-closure": "write under a chain",
    "mtpo-with-undo-first-in-first-out": "addition under two writes",
    "mtpo-with-redo-backwards": "write under an addition and its write",
    "mtpo-without-redo": "write under an addition",
    "mtpo-without-reissue": "write under an addition",
    "mtpo-without-retried-failures": "write under an addition that fails",
    "mtpo-with-thomas-over-rmw": "write under an addition and its write",
    "mtpo-with-thomas-for-rmw": "addition under a write",
    "mtpo-without-uncovering": "write under a write that goes",
    "mtpo-without-unrecoverable-hold": "write under a send",
    "mtpo-with-early-commit": "write under a read",
}
"""For each variant the small world in which it goes wrong that has fewest calls."""

MOST_SCHEDULES = 200
"""Random schedules after which a judge counts as having acquitted."""

MOST_STATES = 20_000


def oracle_convicts(run: Outcome) -> bool:
    """Final state or reports are not those of the programs run one after the other, by no engine, in the order that
    the protocol promises."""
    return not _ends_as(run, run.world.order) if promised(run) == "declared" else no_order_fits(run)


def no_order_fits(run: Outcome) -> bool:
    """Brute force: of no order of the agents, each tried, are final state and reports the serial outcome."""
    return not any(_ends_as(run, order) for order in permutations(run.world.order))


def promised(run: Outcome) -> str:
    """The order that the run's protocol promises: `declared`, or `any`."""
    return run.world.setting.protocol.promises


def _ends_as(run: Outcome, order: tuple[str, ...]) -> bool:
    expected, end = serial_outcome(run.world.setting.workload, order), run.history.end
    return expected is not None and equal(end["final_state"], expected[0]) and equal(end["reports"], expected[1])


def checker_convicts(run: Outcome) -> bool:
    """The checker, given the history alone, calls it violated and names what the protocol expects."""
    found = check_history(run.history, order=promised(run))
    return found.verdict == "violated" and names_it(run, found)


def names_it(run: Outcome, found: Verdict) -> bool:
    """Whether a verdict names the anomaly that the run's protocol expects; any will do where it expects none."""
    expects = getattr(run.world.setting.protocol, "expects", "")
    return not expects or expects in {one.name for one in found.anomalies}


def blame_falls_on_the_protocol(run: Outcome) -> bool:
    """The checker, given the programs too, lays the run at the protocol's door."""
    return verdict(run).blame == "protocol"


def proof_refuses(run: Outcome) -> bool:
    """The recorded run is refuted to end as the serial one: some start state tells them apart."""
    return prove_history(run.history, order=promised(run)).verdict == "refuted"


JUDGES: Mapping[str, Callable[[Outcome], bool]] = {
    "serial oracle": oracle_convicts,
    "checker, by name": checker_convicts,
    "blame": blame_falls_on_the_protocol,
    "proof": proof_refuses,
    "no order fits": no_order_fits,
}
"""Who judges a run; True convicts. The first and the last share the serial run of the programs, the second and the
third the reduced history; the proof shares neither."""

INDEPENDENT = ("serial oracle", "checker, by name", "proof")
"""Judges that share nothing but the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conviction:
    """A variant before its judges. `after` has for each judge the number of random schedules (seeds from 0) up to
    the first that it convicts, None for an acquittal; `schedule` is the shortest that ends wrong (None: none of all
    does), of `wrong` wrong endings among `endings`; `needless` counts notices of no use in the runs that all
    acquit."""

    variant: Variant
    world: Workload
    schedule: tuple[int, ...] | None
    states: int
    complete: bool
    wrong: int
    endings: int
    after: Mapping[str, int | None]
    needless: int

    @property
    def convicted_by(self) -> tuple[str, ...]:
        """The judges who convict."""
        return tuple(name for name, seed in self.after.items() if seed is not None)


@cache
def convictions(name: str, *, most: int = MOST_SCHEDULES) -> Conviction:
    """What every judge says of the variant of this name in its own world, along up to `most` random schedules."""
    variant, given = VARIANTS[name], from_scenario(world(WORLD_OF[name]))
    whole = explored(given, variant, max_states=MOST_STATES)
    wrong = [one for one in whole.endings if one.right is False]
    schedule = wrong[0].ending.schedule if wrong else None
    after, useless = _first_convictions(Setting(workload=given, protocol=variant), most if wrong else min(most, 40))
    found: Exploration = whole.exploration
    return Conviction(
        variant=variant,
        world=given,
        schedule=schedule,
        states=found.states,
        complete=found.complete,
        wrong=len(wrong),
        endings=len(whole.endings),
        after=after,
        needless=useless,
    )


def _first_convictions(setting: Setting, most: int) -> tuple[dict[str, int | None], int]:
    """By judge the first random schedule that it convicts, counted from 1; and notices of no use, where none does."""
    after: dict[str, int | None] = dict.fromkeys(JUDGES)
    useless = 0
    for seed in range(most):
        left = [name for name, first in after.items() if first is None]
        if not left:
            break
        run = simulate(setting, Chance(seed))
        after |= {name: seed + 1 for name in left if JUDGES[name](run)}
        if len(left) == len(JUDGES):
            useless += len(needless(run.history))
    return after, useless


HEAD = ("without or with", "convicted of", *JUDGES, "counterexample: agents, calls")


def table() -> str:
    """A row for each variant: the anomaly, the number of schedules that each judge needs, what the testing kit makes of
    it from nothing but its own worlds; then the median of that."""
    rows, sizes = [HEAD, ["---"] * len(HEAD)], []
    for name, variant in VARIANTS.items():
        one, found = convictions(name), check_protocol(variant, budget=QUICK).witness
        sizes += [(found.agents, found.calls)] if found else []
        rows.append(
            [
                f"`{name.removeprefix('mtpo-')}`",
                variant.expects or f"nothing ({one.needless} notices of no use)",
                *(f"{seed}" if seed else "-" for seed in one.after.values()),
                f"{found.agents}, {found.calls}" if found else "none",
            ]
        )
    agents, calls = (median(each) for each in zip(*sizes, strict=True))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", f"The median counterexample has {agents:g} agents and {calls:g} calls."])


if __name__ == "__main__":
    print(table())
