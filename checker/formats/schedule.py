"""Reads totally ordered read/write logs: JSON lines `{"id": ..., "ops": [[transaction, "r" or "w", key], ...]}`.

One history a line, as textbooks write them (`r1(x) w2(x)`); every transaction commits. Other fields are ignored.
"""

from collections.abc import Iterator, Mapping

from checker.formats.elle import load_json
from checker.transaction import Step, Transaction
from coagent.bad_input import BadInput

Log = tuple[tuple[str, str, str], ...]
"""`(transaction, "r" or "w", key)` in the order in which it happened."""


def schedules(text: str, where: str) -> Iterator[tuple[str, Log]]:
    """The name and the log of each line. Raises BadInput naming the line."""
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            yield schedule(load_json(row, where, line), f"{where}:{line}", f"line {line}")


def schedule(record: object, where: str, otherwise: str) -> tuple[str, Log]:
    """One record's name (`otherwise` when it has none) and log; BadInput when it has another shape."""
    if not isinstance(record, Mapping) or not isinstance(record.get("ops"), list):
        raise BadInput('the line has no list \'ops\'; a schedule is {"id": ..., "ops": [[1, "r", "x"], ...]}', where)
    if not record["ops"]:
        raise BadInput("the schedule's 'ops' are empty, so there is nothing to judge", where)
    return str(record.get("id", otherwise)), tuple(_operation(one, where) for one in record["ops"])


def _operation(one: object, where: str) -> tuple[str, str, str]:
    if not isinstance(one, list) or len(one) != 3:
        raise BadInput(f'{one!r:.60} is not an operation; it should be [transaction, "r" or "w", key]', where)
    who, kind, key = one
    if kind not in ("r", "w"):
        raise BadInput(f"unknown operation kind {kind!r:.60}; known are 'r' and 'w'", where)
    if not all(isinstance(part, int | str) and not isinstance(part, bool) for part in (who, key)):
        raise BadInput(f"{one!r:.60} should name its transaction and key by a number or a word", where)
    return (f"T{who}" if isinstance(who, int) else who), kind, str(key)


def as_transactions(log: Log) -> tuple[Transaction, ...]:
    """The log's transactions, all committed, in the order in which they first appear."""
    steps: dict[str, list[Step]] = {}
    for who, kind, key in log:
        steps.setdefault(who, []).append((kind, key, None))
    return tuple(Transaction(name=name, status="committed", steps=tuple(own)) for name, own in steps.items())
