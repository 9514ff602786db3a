"""Writes transactions as a Jepsen history in JSON lines, which elle-cli and this checker's own reader take.

Decides nothing. Held: how each transaction ended, its process, when it began and ended among the others, its steps. Not
held, and said: names other than `T` and an index, sessions that are no number or word, and times of only some.
"""

import ast
import json
from collections.abc import Iterator, Sequence

from checker.formats import Source
from checker.transaction import Opaque, Transaction
from coagent.bad_input import BadInput

_ENDS = {"committed": "ok", "aborted": "fail", "unknown": "info"}


def exported(source: Source) -> tuple[list[str], list[str]]:
    """The lines of the exported history, and a sentence for each thing that they do not hold.

    Raises BadInput for a format whose histories have no values (schedules) or are more than reads and writes (ours).
    """
    if source.format not in ("elle-append", "elle-register"):
        what = f"a history of format {source.format} cannot be written for Elle, which wants the value of every read"
        raise BadInput(what, source.where)
    content = source.content
    found = tuple(content.transactions() if hasattr(content, "transactions") else content)
    lost = list(_lost(found))
    return [json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(found)], lost


def _lost(found: Sequence[Transaction]) -> Iterator[str]:
    if not _timed(found):
        yield "when transactions began and ended: the history does not say it for each of them, so no real time"
    renamed = next(
        (f"{one.name} is {new}" for one, new in zip(found, _names(found), strict=True) if one.name != new), ""
    )
    if renamed:
        yield f"the names of transactions: they are numbered, so that {renamed}"


def _timed(found: Sequence[Transaction]) -> bool:
    return all(one.begun is not None and (one.ended is not None or one.status == "unknown") for one in found)


def _places(found: Sequence[Transaction]) -> list[int]:
    """Where the operation stands that names each transaction."""
    if not _timed(found):
        return list(range(len(found)))
    return [one.begun if one.ended is None else one.ended for one in found]


def _numbers(found: Sequence[Transaction]) -> dict[int, int]:
    """The index of each place that names a transaction, as far as the names are of that kind and differ."""
    numbers = [one.name.removeprefix("T") for one in found]
    if not all(map(str.isdecimal, numbers)) or len(set(numbers)) < len(numbers):
        return {}
    return dict(zip(_places(found), map(int, numbers), strict=True))


def _indexes(found: Sequence[Transaction], places: Sequence[int]) -> dict[int, int]:
    """The index of every operation: that of the names, the others in step with them, or else after them all."""
    numbers = _numbers(found)
    steps = {number - place for place, number in numbers.items()}
    if len(steps) <= 1:
        first = steps.pop() if steps else 0
        return {place: place + first for place in places}
    beyond = max(numbers.values()) + 1
    return {place: numbers.get(place, beyond + place) for place in places}


def _names(found: Sequence[Transaction]) -> list[str]:
    places = _places(found)
    indexes = _indexes(found, places)
    return [f"T{indexes[place]}" for place in places]


def _rows(found: Sequence[Transaction]) -> Iterator[dict]:
    """Invocations and ends in their order, or ends alone when not all have both."""
    if not _timed(found):
        indexes = _indexes(found, range(len(found)))
        for place, one in enumerate(found):
            yield _row(indexes[place], _ENDS[one.status], place if one.session is None else one.session, _told(one))
        return
    events = [(one.begun, "invoke", one) for one in found]
    events += [(one.ended, _ENDS[one.status], one) for one in found if one.ended is not None]
    indexes = _indexes(found, [place for place, _, _ in events])
    for place, kind, one in sorted(events, key=lambda event: event[0]):
        yield _row(indexes[place], kind, one.session, _asked(one) if kind == "invoke" else _told(one))


def _row(index: int, kind: str, process: object, value: list) -> dict:
    return {"index": index, "type": kind, "process": process, "f": "txn", "value": value}


def _told(one: Transaction) -> list:
    return [[kind, _plain(key), _plain(value)] for kind, key, value in one.steps]


def _asked(one: Transaction) -> list:
    return [[kind, _plain(key), None if kind == "r" else _plain(value)] for kind, key, value in one.steps]


def _plain(value: object) -> object:
    """A key or value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if not isinstance(value, Opaque):
        return value
    found = {"true": True, "false": False}.get(value.text)
    if found is None:
        try:
            found = ast.literal_eval(value.text)
        except (ValueError, SyntaxError):
            raise BadInput(f"{value.text} is a value that JSON cannot hold as it is here") from None
    if not isinstance(found, bool | float | str):
        raise BadInput(f"{value.text} is a value that JSON cannot hold as it is here")
    return found
