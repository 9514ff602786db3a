"""What the tests of cells and families ask of every one of them in the same words."""

from interleavings import endings, kept, serial_endings

from checker.notified import check_history
from coagent.explore import explore
from coagent.history import plain
from coagent.operation import same
from coagent.protocols import protocol
from coagent.simulate import Chance, Clock, Outcome, simulate
from coagent.workload import Workload
from coagent.world import Setting

CORRECT = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue")
SEEDS = range(30)


def run(built: Workload, by: str, seed: int) -> Outcome:
    """A run by chance."""
    return simulate(Setting(workload=built, protocol=protocol(by), seed=seed), Chance(seed))


def timed(built: Workload, by: str, seed: int = 0) -> Outcome:
    """A run by the clock."""
    return simulate(Setting(workload=built, protocol=protocol(by), seed=seed), Clock(built.cost.tool_s))


def gave_up(outcome: Outcome) -> bool:
    """Whether some agent was restarted too often."""
    return any(one.gave_up for one in outcome.world.actors.values())


def passes(built: Workload, outcome: Outcome) -> bool:
    """Whether a run ended, with all agents' work done and the invariant kept."""
    return outcome.quiescent and not gave_up(outcome) and built.invariant(outcome.final_state, outcome.reports)


def notices(outcome: Outcome) -> int:
    """How many notices a run took."""
    return len([*outcome.history.of("notify")])


def assert_counted(built: Workload, counts: tuple[int, int], ends: int = 2) -> None:
    """So many interleavings keep the invariant, of so many, and they are those with the outcome of a serial run.

    `ends` is how many outcomes the two serial runs have.
    """
    assert kept(built) == counts
    serial = {one.outcome for one in serial_endings(built)}
    assert len(serial) == ends
    for one in endings(built):
        assert built.invariant(one.state, one.reports) == (one.outcome in serial), one.order


def assert_comes_to_the_pre_order(built: Workload, by: str) -> None:
    """Every schedule of MTPO comes to the pre-order's outcome; so does chance, which sends notices on the way."""
    first = serial_endings(built)[0]
    ran = [run(built, by, seed) for seed in SEEDS]
    for outcome in ran:
        assert (outcome.final_state, outcome.reports) == (first.state, first.reports)
    assert any(map(notices, ran))
    found = explore(Setting(workload=built, protocol=protocol(by)))
    [ending] = found.endings
    assert found.complete and found.notified and ending.kind == "quiescent"
    for left, right in ((ending.final_state, first.state), (ending.reports, first.reports)):
        assert same(dict(left), {key: plain(value) for key, value in right.items()})


def assert_naive_breaks_it_by_the_clock(built: Workload) -> None:
    """By the clock the invariant is broken without coordination, and the history shows that."""
    broken = timed(built, "naive")
    assert broken.quiescent and not passes(built, broken)
    assert check_history(broken.history, order="any").verdict == "violated"


def assert_told_of_by_footprint_only(built: Workload, irrelevant: Workload) -> None:
    """The irrelevant write makes notices by footprint, and none where the values decide."""

    def sent(by: str, one: Workload) -> int:
        return sum(notices(run(one, by, seed)) for seed in range(10))

    assert sent("mtpo-footprint", irrelevant) > sent("mtpo-footprint", built)
    assert sent("mtpo-footprint", irrelevant) > sent("mtpo", irrelevant)


def judged_ok(outcome: Outcome, by: str) -> bool:
    """Whether the checker finds a run as good as its protocol promises."""
    return check_history(outcome.history, order=protocol(by).promises).verdict == "ok"
