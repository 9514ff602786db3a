"""How long the live state of a recorded run showed an outside observer what no serial run ever shows, and where.

Reads the store's movements from the history and runs the agents' programs serially on a dictionary; asks neither the
protocol nor anybody's verdict. Before GlobalQuiet no protocol here promises an observer anything: this measures it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from checker.oracle import MAX_CALLS, Ledger
from coagent.bad_input import BadInput
from coagent.history import History, cell_in
from coagent.operation import Cell
from coagent.workload import Workload

MOST_AGENTS = 6
"""Agents up to which all serial orders are run, 720 of them."""

Cells = dict[str, Cell]
"""Cells by path; a path that is missing is absent, as an empty cell is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an observer outside could see of a run, in simulated seconds from launch to the end.

    `by_object` are the objects (paths) that showed a value which that object never has in a serial run, with for how
    long, most first; `object_s` is for how long at least one of them did. `state_s` is for how long all written objects
    together were in no state that a serial run passes through, between its calls: this is the stricter,
    as agents at work side by side on objects of their own are already in such a state. `seconds` is the length of
    the run, and `ends_serial` says whether the last state is the end of a serial run: where it is
    not, the exposure goes on for ever, and only its part up to the end is counted.
    """

    by_object: tuple[tuple[str, float], ...]
    object_s: float
    state_s: float
    seconds: float
    ends_serial: bool


def exposure(history: History, workload: Workload, *, order: str | None = None) -> Exposure:
    """The exposure of a run against the serial run in its pre-order (`declared`) or those in all orders (`any`).

    By default what the protocol promises. An effect whose answer was lost counts from when it was resolved. Raises
    BadInput for more than `MOST_AGENTS` agents in any order, and for an agent that never ends alone.
    """
    names = tuple(agent["name"] for agent in history.header["agents"])
    if (order or history.header["order"]) == "declared":
        orders = [names]
    elif len(names) <= MOST_AGENTS:
        orders = list(permutations(names))
    else:
        raise BadInput(
            f"exposure in any order runs all orders of the agents, and {len(names)} agents have too many; "
            f"ask for the declared one, or for at most {MOST_AGENTS} agents"
        )
    runs = [list(moments(workload, one)) for one in orders]
    shown = list(landings(history))
    written = {path for _, cells in shown[1:] for path in cells} | {path for run in runs for s in run[1:] for path in s}
    paths = sorted(written)
    serial = [list(_keys(run, paths)) for run in runs]
    states = {key for keys in serial for key in keys}
    values = {path: {key[at] for key in states} for at, path in enumerate(paths)}
    return _summed(shown, paths, values, states, {keys[-1] for keys in serial}, history.end["at"])


def moments(workload: Workload, order: Iterable[str]) -> Iterator[Cells]:
    """The movements of the state in the serial run in this order: all cells at the start, then what each call wrote.

    Raises BadInput when an agent makes more calls than the oracle allows.
    """
    programs = {one.name: one.program for one in workload.agents}
    ledger = Ledger(workload.state)
    yield dict(ledger.cells)
    for name in order:
        running, sent = programs[name](), None
        for _ in range(MAX_CALLS):
            try:
                call = running.send(sent).call
            except StopIteration:
                break
            sent, wrote = workload.tools[call.tool].exec(ledger, dict(call.args))
            if wrote:
                ledger.put(wrote)
                yield dict(wrote)
        else:
            raise BadInput(f"agent {name!r} makes {MAX_CALLS:,} calls alone without finishing; give its program an end")


def landings(history: History) -> Iterator[tuple[float, Cells]]:
    """The movements of the live store, (seconds, the cells as they are from then on), beginning with the start."""
    captured: dict[str, Cells] = {}
    yield 0.0, {path: cell_in({"value": value}) for path, value in history.header["state"].items()}
    for record in history.of("prepare", "exec", "redo", "undo", "inherit", "merge"):
        match record["event"]:
            case "prepare":
                captured[record["op"]] = {path: cell_in(one) for path, one in record["captured"].items()}
            case "exec" | "redo" | "merge":
                yield record["at"], {path: cell_in(one) for path, one in record["wrote"].items()}
            case "undo":
                yield record["at"], captured.pop(record["op"], {})
            case "inherit":
                below = captured.pop(record["op"])
                heir = captured[record["heir"]]
                captured[record["heir"]] = {path: below.get(path, cell) for path, cell in heir.items()}


def _summed(
    shown: list[tuple[float, Cells]],
    paths: list[str],
    values: Mapping[str, set[str]],
    states: set[tuple[str, ...]],
    ends: set[tuple[str, ...]],
    until: float,
) -> Exposure:
    by_object, object_s, state_s = dict.fromkeys(paths, 0.0), 0.0, 0.0
    sinces = [since for since, _ in shown]
    keys = list(_keys((cells for _, cells in shown), paths))
    for key, since, then in zip(keys, sinces, [*sinces[1:], until], strict=True):
        lasts = then - since
        astray = [path for path, one in zip(paths, key, strict=True) if one not in values[path]]
        for path in astray:
            by_object[path] += lasts
        object_s += lasts if astray else 0.0
        state_s += lasts if key not in states else 0.0
    most_first = sorted(by_object.items(), key=lambda item: (-item[1], item[0]))
    return Exposure(
        by_object=tuple((path, seconds) for path, seconds in most_first if seconds > 0),
        object_s=object_s,
        state_s=state_s,
        seconds=until,
        ends_serial=keys[-1] in ends,
    )


def _keys(moved: Iterable[Cells], paths: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The states after each movement, at these paths; as text, so that 1 is not true."""
    now: Cells = {}
    for cells in moved:
        now.update(cells)
        yield tuple(repr(now.get(path, ())) for path in paths)
