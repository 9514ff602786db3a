"""Judges the histories in a file in the order that each says its protocol promises."""

import json

from checker import check_source
from checker.formats import NAMES, Source, load
from checker.level import level as known_level
from checker.verdict import Verdict
from coagent.bad_input import BadInput

ORDERS = ("declared", "any")


def check_options(format: str, order: str | None, level: str) -> None:
    """Raise BadInput for a format, an order or a level that there is not."""
    known_level(level)
    if format not in NAMES:
        raise BadInput(f"--format is {format!r}; known are {', '.join(NAMES)}")
    if order is not None and order not in ORDERS:
        raise BadInput(f"--order is {order!r}; known are {', '.join(ORDERS)}")


def verdicts(
    file: str, format: str, order: str | None, level: str
) -> tuple[list[tuple[str, Verdict]], BadInput | None]:
    """Name and verdict of each history in a file, up to the first that cannot be used, and what is wrong with it."""
    found: list[tuple[str, Verdict]] = []
    try:
        for source in load(file, format):
            found.append((source.name, check_source(source, order=order or promised(source), level=level)))
    except BadInput as error:
        return found, error
    return found, None


def promised(source: Source) -> str:
    """The order that a history's header promises; `any` where it says none, or is not readable as a header."""
    if source.format != "coagent":
        return "any"
    try:
        header = json.loads(source.content.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return "any"
    order = header.get("order") if isinstance(header, dict) else None
    return order if order in ORDERS else "any"
