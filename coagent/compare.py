"""Runs workloads under several protocols, many trials each, and sets them beside serial runs with the same draws.

All agents here are simulated, and so are seconds and tokens. Trial k of every protocol uses the same
seed, so ratios are taken within a seed; the number of worker processes changes nothing but the wait.
"""

import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from statistics import mean, median

from coagent.naming import blamed, protocol, target
from coagent.running import run
from coagent.simulate import Progress

BASELINE = "serial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run in numbers; `ok` is quiescent, judged ok, invariant kept and nobody gave up. Seconds are simulated."""

    workload: str
    protocol: str
    seed: int
    ok: bool
    invariant: bool | None
    order_exact: bool
    quiescent: bool
    gave_up: int
    seconds: float
    tokens: int
    cost: int
    notifications: int
    undos: int
    restarts: int
    deadlocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A protocol's trials of a workload, summed up.

    Shares lie in [0, 1], `invariant` is None when the workload has none. `seconds` is the median of the
    trials that ended, `speedup`, `tokens` and `cost` are medians of the ratio to the serial trial of the same seed
    (None when no trial ended). Events are means per trial.
    """

    workload: str
    protocol: str
    trials: int
    ok: float
    invariant: float | None
    order_exact: float
    unfinished: int
    seconds: float | None
    speedup: float | None
    tokens: float | None
    cost: float | None
    notifications: float
    undos: float
    restarts: float
    deadlocks: float
    gave_up: float


def compare(
    workloads: Sequence[str],
    protocols: Sequence[str],
    *,
    trials: int,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Compared]:
    """A line for each workload and protocol, in the order given. Raises BadInput for a name that there is not."""
    for name in workloads:
        target(name)
    for name in protocols:
        protocol(name)
    wanted = list(dict.fromkeys((BASELINE, *protocols)))
    tasks = [(name, by, number) for name in workloads for by in wanted for number in range(seed, seed + trials)]
    found = {}
    for done, (task, trial) in enumerate(zip(tasks, _trials(tasks, workers), strict=True)):
        if progress:
            progress(done, f"{task[0]} under {task[1]}, {done} of {len(tasks)} trials")
        found.setdefault(task[:2], []).append(trial)
    return [summed(found[name, by], found[name, BASELINE]) for name in workloads for by in protocols]


def trial(task: tuple[str, str, int]) -> Trial:
    """One trial of a workload under a protocol with a seed, all by name, so that any process can do it."""
    name, by, seed = task
    with blamed(by):
        ran = run(target(name), protocol(by), seed=seed)
    counts = ran.counts
    return Trial(
        workload=ran.outcome.history.header["workload"],
        protocol=ran.outcome.history.header["protocol"],
        seed=seed,
        ok=ran.exit_code == 0,
        invariant=ran.invariant,
        order_exact=bool(ran.order_exact),
        quiescent=ran.outcome.quiescent,
        gave_up=len(ran.gave_up),
        seconds=ran.outcome.seconds,
        tokens=counts.tokens,
        cost=counts.cost,
        notifications=counts.notifications,
        undos=counts.undos,
        restarts=counts.restarts,
        deadlocks=counts.deadlocks,
    )


def summed(trials: Sequence[Trial], serial: Sequence[Trial]) -> Compared:
    """The trials of one protocol, beside the serial ones of the same seeds."""
    pairs = [(one, base) for one, base in zip(trials, serial, strict=True) if one.quiescent and base.quiescent]
    judged = [one.invariant for one in trials if one.invariant is not None]
    return Compared(
        workload=trials[0].workload,
        protocol=trials[0].protocol,
        trials=len(trials),
        ok=_mean(one.ok for one in trials),
        invariant=_mean(judged) if judged else None,
        order_exact=_mean(one.order_exact for one in trials),
        unfinished=sum(not one.quiescent for one in trials),
        seconds=_median(one.seconds for one, _ in pairs),
        speedup=_median(base.seconds / one.seconds for one, base in pairs if one.seconds),
        tokens=_median(one.tokens / base.tokens for one, base in pairs if base.tokens),
        cost=_median(one.cost / base.cost for one, base in pairs if base.cost),
        notifications=_mean(one.notifications for one in trials),
        undos=_mean(one.undos for one in trials),
        restarts=_mean(one.restarts for one in trials),
        deadlocks=_mean(one.deadlocks for one in trials),
        gave_up=_mean(one.gave_up for one in trials),
    )


def to_json(lines: Iterable[Compared], *, trials: int, seed: int) -> dict[str, object]:
    """The comparison as `compare --json` prints it."""
    return {"simulated": True, "trials": trials, "seed": seed, "rows": [asdict(one) for one in lines]}


def _trials(tasks: Sequence[tuple[str, str, int]], workers: int) -> Iterator[Trial]:
    if workers == 1:
        yield from map(trial, tasks)
        return
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=ignore)
    try:
        yield from pool.map(trial, tasks, chunksize=max(1, len(tasks) // (8 * workers)))
    finally:
        pool.shutdown(cancel_futures=True)


def _mean(values: Iterable[float]) -> float:
    return round(mean(values), 4)


def _median(values: Iterable[float]) -> float | None:
    values = list(values)
    return round(median(values), 4) if values else None
