"""Sweeps that figures share: simulated once, kept in the build folder, found again while code and cases are alike."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import polars

from coagent.sweep import swept
from coagent.trial import Case

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "paper_figures"


def measured(cases: Sequence[Case], workers: int) -> polars.DataFrame:
    """A row for each case, in their order; `workers` processes simulate what is not kept."""
    return _measured(tuple(cases), workers)


@cache
def _measured(cases: tuple[Case, ...], workers: int) -> polars.DataFrame:
    path = BUILD / f"{_digest(repr(cases).encode(), *(one.read_bytes() for one in _sources()))}.parquet"
    if path.is_file():
        return polars.read_parquet(path)
    rows = swept(cases, workers=workers)
    BUILD.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    rows.write_parquet(half)
    half.rename(path)
    return rows


def _sources() -> list[Path]:
    """The files that decide what a trial comes to."""
    packages = ("coagent", "checker", "workloads")
    found = [path for package in packages for end in ("py", "json") for path in (ROOT / package).rglob(f"*.{end}")]
    return sorted(found)


def _digest(*parts: bytes) -> str:
    total = sha256()
    for part in parts:
        total.update(sha256(part).digest())
    return total.hexdigest()[:16]
