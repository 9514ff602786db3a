"""Who may join a live run, with which rank, and what an agent may say of which operations. Pure questions."""

import re
from collections.abc import Mapping

from coagent.bad_input import BadInput
from coagent.event import Event, Finished
from coagent.live.registry import BadCall, fit
from coagent.live.seat import Seat
from coagent.operation import Position
from coagent.program import Failure

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an agent may be called; names become parts of operations' names and of files."""

OPERATOR = "operator"
"""Nobody's name: who launches agents."""


def rank_for(seats: Mapping[str, Seat], name: str, rank: int | Position | None, *, ordered: bool = True) -> Position:
    """The rank of an agent that joins; None: above all who are there.

    `ordered`: the protocol promises the declared order, so that nobody may join below who is done. Raises BadInput for
    what is no name or rank, or is taken already.
    """
    taken = {seat.rank: seat.name for seat in seats.values()}
    if not isinstance(name, str) or not NAME.fullmatch(name) or name == OPERATOR:
        raise BadInput(f"{name!r} is no name for an agent; use up to 64 letters, digits, '-' and '_', not {OPERATOR!r}")
    wanted = _position(max((one[0] for one in taken), default=0) + 1 if rank is None else rank)
    if name in seats:
        raise BadInput(f"an agent {name!r} was launched already; names are not used twice")
    if wanted in taken:
        raise BadInput(f"rank {list(wanted)} is {taken[wanted]!r}'s; every agent needs a rank of its own")
    done = max((seat.rank for seat in seats.values() if seat.mode == "done"), default=())
    if ordered and wanted < done:
        raise BadInput(f"rank {list(wanted)} lies below {taken[done]!r}, which is done; take a rank above {list(done)}")
    return wanted


def _position(rank: object) -> Position:
    given = rank if isinstance(rank, tuple | list) else (rank,)
    if not given or not all(type(one) is int and one > 0 for one in given):
        raise BadInput(f"{rank!r} is no rank; give a positive integer, or several for a child, as (1, 5)")
    return tuple(given)


def check_act(seat: Seat, turn: int, what: Event) -> None:
    """Raises BadCall when an agent cannot end the inference of this turn so.

    It waits for an answer, or has acted on the turn already, or the event names an operation that is not its own, or
    a report that no history could hold.
    """
    if seat.mode != "inferring" or turn != seat.turns:
        waits = seat.mode != "inferring"
        how = "waits for the answer to its last act" if waits else f"has acted on turn {turn} already"
        raise BadCall(f"{seat.name} {how}; await agent.turn(), which gives what came of it, and go on from there")
    if isinstance(what, Finished) and not isinstance(what.report, Failure | Mapping):
        fit(what.report)
    own = [entry.op for entry in seat.log]
    for op in (getattr(what, one, None) for one in ("op", "replaces", "before")):
        if op is not None and op not in own:
            raise BadCall(f"{seat.name} has no operation {op!r}; its own are {', '.join(own) or 'none'}")
