"""The README's picture: two agents and one misplaced write, drawn from a run under MTPO.

Left the time line with the notice and the repair, right the precedence edges before and after it.
`python -m paper_figures.misplaced_write` writes the SVG again; a test holds it to what runs.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from checker.effective import reduced
from checker.notified import check_history, edges_of
from coagent.history import History
from coagent.palette import EDGES, FAINT, INK, NOTICE, PAPER, of_rank
from coagent.protocols import protocol
from coagent.scenario import load_scenario_file
from coagent.simulate import Clock, simulate
from coagent.workload import from_scenario
from coagent.world import Setting

HERE = Path(__file__).parent
SCENARIO, PICTURE = HERE / "misplaced_write.json", HERE / "misplaced_write.svg"
WIDTH, HEIGHT, LEFT, SPAN = 960, 300, 60, 560
LANES = {"A": 95, "B": 190}


def run(name: str) -> History:
    """The scenario's history under a protocol, on the clock."""
    workload = from_scenario(load_scenario_file(SCENARIO))
    return simulate(Setting(workload=workload, protocol=protocol(name)), Clock(workload.cost.tool_s)).history


def picture() -> str:
    """The SVG, as text."""
    history, bare = run("mtpo"), run("naive")
    end = history.end["at"]
    body = [
        *_title(),
        *_axis(end),
        *_inferences(history, end),
        *_calls(history, end),
        *_notice(history, end),
        *_graph(bare, 690, "without the notice"),
        *_graph(history, 860, "at quiescence"),
    ]
    fonts = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    arrows = "".join(_arrowhead(name, colour) for name, colour in {**EDGES, "notice": NOTICE}.items())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {fonts}>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
            f"<defs>{arrows}</defs>",
            *body,
            "</svg>",
            "",
        ]
    )


def _arrowhead(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
    )


def _text(x: float, y: float, words: str, fill: str = INK, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" {more}/>'


def _x(at: float, end: float) -> float:
    return LEFT + SPAN * at / end


def _title() -> list[str]:
    bold = 'font-weight="bold" font-size="14"'
    return [
        _text(
            LEFT, 28, "MTPO, order A before B: A's write of x is late, B has read x already", anchor="start", more=bold
        ),
        _text(655, 28, "who must come before whom", anchor="start", more=bold),
        _line(632, 45, 632, 275, FAINT, 'stroke-dasharray="2 3"'),
    ]


def _axis(end: float) -> list[str]:
    marks = [_line(LEFT, 245, LEFT + SPAN, 245, FAINT)]
    for second in range(0, int(end) + 1, 2):
        at = _x(second, end)
        marks += [_line(at, 245, at, 249, FAINT), _text(at, 262, f"{second}", FAINT)]
    return [*marks, _text(LEFT + SPAN, 280, "seconds (simulated agents)", FAINT, "end")]


def _inferences(history: History, end: float) -> list[str]:
    shapes, began = [], {}
    for rank, (name, y) in enumerate(LANES.items(), 1):
        shapes.append(_text(LEFT - 18, y + 5, name, of_rank(rank), more='font-weight="bold" font-size="16"'))
        shapes.append(_line(LEFT, y, LEFT + SPAN, y, "#dddddd"))
    for record in history.of("infer", "inferred"):
        if record["event"] == "infer":
            began[record["agent"]] = record["at"]
            continue
        left, right = _x(began[record["agent"]], end), _x(record["at"], end)
        rank = list(LANES).index(record["agent"]) + 1
        shapes.append(
            f'<rect x="{left:.1f}" y="{LANES[record["agent"]] - 9}" '
            f'width="{max(right - left - 1.5, 1):.1f}" height="18" rx="4" '
            f'fill="{of_rank(rank)}" fill-opacity="0.18"/>'
        )
    return shapes


def _calls(history: History, end: float) -> list[str]:
    shapes = []
    invoked = {record["op"]: record for record in history.of("invoke")}
    rewrites = {record["by"]: record["op"] for record in history.of("repair")}
    for record in history.of("result"):
        call = invoked[record["op"]]
        x, y = _x(record["at"], end), LANES[record["agent"]]
        rank = list(LANES).index(record["agent"]) + 1
        args = call["args"]
        said = (
            f"reads {args['path']} = {record['value']}"
            if call["tool"] == "get"
            else f"writes {args['path']} = {args['value']}"
        )
        if record["op"] in rewrites:
            said = f"repairs: undo, {said.replace('writes ', '')}"
        shapes.append(f'<circle cx="{x:.1f}" cy="{y}" r="5.5" fill="{of_rank(rank)}"/>')
        shapes.append(_text(x, y - 18 if record["agent"] == "A" else y + 26, said, of_rank(rank)))
    for record in history.of("hold"):
        x = _x(record["at"], end)
        y = LANES[record["agent"]]
        shapes.append(
            f'<path d="M{x - 5:.1f} {y - 6} h10 v12 h-10 z" fill="{PAPER}" stroke="{NOTICE}" stroke-width="1.6"/>'
        )
        shapes.append(_text(x + 9, y - 14, "held, judges", NOTICE, "start"))
    for record in history.of("commit"):
        x, y = _x(record["at"], end), LANES[record["agent"]]
        shapes.append(_line(x, y - 11, x, y + 11, INK, 'stroke-width="2.5"'))
        shapes.append(_text(x, y - 18, "commits", INK, "middle" if x < LEFT + SPAN - 20 else "end"))
    return shapes


def _notice(history: History, end: float) -> list[str]:
    shapes = []
    for record in history.of("notify"):
        x = _x(record["at"], end)
        shapes.append(
            _line(x, LANES["A"] + 8, x, LANES["B"] - 11, NOTICE, 'stroke-width="1.8" marker-end="url(#notice)"')
        )
        shapes.append(
            _text(x + 7, (LANES["A"] + LANES["B"]) / 2 + 4, f"notice: x is now {record['value']}", NOTICE, "start")
        )
    return shapes


def _graph(history: History, x: float, says: str) -> list[str]:
    """The precedence edges of a run between A (above) and B (below), and the declared order's verdict on them."""
    shapes = []
    verdict = check_history(history, order="declared")
    for edge in edges_of(reduced(history)):
        down = edge.source == "A"
        start, stop = (LANES["A"] + 17, LANES["B"] - 19) if down else (LANES["B"] - 17, LANES["A"] + 19)
        dashes = "" if down else ' stroke-dasharray="5 3"'
        head = f'stroke-width="2" marker-end="url(#{edge.kind})"{dashes}'
        shapes.append(_line(x, start, x, stop, EDGES[edge.kind], head))
        shapes.append(_text(x + 9, 137, f"{edge.kind} on {edge.object}", EDGES[edge.kind], "start"))
        shapes.append(_text(x + 9, 152, "forward" if down else "backward", EDGES[edge.kind], "start"))
    for rank, (name, y) in enumerate(LANES.items(), 1):
        shapes.append(f'<circle cx="{x}" cy="{y}" r="15" fill="{PAPER}" stroke="{of_rank(rank)}" stroke-width="2"/>')
        shapes.append(_text(x, y + 5, name, of_rank(rank), more='font-weight="bold" font-size="14"'))
    good = verdict.verdict == "ok"
    shapes.append(_text(x + 10, 56, says, FAINT))
    shapes.append(
        _text(x + 10, 237, "✓ serial in the order" if good else "✗ not in the order", EDGES["wr" if good else "rw"])
    )
    state = ", ".join(f"{path} = {value}" for path, value in history.end["final_state"].items())
    shapes.append(_text(x + 10, 254, state, INK))
    return shapes


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    print(f"wrote {PICTURE.name}")
