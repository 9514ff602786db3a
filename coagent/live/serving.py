"""Runs a service as its configuration says, until it is told to end: targets, journal, tools, agents and their tokens.

A journal that holds a run already is gone on with. What a name of tools means beyond the sets here, the caller says.
"""

import asyncio
import signal
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.admission import rank_for
from coagent.live.apart import check_apart
from coagent.live.gate import Bounds
from coagent.live.journal import Journal, journal_at
from coagent.live.limits import Limits
from coagent.live.opening import resumed, session
from coagent.live.service import serve
from coagent.live.session import Session
from coagent.live.target import Target
from coagent.live.targets import opened
from coagent.live.token import OPERATOR, TokenFolder, check_name
from coagent.protocols import protocol
from coagent.tool import Tool

ToolSet = Mapping[str, Tool]

SETS: Mapping[str, tuple[str, str]] = {
    "cells": ("coagent.tool", "TOOLS"),
    "git": ("coagent.live.targets.git_tool", "GIT_TOOLS"),
    "sql": ("coagent.live.targets.sql_tool", "SQL_TOOLS"),
    "kube": ("coagent.live.targets.kube_tool", "KUBE_TOOLS"),
    "office": ("coagent.live.targets.office_tool", "OFFICE_TOOLS"),
}
"""The sets of tools by name: where each is."""

_FIELDS: Mapping[str, type] = {
    "protocol": str,
    "journal": str,
    "name": str,
    "whole": bool,
    "tools": list,
    "target": list,
    "agents": dict,
    "limits": dict,
}
MOST_RANK = 2**53
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "a table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a configuration asks for. `agents` are ranks by name; `whole`: the history shows all the targets' cells."""

    journal: str
    targets: tuple[Mapping[str, object], ...]
    agents: Mapping[str, int]
    tools: tuple[str, ...] = ("cells",)
    protocol: str = "mtpo"
    name: str = "live"
    whole: bool = False
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)


def plan_of(file: str | Path) -> Plan:
    """The plan in a TOML file. Paths in it start where the command is run. Raises BadInput, with the file."""
    try:
        found = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"this is no TOML ({error}); see the README for a configuration", str(file)) from error
    except OSError as error:
        raise BadInput(f"the configuration cannot be read ({error.strerror}); check the name", str(file)) from error
    try:
        return _planned(found)
    except BadInput as error:
        raise BadInput(error.what, str(file)) from None


def _planned(found: Mapping[str, object]) -> Plan:
    for name, value in found.items():
        if name not in _FIELDS:
            raise BadInput(f"there is no setting {name!r}; there are {', '.join(_FIELDS)}")
        if type(value) is not _FIELDS[name]:
            raise BadInput(f"{name!r} has to be {_KINDS[_FIELDS[name]]}")
    for name, why in (("journal", "the file of the journal"), ("target", "at least one table [[target]]")):
        if not found.get(name):
            raise BadInput(f"{name!r} is missing; give {why}")
    _check_items(found)
    _check_agents(found.get("agents", {}))
    limits, bounds = _limits(found.get("limits", {}))
    given = {name: found[name] for name in ("protocol", "name", "whole") if name in found}
    return Plan(
        journal=found["journal"],
        targets=tuple(found["target"]),
        agents=found.get("agents", {}),
        tools=tuple(found.get("tools", ("cells",))),
        limits=limits,
        bounds=bounds,
        **given,
    )


def _check_items(found: Mapping[str, object]) -> None:
    for name, kind in (("tools", str), ("target", dict)):
        for number, one in enumerate(found.get(name, ()), 1):
            if type(one) is not kind:
                raise BadInput(f"item {number} of {name!r} has to be {_KINDS[kind]}")


def _check_agents(ranks: Mapping[str, object]) -> None:
    seen: dict[int, str] = {}
    for agent, rank in ranks.items():
        check_name(agent)
        if type(rank) is not int or not 0 < rank < MOST_RANK:
            raise BadInput(f"the rank of {agent!r} has to be a positive integer")
        if agent == OPERATOR:
            raise BadInput(f"an agent cannot be named {OPERATOR!r}; that is whose token launches agents")
        if seen.setdefault(rank, agent) != agent:
            raise BadInput(f"{seen[rank]!r} and {agent!r} have one rank, {rank}; every agent needs one of its own")


