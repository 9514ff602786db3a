"""Lets a scripted program act as a live agent: the same programs that the simulator runs, on real targets."""

import asyncio

from coagent.actor import Ask, Report, TakeBack, next_action
from coagent.live.agent import Agent
from coagent.live.ledger import Turn
from coagent.program import Program


async def play(agent: Agent, program: Program, *, think_s: float = 0.0) -> Turn:
    """Act as the program says until its run is committed or given up; the last turn is returned.

    `think_s`: seconds of inference before each action that names none itself, 0: none at all. What a notice changes is
    worked out by running the program again over what the agent was told since. It may begin in the middle: after a
    restart of the runtime, or of the agent.
    """
    turn = await agent.turn()
    while not turn.over:
        action = next_action(program, agent.log, agent.tools)
        if think_s:
            own = action.think_s if isinstance(action, Ask) else None
            await asyncio.sleep(think_s if own is None else own)
        turn = await _act(agent, action)
    return turn


async def _act(agent: Agent, action: Ask | TakeBack | Report) -> Turn:
    for op in action.drops:
        turn = await agent.drop(op)
        if turn.kind != "result":
            return turn
    match action:
        case Ask(call=call, before=before, replaces=replaces):
            return await agent.invoke(call, before=before, replaces=replaces)
        case TakeBack(op=op):
            return await agent.retract(op)
        case Report(report=report):
            return await agent.finish(report)
