"""How every figure looks: one palette, a hatch and a marker for each protocol besides its colour, and the frame.

Knows nothing of what is drawn. Sizes are in inches; text is 8 points at the width that it is printed in.
"""

import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coagent.palette import FAINT, INK, PAPER, PROTOCOLS

PAGE, COLUMN = 7.2, 3.5
"""Widths of a figure over both columns of a page, and in one."""

HATCHES = {
    "serial": "",
    "naive": "xxxx",
    "2pl": "////",
    "occ": "\\\\\\\\",
    "fork-merge": "....",
    "mtpo": "",
    "broadcast": "||||",
}
MARKERS = {"serial": "s", "naive": "X", "2pl": "^", "occ": "v", "fork-merge": "D", "mtpo": "o", "broadcast": "P"}
"""By family of protocols, as the colours are."""

SHOWN = {"2pl": "2PL", "occ": "OCC", "mtpo": "MTPO", "fork-merge": "fork & merge", "mtpo-reissue": "MTPO, reissue"}
"""How a protocol's name is written in a figure, where it is not as it stands."""

RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "coagent",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}

_CHARACTER = 0.052
"""Inches that a character of the caption takes, on the mean."""


@contextmanager
def applied() -> Iterator[None]:
    """Draws in this style whatever is drawn inside, and leaves no trace in matplotlib's settings."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **RC, "backend": "agg"}):
        yield


def family(protocol: str) -> str:
    """The protocol that a variant varies: the longest known name that it begins with, or itself."""
    known = [name for name in PROTOCOLS if protocol == name or protocol.startswith(f"{name}-")]
    return max(known, key=len, default=protocol)


def colour(protocol: str) -> str:
    """The colour of a protocol or of its family."""
    return PROTOCOLS[family(protocol)]


def bar(protocol: str) -> Mapping[str, object]:
    """How a bar of this protocol looks: `ax.bar(..., **bar(name))`."""
    return {"facecolor": colour(protocol), "edgecolor": PAPER, "hatch": HATCHES[family(protocol)], "linewidth": 0.4}


def papers_bar(protocol: str) -> Mapping[str, object]:
    """How a bar of the papers' number for this protocol looks: as ours, but not filled."""
    return {**bar(protocol), "facecolor": PAPER, "edgecolor": colour(protocol), "linewidth": 0.9}


def point(protocol: str) -> Mapping[str, object]:
    """How a point of this protocol looks: `ax.plot(..., **point(name))`."""
    return {"color": colour(protocol), "marker": MARKERS[family(protocol)], "markersize": 5, "markeredgecolor": PAPER}


def papers_point() -> Mapping[str, object]:
    """How the papers' number looks beside ours, everywhere: an open diamond."""
    return {
        "color": INK,
        "marker": "d",
        "markersize": 5.5,
        "markerfacecolor": PAPER,
        "markeredgecolor": INK,
        "linestyle": "none",
    }


def shown(protocol: str) -> str:
    """A protocol's name as figures write it."""
    return SHOWN.get(protocol, protocol)


def one_line(ax: Axes, at: float, says: str = "") -> None:
    """A thin reference line across an axis, with a word at its right end."""
    ax.axhline(at, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0.5)
    if says:
        ax.annotate(
            says,
            (1, at),
            xycoords=("axes fraction", "data"),
            xytext=(2, 0),
            textcoords="offset points",
            color=FAINT,
            fontsize=7,
            va="center",
        )


def captioned(figure: Figure, says: str) -> Figure:
    """The figure with its caption under it, broken to its width."""
    width = figure.get_size_inches()[0]
    lines = textwrap.fill(says.replace(" %", "\u00a0%"), int(width / _CHARACTER))
    figure.text(0.01, -0.015, lines, va="top", ha="left", fontsize=7, linespacing=1.3)
    return figure