def _limits(found: Mapping[str, object]) -> tuple[Limits, Bounds]:
    """Both kinds of limits from one table, since no two have one name."""
    kinds = {one.name: (kind, one.type) for kind in (Limits, Bounds) for one in fields(kind)}
    for name, value in found.items():
        if name not in kinds:
            raise BadInput(f"there is no limit {name!r}; there are {', '.join(kinds)}")
        if type(value) not in (int, float) or value <= 0 or (kinds[name][1] is int and type(value) is not int):
            raise BadInput(f"the limit {name!r} has to be a positive number")
    of = {kind: {name: value for name, value in found.items() if kinds[name][0] is kind} for kind in (Limits, Bounds)}
    return Limits(**of[Limits]), Bounds(**of[Bounds])


def toolbox(names: tuple[str, ...], others: Callable[[str], ToolSet]) -> ToolSet:
    """The tools of these sets together; `others` gives those of a name that is no set's. Raises BadInput."""
    found: dict[str, Tool] = {}
    for name in names:
        module, tools = SETS.get(name, ("", ""))
        for tool in (getattr(import_module(module), tools) if module else others(name)).values():
            if found.setdefault(tool.name, tool) != tool:
                raise BadInput(f"two tools are named {tool.name!r}, one of them in {name!r}; leave one of the sets out")
    return found


@asynccontextmanager
async def run_of(
    plan: Plan, tools: ToolSet, targets: Sequence[Target], journal: Journal, own: object | None = None
) -> AsyncIterator[Session]:
    """The run that the journal holds, gone on with, or a new one; its agents are launched."""
    by = own or protocol(plan.protocol)
    known = {"tools": tools, "protocol": by, "journal": journal, "limits": plan.limits}
    new = {} if journal.head else {"name": plan.name, "whole": plan.whole, "more": {"tools": list(plan.tools)}}
    async with (resumed if journal.head else session)(*targets, **known, **new) as live:
        for name, rank in _joining(plan, live):
            await live.launch(name, rank)
        yield live


def _joining(plan: Plan, live: Session) -> list[tuple[str, int]]:
    """Who is to be launched, and the rank. Raises BadInput, before anybody is, where the journal says otherwise."""
    seats, found = live.ledger.seats, []
    for name, rank in sorted(plan.agents.items(), key=lambda one: one[1]):
        if name not in seats:
            rank_for(seats, name, rank)
            found.append((name, rank))
        elif seats[name].rank != (rank,):
            was = list(seats[name].rank)
            raise BadInput(f"{name} has rank {was} in the journal, and {rank} in the configuration; ranks stay")
    return found


async def serving(
    plan: Plan,
    folder: str | Path,
    *,
    others: Callable[[str], ToolSet],
    say: Callable[[str], None],
    own: object | None = None,
    **address: object,
) -> None:
    """Serve until the operator, Ctrl-C or SIGTERM says to end; effects under way are finished then.

    `own` is a protocol in the place of the one that the plan names.
    `folder` gets a file with a token for each agent and the operator, where there is none yet. `address`: see `serve`.
    """
    tools, targets = toolbox(plan.tools, others), [opened(spec) for spec in plan.targets]
    check_apart(plan.journal, targets)
    check_apart(folder, targets, "the folder of the tokens")
    tokens, journal = TokenFolder(folder), await journal_at(plan.journal)
    going_on = bool(journal.head)
    async with run_of(plan, tools, targets, journal, own) as live:
        for name in (OPERATOR, *live.ledger.seats):
            tokens.kept(name)
        async with serve(live, tokens=tokens, bounds=plan.bounds, **address) as served:
            loop = asyncio.get_running_loop()
            for one in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(one, served.stopping.set)
            say(f"serving at {served.url}: {'going on with the run in' if going_on else 'a new run in'} {plan.journal}")
            say(f"tokens are in {tokens.folder}: {OPERATOR}, {', '.join(live.ledger.seats) or 'no agents yet'}")
            await served.stopping.wait()
            if live.broken:
                raise BadInput(f"the run broke off: {live.broken}")
            say("ending: what is under way is finished")
