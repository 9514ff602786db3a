"""A small corpus of histories, and the judges that say something of each; what is true of them is known apart.

Of a run it is the serial oracle that knows, of a written history who wrote it, of a fault who put it in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count

from test_own_anomalies import OWN
from written_run import written

from checker.level import level
from checker.notified import check_history
from checker.proof import prove_history
from coagent.explore import Ending
from coagent.exploring import Promise, explored
from coagent.history import History, plain
from coagent.program import report_out
from coagent.protocols import VARIANTS, protocol
from coagent.running import equal, serial_outcome
from coagent.scenario import parse_scenario
from coagent.simulate import Chance, Outcome, simulate
from coagent.stepper import follow, verdict
from coagent.testing.small_world import WORLDS, world
from coagent.workload import Workload, from_scenario
from coagent.world import Setting
from paper_figures.blame_matrix import own_workloads, took_effect
from paper_figures.variant_table import WORLD_OF
from workloads import workload
from workloads.fault import KINDS, Fault, halfway, outcome

ORDERS = (("declared", "serializable"), ("any", "serializable"), ("any", "strict-serializable"))
RULES = ("mtpo", "mtpo-reissue", "occ", "2pl", "naive")
TEXTBOOK = ("lost-update", "write-skew", "phantom", "read-skew", "dirty-read", "unrecoverable-send")
FOREIGN = ("naive: phantom", "naive: lost-update", "mtpo-without-uncovering", "mtpo 0: write under a read")
STATE = {"x": 0, "y": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A history; whether it is notified-serializable in the declared order and which assumption it breaks, where that
    is known apart from the judges; and the run that it is of, if it is of one."""

    history: History
    good: bool | None = None
    broken: str | None = None
    run: Outcome | None = None


SERIAL_RUN = "A.1 put x 1\nA.2 get y\nfinish A 0\ncommit A\nB.1 get x\nB.2 put y 2"
SILENT = "A.1 add x 1 silently\nB.1 add x 1 silently\nB.2 add y 1 silently\nA.2 add y 1 silently"
HIDDEN = "B.1 put x 2\nfinish B 0\ncommit B\nA.1 put x 1 masked by B.1"
PHANTOMS = "A.1 list d\nB.1 list e\nA.2 put e/a 1\nB.2 put d/b 1"
FAILED = "B.1 add z 1\nA.1 put y 5\ncancel B.1 by A.1\nconsume B.1"
ABORTED = "A.1 put x 0\nB.1 get x\nundo A.1\ngive up A"

MORE: Mapping[str, tuple[dict, list[list[dict]]]] = {
    "two writes that go": (
        {"x": 0, "y": 0},
        [
            [{"put": "y", "value": "1"}],
            [{"get": "y", "as": "v"}, {"if": "v == 0", "then": [{"put": "x", "value": "1"}]}],
            [{"get": "y", "as": "v"}, {"if": "v == 0", "then": [{"put": "x", "value": "2"}]}],
        ],
    ),
    "the same value under a read": (
        {"x": 0, "y": 0},
        [
            [{"put": "x", "value": "0"}, {"put": "y", "value": "1"}],
            [{"get": "x", "as": "v"}, {"get": "y", "as": "w"}, {"report": "[v, w]"}],
        ],
    ),
    "addition that fails": (
        {},
        [[{"add": "y", "by": "1", "as": "v"}, {"report": "v"}], [{"put": "y", "value": "1"}]],
    ),
    "a copy that nobody reads": ({"x": 0}, [[{"put": "x", "value": "1"}], [{"copy": "x", "to": "y"}]]),
    "deletion under a read": (
        {"x": 0},
        [[{"delete": "x"}], [{"get": "x", "as": "v"}, {"report": "v"}]],
    ),
}
"""Worlds with what the variants' own lack: an heir, a refresh that tells nothing new, a failure, a deletion."""


TOLD = tuple(dict.fromkeys(WORLD_OF.values()))
"""The small worlds in which agents report all that they were told, so that the end alone shows what went wrong."""


@cache
def corpus() -> Mapping[str, Case]:
    """Every history by name."""
    found = dict(_written())
    found |= _variants()
    for where in (*TOLD, *MORE):
        for rule in RULES:
            for seed in range(4):
                found[f"{rule} {seed}: {where}"] = of(simulate(_setting(where, rule), Chance(seed)))
    found["an heir that is undone"] = of(simulate(_setting("two writes that go", "mtpo"), Chance(35)))
    short = explored(given("a copy that nobody reads"), protocol("mtpo-without-redo"))
    found["a run that leaves a cell out"] = of(short.worst.outcome)
    for name in TEXTBOOK:
        found[f"naive: {name}"] = of(explored(workload(name), protocol("naive"), max_states=5_000).worst.outcome)
        found[f"mtpo: {name}"] = of(simulate(Setting(workload=workload(name), protocol=protocol("mtpo")), Chance(1)))
    for broken, ways in KINDS.values():
        found |= {f"fault: {way.__name__}": _fault(broken, way) for way in ways}
    halfway_there = outcome(halfway(workload("k2-canary"), 0), 0)
    found["an agent that breaks the invariant alone"] = Case(history=halfway_there.history, run=halfway_there)
    for name in FOREIGN:
        found[f"{name}, with tools unknown"] = Case(history=foreign(found[name].history), good=found[name].good)
    return found


