"""Draws a run as one static SVG: the time line in bands, the precedence graph of its verdict, the legend, the caption.

It stands in wherever widgets do not run, so it carries its own palettes, and a caption to find the run again.
"""

from collections.abc import Iterable, Iterator
from html import escape

from checker.verdict import Verdict
from coagent.notebook import theme
from coagent.notebook.graph import LONGEST, RADIUS, Graph
from coagent.notebook.layout import COLUMN, LEFT, MOST_LANES, Band, Sheet, seconds_marks, sheet
from coagent.notebook.replay import Replay

FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""


def picture(run: Replay, verdict: Verdict | None = None, graph: Graph | None = None) -> str:
    """The whole picture, an SVG document. Same run, same bytes."""
    plan = sheet(run)
    body = [*_title(run), *_bands(run, plan)]
    y = plan.below
    if plan.left_out:
        body.append(
            _text(LEFT, y + 6, f"... and {plan.left_out:,} more steps; open the run to step through them", "muted")
        )
        y += 22
    body += _legend(run, plan, y + 14)
    y += 14 + 20 * (1 + len(_legend_kinds(run)) // 6)
    width = plan.width
    if verdict is not None:
        lines = [line for sentence in verdict.sentences() for line in _wrapped(sentence, int((width - 48) / 6.6))]
        tone = {"ok": "good", "violated": "bad"}.get(verdict.verdict, "doubt")
        for place, line in enumerate(lines[:8]):
            body.append(_text(24, y + 18 + 18 * place, line, tone if place == 0 else "ink", bold=place == 0))
        y += 18 * len(lines[:8]) + 10
    if graph is not None and graph.nodes:
        body.append(f'<g transform="translate(24 {y:.0f})">{"".join(_graph(graph))}</g>')
        y += graph.height
        width = max(width, graph.width + 48)
    return _document(width, y + 16, body)


def _document(width: float, height: float, body: Iterable[str]) -> str:
    style = theme.css(".coagent-figure")
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="coagent-figure" role="img" {size} {FONT} font-size="12">',
            f"<style>{style}</style><defs>{theme.PATTERNS}{theme.HEADS}</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="var(--coagent-paper)"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _text(
    x: float,
    y: float,
    words: str,
    tone: str = "ink",
    *,
    anchor: str = "start",
    bold: bool = False,
    size: int = 12,
    halo: bool = False,
) -> str:
    colour = tone if tone.startswith("--") else f"--coagent-{tone}"
    weight = ' font-weight="600"' if bold else ""
    if halo:
        weight += ' stroke="var(--coagent-paper)" stroke-width="4" paint-order="stroke" stroke-linejoin="round"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="var({colour})" text-anchor="{anchor}" font-size="{size}"{weight}>'
        f"{escape(words)}</text>"
    )


def title(run: Replay) -> str:
    """What the run is, in a line."""
    header = run.history.header
    return f"{header['workload']} under {header['protocol']}"


def subtitle(run: Replay) -> str:
    """Where the run comes from and how long it is, in a line: enough to run it again."""
    header = run.history.header
    schedule = header["schedule"]
    if isinstance(schedule, list):
        schedule = ",".join(map(str, schedule[:24])) + (",..." if len(schedule) > 24 else "") or "0"
    count = f"{run.operations:,} operation{'' if run.operations == 1 else 's'}, {len(run):,} steps"
    agents = "simulated agents" if header["simulated"] else "live agents"
    return f"schedule {schedule}, seed {header['seed']}; {agents}; {count}"


def _title(run: Replay) -> Iterator[str]:
    yield _text(24, 26, title(run), bold=True, size=15)
    yield _text(24, 45, subtitle(run), "muted")


