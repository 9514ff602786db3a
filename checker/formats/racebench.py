"""Reads RaceBench's event logs (github.com/allisonllx/RaceBench): which agent read and wrote which file, in order.

JSON lines `{"ts", "event", ...}`, `trial_start` to `trial_end`; `read` and `write` events become a log with an agent
as one transaction. An edit that was applied or merged reads the file and writes it, an overwrite writes it, and one
that was refused did nothing. The log does not record what a read returned, what `glob`, `grep`, `list_files` and
`run_tests` looked at, what irreversible tools did, nor whether an agent that was notified judged its earlier reads
again: a read made anew after a notice counts beside the old one, so a run that agents repaired may come out violated.
"""

from collections.abc import Mapping

from checker.formats.elle import load_json
from checker.formats.schedule import Log
from coagent.bad_input import BadInput

_REFUSED = ("conflict", "edit_failed", "lock_timeout")


def trial(text: str, where: str) -> tuple[str, Log]:
    """The trial's name and its log. Raises BadInput naming the line; also for a trial whose agents had a tree each."""
    records = [(line, load_json(row, where, line)) for line, row in enumerate(text.split("\n"), 1) if row.strip()]
    for line, record in records:
        if not isinstance(record, Mapping) or not isinstance(record.get("event"), str):
            raise BadInput(
                'the line is no event; a RaceBench log has one {"ts": ..., "event": ...} a line', f"{where}:{line}"
            )
    events = [record["event"] for _, record in records]
    line, start = records[0]
    if events[0] != "trial_start":
        raise BadInput("the log does not begin with 'trial_start', so its start is missing", f"{where}:{line}")
    if events[-1] != "trial_end":
        raise BadInput(
            "the log does not end with 'trial_end', so it was cut or the trial broke off", f"{where}:{records[-1][0]}"
        )
    if "trial_start" in events[1:] or "trial_end" in events[:-1]:
        raise BadInput("the log has several trials in it; keep one trial a file", where)
    if start.get("isolation", "shared") != "shared":
        raise BadInput(
            "each agent of the trial had a tree of its own, so the log is of several stores", f"{where}:{line}"
        )
    log = tuple(step for line, record in records for step in _steps(record, f"{where}:{line}"))
    if not log:
        raise BadInput(
            "the log has no read and no write event (an external runtime writes none), so nothing to judge", where
        )
    return f"{start.get('task', where)} {start.get('strategy', '')}".strip(), log


def _steps(record: Mapping, where: str) -> list[tuple[str, str, str]]:
    event = record["event"]
    if event not in ("read", "write"):
        return []
    agent, path = record.get("agent"), record.get("path")
    if not isinstance(agent, str) or not isinstance(path, str):
        raise BadInput(f"the {event} names no agent and path; the line may be damaged", where)
    if event == "read":
        return [(agent, "r", path)]
    kind, status = record.get("kind"), record.get("status")
    if status in _REFUSED:
        return []
    if status not in ("applied", "merged") or kind not in ("overwrite", "replace"):
        raise BadInput(f"the write is a {kind!r:.30} that was {status!r:.30}, which is not known here", where)
    reads = [(agent, "r", path)] if kind == "replace" or status == "merged" else []
    return [*reads, (agent, "w", path)]
