"""What an operation under MTPO stands as when it is answered, and when a committed one leaves the index.

Knows nothing of notices or of what else is under way.
"""

from coagent.operation import Result
from coagent.protocols.run import Operation, Standing, Turn


def forget(turn: Turn, op: Operation) -> None:
    """Drop a committed operation from the index: nothing can land below it any more.

    A masked one stays until its cover is committed too, because it has to be applied if the cover goes.
    """
    if op.standing is Standing.MASKED:
        return
    turn.unindex(op)
    for other in turn.writing(op.writes):
        if other.standing is Standing.MASKED and other.cover == op.name:
            turn.unindex(other)


def stands(op: Operation, result: Result) -> Standing:
    """What an answered operation stands as; with an undo and a redo still to come it may yet turn out either way."""
    if op.flights and op.writes:
        return Standing.FLYING
    return Standing.APPLIED if result.status == "ok" else Standing.FAILED
