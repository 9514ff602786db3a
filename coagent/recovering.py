"""Goes on with a live run that was cut short: finds what was half-done, finishes it, and says what it found.

Everything that it decides on is in the journal, and in the targets themselves.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from coagent import protocols
from coagent.bad_input import BadInput
from coagent.history import History
from coagent.live.joined import JoinedTarget
from coagent.live.journal import Journal, journal_at
from coagent.live.ledger import Ledger
from coagent.live.limits import PATIENCE, Limits
from coagent.live.opening import checked_head, history_of, known, resumed
from coagent.live.reaching import cells_of
from coagent.live.serving import toolbox
from coagent.live.session import Session
from coagent.live.targets import opened
from coagent.operation import same
from coagent.tool import Tool
from workloads import workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was found and done. `open_effects` were under way, each in words; `stuck` are those that a person has to
    see to, with the reason; `astray` are live cells that are not what the run left there (somebody else changed them);
    `agents` have not finished yet, with what each waits for."""

    history: History
    open_effects: tuple[str, ...]
    stuck: Mapping[str, str]
    astray: tuple[str, ...]
    agents: Mapping[str, str]

    @property
    def exit_code(self) -> int:
        """0: all is settled; 1: a person has to look."""
        return 1 if self.stuck or self.astray else 0

    def sentences(self) -> list[str]:
        """The answer, then what was found."""
        done = len(self.open_effects) - len(self.stuck)
        if not self.history.header["agents"]:
            return ["nothing to recover: the journal has a run's head, and not one record is in it"]
        answer = "recovered" if not self.exit_code else "a person has to look"
        found = [f"{answer}: {len(self.open_effects)} effects were under way, {done} of them are settled now"]
        found += [f"was under way: {one}" for one in self.open_effects]
        found += [f"stuck: {because}" for because in self.stuck.values()]
        found += [f"astray: {one}" for one in self.astray]
        found += [f"{name} {waits}" for name, waits in self.agents.items()]
        if not self.agents:
            found.append("every agent is done; the history is whole")
        return found

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {
            "settled": not self.exit_code,
            "under_way": list(self.open_effects),
            "stuck": dict(self.stuck),
            "astray": list(self.astray),
            "agents": dict(self.agents),
            "quiescent": self.history.end["quiescent"],
        }


def recover(where: str, *, protocol: object | None = None, limits: Limits = PATIENCE) -> Recovered:
    """Settle what a run left half-done, on the targets that its journal names.

    `protocol` is for a run under one of the user's own: a journal, which is a file like any other, names only those
    that come with coagent, and no code. The journal holds enough to go on from afterwards. Raises BadInput for what is
    no journal of a run, for targets that cannot be opened, and for a journal that another engine wrote.
    """
    return asyncio.run(_recover(where, protocol, limits))


async def _recover(where: str, own: object | None, limits: Limits) -> Recovered:
    journal = await journal_at(where, new=False)
    try:
        protocol, tools, target = parts(journal, own)
        before, _ = known(journal, protocol, tools)
    except BaseException:
        await journal.close()
        raise
    async with resumed(*target.targets, journal=journal, tools=tools, protocol=protocol, limits=limits) as live:
        await live.idle()
        return Recovered(
            history=await history_of(live),
            open_effects=tuple(_words(before, flight) for flight in before.flights),
            stuck=dict(live.stuck),
            astray=await astray(live),
            agents={name: _waits(seat.mode) for name, seat in live.ledger.seats.items() if seat.mode != "done"},
        )


def parts(journal: Journal, own: object | None = None) -> tuple[object, Mapping[str, Tool], JoinedTarget]:
    """Protocol (`own`, if it is given), tools and targets of the run that a journal holds. Raises BadInput."""
    head = checked_head(journal.head)
    return (
        own or _registered(head["protocol"]),
        toolbox(tuple(head.get("tools", ("cells",))), _tools_of),
        opened(head["target"]),
    )


def _registered(name: str) -> object:
    try:
        return protocols.protocol(name)
    except BadInput:
        raise BadInput(
            f"the journal's run is under {name!r}, which is none of coagent's protocols; if it is your own, say "
            "--protocol file.py:Name"
        ) from None


def _tools_of(name: str) -> Mapping[str, Tool]:
    """The tools of a workload; a journal, which is a file like any other, names nothing that is imported."""
    return workload(name).tools


async def astray(live: Session) -> tuple[str, ...]:
    """Where the live cells are not what the run's operations left: in words, by path."""
    expected = {path: cell for path, cell in live.ledger.start.items()}
    expected |= {path: held[0] for path, held in live.ledger.cells.items()}
    now = await cells_of(live.target, sorted(expected), live.actuator.limits) if expected else {}
    found = []
    for path, cell in sorted(expected.items()):
        there = (now[path],) if path in now else ()
        if not same(there, cell):
            found.append(f"{path} is {_shown(there)} and the run left {_shown(cell)}")
    return tuple(found)


def _words(ledger: Ledger, flight: object) -> str:
    how = "half-done or done" if flight.op in ledger.intents else "not begun"
    return f"{flight.act} {flight.op} ({flight.call}), {how}"


def _waits(mode: str) -> str:
    return {
        "inferring": "may go on: it has its last answer",
        "waiting": "waits for an answer",
        "resting": "has given its report, and waits for lower ranks",
    }[mode]


def _shown(cell: tuple) -> str:
    return repr(cell[0]) if cell else "absent"
