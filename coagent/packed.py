"""The short NDJSON of a history: `rows` lines, each up to fifty thousand rows as columns, and after each the verbatim
records that have their places among its rows.

The same records under the same seal. `read` takes the whole file at once and gives up on anything unusual, which is
then left to `coagent.history.parse` and `unpacked`, slower and with the line of what is wrong.
"""

import gc
import json
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import numpy as np

from coagent.bad_input import BadInput
from coagent.column import COLUMNS, LISTS, SCALARS, TIMES
from coagent.compaction import TOP, Packing
from coagent.expansion import records
from coagent.history import Record, checked_header
from coagent.table import KIND, KINDS, USERS, Table, among, form_of, nothing, used
from coagent.table_check import fault

BLOCK = 50_000
"""Rows in a line, at most."""

_MARK = b'"event": "rows"'
_TEXTS = (
    "value",
    "route",
    "word",
    "place",
    "reads",
    "writes",
    "saw_value",
    "captured_value",
    "wrote_value",
    "args_value",
)
PATHS = ("saw_path", "captured_path", "wrote_path")
SAME = {"at_inferred": "at_invoke", "key": "number", "wrote_path": "captured_path"}
"""Columns that are left empty where they are as another one is."""

MEANINGS = ("paths", "texts", "forms")
_FIRST = b',"%s": [' % COLUMNS[0].encode()


def packed(table: Table, block: int = BLOCK) -> Iterator[Record]:
    """The records of the short form, header aside: rows, then the verbatim ones that have their place among them."""
    starts = {name: table.starts(name) for name in LISTS}
    told = dict.fromkeys(("paths", "texts", "forms"), 0)
    verbatim = 0
    for start in range(0, len(table), block):
        end = min(start + block, len(table))
        columns = {name: table.columns[name][start:end] for name in COLUMNS}
        for name, parts in LISTS.items():
            low, high = starts[name][start], starts[name][end]
            columns |= {part: table.columns[part][low:high] for part in parts}
        yield _rows(table, columns, told)
        after = verbatim + int((columns["kind"] == KIND["verbatim"]).sum())
        yield from table.records[verbatim:after]
        verbatim = after


def _rows(table: Table, columns: dict[str, np.ndarray], told: dict[str, int]) -> Record:
    """A `rows` record, with what its numbers mean as far as no record before has told it."""
    texts = max(_most(columns, _TEXTS), -1 - int(columns["number"].min()))
    need = {"paths": _most(columns, PATHS) + 1, "texts": texts + 1, "forms": int(columns["form"].max()) + 1}
    meant = {"paths": table.paths, "texts": table.texts, "forms": [form.text() for form in table.forms]}
    new = {name: list(meant[name][told[name] : need[name]]) for name in need}
    told |= {name: max(told[name], need[name]) for name in need}
    return {
        "at": max(float(columns["at_end"].max()), 0.0),
        "event": "rows",
        "count": len(columns["kind"]),
        **new,
        **{name: _short(name, columns) for name in COLUMNS},
    }


def _most(columns: dict[str, np.ndarray], names: tuple[str, ...]) -> int:
    return max((int(columns[name].max()) for name in names if len(columns[name])), default=-1)


def _short(name: str, columns: dict[str, np.ndarray]) -> list:
    """A column as a list, for the rows that have a use for it: of one entry when all are the same, of none when they
    are as in the column that SAME names."""
    column, mine = columns[name], used(columns["kind"], name)
    column = column if mine is None else column[mine]
    if len(column) > 1 and np.all(column == column[0]):
        column = column[:1]
    elif name in SAME and np.array_equal(columns[name], columns[SAME[name]]):
        column = column[:0]
    return column.tolist()


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection while millions of lasting values are made; it would look at all of them time and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def read(raw: bytes, where: str) -> Table | None:
    """The table of a short history, from the bytes of its file; None when anything about it asks for a closer look."""
    lines = raw.split(b"\n")
    if len(lines) < 3 or lines.pop():
        return None
    try:
        header = json.loads(lines[0])
        if not _whole(lines, header["sealed"]):
            return None
        rows = [line for line in lines[1:] if _MARK in line[:64]]
        others = [_unsealed(json.loads(line)) for line in lines[1:] if _MARK not in line[:64]]
        columns, meant = _columns(rows)
        header = checked_header(_unsealed(header), where)
        table = table_of(header, columns, meant, others, where)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return table


