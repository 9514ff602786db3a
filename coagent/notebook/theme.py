"""The looks that every view of a run shares: the palette by theme, the patterns of stretches, the shape of each mark.

Each kind has a shape or a pattern of its own, so that colour is never the only sign.
"""

from coagent.palette import variables

RANKS = 8
"""Colours of ranks before they come round again."""

GLYPHS = {
    "read": ("M-4.5 0 A4.5 4.5 0 1 1 4.5 0 A4.5 4.5 0 1 1 -4.5 0 Z", False),
    "write": ("M-4.5 -4.5 H4.5 V4.5 H-4.5 Z", True),
    "repair": ("M0 -6.2 L6.2 0 L0 6.2 L-6.2 0 Z", True),
    "undo": ("M4.5 -5 L-5 0 L4.5 5 Z", False),
    "redo": ("M-4.5 -5 L5 0 L-4.5 5 Z", True),
    "mask": ("M-4.5 -4.5 H4.5 V4.5 H-4.5 Z M-4.5 4.5 L4.5 -4.5", False),
    "cancel": ("M-5 -5 L5 5 M-5 5 L5 -5 M-5 -5 H5 V5 H-5 Z", False),
    "consume": ("M-5.2 -4.4 H5.2 L0 5.4 Z", True),
    "keep": ("M-5 0 L-1.5 4.5 L5.5 -5", False),
    "revise": ("M-5 5 L-5 1.5 L3 -6.5 L6 -3.5 L-2 5 Z", False),
    "merge": ("M-5 -5 L0 0 L-5 5 M0 0 H6", False),
    "report": ("M-5 -4.5 H5 V2.5 H0 L-3.5 6 V2.5 H-5 Z", False),
    "commit": ("M-1.6 -9 H1.6 V9 H-1.6 Z", True),
    "abort": ("M-5 -5 L5 5 M-5 5 L5 -5", False),
}
"""By kind of mark: an SVG path about its middle, in pixels, and whether it is filled."""

FIXED = {"consume": "notice", "abort": "bad", "commit": "ink", "keep": "notice", "revise": "notice"}
"""Marks that do not have their agent's colour."""

RAISED = {"consume": -15, "keep": -15, "revise": -15, "report": -15, "undo": 15, "redo": 15, "mask": 15, "cancel": 15}
"""How far below the middle of its lane a mark stands, in pixels, so that nothing hides what happens beside it."""

WORDS = {
    "inference": "thinks",
    "judging": "judges, repairs",
    "tool": "call under way",
    "held": "held by a notice",
    "parked": "waits for others",
    "read": "read",
    "write": "write",
    "repair": "repair done",
    "undo": "undone",
    "redo": "redone",
    "mask": "masked",
    "cancel": "cancelled",
    "consume": "reads the notice",
    "keep": "lets stand",
    "revise": "revises",
    "merge": "merges",
    "report": "reports",
    "commit": "commits",
    "abort": "aborts",
    "notice": "notice",
}
"""What the legend says of each kind."""

STRETCHES = {
    "inference": (-9, 18),
    "judging": (-9, 18),
    "tool": (-2, 4),
    "held": (11, 5),
    "parked": (-5, 10),
}
"""By kind of stretch: where it begins above the middle of its lane and how high it is, in pixels."""

PATTERNS = (
    '<pattern id="coagent-judging" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<path d="M0 3 H6 M3 0 V6" stroke="var(--coagent-notice)" stroke-width="0.9" opacity="0.75"/></pattern>'
    '<pattern id="coagent-parked" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0 V6" stroke="var(--coagent-faint)" stroke-width="2.4"/></pattern>'
    '<pattern id="coagent-held" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    '<path d="M0 0 V5" stroke="var(--coagent-notice)" stroke-width="2.4"/></pattern>'
    '<marker id="coagent-notice-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="var(--coagent-notice)"/></marker>'
)
"""The patterns and arrowheads that drawings refer to; an SVG needs them in its `defs`."""

HEADS = "".join(
    f'<marker id="coagent-{kind}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="var(--coagent-edge-{kind})"/></marker>'
    for kind in ("ww", "wr", "rw")
)
"""The arrowheads of precedence edges."""

DASHES = {"ww": "", "wr": "2 3", "rw": "7 4"}
"""The dashes of each kind of edge."""


def css(where: str) -> str:
    """The palette for what `where` selects: light, dark where the system or JupyterLab or the page says so."""
    light, dark = variables(), variables(dark=True)
    return "\n".join(
        [
            f"{where} {{ {light} color-scheme: light; }}",
            f"@media (prefers-color-scheme: dark) {{ {where} {{ {dark} color-scheme: dark; }} }}",
            f'[data-jp-theme-light="true"] {where} {{ {light} color-scheme: light; }}',
            f'[data-jp-theme-light="false"] {where} {{ {dark} color-scheme: dark; }}',
        ]
    )


def rank_variable(lane: int) -> str:
    """The CSS variable of an agent's colour, by its place in the order from 0."""
    return f"--coagent-rank-{lane % RANKS + 1}"
