"""Our own histories as they are read: columns when the file holds columns or is long, the text as it is otherwise.

Judges nothing. A file that is not read at once into columns is left to `coagent.history.parse`, which says why.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from coagent.history import History
    from coagent.table import Table

PARQUET = b"PAR1"
LONG = 8 << 20
"""Bytes from which a history in full is read into columns."""


def columns(raw: bytes, where: str) -> "Table | None":
    """The table that the bytes of a file hold; None for a text that is not read into one.

    Raises BadInput for Parquet that is damaged or no history of ours.
    """
    if raw.startswith(PARQUET):
        from checker.formats import parquet

        return parquet.read(raw, where)
    if not raw.startswith(b'{"history": "coagent"'):
        return None
    from coagent import packed

    if b'"event": "rows"' in raw[raw.find(b"\n") :][:100]:
        return packed.read(raw, where)
    return packed.read_full(raw, where) if len(raw) > LONG else None


def header(content: "Table | str") -> Mapping[str, object]:
    """The header of a history as read; empty where it is not readable as one."""
    if not isinstance(content, str):
        return content.header
    try:
        found = json.loads(content.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def whole(content: "Table | str", where: str) -> "History":
    """The history in full. Raises BadInput with the place of what is wrong with it."""
    from coagent.history import checked, parse

    if isinstance(content, str):
        return parse(content, where)
    from coagent.expansion import expanded

    try:
        return checked(expanded(content))
    except BadInput:
        with open(where, "rb") as file:
            raw = file.read()
        if not raw.startswith(PARQUET):
            parse(raw.decode(), where)
        raise
