"""The whole state space of a small world as one picture: a dot for each state, an arrow for each choice, ends judged.

States are those of `coagent.explore`, told apart in the same way. Draws what the search found and decides nothing.
"""

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from coagent.bad_input import BadInput
from coagent.canonical import nameless
from coagent.explore import Ending, ending
from coagent.exploring import Promise
from coagent.notebook import theme
from coagent.part import Opaque
from coagent.recording import Tally
from coagent.reduction import Unsound
from coagent.state_space import Merging, Plain, StateSpace
from coagent.world import Choice, Setting, World, opened

MOST_STATES = 300
"""States up to which a picture can be read."""

COLUMN, ROW, SIDE, TOP, ENDS = 58, 34, 30, 62, 300
"""Pixels: between columns and rows, at the left, above, and for the words at the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An arrow: from state to state by number, whose doing it is, in words, and whether a notice goes out."""

    source: int
    target: int
    agent: str
    says: str
    notice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateGraph:
    """All states of a world, by number from 0, the start. `depths` are choices from there; `ends` says of each state
    that is one how the run ended and whether the protocol promises that (None: cannot tell)."""

    setting: Setting
    depths: tuple[int, ...]
    schedules: tuple[tuple[int, ...], ...]
    ways: tuple[Way, ...]
    ends: dict[int, tuple[Ending, bool | None]]

    def __len__(self) -> int:
        return len(self.depths)

    def __repr__(self) -> str:
        name, rule = self.setting.workload.name, self.setting.protocol.name
        return f"{name} under {rule}: {len(self)} states, {len(self.ways)} choices, {len(self.ends)} ends"

    def svg(self) -> str:
        """The picture, an SVG document. Same world, same bytes."""
        return _picture(self)

    def _repr_svg_(self) -> str:
        return self.svg()


def state_graph(setting: Setting, *, most: int = MOST_STATES) -> StateGraph:
    """Every state of a world and how each is reached. Raises BadInput when there are more than `most`."""
    if nameless(setting):
        try:
            return _searched(setting, Merging(setting), most)
        except (Unsound, Opaque):
            pass
    return _searched(setting, Plain(), most)


def _searched(setting: Setting, merging: Merging | Plain, most: int) -> StateGraph:
    space = StateSpace(merging, max_states=most)
    space.enter(opened(setting, recorder=Tally()))
    promise = Promise(setting.workload, setting.protocol.promises)
    ways: dict[tuple[int, int, str], Way] = {}
    ends: dict[int, tuple[Ending, bool | None]] = {}
    while (met := space.next()) is not None:
        number, world, moves = met
        if not moves:
            found = ending(world, space.schedule(number))
            ends[number] = (found, promise.judge(found).right)
            continue
        space.expand(number, world, moves)
        if space.left:
            raise BadInput(
                f"{setting.workload.name} has more than {most} states, too many to draw; explore counts them"
            )
        for edge in space.edges[number]:
            choice = moves[edge.indexes[0]][0]
            agent, says = _said(choice, world)
            ways[number, edge.target, agent] = Way(
                source=number, target=edge.target, agent=agent, says=says, notice=edge.notice
            )
    merging.check(space)
    return StateGraph(
        setting=setting,
        depths=tuple(space.depths),
        schedules=tuple(space.schedule(number) for number in range(space.states)),
        ways=tuple(ways[key] for key in sorted(ways)),
        ends=ends,
    )


def _said(choice: Choice, world: World) -> tuple[str, str]:
    """Whose doing a choice is, and what it is in words."""
    if choice.of_agent:
        return choice.name, f"{choice.name} is launched" if choice.act == "launch" else f"{choice.name} has thought"
    agent = choice.name.split(".")[0]
    agent = agent if agent in world.actors else world.order[0]
    return agent, f"{choice.act} {choice.name}"


def _columns(graph: StateGraph) -> list[int]:
    """A column for each state, so that arrows go to the right, ends in the last; where ways lead back, by depth."""
    column = [0] * len(graph)
    for _ in range(len(graph)):
        moved = False
        for way in graph.ways:
            if column[way.target] <= column[way.source]:
                column[way.target], moved = column[way.source] + 1, True
        if not moved:
            return [max(column) if number in graph.ends else at for number, at in enumerate(column)]
    return list(graph.depths)


