"""Two runs side by side: where they part, and what differs at their ends.

Judges neither; it sets facts from the two histories next to each other.
"""

from collections.abc import Mapping

from coagent.history import History, frozen
from coagent.notebook.replay import Replay
from coagent.operation import show

MOST = 40
"""Differing objects that are told; of what is the same, only the counts are."""


def compared(here: Replay, there: Replay, verdicts: tuple[str, str]) -> dict[str, object]:
    """The table for the page: a row each of what, here, there; and the names of the two runs."""
    rows = [["verdict", *verdicts]]
    for what, kinds in (
        ("notices", ("notify",)),
        ("undos", ("undo",)),
        ("calls", ("invoke",)),
        ("inferences", ("infer",)),
    ):
        rows.append([what, *(str(sum(1 for _ in run.history.of(*kinds))) for run in (here, there))])
    rows.append(["seconds", *(f"{run.frames[-1].at:.1f}" if run.frames else "0" for run in (here, there))])
    rows += _pairs("", _state(here.history), _state(there.history))
    rows += _pairs("report of ", _reports(here.history), _reports(there.history))
    return {"here": f"this run ({name(here)})", "there": f"the other ({name(there)})", "rows": rows}


def name(run: Replay) -> str:
    """A short name of a run."""
    schedule = run.history.header["schedule"]
    said = (
        ",".join(map(str, schedule[:12])) + ("..." if len(schedule) > 12 else "")
        if isinstance(schedule, list)
        else schedule
    )
    return f"{run.history.header['protocol']}, schedule {said or '0'}"


def parting(here: Replay, there: Replay) -> int | None:
    """The first step at which the two did something else; None when one is the beginning of the other."""
    steps = enumerate(zip(here.texts, there.texts, strict=False))
    return next((step for step, (one, other) in steps if one != other), None)


def _state(history: History) -> Mapping[str, object]:
    return history.end["final_state"] if history.records and history.end["event"] == "end" else {}


def _reports(history: History) -> Mapping[str, object]:
    return history.end["reports"] if history.records and history.end["event"] == "end" else {}


def _pairs(prefix: str, here: Mapping[str, object], there: Mapping[str, object]) -> list[list[str | None]]:
    rows = []
    for key in sorted({*here, *there}):
        one, other = _said(here, key), _said(there, key)
        if one != other:
            rows.append([prefix + key, one, other])
    return rows[:MOST]


def _said(values: Mapping[str, object], key: str) -> str | None:
    if key not in values:
        return None
    text = show(frozen(values[key]))
    return text if len(text) <= 80 else text[:77] + "..."
