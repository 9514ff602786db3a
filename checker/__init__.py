"""Judges recorded histories: is there a serial order that explains them, and if not, which anomaly says so.

Knows of the rest of the project only the words (paths, operations, tools, the history format), so
that no protocol can hide its own fault in its judge. `check_file` is the door; each module behind it
decides one thing. Three answers: ok, violated, unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter

from checker.formats import Source, load
from checker.level import Level
from checker.level import level as known_level
from checker.list_append import check_list_append
from checker.register import check_register
from checker.schedules import check_schedule
from checker.verdict import Verdict
from coagent.bad_input import BadInput

__all__ = ["FORMATS", "check_file", "check_source"]


def _coagent(source: Source, order: str, level: Level) -> Verdict:
    from checker.notified import check_history
    from coagent.history import parse

    if level.name != "serializable":
        raise BadInput(f"a history of format {source.format} is judged at serializable, not {level.name}", source.where)
    return check_history(parse(source.content, source.where), order=order)


def _black_box(check: Callable[..., Verdict]) -> Callable[[Source, str, Level], Verdict]:
    """A checker of a format that records no declared order."""

    def judged(source: Source, order: str, level: Level) -> Verdict:
        if order == "declared":
            what = f"a history of format {source.format} declares no order; check it with --order any"
            raise BadInput(what, source.where)
        if level.name != "serializable":
            what = f"a history of format {source.format} is judged at serializable, not {level.name}"
            raise BadInput(what, source.where)
        return check(source.content)

    return judged


FORMATS: Mapping[str, Callable[[Source, str, Level], Verdict]] = {
    "coagent": _coagent,
    "elle-append": _black_box(check_list_append),
    "elle-register": _black_box(check_register),
    "schedule": _black_box(check_schedule),
}
"""What judges each format: a function of the history as read, the order asked for (`any` or `declared`), the level."""


def check_file(
    path: str, *, format: str = "auto", order: str = "any", level: str = "serializable"
) -> list[tuple[str, Verdict]]:
    """The name and the verdict of each history in the file, in order; several in a schedule or suite file.

    Raises BadInput, with the place, for a file that is not whole and of a known format, or when
    `order` or `level` (see `checker.level`) is not one that the format has.
    """
    return [(source.name, check_source(source, order=order, level=level)) for source in load(path, format)]


def check_source(source: Source, *, order: str = "any", level: str = "serializable") -> Verdict:
    """The verdict on one history as read; its `seconds` are those of the judgement, reading aside."""
    if order not in ("any", "declared"):
        raise BadInput(f"unknown order {order!r}; known are any, declared")
    asked = known_level(level)
    start = perf_counter()
    verdict = FORMATS[source.format](source, order, asked)
    return replace(verdict, seconds=perf_counter() - start)
