"""Where things stand in a picture of a run, as numbers: columns for steps, lanes for agents, arcs for edges.

The static picture and the page in the browser are drawn from the same numbers. Draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coagent.notebook.replay import Replay

LANE, LEFT, COLUMN, TOP = 58, 96, 30, 26
"""Pixels: a lane's height, the room for names, the width of a step, the room above the lanes."""

COLUMNS, BANDS = 36, 5
"""Steps in a band of the static picture, and bands in it at most."""

MOST_LANES = 12
"""Lanes of the static picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A row of the static picture: steps from `first` up to but not including `last`, its top at `y`."""

    first: int
    last: int
    y: float

    def x(self, step: float) -> float:
        """The middle of a step's column, kept within the band."""
        inside = min(max(step, self.first - 0.5), self.last - 0.5)
        return LEFT + (inside - self.first + 0.5) * COLUMN

    def holds(self, first: int, last: int | None = None) -> bool:
        """Whether any of these steps is in the band."""
        return first < self.last and (first if last is None else last) >= self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The static picture's plan: its bands, its size in pixels, the lanes shown, and the steps left out."""

    bands: tuple[Band, ...]
    lanes: int
    width: float
    below: float
    left_out: int

    def y(self, band: Band, lane: int) -> float:
        """The middle of a lane in a band."""
        return band.y + TOP + (lane + 0.5) * LANE


def sheet(run: Replay, top: float = 64) -> Sheet:
    """The plan for a run, as many bands of steps as it takes, up to BANDS."""
    lanes = min(len(run.agents), MOST_LANES)
    height = TOP + lanes * LANE + 22
    count = len(run)
    firsts = range(0, min(count, COLUMNS * BANDS), COLUMNS)
    bands = tuple(
        Band(first=first, last=min(first + COLUMNS, count), y=top + place * height)
        for place, first in enumerate(firsts)
    )
    widest = max((band.last - band.first for band in bands), default=1)
    return Sheet(
        bands=bands,
        lanes=lanes,
        width=max(LEFT + widest * COLUMN + 24, 760),
        below=top + len(bands) * height,
        left_out=count - (bands[-1].last if bands else 0),
    )


def seconds_marks(ats: Sequence[float], band: Band) -> list[tuple[int, str]]:
    """Steps of a band at which to write the time, and the time: not twice the same, and not too close."""
    found: list[tuple[int, str]] = []
    for step in range(band.first, band.last):
        text = f"{ats[step]:.1f}"
        if not found or (text != found[-1][1] and step - found[-1][0] >= 2):
            found.append((step, text))
    return found
