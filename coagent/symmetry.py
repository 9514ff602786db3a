"""Which agents of a setting could change places unnoticed: they run one program, and the rule looks at no names.

A protocol says in its own class that its rule looks at neither names nor ranks (`symmetric = True`): renamed events
then have the renamed answers. A variant, which may bend the rule, does not inherit that. Programs are compared by
value: one script, or one function with equal arguments. An agent whose arguments hold its own name is therefore like no
other. (States that differ by such an exchange have the same futures, but for names: Clarke et al. 1996; Emerson and
Sistla 1996.)
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, groupby, permutations, product

from coagent import crank
from coagent.operation import same
from coagent.program import script_of
from coagent.protocols.guard import Guard
from coagent.recording import Tally
from coagent.workload import Agent, Setting
from coagent.world import Choice, World, opened

Classes = tuple[tuple[str, ...], ...]
"""Agents that are alike, by name, in pre-order; only classes of two and more."""

Seats = tuple[tuple[int, ...], ...]
"""Classes of agents that are alike, by their places in the pre-order."""

MOST_ALIKE = 5
"""Agents of a class that are exchanged; any more are told apart, since every order of these may have to be tried."""


def claims(protocol: object) -> bool:
    """Whether a protocol says of itself, and not only a class that it extends, that it looks at no names or ranks."""
    rule = protocol.inner if isinstance(protocol, Guard) else protocol
    return "symmetric" in vars(type(rule)) and rule.symmetric is True


def alike(setting: Setting) -> Classes:
    """The classes of agents that may change places in a setting in which names are labels."""
    agents = setting.workload.agents
    if not claims(setting.protocol) or _ambiguous([one.name for one in agents]):
        return ()
    classes: list[list[Agent]] = []
    for one in agents:
        home = next((members for members in classes if identical(members[0], one)), None)
        if home is None:
            classes.append([one])
        else:
            home.append(one)
    return tuple(tuple(one.name for one in members[:MOST_ALIKE]) for members in classes if len(members) > 1)


def identical(left: Agent, right: Agent) -> bool:
    """Whether two agents differ in nothing but their names; those who come late do so in the order of their ranks."""
    if left.launch_s or right.launch_s:
        return False
    told = [(one.think_s, one.finish_think_s, one.dies_after) for one in (left, right)]
    return same(*told) and _same_program(left.program, right.program)


def exchanges(classes: Classes) -> Iterator[dict[str, str]]:
    """Every way but one for the agents of each class to change places: who takes whose."""
    for chosen in product(*(permutations(members) for members in classes)):
        pairs = [zip(members, order, strict=True) for members, order in zip(classes, chosen, strict=True)]
        renamed = dict(chain.from_iterable(pairs))
        if any(old != new for old, new in renamed.items()):
            yield renamed


def mirrored(
    setting: Setting, schedule: tuple[int, ...], renamed: dict[str, str]
) -> tuple[tuple[int, ...], World] | None:
    """The schedule on which agents do what others did on the given one, and where it ends; None when there is none."""
    left = right = opened(setting, recorder=Tally())
    found: list[int] = []
    for index in schedule:
        choice, flight = left.moves()[index]
        wanted = _renamed(choice, renamed)
        moves = right.moves()
        at = next((at for at, (other, _) in enumerate(moves) if other == wanted), None)
        if at is None:
            return None
        left = crank.taken(left, choice, 0.0, flight)
        right = crank.taken(right, wanted, 0.0, moves[at][1])
        found.append(at)
    return tuple(found), right


def seatings(own: list[int], alike: Seats, mentioned: set[int]) -> Iterator[list[int]]:
    """The seatings that may give the least key: each agent's slot, those who are alike by their own parts first."""
    for chosen in product(*(_ranked(members, own, mentioned) for members in alike)):
        slots = list(range(len(own)))
        for members, order in zip(alike, chosen, strict=True):
            for slot, at in zip(members, order, strict=True):
                slots[at] = slot
        yield slots


def _ranked(members: tuple[int, ...], own: list[int], mentioned: set[int]) -> list[tuple[int, ...]]:
    """The orders of these agents by their own parts; of those with equal ones every order, if it may matter."""
    orders: list[tuple[int, ...]] = [()]
    for _, tied in groupby(sorted(members, key=own.__getitem__), key=own.__getitem__):
        tied = tuple(tied)
        ways = permutations(tied) if len(tied) > 1 and mentioned.intersection(tied) else (tied,)
        orders = [(*before, *way) for way in ways for before in orders]
    return orders


def _renamed(choice: Choice, renamed: dict[str, str]) -> Choice:
    if choice.of_agent:
        return Choice(choice.act, renamed.get(choice.name, choice.name))
    agent, dot, rest = choice.name.rpartition(".")
    return Choice(choice.act, f"{renamed.get(agent, agent)}{dot}{rest}")


def _same_program(left: object, right: object) -> bool:
    scripts = script_of(left), script_of(right)
    if all(scripts):
        return same(*(replace(script, name="") for script in scripts))
    return _same_value(left, right)


def _same_value(left: object, right: object) -> bool:
    """Equality that looks into partial functions, which Python holds different, and is strict about everything else."""
    if left is right:
        return True
    if not (isinstance(left, partial) and isinstance(right, partial)):
        return type(left) is type(right) and same(left, right)
    if len(left.args) != len(right.args) or left.keywords.keys() != right.keywords.keys():
        return False
    named = [(left.keywords[key], right.keywords[key]) for key in left.keywords]
    pairs = [*zip(left.args, right.args, strict=True), *named]
    return left.func is right.func and all(_same_value(one, other) for one, other in pairs)


def _ambiguous(names: list[str]) -> bool:
    """Whether some agent's name could be that of another one's operation."""
    return any(one.startswith(f"{other}.") for one in names for other in names)
