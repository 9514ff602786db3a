"""Sweeps that figures share: simulated once, kept in the build folder, found again while code and cases are alike.

What an interrupted run had done of a sweep is not done again.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import polars

from coagent.sweep import load, sweep_to
from coagent.trial import Case

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "paper_figures"


def measured(cases: Sequence[Case], workers: int) -> polars.DataFrame:
    """A row for each case, in their order; `workers` processes simulate what is not kept."""
    return _measured(tuple(cases), workers)


@cache
def _measured(cases: tuple[Case, ...], workers: int) -> polars.DataFrame:
    BUILD.mkdir(parents=True, exist_ok=True)
    code = (one.read_bytes() for one in _sources())
    return load(sweep_to(BUILD / _digest(repr(cases).encode(), *code), cases, workers=workers))


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
