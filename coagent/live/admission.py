"""Who may join a live run, with which rank, and what an agent may say of which operations. Pure questions."""

from collections.abc import Mapping

from coagent.bad_input import BadInput
from coagent.event import Event
from coagent.live.registry import BadCall
from coagent.live.seat import Seat
from coagent.operation import Position


def rank_for(seats: Mapping[str, Seat], name: str, rank: int | Position | None) -> Position:
    """The rank of an agent that joins; None: above all who are there. Raises BadInput for what is taken already."""
    taken = {seat.rank: seat.name for seat in seats.values()}
    if rank is None:
        rank = max((one[0] for one in taken), default=0) + 1
    wanted = (rank,) if isinstance(rank, int) else tuple(rank)
    if not name or "#" in name or "." in name or not name.isprintable():
        raise BadInput(f"{name!r} is no name for an agent; use letters, digits, '-' and '_'")
    if name in seats:
        raise BadInput(f"an agent {name!r} was launched already; names are not used twice")
    if wanted in taken:
        raise BadInput(f"rank {list(wanted)} is {taken[wanted]!r}'s; every agent needs a rank of its own")
    return wanted


def check_own(seat: Seat, what: Event) -> None:
    """Raises BadCall when an event names an operation that is not the agent's own."""
    own = [entry.op for entry in seat.log]
    for op in (getattr(what, one, None) for one in ("op", "replaces", "before")):
        if op is not None and op not in own:
            raise BadCall(f"{seat.name} has no operation {op!r}; its own are {', '.join(own) or 'none'}")
