"""Our own histories as Parquet: a row for each row of `coagent.table`, numbers as they are, and what they mean beside.

Kinds, agents and statuses read as words in any Parquet reader; `paths`, `texts` and `forms` list, by row number, what
the numbers in the other columns mean, `record` holds the verbatim records, and the entries of the lists (what a row
saw, wrote, captured) stand row after row, as many as the row says, in columns of their own. The file carries a
checksum of itself between its last page and its footer, where no reader looks, so that a damaged one is refused.
"""

import json
import zlib
from collections.abc import Mapping
from io import BytesIO

import numpy as np

from coagent.bad_input import BadInput
from coagent.column import COLUMNS, FLAT
from coagent.packed import MEANINGS, table_of
from coagent.table import KINDS, STATUSES, Table

MAGIC = b"PAR1"
_SEAL = b"coagent-crc32:"
_KEY = "coagent.history"
_WORDS = ("kind", "agent", "status")
_DAMAGED = "is not as it was written (its checksum differs, or it was cut); copy or record it again"


def dump(table: Table) -> bytes:
    """The table as the bytes of a Parquet file."""
    import polars as pl

    agents = [one["name"] for one in table.header["agents"]]
    words = {"kind": KINDS, "agent": agents, "status": STATUSES}
    frame = {
        name: _worded(table.columns[name], words[name]) if name in words else pl.Series(table.columns[name])
        for name in COLUMNS
    }
    verbatim = np.flatnonzero(table.columns["kind"] == 0)
    shown = dict(zip(verbatim.tolist(), (json.dumps(one, ensure_ascii=False) for one in table.records), strict=True))
    frame["record"] = pl.Series([shown.get(row) for row in range(len(table))], dtype=pl.String)
    meant = {"paths": table.paths, "texts": table.texts, "forms": [form.text() for form in table.forms]}
    height = max(len(one) for one in (*frame.values(), *meant.values()))
    frame |= {name: pl.Series(list(meant[name]), dtype=pl.String) for name in MEANINGS}
    whole = pl.DataFrame({name: one.extend_constant(None, height - len(one)) for name, one in frame.items()})
    sizes = {name: len(table.columns[name]) for name in ("kind", *FLAT)} | {name: len(meant[name]) for name in MEANINGS}
    header = {"header": table.header, "sizes": sizes}
    out = BytesIO()
    whole.write_parquet(out, compression="lz4", metadata={_KEY: json.dumps(header)})
    return _sealed(out.getvalue())


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
        header = json.loads(pl.read_parquet_metadata(BytesIO(raw))[_KEY])
        frame = pl.read_parquet(BytesIO(raw))
        return _table(frame, header, where)
    except (KeyError, ValueError, TypeError, RecursionError, pl.exceptions.PolarsError) as error:
        why = " ".join(str(error).split())[:80]
        raise BadInput(f"is Parquet, but holds no history that fits together ({why}); record it again", where) from None


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


def _table(frame: object, header: Mapping[str, object], where: str) -> Table:
    sizes = header["sizes"]
    meant = {name: frame[name][: sizes[name]].to_list() for name in MEANINGS}
    columns = {name: _array(frame[name][: sizes.get(name, sizes["kind"])]) for name in COLUMNS}
    records = [json.loads(text) for text in frame["record"].drop_nulls().to_list()]
    return table_of(header["header"], columns, meant, records, where)


def _array(column: object) -> np.ndarray:
    """A column as numbers, words by their own."""
    import polars as pl

    if isinstance(column.dtype, pl.Enum):
        column = column.to_physical().cast(pl.Int32).fill_null(-1)
    if column.null_count() or column.dtype not in (pl.Int32, pl.Float64):
        raise ValueError(f"the column {column.name} is not of its kind")
    return column.to_numpy()
