"""Times the checker on long histories of ours under MTPO, from the file to the verdict: in each form, right and wrong.

Each history is made and written first, untimed, and judged in a process of its own, so that the peak memory is its own.
"""

import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from checker import check_source
from checker.formats import load
from coagent.bench.figure import Figure
from coagent.bench.long_history import long_history, misled
from coagent.saving import save_history

OPERATIONS, IN_FULL = 1_000_000, 100_000
REPEATS = 3
"""Runs of each history; the fastest counts, as whatever else the machine does only adds."""

FORMS = {"parquet": "history.parquet", "rows": "history.rows.ndjson", "full": "history.ndjson"}


def history_figures(
    *, operations: int = OPERATIONS, in_full: int = IN_FULL, repeats: int = REPEATS, seed: int = 0
) -> list[Figure]:
    """Seconds of wall clock to load and to judge in the declared order, and peak megabytes; about two minutes.

    `operations` in Parquet and short lines, each also with a read of a replaced version planted in the middle;
    `in_full` (0: none) with a line a record.
    """
    table = long_history(operations, seed=seed)
    wrong = misled(table)
    count = len(table.owners)
    with TemporaryDirectory() as folder:
        found = []
        for form in ("parquet", "rows"):
            found += _figures(Path(folder), form, table, f"ours_{operations}_{form}", f"{count} operations", repeats)
            planted = f"{count} operations, one misled"
            found += _figures(Path(folder), form, wrong, f"ours_{operations}_{form}_planted", planted, repeats)
        if in_full:
            table = long_history(in_full, seed=seed)
            of = f"{len(table.owners)} operations"
            found += _figures(Path(folder), "full", table, f"ours_{in_full}_full", of, repeats=1)
    return found


def _figures(folder: Path, form: str, table: object, name: str, of: str, repeats: int) -> Iterator[Figure]:
    file = folder / FORMS[form]
    file.unlink(missing_ok=True)
    save_history(table, str(file))
    load_s, check_s, peak_mb, answer = _best(str(file), repeats)
    of = f"{of}, {form}, {file.stat().st_size / 1e6:.0f} MB, declared order: {answer}"
    for what, value, unit in (("load_s", load_s, "s"), ("check_s", check_s, "s"), ("total_s", load_s + check_s, "s")):
        yield Figure(name=f"{name}_{what}", value=round(value, 2), unit=unit, of=of)
    yield Figure(name=f"{name}_peak_mb", value=round(peak_mb), unit="MB", of=of)


def _best(file: str, repeats: int) -> tuple[float, float, float, str]:
    """Seconds to load and to check, peak megabytes, and the answer, of the run with the least total."""
    runs = []
    for _ in range(repeats):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            runs.append(apart.submit(timed, file).result())
    return min(runs, key=lambda run: run[0] + run[1])


def timed(file: str) -> tuple[float, float, float, str]:
    """Seconds to load a history and to judge it in the declared order, peak megabytes, and the answer in words.

    The libraries are imported before the clock runs, as they are in a notebook that has checked something before.
    """
    import polars  # noqa: F401
    import scipy.sparse  # noqa: F401

    import checker.columnar.screening
    import checker.columnar.slice
    import checker.formats.parquet  # noqa: F401

    start = perf_counter()
    (source,) = load(file)
    middle = perf_counter()
    verdict = check_source(source, order="declared")
    end = perf_counter()
    peak_mb = _peak_mb()
    names = " and ".join(dict.fromkeys(one.name for one in verdict.anomalies))
    return middle - start, end - middle, peak_mb, f"{verdict.verdict} ({names})" if names else verdict.verdict


def _peak_mb() -> float:
    """The most memory that this process has had, in megabytes; where the system says so, without its parent's."""
    try:
        rows = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
