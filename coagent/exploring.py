"""Explores every schedule of a workload, and says whether each ends, and in an ending that the protocol promises.

The promise is checked against the programs run serially, without engine or checker; a counterexample
is then run again so that the checker can say what went wrong.
"""

from dataclasses import dataclass
from itertools import permutations
from time import perf_counter

from coagent.explore import MAX_STATES, Ending, Exploration, Progress, explore
from coagent.history import Record, frozen
from coagent.liveness import Lasso
from coagent.operation import show
from coagent.running import Ran, equal, judged, serial_outcome
from coagent.simulate import Listed, simulate
from coagent.stepper import follow
from coagent.workload import Workload
from coagent.world import Setting

MOST_AGENTS = 6
"""Agents of whom every serial order is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An ending; `right` says whether the protocol's promise allows it (None: too many orders to tell), `why` why.

    `others` says so of the agents that did not give up; an ending in which one did is never right. Who died is to
    have done nothing.
    """

    ending: Ending
    right: bool | None
    why: str
    others: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """An exploration with its endings judged, shortest schedule first.

    `worst` is the run of the first wrong one; when all are right, the way round for ever, if there is one, twice round.
    """

    exploration: Exploration
    endings: tuple[Judged, ...]
    worst: Ran | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 every ending is right and there are no more, 1 a counterexample, 2 cannot tell."""
        if self.worst is not None:
            return 1
        whole = self.exploration.complete and bool(self.endings)
        return 0 if whole and all(one.right for one in self.endings) else 2

    def round_told(self) -> list[str]:
        """The way round for ever in sentences, with the notices of one turn; none when there is none."""
        cycle = self.exploration.cycle
        if cycle is None or self.worst is None or any(one.right is False for one in self.endings):
            return []
        begins = len(cycle.stem) + len(cycle.cycle)
        turn = [one for one in self.worst.outcome.history.records[:-1] if one["at"] > begins]
        return [
            f"after {len(cycle.stem)} choices, these {len(cycle.cycle)} can be taken again and again, and leave no "
            f"choice waiting for ever: {cycle.notices} notices a turn, and no end",
            *[_told(one) for one in turn if one["event"] == "notify"],
        ]

    def to_json(self) -> dict[str, object]:
        """The exploration as `explore --json` prints it; `seconds` is wall clock."""
        found = self.exploration
        return {
            "states": found.states,
            "transitions": found.transitions,
            "depth": found.depth,
            "open": found.open,
            "complete": found.complete,
            "notified": found.notified,
            "reduced": found.reduced,
            "alike": [list(names) for names in found.alike],
            "note": found.note,
            "cycle": None if found.cycle is None else _cycle_out(found.cycle),
            "endings": [_ending_out(one) for one in self.endings],
            "verdict": ("ok", "violated", "unknown")[self.exit_code],
            "counterexample": None
            if self.worst is None
            else {
                "schedule": list(self.worst.outcome.schedule),
                "verdict": self.worst.verdict.to_json(),
            },
            "seconds": round(self.seconds, 3),
            "states_per_s": round(found.states / max(self.seconds, 1e-6)),
        }


def explored(
    workload: Workload,
    protocol: object,
    *,
    max_states: int = MAX_STATES,
    max_depth: int | None = None,
    reduced: bool = True,
    progress: Progress | None = None,
) -> Explored:
    """Explore and judge, up to `max_states` distinct states and `max_depth` choices."""
    setting = Setting(workload=workload, protocol=protocol)
    start = perf_counter()
    found = explore(setting, max_states=max_states, max_depth=max_depth, reduced=reduced, progress=progress)
    seconds = perf_counter() - start
    promise = Promise(workload, protocol.promises)
    endings = tuple(promise.judge(one) for one in found.endings)
    wrong = next((one for one in endings if one.right is False), None)
    worst = judged(follow(setting, wrong.ending.schedule)) if wrong else None
    if worst is None and found.cycle is not None:
        round_ = found.cycle.stem + 2 * found.cycle.cycle
        worst = judged(simulate(setting, Listed(round_), schedule=round_, max_steps=len(round_)))
    return Explored(exploration=found, endings=endings, worst=worst, seconds=seconds)


class Promise:
    """What a protocol promises of an ending: the pre-order's outcome, or that of any serial order."""

    def __init__(self, workload: Workload, promises: str) -> None:
        self._workload, self._promises = workload, promises
        self._known: dict[tuple[str, ...], list] = {}

    def judge(self, ending: Ending) -> Judged:
        """Whether an ending is as promised."""
        gone = {*ending.gave_up, *ending.died}
        names = tuple(one.name for one in self._workload.agents if one.name not in gone)
        others, why = self._judge(ending, names)
        if ending.gave_up:
            why = f"{', '.join(ending.gave_up)} gave up; for the others, {why}"
        return Judged(ending=ending, right=False if ending.gave_up else others, why=why, others=others)

    def _judge(self, ending: Ending, names: tuple[str, ...]) -> tuple[bool | None, str]:
        if ending.kind != "quiescent":
            return False, "stuck: nothing can happen any more, and not everyone has committed"
        if self._workload.invariant is not None and not self._holds(ending):
            return False, "the invariant is broken"
        if self._promises == "any" and len(names) > MOST_AGENTS:
            return None, f"more than {MOST_AGENTS} agents have too many serial orders to try"
        for order, (state, reports) in self._outcomes(names):
            done = {name: ending.reports[name] for name in names}
            if equal(ending.final_state, state) and equal(done, reports):
                return True, f"as {', '.join(order)} one after the other" if order else "as if nobody had acted"
        if self._promises == "declared":
            return False, f"not what {', '.join(names)} come to in the pre-order"
        return False, f"in no serial order of {', '.join(names)}"

    def _holds(self, ending: Ending) -> bool:
        state = {path: frozen(value) for path, value in ending.final_state.items()}
        return bool(self._workload.invariant(state, {name: frozen(one) for name, one in ending.reports.items()}))

    def _outcomes(self, names: tuple[str, ...]) -> list:
        """The outcomes that would be right, each with its order."""
        if names not in self._known:
            orders = permutations(names) if self._promises == "any" else [names]
            found = ((order, serial_outcome(self._workload, order)) for order in orders)
            self._known[names] = [(order, outcome) for order, outcome in found if outcome is not None]
        return self._known[names]


def _told(notice: Record) -> str:
    what = "was cancelled" if notice["cancelled"] else f"now gives {show(frozen(notice['value']))}"
    return f"{notice['agent']} is told that {notice['op']} {what}, because of {notice['cause']}"


def _cycle_out(cycle: Lasso) -> dict[str, object]:
    return {"stem": list(cycle.stem), "cycle": list(cycle.cycle), "notices": cycle.notices}


def _ending_out(one: Judged) -> dict[str, object]:
    ending = one.ending
    return {
        "kind": ending.kind,
        "final_state": ending.final_state,
        "reports": ending.reports,
        "gave_up": list(ending.gave_up),
        "schedule": list(ending.schedule),
        "right": one.right,
        "why": one.why,
    }
