"""The family `chain`: the first agent mends what is broken, the root at least, and each other copies the one before it.

What is wrong with the root goes down the chain, and so must its repair: each notice makes the next.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.tool import TOOLS
from coagent.workload import Agent, Workload
from workloads.row import listing

AGENTS = 3
"""How many agents when nothing is said."""

CHAIN = "chain"
BROKEN, SOUND = "broken", "sound"
LINKS = listing("links", CHAIN, ("",), "every link with what it is made of")
STEP_S = 3.0
"""Seconds by which each agent begins after the one before it, so that by the clock every link is made in turn."""

HASTE_S, LATE_S = 1.0, 5.0
"""Seconds before every other call, and by which the first agent, who listed at once, mends after all are done."""

STORY = "{agents} agents, of whom the first mends what is broken and each other copies the link before its own."


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents, N - 1 links below the root.

    With `irrelevant` the first agent also writes a note on the root: what the second reads declares it, and does
    not show it.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="chain",
        story=STORY.format(agents=agents),
        state=((link(0), BROKEN),),
        agents=(
            Agent(name=names[0], program=partial(_mend, STEP_S * agents + LATE_S, irrelevant), think_s=HASTE_S),
            *(
                Agent(name=name, program=partial(_copy, number), think_s=HASTE_S)
                for number, name in enumerate(names[1:], 1)
            ),
        ),
        tools={**TOOLS, LINKS.name: LINKS},
        invariant=partial(all_sound, agents),
    )


def link(number: int) -> str:
    """The path of a link; 0 is the root."""
    return f"{CHAIN}/{number:02}"


def all_sound(agents: int, state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every agent but the first has made its link, and all of them are sound, the root too."""
    return all(state.get(link(number)) == SOUND for number in range(agents))


def _mend(late_s: float, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """The first agent: list the links and mend the broken ones. Reports their names."""
    listed = (yield Intent(call=Call(LINKS.name))).value
    broken = tuple(name for name, made_of in listed if made_of == BROKEN)
    for place, name in enumerate(broken):
        mended = Call("put", (("path", f"{CHAIN}/{name}"), ("value", SOUND)))
        yield Intent(call=mended, think_s=None if place else late_s)
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{link(0)}/note"), ("value", "please keep tidy"))))
    return broken


def _copy(number: int) -> Generator[Intent, Result, Value]:
    """Another: copy the link before its own, or the root where that is not made yet. Reports what it copied."""
    made_of = (yield Intent(call=Call("get", (("path", link(number - 1)),)), think_s=STEP_S * number)).value
    if made_of is None:
        made_of = (yield Intent(call=Call("get", (("path", link(0)),)))).value
    yield Intent(call=Call("put", (("path", link(number)), ("value", made_of))))
    return made_of
