"""A history as text: one lane an agent in rank order, time downwards, notices as arrows between the lanes.

Reads nothing but the history, and leaves out what an agent cannot notice (captures, refreshed results).
"""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coagent.history import History, Record, frozen
from coagent.operation import show

WIDTH = 100
"""Columns of a line."""

MOST_LANES = 4
"""Agents that get a lane each; more share one column, and each row begins with the agent's name."""

_CLOCK = 11
_LONGEST = 80
_ROUTES = {"live": "", "fork": " (on its fork)"}
"""What is said of a result by how its call was served, if it was not put in its place."""

LEGEND = "● acts   ┃ thinks   ┊ waits, or has reported   (blank) committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing to show: when (seconds), in whose lane, in which words; `source` is the agent a notice comes from."""

    at: float
    agent: str
    text: str
    source: str | None = None


def lanes(history: History, width: int = WIDTH) -> list[str]:
    """The lines of the picture, each at most `width` columns: agents, what each did and learned, how it ended."""
    names = [one["name"] for one in sorted(history.header["agents"], key=lambda one: one["rank"])]
    if len(names) <= MOST_LANES:
        return [*_in_lanes(history, names, width), _ending(history), LEGEND]
    return [*_in_one_column(history, names, width), _ending(history)]


def rows(history: History) -> Iterator[tuple[Record, Row | None]]:
    """Every record with what it shows, or None where it shows nothing of its own."""
    calls: dict[str, Record] = {}
    told = _Told(history)
    for index, record in enumerate(history.records):
        if record["event"] == "invoke":
            calls[record["op"]] = record
        text = told.text(index, record, calls)
        if not text:
            yield record, None
            continue
        agent = record.get("agent") or calls[record["op"]]["agent"]
        source = calls[record["cause"]]["agent"] if record["event"] == "notify" else None
        yield record, Row(at=record["at"], agent=agent, text=text, source=source)


class _Told:
    """The words for each record, knowing which calls were answered and why a call was made."""

    def __init__(self, history: History) -> None:
        self.answered = {record["op"] for record in history.of("result", "park")}
        self.repairs = {record["by"] for record in history.of("repair") if "by" in record}
        self.given_up = {(record["agent"], record["at"]) for record in history.of("give-up")}
        self.committed = {(record["agent"], record["at"]) for record in history.of("commit")}
        self.finished = {(record["agent"], record["at"]) for record in history.of("finish")}

    def text(self, index: int, record: Record, calls: Mapping[str, Record]) -> str:
        """What a record shows; empty for one that shows nothing."""
        match record["event"]:
            case "invoke" if record["op"] not in self.answered:
                return f"{self._why(record['op'])}{call(record)} ..."
            case "result":
                op = record["op"]
                filtered = _ROUTES.get(record.get("route", "live"), " (as of its place in the order)")
                return f"{self._why(op)}{call(calls[op])} → {outcome(record)}{filtered}"
            case "notify":
                news = "is cancelled" if record["cancelled"] else f"is now {outcome(record)}"
                return f"{call(calls[record['op']])} {news}"
            case "judge":
                return {"keep": "judges the notice: what it did stands"}.get(
                    record["decision"], f"judges the notice: {record['decision']}"
                )
            case "repair" if record["action"] == "retract":
                return f"repair: takes back {call(calls[record['op']])}"
            case "undo":
                return f"undone: {call(calls[record['op']])}"
            case "inherit":
                return f"taken out: {call(calls[record['op']])}, from under {call(calls[record['heir']])}"
            case "redo":
                return f"redone: {call(calls[record['op']])} → {outcome(record)}"
            case "mask":
                return f"kept back: {call(calls[record['op']])}, covered by {call(calls[record['by']])}"
            case "cancel":
                return f"cancelled: {call(calls[record['op']])}, by {call(calls[record['by']])}"
            case _:
                return self._agent_text(record, calls)

    def _agent_text(self, record: Record, calls: Mapping[str, Record]) -> str:
        agent = (record.get("agent"), record["at"])
        match record["event"]:
            case "launch" if record["at"]:
                return "joins, last in the order"
            case "hold":
                held = call(record) if "tool" in record else "its report"
                return f"held: {held}, for a notice came first"
            case "park":
                return f"waits with {call(calls[record['op']])}"
            case "finish":
                then = ", commits" if agent in self.committed else ""
                return f"reports {_brief(show(frozen(record['report'])))}{then}"
            case "merge" if record["conflicts"]:
                return f"merges its fork: conflict at {', '.join(record['conflicts'])}"
            case "merge":
                return f"merges its fork: {', '.join(record['wrote']) or 'nothing changed'}"
            case "commit" if agent not in self.finished:
                return "commits"
            case "abort" if agent not in self.given_up:
                return f"aborts and starts again ({record['because']})"
            case "give-up" if record["because"] == "died":
                return "dies"
            case "give-up":
                return f"gives up ({record['because']})"
            case _:
                return ""

    def _why(self, op: str) -> str:
        return "repair: " if op in self.repairs else ""


