"""Reads register histories as `r(key,value,session,transaction)` and `w(...)` lines: dbcop, PolySI, IsoVista, Plume.

All numbers are integers; a transaction's lines stand in program order, those of a session in its
order. Transaction -1 is an aborted one. Every key starts as 0, unless some transaction writes 0 to
it: then 0 is what that one wrote, and the key has no value before it. Judges nothing.
"""

import re
from collections.abc import Iterable

from checker.transaction import Step, Transaction
from coagent.bad_input import BadInput

_LINE = re.compile(r"\s*([rw])\s*\(\s*(-?\d{1,18})\s*,\s*(-?\d{1,18})\s*,\s*(-?\d{1,18})\s*,\s*(-?\d{1,18})\s*\)\s*")

ABORTED = -1
"""The transaction of what was rolled back."""


def looks_like_it(line: str) -> bool:
    """Whether a line is one of this format, or a damaged one."""
    return re.match(r"[rw]\s*\(", line) is not None


def transactions(text: str, where: str) -> tuple[Transaction, ...]:
    """The transactions in the order of their first lines, named T and the number in the file (`aborted-` and that of
    the session for all that a session rolled back). Raises BadInput naming the line."""
    steps: dict[tuple[int, int], list[Step]] = {}
    home: dict[int, int] = {}
    running: dict[int, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.isspace():
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise BadInput(_unusable(line), f"{where}:{number}")
        kind, key, value, session, name = found[1], int(found[2]), int(found[3]), int(found[4]), int(found[5])
        if name < ABORTED:
            raise BadInput(f"transaction {name} is negative; only -1 is, for what was aborted", f"{where}:{number}")
        if name != ABORTED and running.get(session) != name:
            _begins(name, session, steps, home, f"{where}:{number}")
            running[session] = name
        steps.setdefault((session, name), []).append((kind, key, value))
    if not steps:
        raise BadInput("holds no operation; a history has one a line, such as r(1,0,0,1)", where)
    zero = {key for own in steps.values() for kind, key, value in own if kind == "w" and value == 0}
    return tuple(_transaction(session, name, own, zero) for (session, name), own in steps.items())


def _begins(name: int, session: int, steps: dict, home: dict[int, int], where: str) -> None:
    """Notes a transaction's session; BadInput when it has another one, or goes on after the session's next."""
    other = home.setdefault(name, session)
    if other != session:
        what = f"transaction {name} is in session {other} and in session {session}; each has a number of its own"
        raise BadInput(what, where)
    if (session, name) in steps:
        what = f"session {session} goes back to transaction {name}, which the next one had ended; lines may be moved"
        raise BadInput(what, where)


def _transaction(session: int, name: int, own: Iterable[Step], zero: set[int]) -> Transaction:
    aborted = name == ABORTED
    steps = tuple(
        (kind, key, None if value == 0 and key not in zero else value)
        for kind, key, value in own
        if kind == "w" or not aborted
    )
    return Transaction(
        name=f"aborted-{session}" if aborted else f"T{name}",
        status="aborted" if aborted else "committed",
        steps=steps,
        session=session,
    )


def _unusable(line: str) -> str:
    shape = "not an operation such as r(key,value,session,transaction), all integers"
    return f"{line.strip()[:60]!r} is {shape}; the line may be damaged or cut"