def _places(graph: StateGraph) -> dict[int, tuple[float, float]]:
    """Where each state is drawn: in its column by the middle of those that it comes from."""
    columns: dict[int, list[int]] = defaultdict(list)
    for number, column in enumerate(_columns(graph)):
        columns[column].append(number)
    before: dict[int, list[int]] = defaultdict(list)
    for way in graph.ways:
        before[way.target].append(way.source)
    height = max(map(len, columns.values()))
    found: dict[int, tuple[float, float]] = {}
    for place, column in enumerate(sorted(columns)):
        names = columns[column]
        middle = {name: _mean([found[one][1] for one in before[name] if one in found]) for name in names}
        names.sort(key=lambda name: (middle[name], name))
        first = TOP + ROW * ((height - len(names)) / 2 + 0.5)
        found.update({name: (SIDE + COLUMN * place, first + ROW * at) for at, name in enumerate(names)})
    return found


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _picture(graph: StateGraph) -> str:
    places = _places(graph)
    right = max(x for x, _ in places.values())
    width = max(right + ENDS, SIDE + 9.2 * len(repr(graph)), SIDE + 6.7 * len(_caption(graph)))
    height = max(y for _, y in places.values()) + ROW + 46
    lane = {name: place for place, name in enumerate(one.name for one in graph.setting.workload.agents)}
    body = [
        _words(SIDE - 10, 26, repr(graph), "ink", bold=True, size=15),
        _words(SIDE - 10, 45, _caption(graph), "muted"),
    ]
    body += [_arrow(way, places, lane[way.agent]) for way in graph.ways]
    for number, (x, y) in places.items():
        body += _state(graph, number, x, y)
    body += _legend(graph, height - 22)
    style = theme.css(".coagent-states")
    font = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="coagent-states" role="img" {size} {font} font-size="12">',
            f"<title>{escape(repr(graph))}</title><style>{style}</style>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="var(--coagent-paper)"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _caption(graph: StateGraph) -> str:
    setting = graph.setting
    notices = sum(way.notice for way in graph.ways)
    told = f"; {notices} of the choices send a notice" if notices else "; no choice sends a notice"
    return f"state_graph({setting.workload.name!r}, {setting.protocol.name!r}), every schedule, simulated agents{told}"


def _arrow(way: Way, places: dict[int, tuple[float, float]], lane: int) -> str:
    (x1, y1), (x2, y2) = places[way.source], places[way.target]
    colour = "--coagent-notice" if way.notice else theme.rank_variable(lane)
    # Who acts is told by the dashes as well as by the colour.
    dash = ("", "5 3", "2 3", "7 2 2 2")[lane % 4]
    if x2 <= x1:
        bend = f"M{x1:.0f} {y1:.0f} C{x1 + 30:.0f} {y1 - 40:.0f} {x2 - 30:.0f} {y2 - 40:.0f} {x2:.0f} {y2:.0f}"
    else:
        middle = (x1 + x2) / 2
        bend = f"M{x1:.0f} {y1:.0f} C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    style = f'fill="none" stroke="var({colour})" stroke-width="{2.6 if way.notice else 1.5}" stroke-dasharray="{dash}"'
    return f'<path d="{bend}" {style}><title>{escape(way.says)}</title></path>'


def _state(graph: StateGraph, number: int, x: float, y: float) -> list[str]:
    found = graph.ends.get(number)
    schedule = ",".join(map(str, graph.schedules[number])) or "the start"
    if found is None:
        tone = "ink" if number == 0 else "muted"
        return [
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="var(--coagent-{tone})"><title>{schedule}</title></circle>'
        ]
    one, right = found
    tone, sign = {True: ("good", "✓"), False: ("bad", "✗"), None: ("doubt", "?")}[right]
    state = ", ".join(f"{path} = {value}" for path, value in one.final_state.items())
    words = f"{sign} {state if len(state) < 40 else state[:38] + ' …'}"
    ring = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="8" fill="var(--coagent-paper)" stroke="var(--coagent-{tone})"'
    return [
        f'{ring} stroke-width="3"><title>{schedule}</title></circle>',
        _words(x + 16, y + 4, words, tone, bold=True),
    ]


def _legend(graph: StateGraph, y: float) -> list[str]:
    found, x = [], float(SIDE - 10)
    for lane, one in enumerate(graph.setting.workload.agents):
        dash = ("", "5 3", "2 3", "7 2 2 2")[lane % 4]
        line = f'<path d="M{x:.0f} {y:.0f} h26" stroke="var({theme.rank_variable(lane)})" stroke-width="2"'
        found += [f'{line} stroke-dasharray="{dash}"/>', _words(x + 32, y + 4, f"{one.name} acts", "muted")]
        x += 52 + 7 * (len(one.name) + 5)
    if any(way.notice for way in graph.ways):
        found.append(f'<path d="M{x:.0f} {y:.0f} h26" stroke="var(--coagent-notice)" stroke-width="2.6"/>')
        found.append(_words(x + 32, y + 4, "a notice goes out", "muted"))
        x += 160
    return [*found, _words(x, y + 4, "rings are ends: ✓ as promised, ✗ not", "muted")]


def _words(x: float, y: float, text: str, tone: str, *, bold: bool = False, size: int = 12) -> str:
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{x:.0f}" y="{y:.0f}" font-size="{size}"{weight}'
    return f'<text {where} fill="var(--coagent-{tone})">{escape(text)}</text>'
