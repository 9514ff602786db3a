"""Writes one recorded history in another checker's format, and says what that format does not keep."""

from checker.formats import load
from checker.formats.elle_export import exported
from coagent import saving
from coagent.bad_input import BadInput


def export(history: str, file: str, *, to: str = "elle", format: str = "auto") -> list[str]:
    """Write the history to a new file; a sentence for each thing that is lost. Raises BadInput."""
    if to != "elle":
        raise BadInput(f"--to is {to!r}; known is elle")
    saving.check_free(file)
    sources = load(history, format)
    if len(sources) != 1:
        raise BadInput(f"holds {len(sources)} histories, and one is written; put the one you want in a file", history)
    lines, lost = exported(sources[0])
    saving.save(lines, file)
    return lost