def _setting(where: str, rule: str) -> Setting:
    return Setting(workload=given(where), protocol=protocol(rule))


def given(where: str) -> Workload:
    """The workload of a world's name."""
    if where in WORLDS:
        return from_scenario(world(where))
    state, programs = MORE[where]
    agents = [{"name": "ABC"[at], "steps": steps} for at, steps in enumerate(programs)]
    return from_scenario(parse_scenario({"name": where, "state": state, "agents": agents}, where))


def _fault(broken: str, way: Callable[[Workload, int], Fault]) -> Case:
    """The first run with a fault put in this way that took effect."""
    runs = (outcome(way(own_workloads(seed), seed), seed) for seed in count())
    run = next(run for run in runs if took_effect(run))
    return Case(history=run.history, broken=broken, run=run)


def _written() -> Iterator[tuple[str, Case]]:
    for title, (guilty, innocent, broken) in OWN.items():
        yield f"{title}, guilty", Case(history=written(guilty, STATE), good=False, broken=broken)
        yield f"{title}, innocent", Case(history=written(innocent, STATE), good=True)
    serial = written(SERIAL_RUN, STATE)
    yield "a serial run", Case(history=serial, good=True)
    yield "a capture of what was not there", Case(history=changed(serial, "prepare", _garbled), good=False)
    yield "a read that was not declared", Case(history=changed(serial, "invoke", _undeclared), good=False)
    yield "a cell that changed on nobody's record", Case(history=changed(serial, "result", _seen_otherwise), good=False)
    yield "phantoms both ways", Case(history=written(PHANTOMS, {}), good=False)
    yield "phantoms both ways, with tools unknown", Case(history=foreign(written(PHANTOMS, {})), good=False)
    yield "a failed call that was cancelled", Case(history=written(FAILED, STATE), good=False)
    yield "a run that did not end", Case(history=written(SERIAL_RUN, STATE, quiescent=False))
    yield "additions that tell nobody the total", Case(history=written(SILENT, STATE), good=True)
    yield "a late write hidden under a committed one", Case(history=written(HIDDEN, STATE), good=True)
    yield "a read of what was aborted, which was there before too", Case(history=written(ABORTED, STATE))


def changed(history: History, event: str, how: object) -> History:
    """The history with the records of a kind changed."""
    return History(history.header, tuple(how(one) if one["event"] == event else one for one in history.records))


def _garbled(record: Mapping) -> dict:
    return {**record, "captured": {path: {**entry, "value": 7} for path, entry in record["captured"].items()}}


def _undeclared(record: Mapping) -> dict:
    return {**record, "reads": []}


def _seen_otherwise(record: Mapping) -> dict:
    if record["op"] != "B.1":
        return dict(record)
    return {**record, "value": 9, "saw": {"x": {"value": 9, "writer": "A.1"}}}


def foreign(history: History) -> History:
    """The history with its tools under names that nobody knows: only what calls saw and wrote can be judged."""
    return changed(history, "invoke", lambda one: {**one, "tool": f"their-{one['tool']}"})


def _variants() -> dict[str, Case]:
    """The shortest run of each variant that ends wrong, in its own world."""
    found = {}
    for name, one in VARIANTS.items():
        there = from_scenario(world(WORLD_OF[name]))
        wrong = [end for end in explored(there, one, max_states=5_000).endings if end.right is False]
        if wrong:
            found[name] = of(follow(Setting(workload=there, protocol=one), wrong[0].ending.schedule))
    return found


def of(run: Outcome) -> Case:
    """A run, held against the serial oracle."""
    gave_up = any(one.gave_up for one in run.world.actors.values())
    return Case(history=run.history, good=None if gave_up else oracle_says(run), run=run)


# the judges


def oracle_says(run: Outcome) -> bool:
    """Whether the run ended as the programs do one after the other in the pre-order."""
    expected, end = serial_outcome(run.world.setting.workload, run.world.order), run.history.end
    return expected is not None and equal(end["final_state"], expected[0]) and equal(end["reports"], expected[1])


def by_oracle(one: Case) -> object:
    """The oracle's answer; None for what is of no run."""
    return one.run and oracle_says(one.run)


def by_promise(one: Case) -> object:
    """Whether the run's ending is one that its protocol promises, as exploration says of endings."""
    if one.run is None:
        return None
    run = one.run
    there = run.world.setting
    ending = Ending(
        kind="quiescent" if run.quiescent else "stuck",
        final_state={path: plain(value) for path, value in run.final_state.items()},
        reports={name: report_out(report) for name, report in run.reports.items()},
        gave_up=tuple(name for name, actor in run.world.actors.items() if actor.gave_up),
        schedule=run.schedule,
    )
    return Promise(there.workload, there.protocol.promises).judge(ending).right


def by_checker(one: Case) -> object:
    """The checker's verdicts: in the declared order, in any, in real time."""
    return tuple(check_history(one.history, order=order, level=level(name)).verdict for order, name in ORDERS)


def by_name(one: Case) -> object:
    """The names of the anomalies in the declared order."""
    return {anomaly.name for anomaly in check_history(one.history, order="declared").anomalies}


def by_blame(one: Case) -> object:
    """What is blamed, with the programs where there are any."""
    return (verdict(one.run) if one.run else check_history(one.history, order="declared")).blame


def by_proof(one: Case) -> object:
    """Whether the run is proved to end as the agents do in the declared order."""
    return prove_history(one.history, order="declared").verdict
