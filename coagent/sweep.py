"""Runs many cases over any executor, and gives a row for each: all combinations of workloads, protocols and parameters.

Rows depend on their cases alone: neither executor nor number of workers nor shard changes a number. In a folder a sweep
is cut into parts, a Parquet file each, that are there whole or not at all; what is there is not done again.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import astuple, fields
from io import BytesIO
from itertools import product
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, get_args

from coagent import provenance
from coagent.bad_input import BadInput
from coagent.executor import carried_out
from coagent.saving import save
from coagent.trial import Case, Trial, setting, trial

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[int, str], None]
"""Called with the number of trials done, and in words."""

PART = 250
"""Trials in a part of a sweep, which is what one worker does at a time and what a kill loses of its work."""


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
    tables: str = "generated",
    check_every: int = 1,
) -> list[Case]:
    """All combinations, `trials` seeds of each from `seed` on; the checker judges seeds that `check_every` divides.

    What is listed twice counts once.
    """
    listed = (dict.fromkeys(one) for one in (workloads, protocols, agents, irrelevant, miss, over, rank))
    grid = product(*listed, range(seed, seed + trials))
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
            tables=tables,
            checked=number % check_every == 0,
        )
        for workload, protocol, many, more, missed, overdone, order, number in grid
    ]


def check_cases(cases: Sequence[Case]) -> None:
    """Raise BadInput for no cases at all, and for names and numbers in them that cannot be."""
    if not cases:
        raise BadInput("a sweep of no trials has no rows; ask for one trial at least")
    seen = set()
    for one in cases:
        key = (one.workload, one.protocol, one.agents, one.irrelevant, one.miss, one.over, one.rank, one.tables)
        if key not in seen:
            seen.add(key)
            setting(one)


def swept(
    cases: Sequence[Case],
    *,
    workers: int = 1,
    executor: str | Executor = "process",
    progress: Progress | None = None,
) -> "pl.DataFrame":
    """A row for each case, in their order. Raises BadInput as `check_cases` does."""
    check_cases(cases)
    parts = _cut(cases, max(1, min(PART, len(cases) // (4 * workers))))
    found: dict[int, list[Trial]] = {}
    for index, rows in carried_out(done, parts, executor=executor, workers=workers):
        found[index] = rows
        _tell(progress, sum(map(len, found.values())), len(cases))
    return frame([row for index in range(len(parts)) for row in found[index]])


def sweep_to(
    folder: str | Path,
    cases: Sequence[Case],
    *,
    shard: tuple[int, int] = (1, 1),
    workers: int = 1,
    executor: str | Executor = "process",
    command: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fill a folder with the parts of a sweep that it has not yet, and return its path.

    `shard` (i, n) is every n-th part, so that n machines fill one folder, or n that `load` reads together; `command`
    is kept with the results. Raises BadInput for a folder that holds anything else than this sweep.
    """
    check_cases(cases)
    place, parts = Path(folder), _cut(cases, PART)
    said = provenance.provenance(cases, part=PART, command=command)
    _claim(place, said)
    mine = [index for index in range(len(parts)) if index % shard[1] == shard[0] - 1]
    left = [index for index in mine if not _file(place, index).exists()]
    had = sum(len(parts[index]) for index in mine if index not in left)
    whole = had + sum(len(parts[index]) for index in left)
    _tell(progress, had, whole)
    for at, rows in carried_out(done, [parts[index] for index in left], executor=executor, workers=workers):
        _write(frame(rows), _file(place, left[at]), provenance.text(said))
        had += len(rows)
        _tell(progress, had, whole)
    return place


def load(folder: str | Path, *more: str | Path) -> "pl.DataFrame":
    """The rows of a folder, and of others with other shards of the same sweep, in the order of the cases.

    Raises BadInput for what is no such folder, for results of another version, and for folders of different sweeps.
    """
    import polars as pl

    places = [Path(folder), *map(Path, more)]
    first = provenance.read(places[0])
    files: dict[str, Path] = {}
    for place in places:
        provenance.check_same(provenance.read(place), {key: first.get(key) for key in provenance.SAME}, place)
        files |= {file.name: file for file in place.glob("part-*.parquet")}
    if not files:
        return frame([])
    try:
        return pl.concat([pl.read_parquet(files[name]) for name in sorted(files)])
    except (pl.exceptions.PolarsError, OSError) as error:
        why = str(error).splitlines()[0]
        raise BadInput(f"a part cannot be read ({why}); delete it and sweep again", str(folder)) from None


def parts_of(said: dict[str, object]) -> int:
    """How many parts a whole sweep with this provenance has."""
    return -(-said["trials"] // said["part"])


def frame(rows: Sequence[Trial]) -> "pl.DataFrame":
    """The rows as a table with a column for each field, typed as the field says."""
    import polars as pl

    kinds = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}
    schema = {one.name: kinds[_kind(one.type)] for one in fields(Trial)}
    return pl.DataFrame([astuple(row) for row in rows], schema=schema, orient="row")


def done(part: Sequence[Case]) -> list[Trial]:
    """The trials of a part, in any process."""
    return [trial(case) for case in part]


def _kind(type_: object) -> type:
    return get_args(type_)[0] if isinstance(type_, UnionType) else type_


def _cut(cases: Sequence[Case], size: int) -> list[Sequence[Case]]:
    return [cases[start : start + size] for start in range(0, len(cases), size)]


def _file(folder: Path, index: int) -> Path:
    return folder / f"part-{index:06}.parquet"


def _claim(folder: Path, said: dict[str, object]) -> None:
    """Make the folder this sweep's, or see that it is."""
    if folder.is_dir() and not (folder / provenance.NAME).exists():
        if any(not one.name.startswith(".") for one in folder.iterdir()):
            raise BadInput(f"the folder is not empty and has no {provenance.NAME}; take a new one", str(folder))
    if not folder.exists():
        if not folder.parent.is_dir():
            raise BadInput(f"there is no folder {str(folder.parent)!r} to make it in; make it first", str(folder))
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise BadInput("is a file; --out names a folder", str(folder))
    if not (folder / provenance.NAME).exists():
        try:
            save([provenance.text(said)], str(folder / provenance.NAME))
        except BadInput:
            if not (folder / provenance.NAME).exists():
                raise
    provenance.check_same(provenance.read(folder), said, folder)


def _write(rows: "pl.DataFrame", file: Path, said: str) -> None:
    """Write a part with its provenance, whole or not at all; what another machine writes there is the same."""
    held = BytesIO()
    rows.write_parquet(held, metadata={"coagent": said})
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as out:
            out.write(held.getvalue())
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def _tell(progress: Progress | None, done: int, whole: int) -> None:
    if progress:
        progress(done, f"{done:,} of {whole:,} trials")
