"""What a notebook shows of a history, a world, a scenario or a report when a cell ends with one: small HTML, no script.

Decides nothing; everything that anybody wrote is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice

from checker.display import style
from coagent.history import History
from coagent.lanes import lanes
from coagent.operation import show
from coagent.scenario import Scenario, scenario_out
from coagent.world import World

MOST_LINES, MOST_CELLS = 40, 20
"""Lines of lanes and cells of a state that are shown; the rest is counted."""


def history_html(history: History) -> str:
    """A history: what it is of, its lanes (the first of them), and how to look closer."""
    header = history.header
    count = sum(record["event"] == "invoke" for record in history.records)
    head = f"{header['workload']} under {header['protocol']}"
    said = f"{len(header['agents'])} agents, {count:,} operations, {len(history):,} records"
    body = ""
    if history.records and history.records[-1]["event"] == "end":
        found = list(islice(lanes(history), MOST_LINES + 1))
        more = "\n..." if len(found) > MOST_LINES else ""
        body = f'<pre style="margin: 6px 0; line-height: 1.25">{escape(chr(10).join(found[:MOST_LINES]) + more)}</pre>'
    return _block(head, said, body + "<small><code>coagent.notebook.view(history)</code> steps through it.</small>")


def world_html(world: World) -> str:
    """A world: its agents, what its store holds, and what may happen next."""
    setting = world.setting
    agents = [
        (name, one.mode, str(one.attempt), ", ".join(entry.op for entry in one.log[-6:]))
        for name, one in ((name, world.actors[name]) for name in world.order)
    ]
    choices = world.choices()
    open_ = ", ".join(f"{place}: {one.act} {one.name}" for place, one in enumerate(choices)) or "none: the run is over"
    body = _table(("agent", "is", "attempt", "newest operations"), agents) + _state(world.final_state)
    said = f"choices: {open_}"
    return _block(f"{setting.workload.name} under {setting.protocol.name}", said, body)


def scenario_html(scenario: Scenario) -> str:
    """A scenario: its state, and each agent's steps as its file has them."""
    data = scenario_out(scenario)
    rows = [(one["name"], "; ".join(_step(step) for step in one["steps"])) for one in data["agents"]]
    return _block(scenario.name, scenario.story, _state(data["state"]) + _table(("agent, in pre-order", "steps"), rows))


def report_html(report: object) -> str:
    """What testing a protocol came to: its sentences, and how to step through the counterexample."""
    first, *rest = report.sentences()
    tone = {"acquitted": ("✓", "good"), "convicted": ("✗", "bad")}.get(report.verdict, ("?", "doubt"))
    lines = "".join(f"<li>{escape(line)}</li>" for line in rest)
    body = f'<ul style="margin: 4px 0; padding-left: 20px; overflow-wrap: anywhere">{lines}</ul>'
    if report.witness is not None:
        body += "<small><code>coagent.notebook.view(report)</code> steps through the counterexample.</small>"
    return _block(f"{tone[0]} {first}", "", body, tone[1])


def _step(step: Mapping[str, object]) -> str:
    """A step in words: the call and its path first."""
    parts = []
    for key, value in step.items():
        if isinstance(value, list):
            value = "[" + "; ".join(_step(one) for one in value) + "]"
        parts.append(f"{key} {value}")
    return " ".join(parts)


def _state(state: Mapping[str, object]) -> str:
    rows = [(path, show(value)) for path, value in islice(state.items(), MOST_CELLS)]
    more = len(state) - len(rows)
    return _table(("cell", "value"), rows) + (f"<small>and {more:,} more cells</small>" if more > 0 else "")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th style="text-align: left">{escape(one)}</th>' for one in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align: left">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    looks = "margin: 6px 0; font-size: inherit"
    return f'<table style="{looks}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _block(head: str, said: str, body: str, tone: str = "ink") -> str:
    under = f'<div style="color: var(--coagent-muted)">{escape(said)}</div>' if said else ""
    title = f'<b style="color: var(--coagent-{tone})">{escape(head)}</b>'
    return f'{style()}<div class="coagent-shown">{title}{under}{body}</div>'
