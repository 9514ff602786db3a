"""The family `late-joiner`: N - 1 authors each add a page, and an agent that comes while they work writes the index.

An author who finds an index out puts its page into it; else whoever writes the index later will have listed the page.
Without control the index is written from a list that was made before the pages, by one whom no author has noticed.
"""

from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Call, Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload

AGENTS = 3
"""How many agents when nothing is said."""

PAGES, INDEX = "pages", "index"
COVER = "cover"
"""A page that is there from the start, so that a note on it can be written."""

JOINS_S = 2.0
"""Seconds after the start at which the last agent is launched: by the clock the others are thinking of their pages."""

LISTS_S, WRITES_S = 1.0, 12.0
"""Seconds that the late agent thinks before it lists the pages, and before it writes the index."""

STORY = (
    "{authors} agents each add a page, to the index too if one is out; another comes late and writes the index. The "
    "first author leaves a note on the cover."
)


def workload(agents: int = AGENTS, *, irrelevant: bool = True) -> Workload:
    """The family's workload with so many agents, the last of whom is launched after the others.

    Run serially in the pre-order, nobody finds an index, and the last agent lists all pages; in any other order the
    authors after it add theirs. With `irrelevant` the first author also writes a note below the cover: it lies in what
    is listed, and changes nothing that is seen.
    """
    names = tuple(f"agent-{number:02}" for number in range(1, agents + 1))
    authors = tuple(
        Agent(name=name, program=partial(_write, name, irrelevant and name == names[0])) for name in names[:-1]
    )
    return Workload(
        name="late-joiner",
        story=STORY.format(authors=agents - 1),
        state=((f"{PAGES}/{COVER}", "the house"),),
        agents=(*authors, Agent(name=names[-1], program=_index, launch_s=JOINS_S)),
        invariant=partial(all_indexed, names),
    )


def all_indexed(names: tuple[str, ...], state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Every author's page is there, and the index has each page once, in the order of serial work.

    The pages that the late agent reports, by name; then those of the authors who report that they added theirs.
    """
    authors, listed = names[:-1], reports.get(names[-1])
    added = {name for name in authors if reports.get(name) is True}
    index = state.get(INDEX)
    if not isinstance(listed, tuple) or not isinstance(index, tuple) or index[: len(listed)] != listed:
        return False
    rest = index[len(listed) :]
    first = tuple(sorted({COVER, *authors} - added))
    there = all(state.get(f"{PAGES}/{name}") == name for name in authors)
    return there and listed == first and len(rest) == len(added) and set(rest) == added


def _write(name: str, leaves_note: bool) -> Generator[Intent, Result, Value]:
    """An author: add a page, and put it into the index if one is out. Reports whether it had to."""
    yield Intent(call=Call("put", (("path", f"{PAGES}/{name}"), ("value", name))))
    index = (yield Intent(call=Call("get", (("path", INDEX),)))).value
    if index is not None:
        yield Intent(call=Call("put", (("path", INDEX), ("value", (*index, name)))))
    if leaves_note:
        yield Intent(call=Call("put", (("path", f"{PAGES}/{COVER}/note"), ("value", "please keep tidy"))))
    return index is not None


def _index() -> Generator[Intent, Result, Value]:
    """The late agent: list the pages and write them down. Reports the list."""
    pages = (yield Intent(call=Call("list", (("path", PAGES),)), think_s=LISTS_S)).value
    yield Intent(call=Call("put", (("path", INDEX), ("value", pages))), think_s=WRITES_S)
    return pages