def _bands(run: Replay, plan: Sheet) -> Iterator[str]:
    ats = [frame.at for frame in run.frames]
    for band in plan.bands:
        yield from _frame(run, plan, band, ats)
        for one in run.stretches:
            if one.lane < plan.lanes and band.holds(one.first, one.last):
                yield stretch(one.kind, one.lane, band.x(one.first), band.x(one.last), plan.y(band, one.lane))
        for one in run.arrows:
            if band.holds(one.step) and max(one.source, one.target) < plan.lanes:
                yield arrow(band.x(one.step), plan.y(band, one.source), plan.y(band, one.target))
        for one in run.marks:
            if one.lane < plan.lanes and band.holds(one.step):
                yield mark(one.kind, one.lane, band.x(one.step), plan.y(band, one.lane))
                if one.kind in ("read", "write", "repair"):
                    y = plan.y(band, one.lane) - 13
                    yield _text(band.x(one.step), y, brief(one.op), anchor="middle", size=10)


def _frame(run: Replay, plan: Sheet, band: Band, ats: list[float]) -> Iterator[str]:
    right = LEFT + (band.last - band.first) * COLUMN
    for lane, name in enumerate(run.agents[: plan.lanes]):
        y = plan.y(band, lane)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="var(--coagent-line)"/>'
        yield _text(LEFT - 14, y - 1, cut(name, 11), theme.rank_variable(lane), anchor="end", bold=True)
        yield _text(LEFT - 14, y + 13, f"rank {lane + 1}", "muted", anchor="end", size=10)
    bottom = plan.y(band, plan.lanes - 1) + 29
    yield f'<line x1="{LEFT}" y1="{bottom:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="var(--coagent-faint)"/>'
    for step, text in seconds_marks(ats, band):
        x = band.x(step)
        yield f'<line x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{bottom + 4:.1f}" stroke="var(--coagent-faint)"/>'
        yield _text(x, bottom + 15, text, "muted", anchor="middle", size=10)
    yield _text(LEFT - 14, bottom + 15, "seconds", "muted", anchor="end", size=10)
    hidden = len(run.agents) - plan.lanes
    if hidden and band.first == 0:
        yield _text(LEFT, band.y + 12, f"the first {MOST_LANES} of {len(run.agents)} agents", "muted", size=11)


def stretch(kind: str, lane: int, left: float, right: float, y: float) -> str:
    """A stretch on a lane, its colour and its pattern."""
    above, height = theme.STRETCHES[kind]
    box = f'x="{left:.1f}" y="{y + above:.1f}" width="{max(right - left, 3):.1f}" height="{height}"'
    colour = theme.rank_variable(lane)
    match kind:
        case "inference":
            return f'<rect {box} rx="4" fill="var({colour})" fill-opacity="0.2"/>'
        case "judging":
            plain = f'<rect {box} rx="4" fill="var({colour})" fill-opacity="0.2"/>'
            return plain + f'<rect {box} rx="4" fill="url(#coagent-judging)" stroke="var(--coagent-notice)"/>'
        case "tool":
            return f'<rect {box} fill="var({colour})"/>'
        case "parked":
            return f'<rect {box} fill="url(#coagent-parked)" stroke="var(--coagent-faint)"/>'
        case _:
            return f'<rect {box} fill="url(#coagent-{kind})" stroke="var(--coagent-notice)" stroke-width="0.6"/>'


def mark(kind: str, lane: int, x: float, y: float) -> str:
    """A mark on a lane: its shape, its colour."""
    path, filled = theme.GLYPHS[kind]
    colour = f"--coagent-{theme.FIXED[kind]}" if kind in theme.FIXED else theme.rank_variable(lane)
    fill = f"var({colour})" if filled else "var(--coagent-paper)" if path.endswith("Z") else "none"
    y += theme.RAISED.get(kind, 0)
    return (
        f'<path d="{path}" transform="translate({x:.1f} {y:.1f})" fill="{fill}" stroke="var({colour})" '
        f'stroke-width="1.5" stroke-linejoin="round"/>'
    )


