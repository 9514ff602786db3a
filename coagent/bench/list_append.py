"""Times the checker on list-append histories of known size: reading, judging, growth, a planted cycle, memory.

Each history is made first, untimed, and judged in a process of its own, so that the peak memory is its own.
"""

import resource
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from checker import check_source
from checker.formats import load
from checker.sample import Shape, history
from coagent.bench.figure import Figure

SMALL, LARGE = 25_000, 250_000
"""Transactions: about four steps each, so 100 thousand and a million steps."""

REPEATS = 2
"""Runs of each history; the fastest counts, as whatever else the machine does only adds."""


def list_append_figures(
    *,
    small: int = SMALL,
    large: int = LARGE,
    levels: Sequence[str] = ("snapshot-isolation", "strict-serializable"),
    repeats: int = REPEATS,
) -> list[Figure]:
    """All figures, in the order in which they are printed; about two minutes with the defaults.

    Seconds of wall clock: `load` from the file to columns, `check` from columns to the replayed
    verdict, at serializable, and at the other `levels`. `growth` is the total at `large` over that at
    `small`, per transaction: 1 is linear.
    """
    with TemporaryDirectory() as folder:
        return list(_figures(Path(folder), small, large, levels, repeats))


def _figures(folder: Path, small: int, large: int, levels: Sequence[str], repeats: int) -> Iterator[Figure]:
    totals = {}
    for count in (small, large):
        file = _written(folder, Shape(transactions=count), "json")
        load_s, check_s, peak_mb, verdict = _best(file, "serializable", repeats)
        totals[count] = load_s + check_s
        yield from _timed(f"list_{count}_json", load_s, check_s, f"{count} transactions, JSON lines, {verdict}")
        yield _megabytes(f"list_{count}_json_peak_mb", peak_mb, f"{count} transactions, JSON lines")
    growth = round(totals[large] / totals[small] * small / large, 2)
    yield Figure(name="list_growth", value=growth, unit="x", of=f"seconds a transaction, {large} to {small}")
    for level in levels:
        _, check_s, _, verdict = _best(file, level, repeats)
        name = f"list_{large}_{level.replace('-', '_')}_check_s"
        yield _seconds(name, check_s, f"judging {large} transactions at {level}: {verdict}")
    file = _written(folder, Shape(transactions=large), "edn")
    load_s, check_s, peak_mb, verdict = _best(file, "serializable", repeats)
    yield from _timed(f"list_{large}_edn", load_s, check_s, f"{large} transactions, EDN lines, {verdict}")
    yield _megabytes(f"list_{large}_edn_peak_mb", peak_mb, f"{large} transactions, EDN lines")
    file = _written(folder, Shape(transactions=large, planted="write skew"), "json")
    load_s, check_s, _, verdict = _best(file, "serializable", repeats)
    yield from _timed(f"list_{large}_planted", load_s, check_s, f"{large} transactions and a write skew, {verdict}")


def _written(folder: Path, shape: Shape, format: str) -> str:
    path = folder / f"history.{format}"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(history(shape, format))
    return str(path)


def _best(file: str, level: str, repeats: int) -> tuple[float, float, float, str]:
    """Seconds to load and to check, peak megabytes, and the answer, of the run with the least total."""
    runs = []
    for _ in range(repeats):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            runs.append(apart.submit(timed_check, file, level).result())
    return min(runs, key=lambda run: run[0] + run[1])


def timed_check(file: str, level: str) -> tuple[float, float, float, str]:
    """Seconds to load and to check a file of one history, this process's peak memory in megabytes, and the answer."""
    import checker.list_append  # noqa: F401  (imported before the clock starts)

    start = perf_counter()
    [source] = load(file)
    loaded = perf_counter()
    verdict = check_source(source, level=level)
    took = perf_counter() - loaded
    told = [f"{one.name} among {len(one.transactions)}" for one in verdict.anomalies]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return loaded - start, took, peak, ", ".join([verdict.verdict, *told])


def _timed(name: str, load_s: float, check_s: float, of: str) -> Iterator[Figure]:
    yield _seconds(f"{name}_load_s", load_s, f"reading {of}")
    yield _seconds(f"{name}_check_s", check_s, f"judging {of}")
    yield _seconds(f"{name}_s", load_s + check_s, of)


def _seconds(name: str, value: float, of: str) -> Figure:
    return Figure(name=name, value=round(value, 3), unit="s", of=of)


def _megabytes(name: str, value: float, of: str) -> Figure:
    return Figure(name=name, value=round(value), unit="MB", of=f"peak memory, {of}")
