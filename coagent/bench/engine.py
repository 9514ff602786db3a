"""Times the engine, the simulator and the explorer on this machine: medians over repeats, and one ratio.

Wall clock of this process only; the simulated seconds inside do not enter. The ratio is the engine's
promise that a step costs what it conflicts with, not what has gone before (contract C7).
"""

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import mean, median
from time import perf_counter

from coagent.bench.figure import Figure
from coagent.explore import explore
from coagent.judge import drawn
from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.protocols import protocol
from coagent.simulate import Clock, simulate
from coagent.workload import Agent, Workload
from coagent.world import Setting
from workloads import workload

AGENTS, OPERATIONS, SHARED = 64, 200, 0.02
TWO = 2
REPEATS = 30


class Timed:
    """A protocol that notes how long each of its steps takes, in microseconds."""

    def __init__(self, inner: object) -> None:
        self.name, self.promises, self.start = inner.name, inner.promises, inner.start
        self._step, self.took = inner.step, []

    def step(self, run: object, event: object) -> object:
        """One step of the timed protocol."""
        start = perf_counter()
        result = self._step(run, event)
        self.took.append((perf_counter() - start) * 1e6)
        return result


def measured(protocol_name: str = "mtpo", *, agents: int = AGENTS, operations: int = OPERATIONS) -> list[Figure]:
    """All figures, in the order in which they are printed; about a quarter of a minute with the defaults."""
    contended, trial = _contended(protocol_name)
    small = step_times(protocol_name, TWO, operations, repeats=5)
    large = step_times(protocol_name, agents, operations, repeats=1)
    of = f"engine step, {{}} agents x {operations} operations, {SHARED:.0%} on shared objects"
    return [
        Figure(name="step_us", value=round(median(contended), 1), unit="us", of="engine step, two agents contending"),
        Figure(name="step_small_us", value=round(median(small), 1), unit="us", of=of.format(TWO) + ", median"),
        Figure(name="step_small_mean_us", value=round(mean(small), 1), unit="us", of=of.format(TWO) + ", mean"),
        Figure(name="step_large_us", value=round(median(large), 1), unit="us", of=of.format(agents) + ", median"),
        Figure(name="step_large_mean_us", value=round(mean(large), 1), unit="us", of=of.format(agents) + ", mean"),
        Figure(name="ratio", value=round(median(large) / median(small), 2), unit="x", of="medians, large to small"),
        Figure(name="ratio_mean", value=round(mean(large) / mean(small), 2), unit="x", of="means, large to small"),
        Figure(name="trial_ms", value=round(trial, 2), unit="ms", of="a two-agent trial on the clock, median"),
        Figure(name="explore_states_per_s", value=_explored(protocol_name), unit="/s", of="states of lost-update"),
    ]


def step_times(protocol_name: str, agents: int, operations: int, *, repeats: int) -> list[float]:
    """Microseconds of every engine step of a long run, mostly on objects of the agent's own."""
    took: list[float] = []
    for _ in range(repeats):
        timed = Timed(protocol(protocol_name))
        with _quiet_collector():
            simulate(Setting(workload=crowd(agents, operations), protocol=timed), Clock(0.1), max_steps=10**9)
        took += timed.took
    return took


def crowd(agents: int, operations: int) -> Workload:
    """Agents that write and read objects of their own; one call in fifty, by lot, is on one of `agents / 2` shared."""
    plans = [plan(index, agents, operations) for index in range(agents)]
    made = tuple(
        Agent(name=f"agent-{index:02}", program=partial(_busy, calls), think_s=1 + index / 100)
        for index, calls in enumerate(plans)
    )
    return Workload(name="crowd", state=(), agents=made)


def plan(index: int, agents: int, operations: int) -> tuple[Call, ...]:
    """The calls of one agent of a crowd: put and get in turn."""
    calls = []
    for number in range(operations):
        lot = drawn("bench", (index, number))
        shared = f"shared/{int(lot / SHARED * (agents // 2))}"
        path = ("path", shared if lot < SHARED else f"own/{index}/{number % 10}")
        calls.append(Call("get", (path,)) if number % 2 else Call("put", (path, ("value", number))))
    return tuple(calls)


def _busy(calls: tuple[Call, ...]) -> Generator[Intent, Result, Value]:
    for call in calls:
        yield Intent(call=call)


def _contended(protocol_name: str) -> tuple[list[float], float]:
    """Step times in microseconds over contended two-agent runs, and the median run in milliseconds."""
    steps, trials = [], []
    for seed in range(REPEATS):
        for name in ("lost-update", "k2-canary-on-bad-image"):
            timed = Timed(protocol(protocol_name))
            setting = Setting(workload=workload(name), protocol=timed, seed=seed)
            with _quiet_collector():
                start = perf_counter()
                simulate(setting, Clock(setting.workload.cost.tool_s))
                spent = (perf_counter() - start) * 1e3
            steps += timed.took
            if name != "lost-update":
                trials.append(spent)
    return steps, median(trials)


def _explored(protocol_name: str) -> int:
    setting = Setting(workload=workload("lost-update"), protocol=protocol(protocol_name))
    rates = []
    for _ in range(REPEATS):
        with _quiet_collector():
            start = perf_counter()
            states = explore(setting).states
            rates.append(states / (perf_counter() - start))
    return round(median(rates))


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """No garbage collection while the clock runs: it would be charged to whatever step it falls in."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
