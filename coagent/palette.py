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


def of_rank(rank: int) -> str:
    """The colour of the agent with this rank, counted from 1."""
    return RANKS[(rank - 1) % len(RANKS)]
