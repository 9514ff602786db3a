"""Runs a workload with a language model in the place of its programs, and says what it took: seconds, tokens, money.

All of that is measured, or, when a recording is played again, was measured then. How it looks is
`coagent.driven_screen`'s business.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from coagent.bad_input import BadInput
from coagent.history import History
from coagent.live import virtual_clock
from coagent.live.agents.completion import Model
from coagent.live.agents.openai_backend import OpenaiModel
from coagent.live.agents.orderly import Orderly
from coagent.live.agents.patience import Patience
from coagent.live.agents.price import Bill, Price
from coagent.live.agents.recorded import Recorded
from coagent.live.agents.team import Driven, check_tasks, drive
from coagent.live.apart import check_apart
from coagent.live.joined import JoinedTarget
from coagent.live.journal import journal_at
from coagent.live.opening import history_of, session
from coagent.live.target import Target
from coagent.live.targets.memory import MemoryTarget
from coagent.living import LiveRan, judged_live, prepared, targets_of, toolset
from coagent.workload import Workload

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """Which model acts, and how: by name at an address (None: OpenAI's), with the key in that environment variable.

    `record` is a new file for its answers, `replay` one from which they are taken instead; `tries` is how often a
    request is made before the model counts as failed.
    """

    name: str
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    price: Price | None = None
    record: str | None = None
    replay: str | None = None
    tries: int = Patience().tries


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRan:
    """A live run whose agents a model drove; `failed` says by agent why it was taken out of the run, `stuck` what
    stopped the run short. `replayed`: the seconds are those of the run that was recorded."""

    live: LiveRan
    model: str
    bill: Bill
    price: Price | None
    failed: dict[str, str]
    stuck: str
    replayed: bool

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 2 cannot tell."""
        return self.live.exit_code

    @property
    def right(self) -> bool:
        """Whether it ended, was not judged violated, kept the invariant, and nobody gave up."""
        live = self.live
        whole = live.history.end["quiescent"] and live.invariant is not False and not live.gave_up
        return whole and live.verdict.verdict != "violated"

    @property
    def tokens(self) -> int | None:
        """All that were read, from a cache or not, and written; None when the server did not count some."""
        total = self.bill.total
        return None if total.uncounted else total.prompt_tokens + total.output_tokens

    @property
    def money(self) -> float | None:
        """What it cost, None without prices, or without a count of all tokens."""
        total = self.bill.total
        return None if self.price is None or total.uncounted else float(self.price.of(total))

    def to_json(self) -> dict[str, object]:
        """The run as `run --json` prints it."""
        return {
            **self.live.to_json(),
            "model": self.model,
            "replayed": self.replayed,
            "failed": self.failed,
            "stuck": self.stuck,
            "bill": list(self.bill.rows(self.price)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A run that is not judged yet."""

    history: History
    driven: Driven
    seconds: float


def ran_models(
    workload: Workload, protocol: object, plan: ModelPlan, *, where: Sequence[str] = (), journal: str | None = None
) -> ModelRan:
    """Run a workload's agents with a model, on the targets that these words name (none: one in memory).

    Raises BadInput for agents without a task in words, a model that never answers, and what `ran_live` raises it for.
    """
    check_workload(workload)
    targets = targets_of(workload, where) or [MemoryTarget([""], workload.state)]

    async def run(model: Model) -> _Raw:
        if journal is not None:
            check_apart(journal, targets)
        opened = await journal_at(journal, new=True) if journal is not None else None
        raw = await _ran(workload, protocol, targets, model, journal=opened)
        _check_answered([raw])
        return raw

    virtual = plan.replay is not None and not where and journal is None
    return _judged(_with_model(plan, run, virtual=virtual), workload, protocol, plan)


def trials_of(
    cases: Iterable[tuple[Workload, object]], plan: ModelPlan, progress: Callable[[int, str], None]
) -> list[ModelRan]:
    """Run workloads under protocols, one after the other, each on a target of its own in memory; judged in the end."""
    cases = list(cases)
    for workload, _ in cases:
        check_workload(workload)

    async def run(model: Model) -> list[_Raw]:
        found = []
        for done, (workload, protocol) in enumerate(cases):
            progress(done, f"{workload.name} under {protocol.name}")
            found.append(await _ran(workload, protocol, [MemoryTarget([""], workload.state)], model))
            _check_answered(found)
        return found

    raw = _with_model(plan, run, virtual=plan.replay is not None)
    return [_judged(one, *case, plan) for one, case in zip(raw, cases, strict=True)]


def check_workload(workload: Workload) -> None:
    """Raise BadInput when a model cannot act in it: an agent has no task in words, or comes late, or is to die."""
    check_tasks({one.name: one.task for one in workload.agents})
    for one in workload.agents:
        if one.launch_s or one.dies_after is not None:
            raise BadInput(f"{one.name!r} of {workload.name} comes late or is to die, which only simulated agents do")


def _check_answered(runs: Sequence[_Raw]) -> None:
    """Raise BadInput when the model has failed and there never was an answer: then it is for a person to mend first."""
    failed = [why for one in runs for why in one.driven.failed.values()]
    if failed and not any(one.driven.bill.by_agent for one in runs):
        raise BadInput(failed[0])


def _with_model(plan: ModelPlan, run: Callable[[Model], Coroutine[None, None, Found]], *, virtual: bool) -> Found:
    """Run with the plan's model, on one event loop; a recording in memory is played in no time."""
    patience = Patience(tries=plan.tries)
    real = OpenaiModel(name=plan.name, base_url=plan.base_url, key_variable=plan.key_variable, patience=patience)
    model: Model = real
    if plan.replay is not None:
        model = Recorded(real, Path(plan.replay), "replay", sleep=asyncio.sleep)
    if plan.record is not None:
        model = Recorded(real, Path(plan.record), "record")

    async def whole() -> Found:
        if plan.replay is None:
            real.open()
        try:
            return await run(model)
        finally:
            await real.close()

    return virtual_clock.run(whole()) if virtual else asyncio.run(whole())


async def _ran(
    workload: Workload, protocol: object, targets: list[Target], model: Model, journal: object | None = None
) -> _Raw:
    await prepared(JoinedTarget(targets), workload)
    clock = asyncio.get_running_loop().time
    more = {**toolset(workload), "models": {one.name: model.name for one in workload.agents}}
    opened = session(
        *targets,
        tools=workload.tools,
        protocol=protocol,
        journal=journal,
        name=workload.name,
        whole=True,
        more=more,
    )
    async with opened as live:
        if isinstance(model, Recorded):
            model.begin()
        in_memory = all(isinstance(one, MemoryTarget) for one in targets)
        acting = Orderly(model, live) if in_memory else model
        began = clock()
        for rank, one in enumerate(workload.agents, 1):
            await live.launch(one.name, rank)
        driven = await drive(live, {one.name: one.task for one in workload.agents}, acting)
        if not driven.stuck:
            await live.quiet()
        return _Raw(history=await history_of(live), driven=driven, seconds=clock() - began)


def _judged(raw: _Raw, workload: Workload, protocol: object, plan: ModelPlan) -> ModelRan:
    return ModelRan(
        live=judged_live(raw.history, workload, protocol, raw.seconds),
        model=plan.name,
        bill=raw.driven.bill,
        price=plan.price,
        failed=dict(raw.driven.failed),
        stuck=raw.driven.stuck,
        replayed=plan.replay is not None,
    )
