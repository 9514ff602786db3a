"""How patient the runtime is with its targets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient the runtime is with its targets. `read_s` and `write_s` are seconds for one attempt; `tries` the
    attempts at a read, an undo, or a write that met a conflict; `pause_s` the seconds before the second, then doubled.
    """

    read_s: float = 30.0
    write_s: float = 60.0
    tries: int = 5
    pause_s: float = 0.05


PATIENCE = Limits()
"""How patient the runtime is unless told otherwise."""
