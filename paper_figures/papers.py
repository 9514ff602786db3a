"""What the two papers measured (arXiv 2606.15376, evaluation and case study), as numbers; nothing here is ours."""

CELLS = (
    "k1-canary-of-trial-image",
    "k2-canary-on-bad-image",
    "k3-flag-blob",
    "k4-pdb-during-bluegreen",
    "k5-pin-vs-cordon",
    "o1-onboard-tentative-won",
    "o2-sick-cover-vs-away",
    "o3-push-back-twice",
    "o4-agenda-during-swap",
    "o5-double-booked-slot",
)
"""Our ten cells in the place of the papers' ten contended two-agent workloads: five on a cluster, five in an office."""

TRIALS = 100
"""Ten of each cell, under each protocol."""

CORRECT_PERCENT = {"serial": 98, "naive": 13, "2pl": 96, "occ": 93, "mtpo": 93}
SPEEDUP = {"serial": 1.00, "naive": 1.54, "2pl": 1.04, "occ": 0.93, "mtpo": 1.43}
TOKENS = {"serial": 1.00, "naive": 1.06, "2pl": 1.45, "occ": 1.83, "mtpo": 1.15}
"""By protocol, over ten trials of each cell; the last two as multiples of serial execution."""

DEADLOCKS_2PL, ABORTS_OCC = 0.81, 0.95
"""Per trial."""

MISJUDGED = 0.05
"""Share of notices that the papers' model misjudged: 5 of 100."""

CANARY_SECONDS = {"serial": 50.2, "naive": 31.8, "2pl": 53.1, "occ": 63.7, "mtpo": 32.8}
CANARY_TOKENS_MTPO = 1.20
CANARY_REPAIR_S, CANARY_REDO_S = 6.4, 29.0
"""From A's write to the end of B's repair under MTPO, and of its whole redo under OCC."""

AXIS_S = 1.2
"""Seconds by which the axis of the papers' timeline starts before work does."""

_EVENTS = {
    "naive": {
        "A": "read 1.6, read 3.9, write 8.2, write 9.4, write 10.5, read 11.5, read 14.9, read 29.7, read 31.8, "
        "commit 33.0",
        "B": "read 2.1, read 4.5, write 6.1, commit 22.4",
    },
    "2pl": {
        "A": "read 1.9, blocked 15.8-15.9, write 15.9, write 17.2, write 18.5, read 24.7, commit 26.6",
        "B": "read 2.0, read 4.2, blocked 5.8-15.9, abort 15.9, blocked 16.8-26.8, read 26.8, write 32.5",
    },
    "occ": {
        "A": "read 1.3, write 15.5, write 16.7, write 17.8, read 24.8, read 27.7, commit 28.9",
        "B": "read 1.4, read 3.1, write 5.5, read 25.1, abort 35.0",
    },
    "mtpo": {
        "A": "read 2.0, write 15.7, write 17.0, write 18.1, commit 30.0",
        "B": "read 1.5, read 3.7, write 6.9, consume 20.1, repair 22.1, commit 34.0",
    },
}


def events(protocol: str) -> list[tuple[str, str, float, float]]:
    """The papers' timeline of the canary: agent, kind, start and end, in seconds since work began."""
    return [_event(agent, words) for agent, line in _EVENTS[protocol].items() for words in line.split(", ")]


def _event(agent: str, words: str) -> tuple[str, str, float, float]:
    kind, _, when = words.partition(" ")
    start, _, end = when.partition("-")
    return agent, kind, round(float(start) - AXIS_S, 1), round(float(end or start) - AXIS_S, 1)
