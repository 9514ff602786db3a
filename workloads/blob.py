"""The family `blob`: N agents each switch a flag of their own in one value that holds all flags.

An agent writes back the whole of what it read, so that without control the last one takes the others' flags back.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

FLAGS, NOTE = "flags", "flags/note"
SPARE = 1
"""Flags that are nobody's, and have to stay as they are."""

STORY = "{agents} agents each switch a flag of their own in one value; the first agent leaves a note on it."


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents; every order comes to the same flags.

    With `irrelevant` the first agent also writes a note below the flags: what the others read declares it, and
    does not show it.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="blob",
        story=STORY.format(agents=agents),
        state=((FLAGS, (False,) * (agents + SPARE)),),
        agents=tuple(
            Agent(name=name, program=partial(_switch, place, irrelevant and place == 0))
            for place, name in enumerate(names)
        ),
        invariant=partial(all_switched, agents),
    )


def all_switched(agents: int, state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every agent's flag is on, and the spare ones are off."""
    return state.get(FLAGS) == (True,) * agents + (False,) * SPARE


def _switch(place: int, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: read the flags, and write them back with its own switched on. Reports whether it had to."""
    flags = (yield Intent(call=Call("get", (("path", FLAGS),)))).value
    if not flags[place]:
        switched = (*flags[:place], True, *flags[place + 1 :])
        yield Intent(call=Call("put", (("path", FLAGS), ("value", switched))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", NOTE), ("value", "please keep tidy"))))
    return not flags[place]
