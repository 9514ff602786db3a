"""Runs a workload live and says all that is known of the run: outcome, verdict, invariant, counts, exit code.

Seconds are measured here, not simulated. How it looks is `coagent.live_screen`'s business.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from checker.notified import check_history
from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.history import History, frozen
from coagent.live.apart import check_apart
from coagent.live.joined import JoinedTarget
from coagent.live.journal import journal_at
from coagent.live.limits import Limits
from coagent.live.reaching import cells_of, seed
from coagent.live.running import run_live
from coagent.live.target import Target
from coagent.live.targets import named
from coagent.running import Counts, counts, equal, serial_outcome
from coagent.stepper import rerun
from coagent.workload import Workload

ONCE = Limits(tries=1)
"""Of a target that has not been met yet: a slip in its name is more likely than a short trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRan:
    """One live run and its judgement; `seconds` are of the wall clock, `counts` what the history adds up to.

    `order_exact` is None when the programs, run alone, do not end, and when models drove the agents.
    """

    history: History
    verdict: Verdict
    invariant: bool | None
    order_exact: bool | None
    gave_up: tuple[str, ...]
    counts: Counts
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 2 cannot tell."""
        if not self.history.end["quiescent"]:
            return 2
        strayed = self.order_exact is False and self.history.header["order"] == "declared"
        return 1 if self.invariant is False or self.gave_up or strayed else self.verdict.exit_code

    def to_json(self) -> dict[str, object]:
        """The run as `run --json` prints it."""
        header, end = self.history.header, self.history.end
        verdict = self.verdict.to_json()
        return {
            "workload": header["workload"],
            "protocol": header["protocol"],
            "agents": [one["name"] for one in header["agents"]],
            "order": verdict["order"],
            "order_exact": self.order_exact,
            "quiescent": end["quiescent"],
            "final_state": end["final_state"],
            "reports": end["reports"],
            "invariant": self.invariant,
            "gave_up": list(self.gave_up),
            "verdict": verdict,
            "simulated": False,
            "seconds": round(self.seconds, 6),
            **{name: getattr(self.counts, name) for name in Counts.__dataclass_fields__},
        }


def ran_live(
    workload: Workload, protocol: object, where: Sequence[str], *, journal: str | None = None, think_s: float = 0.0
) -> LiveRan:
    """Run scripted agents on the targets that these words name (see `coagent.live.targets.named`).

    A target without the workload's objects is given its start state first. Raises BadInput when it holds others.
    """
    return asyncio.run(_ran_live(workload, protocol, targets_of(workload, where), journal, think_s))


def targets_of(workload: Workload, where: Sequence[str]) -> list[Target]:
    """The targets that these words name, with the roots of the workload's paths. Raises BadInput."""
    state, _ = serial_outcome(workload, tuple(one.name for one in workload.agents)) or ({}, {})
    roots = sorted({path.partition("/")[0] for path in (*dict(workload.state), *state)})
    return [target for word in where for target in named(word, roots)]


async def _ran_live(
    workload: Workload, protocol: object, targets: list[Target], where: str | None, think_s: float
) -> LiveRan:
    if where is not None:
        check_apart(where, targets)
    await prepared(JoinedTarget(targets), workload)
    journal = await journal_at(where, new=True) if where is not None else None
    began = time.perf_counter()
    run = await run_live(workload, protocol, *targets, journal=journal, think_s=think_s, more=toolset(workload))
    return judged_live(run.history, workload, protocol, time.perf_counter() - began)


def toolset(workload: Workload) -> dict[str, object]:
    """What a journal's head says of the tools, so that a later process finds them."""
    return {"tools": [workload.name]}


async def prepared(target: JoinedTarget, workload: Workload) -> None:
    """Give a target the workload's start state, unless it is there. Raises BadInput when it holds something else."""
    wanted = dict(workload.state)
    held = await cells_of(target, target.roots, ONCE)
    if held == wanted:
        return
    if strange := sorted({*held} - {*wanted}) or sorted(path for path in held if held[path] != wanted[path]):
        raise BadInput(
            f"the target holds {strange[0]!r}, which {workload.name} does not begin with; name an empty one, for a "
            "run changes what is there"
        )
    await seed(target, workload.state)


def judged_live(history: History, workload: Workload, protocol: object, seconds: float) -> LiveRan:
    """The judgement of a live run of a workload's agents; models that drove them have done as they saw fit, so that
    their outcome is not held against the programs'."""
    end, driven = history.end, bool(history.header.get("models"))
    state = {path: frozen(value) for path, value in end["final_state"].items()}
    names = tuple(one["name"] for one in history.header["agents"])
    expected = None if driven else serial_outcome(workload, names)
    exact = None
    if expected is not None:
        exact = equal(end["final_state"], expected[0]) and equal(end["reports"], expected[1])
    invariant = None
    if workload.invariant is not None and end["quiescent"]:
        invariant = bool(workload.invariant(state, end["reports"]))
    return LiveRan(
        history=history,
        verdict=check_history(history, order=protocol.promises, rerun=rerun(workload, driven=driven)),
        invariant=invariant,
        order_exact=exact if end["quiescent"] else None,
        gave_up=tuple(record["agent"] for record in history.of("give-up")),
        counts=counts(history.records, workload.cost),
        seconds=seconds,
    )
