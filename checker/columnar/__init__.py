"""Judges a history that is held in columns: as a whole by screening, and what that leaves open record by record.

The verdict is that of `checker.notified.check_history` on the same history in full, and its sentences are.
"""

from dataclasses import replace
from time import perf_counter

from checker.notified import check_history
from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.expansion import expanded
from coagent.history import checked
from coagent.packed import undisturbed
from coagent.table import Table

FEW = 20_000
"""Operations up to which a violated history is told from the whole of it: a cycle may lead through what is not in
question by itself."""


def screened_verdict(table: Table) -> Verdict | None:
    """The verdict in the declared order, by what a screening leaves open; None when the whole has to be looked at."""
    start = perf_counter()
    with undisturbed():
        verdict = _screened(table)
    return verdict and replace(verdict, seconds=perf_counter() - start)


def check_table(table: Table, *, order: str) -> Verdict:
    """The verdict on a history, `order` as in `check_history`. Raises BadInput for records that cannot be.

    Seconds are those of the judgement. Anything but the declared order is judged record by record.
    """
    verdict = screened_verdict(table) if order == "declared" else None
    return verdict or check_history(checked(expanded(table)), order=order)


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