def call(record: Record) -> str:
    """A call as an `invoke` or `hold` record has it, in words: `put x 2`."""
    args = record.get("args", {}).items()
    words = (value if _is_path(name, value) else show(frozen(value)) for name, value in args)
    return _brief(" ".join([record["tool"], *words]))


def outcome(record: Record) -> str:
    """A result as a record has it: the value, or how it failed."""
    value = show(frozen(record["value"]))
    match record["status"]:
        case "ok":
            return "ok" if record["value"] == "ok" else _brief(value)
        case "failed":
            return f"failed: {_brief(str(record['value']))}"
        case _:
            return "no answer"


def _is_path(name: str, value: object) -> bool:
    return name in ("path", "to") and isinstance(value, str)


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _ending(history: History) -> str:
    end = history.end
    if end["quiescent"]:
        return f"{_time(end['at'])} quiescent: everyone has committed or given up, and nothing is under way"
    return f"{_time(end['at'])} stopped before quiescence: nothing is promised of what is there"


def _time(at: float) -> str:
    return f"{at:8.1f} s"


def _in_lanes(history: History, names: list[str], width: int) -> Iterator[str]:
    each = (width - _CLOCK) // len(names) - 1
    yield " " * _CLOCK + " ".join(_fit(f"{name} (rank {index})", each) for index, name in enumerate(names, 1)).rstrip()
    late = {record["agent"] for record in history.of("launch") if record["at"]}
    marks, last = {name: "" if name in late else "┊" for name in names}, None
    for record, row in rows(history):
        _mark(marks, record)
        if row is None:
            continue
        clock = _time(row.at) if row.at != last else ""
        last = row.at
        for cells in _cells(row, names, marks, each):
            yield (f"{clock:<{_CLOCK}}" + "".join(cells)).rstrip()
            clock = ""


def _cells(row: Row, names: list[str], marks: Mapping[str, str], each: int) -> Iterator[list[str]]:
    """The lines that a row takes, as one text a lane."""
    if row.source is not None and row.source in names and row.source != row.agent:
        yield _arrow(row, names, marks, each)
    texts = textwrap.wrap(row.text, each - 2, break_on_hyphens=False) or [""]
    for number, text in enumerate(texts):
        head = "  " if number else ("! " if row.source else "● ")
        yield [_fit(head + text if name == row.agent else marks[name], each) + " " for name in names]


def _arrow(row: Row, names: list[str], marks: Mapping[str, str], each: int) -> list[str]:
    """The line of a notice: an arrow from its cause's lane into its receiver's."""
    start, end = names.index(row.source), names.index(row.agent)
    cells = [_fit(marks[name], each) + " " for name in names]
    if start < end:
        cells[start] = "● notice " + "─" * (each - 8)
        cells[end] = _fit("▶", each) + " "
    else:
        cells[start] = _fit("── notice ●", each) + " "
        cells[end] = _fit("◀", each + 1).replace(" ", "─")
    for between in range(min(start, end) + 1, max(start, end)):
        cells[between] = "─" * (each + 1)
    return cells


def _in_one_column(history: History, names: list[str], width: int) -> Iterator[str]:
    longest = min(max(map(len, names)), 20)
    last = None
    for _, row in rows(history):
        if row is None:
            continue
        clock = _time(row.at) if row.at != last else ""
        last = row.at
        text = row.text if row.source is None else f"◀ notice from {row.source}: {row.text}"
        head = f"{clock:<{_CLOCK}}{_fit(row.agent, longest)}  "
        under = " " * len(head)
        yield from textwrap.wrap(text, width, initial_indent=head, subsequent_indent=under, break_on_hyphens=False)


def _mark(marks: dict[str, str], record: Record) -> None:
    """Keep what each lane shows beside the others' rows: whether its agent thinks, waits, or is done."""
    match record["event"]:
        case "infer":
            marks[record["agent"]] = "┃"
        case "launch" | "inferred":
            marks[record["agent"]] = "┊"
        case "commit" | "give-up":
            marks[record["agent"]] = ""


def _fit(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else text[: width - 1] + "…"
