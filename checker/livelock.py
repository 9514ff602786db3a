"""Finds livelock in a run that did not end: a chain of notices and repairs that keeps coming back to where it began.

Looks at who was told because of what, and at which repair followed. With one-way notices every link
goes to a higher position, so that no chain can return (P1 section 4.5): a return is proof that some notice
went down. That the run would never have ended is not proved by a record that stops, so this is no verdict.
"""

from collections import Counter
from dataclasses import dataclass

from checker.anomaly import Anomaly, local
from checker.effective import Reduced
from checker.told import nth
from coagent.history import History
from coagent.operation import Position

ROUNDS = 3
"""How often a chain has to come back to one position before it counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Link:
    """One notice: at which record, to which agent, about which position, and which notice led to it."""

    record: int
    agent: str
    op: str
    position: Position
    before: "_Link | None"


def livelock(history: History, run: Reduced) -> list[Anomaly]:
    """The livelock of a run that did not reach quiescence, if its last notices show one."""
    if history.end["quiescent"]:
        return []
    for link in _last_notices(history, run):
        chain = []
        while link:
            chain.append(link)
            link = link.before
        (position, rounds), *_ = Counter(one.position for one in chain).most_common(1)
        if rounds > ROUNDS:
            return [_told(run, chain[::-1], position, rounds)]
    return []


def _last_notices(history: History, run: Reduced) -> list[_Link]:
    """The last notice to each agent, with the chain that led to it."""
    waiting: dict[str, _Link] = {}
    consumed: dict[str, _Link] = {}
    led: dict[str, _Link | None] = {}
    last: dict[str, _Link] = {}
    for number, record in history.numbered():
        match record["event"]:
            case "notify":
                before = led.get(record["cause"])
                op, agent = record["op"], record["agent"]
                link = _Link(record=number, agent=agent, op=op, position=run.positions[op], before=before)
                waiting[agent] = last[agent] = link
            case "consume" if record["agent"] in waiting:
                consumed[record["agent"]] = waiting.pop(record["agent"])
            case "repair":
                led[record.get("by", record["op"])] = consumed.get(record["agent"])
    return [*last.values()]


def _told(run: Reduced, chain: list[_Link], position: Position, rounds: int) -> Anomaly:
    back = [one for one in chain if one.position == position]
    round_ = chain[chain.index(back[0]) : chain.index(back[1])]
    names = dict.fromkeys(run.owner[one.op] for one in round_)
    links = ", then ".join(f"{one.agent} about {one.op} (record {nth(one.record)})" for one in round_)
    why = (
        f"a notice told {links}, each after a repair of the one before, and so round {rounds - 1} times "
        f"up to record {nth(back[-1].record)}: a livelock"
    )
    return local("livelock", names, [why])
