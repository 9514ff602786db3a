"""One colour and one word for each protocol, edge kind and rank, used by every view. Colour is never the only sign."""

RANKS = ("#1b6ca8", "#b3541e", "#3c7a3b", "#7a4b94", "#8a6d1d", "#a33b5b", "#2f7f7f", "#5c5c5c")
"""By rank, first to eighth, then again from the first."""

EDGES = {"ww": "#7a4b94", "wr": "#3c7a3b", "rw": "#b3272d"}
"""By kind of precedence edge."""

PROTOCOLS = {
    "serial": "#5c5c5c",
    "naive": "#b3272d",
    "2pl": "#8a6d1d",
    "occ": "#7a4b94",
    "fork-merge": "#3c7a3b",
    "mtpo": "#1b6ca8",
    "broadcast": "#a33b5b",
}
"""By protocol; a variant has its family's."""

NOTICE = "#b3272d"
INK, FAINT, PAPER = "#1c1c1c", "#8b8b8b", "#ffffff"

GOOD, BAD, DOUBT = "#2f6f2d", "#b3272d", "#7a5c00"
"""What holds, what is violated, what cannot be told."""

MUTED, LINE, PANEL, MARKED = "#596069", "#d5d9de", "#f6f7f9", "#fff3c9"
"""Small print, thin lines, the ground of panels, and of what has just changed."""

DARK_RANKS = ("#74b9ee", "#f0a36b", "#86cc84", "#c9a2e3", "#dfc066", "#ec94b0", "#74cfcf", "#bdbdbd")
DARK_EDGES = {"ww": "#c9a2e3", "wr": "#86cc84", "rw": "#ff9498"}
DARK = {
    "notice": "#ff9498",
    "ink": "#e9ebee",
    "faint": "#7d848d",
    "paper": "#15181d",
    "good": "#86cc84",
    "bad": "#ff9498",
    "doubt": "#dfc066",
    "muted": "#a9b0ba",
    "line": "#3a4049",
    "panel": "#1d2127",
    "marked": "#4a3f14",
}
"""The same signs on a dark ground; there every rank and edge has a lighter shade of its colour."""

LIGHT = {
    "notice": NOTICE,
    "ink": INK,
    "faint": FAINT,
    "paper": PAPER,
    "good": GOOD,
    "bad": BAD,
    "doubt": DOUBT,
    "muted": MUTED,
    "line": LINE,
    "panel": PANEL,
    "marked": MARKED,
}


def variables(*, dark: bool = False) -> str:
    """The palette as CSS custom properties, `--coagent-ink` and so on, ranks and edges numbered and named."""
    named = dict(DARK if dark else LIGHT)
    named |= {f"rank-{place}": colour for place, colour in enumerate(DARK_RANKS if dark else RANKS, 1)}
    named |= {f"edge-{kind}": colour for kind, colour in (DARK_EDGES if dark else EDGES).items()}
    return " ".join(f"--coagent-{name}: {colour};" for name, colour in named.items())


def of_rank(rank: int) -> str:
    """The colour of the agent with this rank, counted from 1."""
    return RANKS[(rank - 1) % len(RANKS)]
