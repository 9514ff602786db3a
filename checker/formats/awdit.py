"""Reads AWDIT's test histories: `r key value`, `w key value`, `-----` between transactions, `=====` between sessions.

Every transaction committed, and no key has a value before the first write: a read that nobody wrote
is a garbage read. Judges nothing.
"""

import re

from checker.transaction import Step, Transaction
from coagent.bad_input import BadInput

_STEP = re.compile(r"([rw])\s+(-?\d{1,18})\s+(-?\d{1,18})")


def looks_like_it(line: str) -> bool:
    """Whether a line is one of this format, or a damaged one."""
    return re.match(r"[rw]\s+[-\d]|-+$|=+$", line) is not None


def transactions(text: str, where: str) -> tuple[Transaction, ...]:
    """The transactions, session after session, named T and their place in the file. Raises BadInput naming the line."""
    found: list[Transaction] = []
    steps: list[Step] = []
    session = place = 0

    def end() -> None:
        nonlocal place
        if steps:
            found.append(Transaction(name=f"T{place}", status="committed", steps=tuple(steps), session=session))
            steps.clear()
        place += 1

    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        step = _STEP.fullmatch(line)
        if step:
            steps.append((step[1], int(step[2]), int(step[3])))
        elif line and set(line) <= {"-"} or line and set(line) <= {"="}:
            end()
            session += line[0] == "="
        elif line:
            what = f"{line[:60]!r} is neither 'r key value' or 'w key value' nor a line of - or =; it may be damaged"
            raise BadInput(what, f"{where}:{number}")
    end()
    if not found:
        raise BadInput("holds no operation; a history has one a line, such as r 1 0", where)
    return tuple(found)
