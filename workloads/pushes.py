"""The family `pushes`: N agents each push one event back by minutes of their own: read its start, write the new one.

Each writes what it worked out from what it read, so that without control only some of the pushes are left.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

START, NOTE = "event/start", "event/start/note"
TEN_THIRTY = 10 * 60 + 30
"""When the event starts at first, in minutes after midnight."""

STEP_MIN = 5
"""The first agent pushes by so many minutes, the second by twice as many, and so on."""

STORY = "{agents} agents each push one event back by different minutes; the first agent leaves a note on it."


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents; every order comes to the same start, by way of others.

    With `irrelevant` the first agent also writes a note below the start: what the others read declares it, and does
    not show it.
    """
    minutes = {f"agent-{number:02}": number * STEP_MIN for number in range(1, agents + 1)}
    first = next(iter(minutes))
    return Workload(
        name="pushes",
        story=STORY.format(agents=agents),
        state=((START, TEN_THIRTY),),
        agents=tuple(
            Agent(name=name, program=partial(_push, by, irrelevant and name == first)) for name, by in minutes.items()
        ),
        invariant=partial(all_pushed, minutes),
    )


def all_pushed(minutes: Mapping[str, int], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """The event starts later by all the minutes together, and each agent reports the start that it came to in turn."""
    if not all(isinstance(reports.get(name), int) for name in minutes):
        return False
    start = TEN_THIRTY
    for name in sorted(minutes, key=lambda one: reports[one]):
        start += minutes[name]
        if reports[name] != start:
            return False
    return state.get(START) == start


def _push(by: int, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: read the start, and move it. Reports the new one, in minutes after midnight."""
    start = (yield Intent(call=Call("get", (("path", START),)))).value + by
    yield Intent(call=Call("put", (("path", START), ("value", start))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", NOTE), ("value", "sorry for the delay"))))
    return start
