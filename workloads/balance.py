"""The family `balance`: N agents each give one lead to whoever has fewest.

Each looks at who has what and writes a lead of its own, so that no two writes meet, and without control all
leads go to the one who had fewest at the start.
"""

from collections import Counter
from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.tool import TOOLS
from coagent.workload import Agent, Workload
from workloads.row import listing

AGENTS = 3
"""How many agents when nothing is said."""

LEADS = "leads"
OWNED = listing("owned", LEADS, ("owner",), "every lead with its owner")

STORY = "{agents} agents each give a lead to whoever has fewest; the first of them leaves a note on one."


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents and as many people, who begin with a lead each.

    With fewer people a stale count would often come out even by luck.

    With `irrelevant` the first agent also writes a note on a lead: it lies in what the others list, and changes
    nothing that they see.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    owners = tuple(f"person-{number:02}" for number in range(1, agents + 1))
    return Workload(
        name="balance",
        story=STORY.format(agents=agents),
        state=tuple((f"{LEADS}/of-{owner}/owner", owner) for owner in owners),
        agents=tuple(
            Agent(name=name, program=partial(_give, name, owners, irrelevant and name == names[0])) for name in names
        ),
        tools={**TOOLS, OWNED.name: OWNED},
        invariant=partial(balanced, names, owners),
    )


def balanced(
    names: tuple[str, ...], owners: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]
) -> bool:
    """Every agent's lead has the owner that it reports, and nobody has two more than another."""
    given = {name: state.get(f"{LEADS}/from-{name}/owner") for name in names}
    if None in given.values() or given != {name: reports.get(name) for name in names}:
        return False
    held = Counter(owner for path, owner in state.items() if path.endswith("/owner"))
    return set(held) == set(owners) and max(held.values()) - min(held.values()) <= 1


def _give(name: str, owners: tuple[str, ...], leaves_note: bool) -> Generator[Intent, Result, Value]:
    """One agent: count everybody's leads, and give its own to whoever has fewest, the first of them by name."""
    held = Counter(owner for _, owner in (yield Intent(call=Call(OWNED.name))).value)
    owner = min(owners, key=lambda one: (held[one], one))
    yield Intent(call=Call("put", (("path", f"{LEADS}/from-{name}/owner"), ("value", owner))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{LEADS}/of-{owners[0]}/note"), ("value", "please call back"))))
    return owner
