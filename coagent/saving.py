"""Writes a recorded history to a new file, whole or not at all; what is there already is never written over."""

import os
from collections.abc import Iterable
from pathlib import Path

from coagent.bad_input import BadInput


def check_free(path: str) -> None:
    """Raise BadInput when a new file cannot be made there: something has the name, or the folder is not there."""
    place = Path(path)
    if os.path.lexists(place):
        raise BadInput("already exists, and nothing is written over; name another file, or move this one away", path)
    if not place.parent.is_dir():
        raise BadInput(f"there is no folder {str(place.parent)!r} to write it in; make it first", path)
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {str(place.parent)!r} may not be written to; name a file elsewhere", path)


def save(lines: Iterable[str], path: str) -> None:
    """Write the lines to a new file of that name. Raises BadInput when it has come to exist, or cannot be written."""
    check_free(path)
    place = Path(path)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with open(part, "x", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
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
