"""Runs many cases over any executor, and gives a row for each: all combinations of workloads, protocols and parameters.

Rows depend on their cases alone: neither executor nor number of workers changes a number.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, fields
from functools import partial
from itertools import product
from multiprocessing import get_context
from types import UnionType
from typing import TYPE_CHECKING, get_args

from coagent.trial import Case, Trial, trial

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[int, str], None]
"""Called with the number of trials done, and in words."""

PART = 250
"""Trials that a worker does at a time."""


def cases(
    workloads: Sequence[str],
    protocols: Sequence[str],
    *,
    trials: int,
    seed: int = 1,
    agents: Sequence[int | None] = (None,),
    miss: Sequence[float] = (0.0,),
    over: Sequence[float] = (0.0,),
    rank: Sequence[str] = ("launch",),
    irrelevant: Sequence[bool] = (False,),
    check_every: int = 1,
) -> list[Case]:
    """All combinations, `trials` seeds of each from `seed` on; the checker judges seeds that `check_every` divides."""
    grid = product(workloads, protocols, agents, irrelevant, miss, over, rank, range(seed, seed + trials))
    return [
        Case(
            workload=workload,
            protocol=protocol,
            seed=number,
            agents=many,
            irrelevant=more,
            miss=missed,
            over=overdone,
            rank=order,
            checked=number % check_every == 0,
        )
        for workload, protocol, many, more, missed, overdone, order, number in grid
    ]


def swept(
    cases: Sequence[Case],
    *,
    workers: int = 1,
    executor: str | Executor = "process",
    progress: Progress | None = None,
) -> "pl.DataFrame":
    """A row for each case, in their order."""
    size = max(1, min(PART, len(cases) // (4 * workers)))
    parts = [cases[start : start + size] for start in range(0, len(cases), size)]
    rows: list[Trial] = []
    for done in _done(parts, workers, executor):
        rows += done
        if progress:
            progress(len(rows), f"{len(rows):,} of {len(cases):,} trials")
    return frame(rows)


def frame(rows: Sequence[Trial]) -> "pl.DataFrame":
    """The rows as a table with a column for each field, typed as the field says."""
    import polars as pl

    kinds = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}
    schema = {one.name: kinds[_kind(one.type)] for one in fields(Trial)}
    return pl.DataFrame([astuple(row) for row in rows], schema=schema, orient="row")


def _kind(type_: object) -> type:
    return get_args(type_)[0] if isinstance(type_, UnionType) else type_


def done(part: Sequence[Case]) -> list[Trial]:
    """The trials of a part, in any process."""
    return [trial(case) for case in part]


def _done(parts: Sequence[Sequence[Case]], workers: int, executor: str | Executor) -> Iterator[list[Trial]]:
    if workers == 1 and executor == "process":
        yield from map(done, parts)
        return
    with _opened(executor, workers) as pool:
        yield from pool.map(done, parts)


@contextmanager
def _opened(executor: str | Executor, workers: int) -> Iterator[Executor]:
    if isinstance(executor, Executor):
        yield executor
        return
    if executor == "thread":
        pool: Executor = ThreadPoolExecutor(workers)
    else:
        ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=ignore)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
