"""The workloads by name: textbook anomalies, cells, and families of any size; what a name needs is imported with it."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.operation import Value
from coagent.program import steady
from coagent.workload import Invariant, Workload

CELLS = {
    "d1-client-for-customer": "d1_client_for_customer",
    "d2-total-of-rows": "d2_total_of_rows",
    "d3-see-section": "d3_see_section",
    "g1-rename-vs-new-caller": "g1_rename_vs_new_caller",
    "g2-same-migration-number": "g2_same_migration_number",
    "g3-swept-into-commit": "g3_swept_into_commit",
    "g4-version-and-changelog": "g4_version_and_changelog",
    "k1-canary-of-trial-image": "k1_canary_of_trial_image",
    "k2-canary-on-bad-image": "k2_canary",
    "k3-flag-blob": "k3_flag_blob",
    "k4-pdb-during-bluegreen": "k4_pdb_during_bluegreen",
    "k5-pin-vs-cordon": "k5_pin_vs_cordon",
    "o1-onboard-tentative-won": "o1_onboard_tentative_won",
    "o2-sick-cover-vs-away": "o2_sick_cover_vs_away",
    "o3-push-back-twice": "o3_push_back_twice",
    "o4-agenda-during-swap": "o4_agenda_during_swap",
    "o5-double-booked-slot": "o5_double_booked_slot",
    "x1-crossed-handover": "x1_crossed_handover",
    "x2-nag-on-stale-tasks": "x2_nag_on_stale_tasks",
    "x3-scale-restore-vs-double": "x3_scale_restore_vs_double",
    "x4-page-on-stale-binary": "x4_page_on_stale_binary",
}
"""Modules of this package, by the name of the workload that each builds."""

OFFICE = tuple(name for name in CELLS if name[0] == "o") + ("x1-crossed-handover", "x2-nag-on-stale-tasks")
"""The cells on the office's tables."""

GENERATED = "generated"
"""What the tables are called that need no folder."""

FAMILIES = {
    "slots": "slots",
    "blob": "blob",
    "balance": "balance",
    "chain": "chain",
    "ring": "ring",
    "pushes": "pushes",
    "readers": "readers",
    "disjoint": "disjoint",
    "late-joiner": "late_joiner",
    "dies": "dies",
}
"""Modules of the workloads that take a number of agents."""

SHORT = {
    "d1-client": "d1-client-for-customer",
    "d2-total": "d2-total-of-rows",
    "d3-section": "d3-see-section",
    "g1-rename": "g1-rename-vs-new-caller",
    "g2-migration": "g2-same-migration-number",
    "g3-swept": "g3-swept-into-commit",
    "g4-version": "g4-version-and-changelog",
    "k1-canary": "k1-canary-of-trial-image",
    "k2-canary": "k2-canary-on-bad-image",
    "k3-flag": "k3-flag-blob",
    "k4-pdb": "k4-pdb-during-bluegreen",
    "k5-pin": "k5-pin-vs-cordon",
    "o1-onboard": "o1-onboard-tentative-won",
    "o2-sick-cover": "o2-sick-cover-vs-away",
    "o3-push-back": "o3-push-back-twice",
    "o4-agenda": "o4-agenda-during-swap",
    "o5-double-booked": "o5-double-booked-slot",
    "x1-handover": "x1-crossed-handover",
    "x2-nag": "x2-nag-on-stale-tasks",
    "x3-scale": "x3-scale-restore-vs-double",
    "x4-page": "x4-page-on-stale-binary",
}
"""Full names by their short forms."""

AGENTS_MIN, AGENTS_MAX = 2, 64


def workload(
    name: str, *, agents: int | None = None, irrelevant: bool | None = None, tables: str = GENERATED
) -> Workload:
    """The workload of this name; `agents`, 2 to 64, is for a family.

    `irrelevant` says whether one agent also makes the write that lies in what others read and changes nothing that
    they see; None leaves that to the workload: families have it, cells have not, and the textbook's know none.
    `tables` is for the office's cells: `generated`, or a folder with WorkBench's CSV files.
    An agent whose program cannot go on says so in its report, and an end that its invariant has no words for breaks it.
    Raises BadInput for a name that there is not, for a number of agents that cannot be, for an irrelevant write in
    a workload of the textbook, and for tables that cannot be read.
    """
    more: dict[str, object] = {} if irrelevant is None else {"irrelevant": irrelevant}
    if tables != GENERATED and not Path(tables).is_dir():
        raise BadInput("there is no such folder; --tables names WorkBench's, or is generated", tables)
    if tables != GENERATED and SHORT.get(name, name) in OFFICE:
        more["folder"] = Path(tables)
    built = _built(name, agents, more)
    agents = tuple(replace(one, program=steady(one.program)) for one in built.agents)
    return replace(built, agents=agents, invariant=built.invariant and partial(_kept, built.invariant))


def _kept(invariant: Invariant, state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    try:
        return bool(invariant(state, reports))
    except BadInput:
        raise
    except (LookupError, TypeError, ValueError):
        return False


def _built(name: str, agents: int | None, more: Mapping[str, object]) -> Workload:
    full = SHORT.get(name, name)
    if full in FAMILIES:
        return _family(full, agents, more)
    if full not in CELLS and full not in _textbook_names():
        raise BadInput(f"no workload named {name!r};{_nearest(name)} `coagent list` names them all")
    if agents is not None:
        families = ", ".join(FAMILIES)
        raise BadInput(f"{name!r} has its own agents and takes no number of them; --agents is for {families}")
    if full in CELLS:
        return import_module(f"workloads.{CELLS[full]}").workload(**more)
    if more.get("irrelevant"):
        raise BadInput(f"{name!r} has no irrelevant write to add; cells and families have one")
    return import_module("workloads.textbook").workload(full)


def names() -> list[tuple[str, str]]:
    """Every full name, with the first sentence of its story."""
    return [(name, _first_sentence(workload(name).story)) for name in (*_textbook_names(), *CELLS, *FAMILIES)]


def _textbook_names() -> tuple[str, ...]:
    return import_module("workloads.textbook").NAMES


def _family(name: str, agents: int | None, more: Mapping[str, object]) -> Workload:
    module = import_module(f"workloads.{FAMILIES[name]}")
    if agents is None:
        return module.workload(**more)
    if not AGENTS_MIN <= agents <= AGENTS_MAX:
        raise BadInput(f"{name!r} is for {AGENTS_MIN} to {AGENTS_MAX} agents, and --agents says {agents}")
    return module.workload(agents, **more)


def _nearest(name: str) -> str:
    near = get_close_matches(name, [*_textbook_names(), *CELLS, *FAMILIES, *SHORT], n=1)
    return f" did you mean {near[0]!r}?" if near else ""


def _first_sentence(story: str) -> str:
    return story.split(". ", 1)[0].rstrip(".") + "."
