"""Changes a journal's file behind the runtime's back; `resealed` makes its checksums fit what is in it then.

Another engine's journal is sealed too, so that what it says has to be refused by more than the checksums.
"""

import sqlite3
import zlib
from pathlib import Path


def edited(file: str | Path, *statements: str) -> None:
    """Have statements of SQL done in it."""
    base = sqlite3.connect(file)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()


def resealed(file: str | Path, *statements: str) -> None:
    """Have statements done, and every checksum made anew."""
    edited(file, *statements)
    base, crc = sqlite3.connect(file), 0
    for table, key in (("head", "one"), ("record", "seq")):
        for number, body in base.execute(f"SELECT {key}, body FROM {table} ORDER BY {key}").fetchall():
            crc = zlib.crc32(body.encode(), crc)
            base.execute(f"UPDATE {table} SET crc = ? WHERE {key} = ?", (crc, number))
    base.commit()
    base.close()