def arrow(x: float, source: float, target: float) -> str:
    """A notice's arrow from lane to lane; to the same lane, a short one from above."""
    down = target >= source
    start, end = (source + 10, target - 11) if down else (source - 10, target + 11)
    if source == target:
        start, end = target - 26, target - 11
    return (
        f'<line x1="{x:.1f}" y1="{start:.1f}" x2="{x:.1f}" y2="{end:.1f}" stroke="var(--coagent-notice)" '
        'stroke-width="1.8" marker-end="url(#coagent-notice-head)"/>'
    )


def _legend_kinds(run: Replay) -> list[str]:
    kinds = {one.kind for one in (*run.stretches, *run.marks)} | ({"notice"} if run.arrows else set())
    return [kind for kind in theme.WORDS if kind in kinds]


def _legend(run: Replay, plan: Sheet, y: float) -> Iterator[str]:
    each = (plan.width - 48) / 6
    for place, kind in enumerate(_legend_kinds(run)):
        x, line = 24 + each * (place % 6), y + 20 * (place // 6)
        yield sign(kind, x + 10, line)
        yield _text(x + 24, line + 4, theme.WORDS[kind], "muted", size=11)


def sign(kind: str, x: float, y: float) -> str:
    """What stands for a kind in a legend, about a point."""
    if kind in theme.STRETCHES:
        above, height = theme.STRETCHES[kind]
        return stretch(kind, 0, x - 9, x + 9, y - above - height / 2)
    if kind == "notice":
        return (
            f'<line x1="{x}" y1="{y - 8}" x2="{x}" y2="{y + 8}" stroke="var(--coagent-notice)" stroke-width="1.8" '
            'marker-end="url(#coagent-notice-head)"/>'
        )
    scale = 0.8 if kind == "commit" else 1
    y -= theme.RAISED.get(kind, 0) * scale
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({scale})">{mark(kind, 0, 0, 0)}</g>'


def _graph(graph: Graph) -> Iterator[str]:
    for one in graph.edges:
        yield edge(one.edge.kind, one.arc, one.witness)
        tone = f"--coagent-edge-{one.edge.kind}" if one.edge.kind in theme.DASHES else "muted"
        yield _text(one.x, one.y, one.label, tone, anchor="middle", size=10, bold=one.witness, halo=True)
    for place, (name, x) in enumerate(graph.nodes):
        colour = theme.rank_variable(place)
        box = f'x="{x - graph.half:.1f}" y="{graph.line - RADIUS:.1f}" width="{2 * graph.half:.1f}"'
        yield (
            f'<rect {box} height="{2 * RADIUS}" rx="{RADIUS}" fill="var(--coagent-paper)" '
            f'stroke="var({colour})" stroke-width="2"/>'
        )
        yield _text(x, graph.line + 4, cut(name, LONGEST), colour, anchor="middle", bold=True, size=11)


def edge(kind: str, arc: str, witness: bool) -> str:
    """An edge of the precedence graph; one of the witness is thick and has a halo."""
    known = kind in theme.DASHES
    colour = f"--coagent-edge-{kind}" if known else "--coagent-faint"
    head = f' marker-end="url(#coagent-{kind}-head)"' if known else ""
    dash = f' stroke-dasharray="{theme.DASHES[kind]}"' if theme.DASHES.get(kind) else ""
    halo = f'<path d="{arc}" fill="none" stroke="var(--coagent-marked)" stroke-width="11"/>' if witness else ""
    width = 3 if witness else 1.4
    return halo + f'<path d="{arc}" fill="none" stroke="var({colour})" stroke-width="{width}"{dash}{head}/>'


def brief(op: str) -> str:
    """An operation's name, without its agent's where that is long: the lane says whose it is."""
    return op if len(op) <= 5 else "." + op.rpartition(".")[2]


def cut(text: str, most: int) -> str:
    """A text, cut where it is longer than so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="    ", break_on_hyphens=False) or [""]
