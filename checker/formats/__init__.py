"""Which format a file is in, and what it holds. Reads whole files and judges nothing.

Whatever is wrong with a file, missing or binary or cut, is a BadInput with one sentence and the
place; no half of a file is ever taken for the whole.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.formats import awdit, own, register_text
from checker.formats.compressed import unpacked
from checker.formats.elle import load_json, rows_of_edn, rows_of_json, transactions
from checker.formats.schedule import Log, schedules
from checker.transaction import Transaction
from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from checker.columns import Columns
    from coagent.table import Table

LONGEST_LINE = 64 << 20
"""Bytes of the longest line that is read."""

NAMES = (
    "auto",
    "atomix",
    "awdit",
    "coagent",
    "elle",
    "elle-append",
    "elle-register",
    "elle-suite",
    "racebench",
    "register-text",
    "schedule",
)
"""What `--format` takes; `elle` is either of its two models, `elle-suite` many such histories, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One history as read: its name, its format (never `auto`, `elle` or `elle-suite`), and what it holds.

    `content` is the transactions (elle, register text, awdit; those of a plain list-append history in columns), the log
    (schedule), the text itself or its columns (coagent); `where` is the file.
    """

    name: str
    format: str
    content: "tuple[Transaction, ...] | Columns | Log | Table | str"
    where: str


def read_bytes(path: str) -> bytes:
    """The file as it is. Raises BadInput when it is missing, a directory, unreadable, or one endless line."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        raise BadInput("there is no such file; check the name and the folder", path) from None
    except IsADirectoryError:
        raise BadInput("is a folder, not a history; name a file inside it", path) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read ({getattr(error, 'strerror', None) or error})", path) from None
    if not raw.startswith(own.PARQUET):
        _refuse_endless_line(raw, path)
    return raw


def _unpacked(raw: bytes, path: str) -> bytes:
    whole = unpacked(raw, path)
    if whole is not raw:
        _refuse_endless_line(whole, path)
    return whole


def _refuse_endless_line(raw: bytes, path: str) -> None:
    start, line = 0, 1
    while len(raw) - start > LONGEST_LINE:
        end = raw.rfind(b"\n", start, start + LONGEST_LINE)
        line += raw.count(b"\n", start, max(end, start))
        if end < start:
            what = f"a line is longer than {LONGEST_LINE >> 20} MB; a history has one operation a line"
            raise BadInput(what, f"{path}:{line}")
        start, line = end + 1, line + 1


def decoded(raw: bytes, path: str) -> str:
    """Bytes as text without a byte order mark. Raises BadInput when they are no text."""
    if b"\0" in raw:
        raise BadInput("is binary, not text; is it compressed, or another kind of file?", path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput("is not UTF-8 text; save it as UTF-8, or decompress it first", f"{path}:{line}") from None
    if not text.strip():
        raise BadInput("is empty; a history has at least one operation", path)
    return text.replace("\r\n", "\n")


def detect(text: str | bytes, name: str) -> str:
    """The format by content: `coagent`, `schedule`, `elle-suite`, `elle`, ...; `name` is the file, for BadInput."""
    text = decoded(text, name) if isinstance(text, bytes) else text
    head = next((row.strip() for row in text.split("\n") if row.strip() and not row.lstrip().startswith(";")), "")
    if register_text.looks_like_it(head):
        return "register-text"
    if awdit.looks_like_it(head):
        return "awdit"
    if not head.startswith(("{", "[", "#")):
        raise BadInput("is in no known history format; name it with --format, one of " + ", ".join(NAMES), name)
    if not head.startswith("{") or not head[1:].lstrip().startswith('"'):
        return "elle"
    try:
        first = json.loads(head)
    except (ValueError, RecursionError):
        first = {}
    if first.get("history") == "coagent" or head.startswith('{"history": "coagent"'):
        return "coagent"
    if "ops" in first:
        return "schedule"
    if "op_kind" in first:
        return "atomix"
    if first.get("event") == "trial_start":
        return "racebench"
    return "elle-suite" if isinstance(first.get("history"), list) else "elle"


def load(path: str, format: str = "auto") -> list[Source]:
    """The histories of a file, in order; several for a schedule or suite, one otherwise. Raises BadInput."""
    if format not in NAMES:
        raise BadInput(f"unknown format {format!r}; known are {', '.join(NAMES)}")
    path = os.fspath(path)
    raw = _unpacked(read_bytes(path), path)
    if format in ("auto", "coagent") and (table := own.columns(raw, path)):
        return [Source(name=path, format="coagent", content=table, where=path)]
    if format in ("auto", "elle", "elle-append") and (found := _columns(raw)):
        return [Source(name=path, format="elle-append", content=found, where=path)]
    text = decoded(raw, path)
    match detect(text, path) if format == "auto" else format:
        case "coagent":
            return [Source(name=path, format="coagent", content=text, where=path)]
        case "schedule":
            found = [
                Source(name=name, format="schedule", content=log, where=path) for name, log in schedules(text, path)
            ]
            return found
        case "register-text":
            found = register_text.transactions(text, path)
            return [Source(name=path, format="register-text", content=found, where=path)]
        case "awdit":
            return [Source(name=path, format="awdit", content=awdit.transactions(text, path), where=path)]
        case "elle-suite":
            return list(_suite(text, path))
        case "atomix":
            return list(_traces(text, path))
        case "racebench":
            from checker.formats.racebench import trial

            name, log = trial(text, path)
            return [Source(name=name, format="schedule", content=log, where=path)]
        case wanted:
            return [_elle(text, path, wanted)]


def _columns(raw: bytes) -> "Columns | None":
    """The history in columns, when it is a plain list-append one; anything else is for the careful readers."""
    if b"append" not in raw[:1_000_000]:
        return None
    from checker.formats.elle_columns import load_columns

    return load_columns(raw)


def _traces(text: str, path: str) -> Iterator[Source]:
    """The traces of an Atomix log: as schedules, or as lists when something was aborted."""
    from checker.formats.atomix import logs

    for name, found in logs(text, path):
        lists = isinstance(found[0], Transaction)
        yield Source(name=name, format="elle-append" if lists else "schedule", content=found, where=path)


def _elle(text: str, path: str, wanted: str) -> Source:
    model, found = transactions(_rows(text, path), path)
    if wanted not in ("elle", model):
        raise BadInput(f"holds {model} transactions, not {wanted}; leave --format out to have it detected", path)
    return Source(name=path, format=model, content=found, where=path)


def _rows(text: str, path: str) -> list:
    start = text.lstrip()
    inside = start[1:].lstrip() if start.startswith("[") else start
    if (inside.startswith("{") and inside[1:].lstrip().startswith('"')) or start.rstrip() == "[]":
        return rows_of_json(text, path)
    return rows_of_edn(text, path)


def _suite(text: str, path: str) -> Iterator[Source]:
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        where = f"{path}:{line}"
        record = load_json(row, path, line)
        if not isinstance(record, Mapping) or not isinstance(record.get("history"), list):
            raise BadInput(
                'the line has no list \'history\'; a suite has one {"test": ..., "history": [...]} a line', where
            )
        model, found = transactions([(line, one) for one in record["history"]], path, sketch=True)
        yield Source(name=f"{record.get('test', 'history')}:{line}", format=model, content=found, where=where)