def read_full(raw: bytes, where: str) -> Table | None:
    """The table of a history in full, from the bytes of its file; None when anything asks for a closer look."""
    with undisturbed():
        return _full(raw, where)


def _full(raw: bytes, where: str) -> Table | None:
    import orjson

    crc, packing, end, last = 0, None, 0, {}
    try:
        while end < len(raw):
            start, end = end, raw.index(b"\n", end) + 1
            line = raw[start : end - 1]
            record = orjson.loads(line)
            if record.pop("crc", None) is not None or (packing and packing.header["sealed"]):
                crc = zlib.crc32(b"}", zlib.crc32(line[:-20], crc))
                if line[-20:] != b', "crc": "%08x"}' % crc:
                    return None
            if packing is None:
                packing = Packing(checked_header(record, where))
            elif last.get("event") == "end":
                return None
            else:
                packing.take(record)
                last = record
        table = packing.table(where)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None
    whole = last.get("event") == "end" and last.get("records") == len(packing.slots) - 1
    return table if whole and not fault(table) else None


def _unsealed(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "crc"}


def _whole(lines: list[bytes], is_sealed: object) -> bool:
    """Whether every line's checksum is right, as `coagent.history.parse` reckons it."""
    crc = 0
    for line in lines if is_sealed else ():
        body, seal = memoryview(line)[:-20], line[-20:]
        crc = zlib.crc32(b"}", zlib.crc32(body, crc))
        if seal != f', "crc": "{crc:08x}"}}'.encode():
            return False
    return True


