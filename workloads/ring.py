"""The family `ring`: owners sit in a ring, and agent i hands all that the i-th owner has over to the next.

In a serial order what comes to an owner before its agent has acted goes on with the rest; without control everything
moves by one place, for nobody has seen what was coming.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.argument_schema import PART, arguments
from coagent.operation import Call, Declaration, Result, Value
from coagent.program import Intent
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, failed
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

DESKS = "desks"

STORY = "{agents} agents hand over, each what one owner has to the next in a ring; the first leaves a note on a desk."


def _hand(view: View, args: Args) -> tuple[Result, Writes]:
    here, there = _places(args)
    held = view.cell(here)
    return (OK, ((here, ()), (there, held))) if held else (failed("missing"), ())


def _handing(args: Args) -> Declaration:
    here, there = _places(args)
    return Declaration(reads=(here,), writes=(here, there))


def _places(args: Args) -> tuple[str, str]:
    return f"{DESKS}/{args['from']}/{args['lead']}", f"{DESKS}/{args['to']}/{args['lead']}"


_HERE, _THERE = "desks/{from}/{lead}", "desks/{to}/{lead}"
HAND = Tool(
    "hand",
    _handing,
    _hand,
    "moves a lead from one owner's desk to another's",
    Meaning(
        (
            Case(f"not present('{_HERE}')", "failed", "'missing'"),
            Case(writes=((_HERE, None), (_THERE, f"value('{_HERE}')"))),
        )
    ),
    arguments(**{"lead": PART, "from": PART, "to": PART}),
)


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents and owners, who begin with a lead each.

    Run serially in the pre-order, everything ends with the first owner. With `irrelevant` the first agent also writes
    a note below a lead of the second owner: it lies in what the second agent lists, and changes nothing that it sees.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="ring",
        story=STORY.format(agents=agents),
        state=tuple((f"{DESKS}/{owner(at)}/{lead(at)}", "open") for at in range(agents)),
        agents=tuple(
            Agent(name=name, program=partial(_hand_over, at, (at + 1) % agents, irrelevant and at == 0))
            for at, name in enumerate(names)
        ),
        tools={**TOOLS, HAND.name: HAND},
        invariant=partial(handed_on, names),
    )


def owner(at: int) -> str:
    """The name of an owner, counted from 0."""
    return f"owner-{at + 1:02}"


def lead(at: int) -> str:
    """The name of the lead that an owner begins with."""
    return f"lead-{at + 1:02}"


def handed_on(names: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every lead lies where some serial order leaves it, and every agent reports what it handed on there.

    A lead stops at the first owner whose agent was before the agent that brought it. Who was before whom is up to
    the order, but for this: round the ring, not everybody can have been before the one that follows, nor after.
    """
    size = len(names)
    desk = {path.split("/")[2]: path.split("/")[1] for path in state if path.count("/") == 2}
    stops = {at for at in range(size) if desk.get(lead((at - 1) % size)) == owner(at)}
    if not 0 < len(stops) < size or len(desk) != size:
        return False
    handed = [[] for _ in names]
    for first in range(size):
        at = first
        while True:
            handed[at].append(lead(first))
            at = (at + 1) % size
            if at in stops:
                break
        if desk.get(lead(first)) != owner(at):
            return False
    return all(reports.get(name) == tuple(sorted(had)) for name, had in zip(names, handed, strict=True))


def _hand_over(at: int, to: int, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: list what its owner has and hand it to the next. Reports the leads."""
    leads = (yield Intent(call=Call("list", (("path", f"{DESKS}/{owner(at)}"),)))).value
    for one in leads:
        yield Intent(call=Call(HAND.name, (("lead", one), ("from", owner(at)), ("to", owner(to)))))
    if leaves_note:
        yield Intent(
            call=Call("put", (("path", f"{DESKS}/{owner(to)}/{lead(to)}/note"), ("value", "please call back")))
        )
    return leads
