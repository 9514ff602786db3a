"""The workloads by name: textbook anomalies, cells, and families of any size; what a name needs is imported with it."""

from difflib import get_close_matches
from importlib import import_module

from coagent.bad_input import BadInput
from coagent.workload import Workload

CELLS = {"k2-canary-on-bad-image": "k2_canary", "o5-double-booked-slot": "o5_double_booked_slot"}
"""Modules of this package, by the name of the workload that each builds."""

FAMILIES = {"slots": "slots"}
"""Modules of the workloads that take a number of agents."""

SHORT = {"k2-canary": "k2-canary-on-bad-image", "o5-double-booked": "o5-double-booked-slot"}
"""Full names by their short forms."""

AGENTS_MIN, AGENTS_MAX = 2, 64


def workload(name: str, *, agents: int | None = None) -> Workload:
    """The workload of this name; `agents`, 2 to 64, is for a family.

    Raises BadInput for a name that there is not, and for a number of agents that cannot be.
    """
    full = SHORT.get(name, name)
    if full in FAMILIES:
        return _family(full, agents)
    if full not in CELLS and full not in _textbook_names():
        raise BadInput(f"no workload named {name!r};{_nearest(name)} `coagent list` names them all")
    if agents is not None:
        families = ", ".join(FAMILIES)
        raise BadInput(f"{name!r} has its own agents and takes no number of them; --agents is for {families}")
    if full in CELLS:
        return import_module(f"workloads.{CELLS[full]}").workload()
    return import_module("workloads.textbook").workload(full)


def names() -> list[tuple[str, str]]:
    """Every full name, with the first sentence of its story."""
    return [(name, _first_sentence(workload(name).story)) for name in (*_textbook_names(), *CELLS, *FAMILIES)]


def _textbook_names() -> tuple[str, ...]:
    return import_module("workloads.textbook").NAMES


def _family(name: str, agents: int | None) -> Workload:
    module = import_module(f"workloads.{FAMILIES[name]}")
    if agents is None:
        return module.workload()
    if not AGENTS_MIN <= agents <= AGENTS_MAX:
        raise BadInput(f"{name!r} is for {AGENTS_MIN} to {AGENTS_MAX} agents, and --agents says {agents}")
    return module.workload(agents)


def _nearest(name: str) -> str:
    near = get_close_matches(name, [*_textbook_names(), *CELLS, *FAMILIES, *SHORT], n=1)
    return f" did you mean {near[0]!r}?" if near else ""


def _first_sentence(story: str) -> str:
    return story.split(". ", 1)[0].rstrip(".") + "."