def _columns(rows: list[bytes]) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The columns of all `rows` lines, one after the other. Raises ValueError for a line that is not as they are
    written here, field by field in order."""
    import orjson

    blocks: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    counts, meant = [], {name: [] for name in MEANINGS}
    for line in rows:
        # No string holds a bare quote, so these can only be the fields themselves.
        first = line.find(_FIRST)
        told = orjson.loads(line[:first] + b"}")
        if tuple(told) != ("at", "event", "count", *MEANINGS) or first < 0:
            raise ValueError("fields that are not those of rows")
        counts.append(told["count"])
        for name in MEANINGS:
            meant[name] += told[name]
        for name, numbers in _spelled(line, first):
            blocks[name].append(numbers)
    if not all(isinstance(one, int) for one in counts):
        raise ValueError("a count is no number")
    if not all(isinstance(one, str) for many in meant.values() for one in many):
        raise ValueError("a text is no string")
    return _joined(blocks, counts), meant


def _spelled(line: bytes, at: int) -> Iterator[tuple[str, np.ndarray]]:
    """The columns that a line spells out from a place on."""
    for name in COLUMNS:
        start = b',"%s": [' % name.encode()
        end = line.find(b"]", at)
        if not line.startswith(start, at) or end < 0:
            raise ValueError(f"{name} is not where it should be")
        column = line[at + len(start) : end]
        yield name, _reals(column) if name in TIMES else _integers(column)
        at = end + 1
    rest = line[at:]
    if rest != b"}" and not (rest.startswith(b', "crc": "') and len(rest) == 20):
        raise ValueError("more follows the last column")


def _integers(column: bytes) -> np.ndarray:
    if not column:
        return np.zeros(0, np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = np.fromstring(column, np.int64, sep=",")
        except DeprecationWarning as error:
            raise ValueError(str(error)) from None
    if len(found) != column.count(b",") + 1 or not -TOP <= found.min() <= found.max() <= TOP:
        raise ValueError("a column holds what is no small integer")
    return found.astype(np.int32)


def _reals(column: bytes) -> np.ndarray:
    import polars as pl

    if not column:
        return np.zeros(0)
    rows = BytesIO(column.replace(b",", b"\n"))
    try:
        found = pl.read_csv(rows, has_header=False, schema={"time": pl.Float64})["time"]
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from None
    if found.null_count() or len(found) != column.count(b",") + 1 or not found.is_finite().all():
        raise ValueError("a column holds what is no time")
    return found.to_numpy()


def _joined(blocks: dict[str, list[np.ndarray]], counts: Sequence[int]) -> dict[str, np.ndarray]:
    """Whole columns of those of each line. Raises ValueError when one has not as many entries as it should."""
    whole = [_block({name: blocks[name][at] for name in COLUMNS}, count) for at, count in enumerate(counts)]
    return {name: np.concatenate([one[name] for one in whole]) for name in COLUMNS}


def _block(short: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """The columns of one line, with an entry for every row."""
    found = {"kind": _filled("kind", short, count, {})}
    masks: dict[tuple[str, ...] | None, np.ndarray | None] = {None: None}
    if count and not 0 <= found["kind"].min() <= found["kind"].max() < len(KINDS):
        raise ValueError("a row is of an unknown kind")
    for name in sorted((*SCALARS, *TIMES), key=lambda name: name in SAME):
        users = USERS.get(name)
        if users not in masks:
            masks[users] = among(found["kind"], users)
        mine = masks[users]
        if mine is None:
            found[name] = _filled(name, short, count, found)
            continue
        found[name] = np.full(count, nothing(name), np.float64 if name in TIMES else np.int32)
        if len(short[name]) or name not in SAME:
            found[name][mine] = _filled(name, short, int(mine.sum()), found)
        else:
            found[name][mine] = found[SAME[name]][mine]
    for name, parts in LISTS.items():
        total = int(np.maximum(found[name], 0).sum())
        found |= {part: _filled(part, short, total, found) for part in sorted(parts, key=lambda part: part in SAME)}
    return found


def _filled(name: str, short: dict[str, np.ndarray], due: int, found: dict[str, np.ndarray]) -> np.ndarray:
    """A column of `due` entries. Raises ValueError when it has others."""
    column = short[name]
    if not len(column) and due and name in SAME and len(found[SAME[name]]) == due:
        column = found[SAME[name]]
    if len(column) not in (1, due):
        raise ValueError(f"{name} has {len(column)} entries where {due} are due")
    whole = column if len(column) == due else np.broadcast_to(column, due)
    return whole.astype(np.float64 if name in TIMES else np.int32, copy=False)


def unpacked(header: Record, found: Sequence[tuple[int, Record]], where: str) -> list[tuple[int, Record]]:
    """The records in full, each with the number of its line, from those of a short history with theirs.

    The fields of `rows` are of the kinds that the format's table says. Raises BadInput when they do not fit together.
    """
    rows = [(line, record) for line, record in found if record.get("event") == "rows"]
    others = [(line, record) for line, record in found if record.get("event") != "rows"]
    if not others or others[-1][1].get("event") != "end":
        what = "the history stops without its 'end' record, so it was cut; record the run again"
        raise BadInput(what, f"{where}:{found[-1][0]}")
    blocks = {name: [_array(record[name], f"{where}:{line}") for line, record in rows] for name in COLUMNS}
    counts = [record["count"] for _, record in rows]
    meant = {name: [text for _, record in rows for text in record[name]] for name in MEANINGS}
    try:
        columns = _joined(blocks, counts)
        table = table_of(header, columns, meant, [record for _, record in others], where)
    except ValueError as error:
        raise BadInput(
            f"the 'rows' do not fit together: {error}; the file was edited or pieced together", where
        ) from None
    line_of = np.repeat([line for line, _ in rows], counts)
    line_of[columns["kind"] == KIND["verbatim"]] = [line for line, _ in others]
    numbered = sorted(records(table, range(len(table))), key=lambda one: one[0])
    return [(int(line_of[row]), record) for _, row, record in numbered]


def _array(entries: list, place: str) -> np.ndarray:
    try:
        return np.array(entries, np.float64 if any(isinstance(one, float) for one in entries) else np.int32)
    except OverflowError:
        raise BadInput("a column of the 'rows' record holds a number that is too large", place) from None


def table_of(
    header: Record, columns: dict[str, np.ndarray], meant: dict[str, list[str]], others: list[Record], where: str
) -> Table:
    """A table of its parts. Raises ValueError when they do not fit together."""
    for name in MEANINGS:
        if len(set(meant[name])) != len(meant[name]):
            raise ValueError(f"{name} says one thing twice")
    table = Table(
        header=header,
        columns=columns,
        paths=meant["paths"],
        texts=meant["texts"],
        forms=[form_of(text) for text in meant["forms"]],
        records=others,
        where=where,
    )
    wrong = fault(table)
    if wrong:
        raise ValueError(wrong)
    return table
