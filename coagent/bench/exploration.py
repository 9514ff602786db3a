"""Times the explorer on this machine, and counts the states that its reductions save.

CPU seconds of this process, collector off, the best of some repeats: what others do on the machine is not counted.
"""

import gc
from collections.abc import Iterable
from time import process_time

from coagent.bench.figure import Figure
from coagent.explore import Exploration, explore
from coagent.protocols import protocol
from coagent.scenario import parse_scenario
from coagent.workload import Workload, from_scenario
from coagent.world import Setting
from workloads import workload

TEXTBOOK = ("dirty-read", "lost-update", "read-skew", "write-skew", "phantom", "livelock", "unrecoverable-send")
TIMED = ("mtpo", "naive", "2pl")
COUNTED = ("mtpo", "naive", "2pl", "occ", "fork-merge")
REPEATS = 15
STEPS = ({"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"})


def exploration_figures(*, agents: int = 4, repeats: int = REPEATS, counted: Iterable[str] = COUNTED) -> list[Figure]:
    """All figures; one to three minutes with the defaults, most of it the plain search under `occ`."""
    figures = [_slowest(rule, repeats) for rule in TIMED]
    for rule in counted:
        figures += _saved(rule)
    took, found = timed(Setting(workload=increments(agents), protocol=protocol("mtpo")))
    what = f"{agents} increments by {agents} agents under mtpo, {found.states:,} states, {_whole(found)}"
    return [*figures, Figure(name=f"explore_{agents}_agents_s", value=round(took, 2), unit="s", of=what)]


def increments(agents: int) -> Workload:
    """Agents that each read x and put one more."""
    named = [{"name": "ABCDEF"[at], "steps": list(STEPS)} for at in range(agents)]
    data = {"name": f"{agents} increments", "state": {"x": 0}, "agents": named}
    return from_scenario(parse_scenario(data, "increments"))


def timed(setting: Setting, *, reduced: bool = True) -> tuple[float, Exploration]:
    """CPU seconds of an exploration, and what it found."""
    gc.collect()
    gc.disable()
    try:
        start = process_time()
        found = explore(setting, reduced=reduced, max_states=1_000_000)
        return process_time() - start, found
    finally:
        gc.enable()


def _slowest(rule: str, repeats: int) -> Figure:
    """States a second of the textbook world that goes slowest under a protocol, all states told apart."""
    rates = {}
    for name in TEXTBOOK:
        setting = Setting(workload=workload(name), protocol=protocol(rule))
        tries = [timed(setting, reduced=False) for _ in range(repeats)]
        rates[name] = max(found.states / took for took, found in tries)
    name = min(rates, key=rates.get)
    what = f"states under {rule}, all told apart, in the slowest two-agent textbook world ({name})"
    return Figure(name=f"explore_{rule}_states_per_s", value=round(rates[name]), unit="/s", of=what)


def _saved(rule: str) -> list[Figure]:
    """States of three identical agents with and without reduction, and how many times fewer."""
    setting = Setting(workload=increments(3), protocol=protocol(rule))
    (plain_s, plain), (reduced_s, reduced) = timed(setting, reduced=False), timed(setting)
    same = "the same endings" if _ends(plain) == _ends(reduced) else "OTHER endings"
    of = f"3 identical agents under {rule}, {{}}: {{:.2f}} s, {{}}"
    ratio = plain.states / reduced.states
    return [
        Figure(
            name=f"explore_{rule}_plain",
            value=plain.states,
            unit="states",
            of=of.format("no reduction", plain_s, _whole(plain)),
        ),
        Figure(
            name=f"explore_{rule}_reduced",
            value=reduced.states,
            unit="states",
            of=of.format("reduced, agents exchanged too" if reduced.alike else "reduced", reduced_s, same),
        ),
        Figure(name=f"explore_{rule}_ratio", value=round(ratio, 1), unit="x", of=f"fewer states under {rule}"),
    ]


def _whole(found: Exploration) -> str:
    if not found.complete:
        return f"{found.open:,} states open"
    return "1 ending" if len(found.endings) == 1 else f"{len(found.endings)} endings"


def _ends(found: Exploration) -> set[str]:
    return {repr((one.kind, one.final_state, one.reports, one.gave_up)) for one in found.endings}
