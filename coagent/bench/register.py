"""Times the checker on register histories, whose version orders nobody recorded, beside the same with the orders given.

Without them the problem is NP-complete, with them it is linear; the two numbers belong together.
"""

from collections.abc import Iterator, Sequence
from time import process_time

from checker.level import LEVELS
from checker.register import check_register
from checker.sample_register import PLANTED, Mix, Sample, sampled
from coagent.bench.figure import Figure

SIZES = (1_000, 4_000, 15_000)
"""Transactions, of six operations each on a thousand keys."""

REPEATS = 2
"""Runs of each history; the fastest counts, as whatever else the machine does only adds."""


def register_figures(*, sizes: Sequence[int] = SIZES, sparse: int = 4_000, snapshot: int = 1_000) -> list[Figure]:
    """Seconds of this process's CPU time from the transactions in memory to the replayed verdict; about a minute.

    `inferred` is without version orders, the transactions listed in an order of chance, `known` with the orders given,
    `sessions` with those of each session listed in its order. `sparse` has as many keys as transactions, which leaves
    most orders open, `snapshot` is at snapshot isolation.
    """
    return list(_figures(sizes, sparse, snapshot))


def _figures(sizes: Sequence[int], sparse: int, snapshot: int) -> Iterator[Figure]:
    for count in sizes:
        sample = sampled(Mix(transactions=count), 1)
        yield _timed(f"register_{count}_inferred_s", sample, f"{count} transactions, version orders inferred")
        yield _timed(f"register_{count}_known_s", sample, f"{count} transactions, version orders known", known=True)
    for planted in PLANTED:
        sample = sampled(Mix(transactions=sizes[-1]), 1, planted=planted)
        name = f"register_{sizes[-1]}_{planted.replace(' ', '_')}_s"
        yield _timed(name, sample, f"{sizes[-1]} transactions and a {planted}, orders inferred")
    sample = sampled(Mix(transactions=sizes[-1], shuffled=False), 1)
    told = f"{sizes[-1]} transactions listed session by session, orders inferred"
    yield _timed(f"register_{sizes[-1]}_sessions_s", sample, told)
    sample = sampled(Mix(transactions=sparse, keys=sparse), 1)
    yield _timed(f"register_{sparse}_sparse_s", sample, f"{sparse} transactions on {sparse} keys, orders inferred")
    sample = sampled(Mix(transactions=snapshot), 1)
    told = f"{snapshot} transactions at snapshot isolation, orders inferred"
    yield _timed(f"register_{snapshot}_snapshot_s", sample, told, level="snapshot-isolation")


def _timed(name: str, sample: Sample, of: str, *, known: bool = False, level: str = "serializable") -> Figure:
    """The least time of some runs, with the answer."""
    times, answer = [], ""
    for _ in range(REPEATS):
        start = process_time()
        verdict = check_register(sample.transactions, LEVELS[level], orders=sample.orders if known else None)
        times.append(process_time() - start)
        answer = ", ".join([verdict.verdict, *(one.name for one in verdict.anomalies)])
    return Figure(name=name, value=round(min(times), 3), unit="s", of=f"{of}: {answer}")
