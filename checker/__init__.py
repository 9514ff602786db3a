"""Judges recorded histories: is there a serial order that explains them, and if not, which anomaly says so.

Knows of the rest of the project only the words (paths, operations, tools, the history format), so
that no protocol can hide its own fault in its judge. `check_file` is the door; each module behind it
decides one thing. Three answers: ok, violated, unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from checker.formats import Source, load
from checker.level import LEVELS, Level
from checker.level import level as known_level
from checker.verdict import Verdict
from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from checker.proof import Proof
    from checker.rerun import Rerun
    from coagent.history import History

__all__ = ["FORMATS", "check_file", "check_source", "prove"]


def _coagent(source: Source, order: str, level: Level, rerun: "Rerun | None" = None) -> Verdict:
    from checker.formats.own import whole
    from checker.notified import check_history

    if not isinstance(source.content, str) and order == "declared" and level.name == "serializable" and rerun is None:
        from checker.columnar import screened_verdict

        verdict = screened_verdict(source.content)
        if verdict is not None:
            return verdict
    return check_history(whole(source.content, source.where), order=order, level=level, rerun=rerun)


def _list_append(source: Source, order: str, level: Level) -> Verdict:
    from checker.list_append import check_list_append

    _undeclared(source, order)
    if level.name in ("read-atomic", "causal", "view-serializable"):
        raise BadInput(f"a history of format {source.format} is not judged at {level.name}", source.where)
    return check_list_append(source.content, level)


def _schedule(source: Source, order: str, level: Level) -> Verdict:
    from checker.schedules import check_schedule

    _undeclared(source, order)
    if level.name in ("read-atomic", "causal") or level.order == "so":
        raise BadInput(f"a schedule names no sessions and no snapshots; it is not judged at {level.name}", source.where)
    return check_schedule(source.content, level)


def _undeclared(source: Source, order: str) -> None:
    if order == "declared":
        what = f"a history of format {source.format} declares no order; check it with --order any"
        raise BadInput(what, source.where)


def _register(source: Source, order: str, level: Level) -> Verdict:
    from checker.register import check_register

    _undeclared(source, order)
    if level.order == "rt" and all(one.begun is None for one in source.content):
        what = f"a history of format {source.format} that records no real time is not judged at {level.name}"
        raise BadInput(what, source.where)
    sessions = source.format != "elle-register"
    if sessions and not level.order:
        # What these files come from (dbcop, PolySI, Plume, AWDIT) counts session order at every level.
        level = LEVELS.get(f"strong-session-{level.name}", level)
    return check_register(source.content, level, sessions=sessions)


FORMATS: Mapping[str, Callable[[Source, str, Level], Verdict]] = {
    "awdit": _register,
    "coagent": _coagent,
    "elle-append": _list_append,
    "elle-register": _register,
    "register-text": _register,
    "schedule": _schedule,
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


def check_source(
    source: Source, *, order: str = "any", level: str = "serializable", rerun: "Rerun | None" = None
) -> Verdict:
    """The verdict on one history as read; its `seconds` are those of the judgement, reading aside.

    `rerun` are the programs of the agents in a history of ours, when they are known (see `checker.rerun`).
    """
    if order not in ("any", "declared"):
        raise BadInput(f"unknown order {order!r}; known are any, declared")
    asked = known_level(level)
    start = perf_counter()
    known = {"rerun": rerun} if rerun and source.format == "coagent" else {}
    verdict = FORMATS[source.format](source, order, asked, **known)
    return replace(verdict, seconds=perf_counter() - start)


def prove(history: "History", **limits: object) -> "Proof":
    """The proof that a recorded run ends as a serial one from every start state; see `checker.proof.prove_history`."""
    from checker.proof import prove_history

    return prove_history(history, **limits)
