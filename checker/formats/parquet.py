"""Our own histories as Parquet: a row for each row of `coagent.table`, numbers as they are, and what they mean beside.

Kinds, agents and statuses read as words in any Parquet reader; `paths`, `texts` and `forms` list, by row number, what
the numbers in the other columns mean, `records` the verbatim records, and the entries of the lists (what a row
saw, wrote, captured) stand row after row, as many as the row says, in columns of their own. All begin in the first
row, and `sizes` in the file's metadata says how far they go. A column whose entries are all the same is left out, and
`constant` there says it; integers are as narrow as they can be; any width and any number of row groups is read. Times
and tokens are read when first asked for. The file carries a checksum of itself between its last page and its footer,
where no reader looks, so that a damaged one is refused.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from coagent.bad_input import BadInput
from coagent.column import BESIDE, COLUMNS, LISTS, SCALARS, TIMES
from coagent.history import checked_header
from coagent.packed import MEANINGS, PATHS, table_of, undisturbed
from coagent.table import KINDS, STATUSES, Table

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"PAR1"
_SEAL = b"coagent-crc32:"
_KEY = "coagent.history"
_WORDS = ("kind", "agent", "status")
_DAMAGED = "is not as it was written (its checksum differs, or it was cut); copy or record it again"
_WRONG = (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_WIDTHS = (np.int8, np.int16, np.int32)


def dump(table: Table) -> bytes:
    """The table as the bytes of a Parquet file."""
    import polars as pl

    agents = [one["name"] for one in table.header["agents"]]
    words = {"kind": KINDS, "agent": agents, "status": STATUSES}
    paths, columns = _sorted(table)
    constant = {name: column[0].item() for name, column in columns.items() if len(column) and _same(column)}
    frame = {
        name: _worded(column, words[name]) if name in words else pl.Series(_narrow(column))
        for name, column in columns.items()
        if name in _WORDS or name not in constant
    }
    meant = {"paths": paths, "texts": table.texts, "forms": [form.text() for form in table.forms]}
    meant["records"] = [json.dumps(one, ensure_ascii=False) for one in table.records]
    frame |= {name: pl.Series(list(many), dtype=pl.String) for name, many in meant.items()}
    height = max(1, *(len(one) for one in frame.values()))
    whole = pl.DataFrame({name: one.extend_constant(None, height - len(one)) for name, one in frame.items()})
    sizes = {"rows": len(table)} | {name: len(table.columns[parts[0]]) for name, parts in LISTS.items()}
    sizes |= {name: len(many) for name, many in meant.items()}
    constant = {name: value for name, value in constant.items() if name not in _WORDS}
    header = {"header": table.header, "sizes": sizes, "constant": constant}
    out = BytesIO()
    # In a single row group every column is one piece of memory, which numpy takes as it is.
    whole.write_parquet(out, compression="lz4", row_group_size=height, metadata={_KEY: json.dumps(header)})
    return _sealed(out.getvalue())


def _sorted(table: Table) -> tuple[list[str], dict[str, np.ndarray]]:
    """The paths in their order, which spares whoever reads them the sorting, and the columns that mean them so."""
    order = sorted(range(len(table.paths)), key=table.paths.__getitem__)
    number = np.zeros(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    columns = {name: table.columns[name] for name in COLUMNS}
    columns |= {name: number[columns[name]] for name in PATHS}
    return [table.paths[at] for at in order], columns


def _same(column: np.ndarray) -> bool:
    return bool(np.all(column == column[0]))


def _narrow(column: np.ndarray) -> np.ndarray:
    """Integers in the fewest bytes that hold all of them; times as they are."""
    if column.dtype.kind != "i" or not len(column):
        return column
    return column.astype(_width(int(column.min()), int(column.max())))


def _width(low: int, high: int) -> type[np.signedinteger]:
    for width in _WIDTHS:
        if np.iinfo(width).min <= low and high <= np.iinfo(width).max:
            return width
    raise ValueError(f"{max(high, -low)} is too large a number")


def _worded(column: np.ndarray, words: tuple[str, ...] | list[str]) -> object:
    import polars as pl

    lowest = pl.Series(np.where(column < 0, 0, column).astype(np.uint32))
    meant = pl.Series(list(words), dtype=pl.Enum(list(words))).gather(lowest)
    return meant.set(pl.Series(column < 0), None) if np.any(column < 0) else meant


def _sealed(raw: bytes) -> bytes:
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    crc = zlib.crc32(raw[footer:], zlib.crc32(raw[:footer]))
    return raw[:footer] + _SEAL + f"{crc:08x}".encode() + raw[footer:]


def read(raw: bytes, where: str) -> Table:
    """The table in the bytes of a file. Raises BadInput when it is damaged, or no history of ours."""
    import polars as pl

    _check(raw, where)
    try:
        with undisturbed():
            return _table(raw, json.loads(pl.read_parquet_metadata(raw)[_KEY]), where)
    except (*_WRONG, pl.exceptions.PolarsError) as error:
        raise BadInput(_unfit(error), where) from None


def _unfit(error: Exception) -> str:
    why = " ".join(str(error).split())[:80]
    return f"is Parquet, but holds no history that fits together ({why}); record it again"


def _check(raw: bytes, where: str) -> None:
    """Raise BadInput unless the checksum of the file is right."""
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    seal = footer - len(_SEAL) - 8
    if raw[-4:] != MAGIC or seal < len(MAGIC):
        raise BadInput(_DAMAGED, where)
    if raw[seal : footer - 8] != _SEAL:
        what = "is Parquet without our checksum, so no history of ours, or one that was cut or written anew"
        raise BadInput(f"{what}; give the file that coagent wrote", where)
    whole = memoryview(raw)
    if f"{zlib.crc32(whole[footer:], zlib.crc32(whole[:seal])):08x}".encode() != raw[footer - 8 : footer]:
        raise BadInput(_DAMAGED, where)


def _table(raw: bytes, said: Mapping[str, object], where: str) -> Table:
    import polars as pl

    sizes, constant = said["sizes"], said["constant"]
    header = checked_header(said["header"], where)
    words = {"kind": KINDS, "agent": [one["name"] for one in header["agents"]], "status": STATUSES}
    parts = {"rows": SCALARS} | LISTS
    told = (*MEANINGS, "records")
    asked = [((name,), sizes[name]) for name in told]
    there = {part: [one for one in names if not {one} & {*constant, *BESIDE}] for part, names in parts.items()}
    # What is asked for together is decoded one by one; so two lots are, side by side, while texts are taken up here.
    asked += [(names, sizes["rows"]) for names in (there["rows"][::2], there["rows"][1::2])]
    asked += [(there[part], sizes[part]) for part in LISTS]
    with ThreadPoolExecutor(2) as pool:
        frames = pool.map(lambda one: _first(raw, *one), asked)
        meant = {name: next(frames)[name].to_list() for name in told}
        records = [json.loads(text) for text in meant.pop("records")]
        columns = {one.name: _array(one, words.get(one.name)) for frame in frames for one in frame}
    for part, names in parts.items():
        columns |= {name: _constant(name, constant[name], sizes[part]) for name in constant.keys() & set(names)}

    def fetched(name: str) -> np.ndarray:
        try:
            if name in constant:
                return _constant(name, constant[name], sizes["rows"])
            return _beside(_first(raw, [name], sizes["rows"])[name])
        except (*_WRONG, pl.exceptions.PolarsError) as error:
            raise BadInput(_unfit(error), where) from None

    return table_of(header, _Columns(columns, fetched), meant, records, where)


class _Columns(Mapping):
    """The columns by name, those that nothing depends on fetched when they are first asked for."""

    def __init__(self, there: dict[str, np.ndarray], fetched: Callable[[str], np.ndarray]) -> None:
        self._there, self._fetched = there, fetched

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._there and name in BESIDE:
            self._there[name] = self._fetched(name)
        return self._there[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


def _first(raw: bytes, names: Sequence[str], size: int) -> "pl.DataFrame":
    """The first rows of some columns. Raises ValueError when there are not so many."""
    import polars as pl

    # Only these rows are decoded; memory for all others would cost more than the numbers do.
    found = pl.read_parquet(raw, columns=list(names), n_rows=size, parallel="columns")
    if len(found) != size and names:
        raise ValueError(f"{names[0]} has {len(found)} entries for {size}")
    return found


def _constant(name: str, value: object, size: int) -> np.ndarray:
    """A column that is the same in every row."""
    if name in _WORDS or type(value) is not (float if name in TIMES else int):
        raise ValueError(f"the column {name} is not of its kind")
    # A view of the one entry: a size that is a lie costs no memory before it is found out.
    return np.broadcast_to(np.array(value, np.float64 if name in TIMES else _width(value, value)), size)


def _array(column: "pl.Series", words: Sequence[str] | None) -> np.ndarray:
    """A column as numbers, words by their own."""
    import polars as pl

    if words is not None:
        known = pl.Enum(words)
        column = column if column.dtype == known else column.cast(pl.String).cast(known)
        column = column.to_physical().cast(pl.Int8 if len(words) < 128 else pl.Int32).fill_null(-1)
    if column.null_count() or not column.dtype.is_integer():
        raise ValueError(f"the column {column.name} is not of its kind")
    return (column if column.dtype in (pl.Int8, pl.Int16) else column.cast(pl.Int32)).to_numpy()


def _beside(column: "pl.Series") -> np.ndarray:
    """A column of times or tokens."""
    import polars as pl

    if column.name not in TIMES:
        return _array(column, None)
    if column.null_count() or column.dtype != pl.Float64 or not column.is_finite().all():
        raise ValueError(f"the column {column.name} is not of its kind")
    return column.to_numpy()
