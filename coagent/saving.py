"""Writes a recorded history to a new file, whole or not at all; what is there already is never written over.

The name says in which form: Parquet (`.parquet`), short lines (`.rows.ndjson`), or, by any other name, a line a record.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from coagent.history import History
    from coagent.table import Table


def check_free(path: str) -> None:
    """Raise BadInput when a new file cannot be made there: something has the name, or the folder is not there."""
    place = Path(path)
    if os.path.lexists(place):
        raise BadInput("already exists, and nothing is written over; name another file, or move this one away", path)
    if not place.parent.is_dir():
        raise BadInput(f"there is no folder {str(place.parent)!r} to write it in; make it first", path)
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {str(place.parent)!r} may not be written to; name a file elsewhere", path)


def save_history(history: "History | Table", path: str) -> None:
    """Write a history to a new file, in the form that its name says. Raises BadInput as `save` does."""
    save_bytes(_form(history, path), path)


def _form(history: "History | Table", path: str) -> Iterator[bytes]:
    from coagent.history import History, lines, sealed

    full = isinstance(history, History)
    if not path.endswith((".parquet", ".rows.ndjson")):
        from coagent.expansion import expanded

        yield from (line.encode() for line in lines(history if full else expanded(history)))
        return
    from checker.formats.parquet import dump
    from coagent.compaction import compacted
    from coagent.packed import packed

    table = compacted(history) if full else history
    if path.endswith(".parquet"):
        yield dump(table)
    else:
        yield from (line.encode() for line in sealed((table.header, *packed(table))))


def save(lines: Iterable[str], path: str) -> None:
    """Write the lines to a new file of that name. Raises BadInput when it has come to exist, or cannot be written."""
    save_bytes((line.encode() for line in lines), path)


def save_bytes(pieces: Iterable[bytes], path: str) -> None:
    """Write the pieces to a new file of that name. Raises BadInput when it has come to exist, or cannot be written."""
    check_free(path)
    place = Path(path)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with open(part, "xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        _publish(part, place)
    except FileExistsError:
        raise BadInput("came to exist meanwhile, and nothing is written over; name another file", path) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be written ({getattr(error, 'strerror', None) or error})", path) from None
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, place: Path) -> None:
    """Give the finished file its name, unless the name is taken."""
    try:
        os.link(part, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name, then replace the claim
        open(place, "x").close()
        os.replace(part, place)
