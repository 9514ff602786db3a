"""What under MTPO concerns one agent only, so that an exploration need not try it early and late.

Decides nothing of a run; what is said here is what `coagent.reduction` relies on.
"""

from coagent.effect import Perform
from coagent.event import Event, Finished, Invoked
from coagent.protocols.run import Phase, Run, Standing


def private_step(protocol: object, run: Run, what: Perform | Event) -> bool | None:
    """Whether nobody but its own agent can tell when this happens; None: nothing said so far can be relied on.

    Of MTPO whose gate lets calls through (`pass`) nothing is said: its agents need not meet a notice before they act.

    An inference that a notice awaits will be held, sooner or later. A pure read's answer was settled by C2 when
    it was asked for, and a report can be reopened: both let their agent meet notices in an inference that is then
    held, instead of before it. Only a parked call could tell, which waits for lower ranks to commit, and a masked
    write of the agent's own, which stays in the index when its agent commits before its cover leaves. With
    unversioned calls others' reads may be served from what has been answered so far, so that its time does matter.
    (An undo is not private, even when its redo is on the way: its own agent may take the operation back meanwhile.)
    """
    if protocol.gate != "hold":
        return False
    if isinstance(what, Perform):
        return what.act == "exec" and not run.ops[what.op].writes
    if isinstance(what, Invoked) and not what.declaration.versioned:
        return None
    if run.agents[what.agent].inbox:
        return True
    if not isinstance(what, Finished) or any(one.phase is Phase.PARKED for one in run.agents.values()):
        return False
    return all(run.ops[name].standing is not Standing.MASKED for name in run.agents[what.agent].ops)
