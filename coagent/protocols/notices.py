"""How notices reach agents: queued, the newest about an operation only, consumed when an inference begins.

Decides nothing about who is to be told; protocols with notices share it.
"""

from coagent.effect import Deliver, Hold, Notify, Withdraw
from coagent.operation import Call, Notice
from coagent.protocols.run import Phase, Standing, Turn


def begin_inference(turn: Turn, name: str) -> None:
    """An inference begins: it consumes what has been delivered."""
    notices = turn.agents[name].inbox
    turn.set_agent(name, phase=Phase.INFERRING, inbox=())
    if notices:
        turn.emit(Deliver(agent=name, notices=notices))


def held_back(turn: Turn, name: str, call: Call | None) -> bool:
    """The gate: an inference that began before a notice came is to be made again (A2). Says whether it was held."""
    if not turn.agents[name].inbox:
        return False
    turn.set_agent(name, phase=Phase.READY)
    turn.emit(Hold(agent=name, call=call))
    return True


def send(turn: Turn, notice: Notice) -> None:
    """Queue a notice; a parked call is held back with it, and a finished agent is reopened."""
    agent = turn.agents[notice.agent]
    rest = tuple(one for one in agent.inbox if one.op != notice.op)
    phase = Phase.READY if agent.phase is Phase.FINISHED else agent.phase
    turn.set_agent(notice.agent, inbox=(*rest, notice), phase=phase)
    turn.emit(Notify(notice=notice))
    if agent.phase is Phase.PARKED:
        parked = turn.ops[next(name for name in agent.ops if turn.ops[name].standing is Standing.PARKED)]
        turn.set_op(parked.name, standing=Standing.REMOVED)
        turn.emit(Withdraw(agent=notice.agent, op=parked.name))
        turn.set_agent(notice.agent, ops=tuple(name for name in agent.ops if name != parked.name))
        held_back(turn, notice.agent, parked.call)
