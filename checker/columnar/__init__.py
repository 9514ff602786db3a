"""Judges a history that is held in columns: as a whole by screening, and what that leaves open record by record.

The verdict is that of `checker.notified.check_history` on the same history in full, and its sentences are.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

from checker.notified import check_history
from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.expansion import expanded
from coagent.history import checked
from coagent.table import Table


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection while millions of lasting values are made; it would look at all of them time and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


FEW = 20_000
"""Operations up to which a violated history is told from the whole of it: a cycle may lead through what is not in
question by itself."""


def check_table(table: Table, *, order: str) -> Verdict:
    """The verdict on a history, `order` as in `check_history`. Raises BadInput for records that cannot be.

    Seconds are those of the judgement. Anything but the declared order is judged record by record.
    """
    start = perf_counter()
    with undisturbed():
        verdict = _screened(table) if order == "declared" else None
    if verdict is None:
        verdict = check_history(checked(expanded(table)), order=order)
    return replace(verdict, seconds=perf_counter() - start)


def _screened(table: Table) -> Verdict | None:
    """The verdict by what a screening leaves open; None when the whole history has to be looked at."""
    from checker.columnar.screening import screened
    from checker.columnar.slice import slice_of

    found = screened(table)
    part = None if found is None else slice_of(table, found)
    if part is None:
        return None
    try:
        verdict = check_history(checked(part), order="declared")
    except BadInput:
        return None
    if verdict.verdict == "violated" and len(found.doubted) <= FEW:
        return None
    return replace(verdict, operations=len(found.doubted))
