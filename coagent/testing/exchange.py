"""Holds a protocol to `symmetric`: the same events about exchanged agents must be answered by the exchanged effects.

Agents are launched in their order and with their ranks all the same, so that a rule which looks at either is found out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace

from coagent.bad_input import BadInput
from coagent.event import Event, IllegalEvent, Launched
from coagent.protocols.guard import brief, told
from coagent.symmetry import claims

NAMING = frozenset(
    ("agent", "op", "by", "replaces", "before", "cause", "heir", "recorded", "fork", "writer")
    + ("overrides", "notice", "notices", "saw")
)
"""The fields of events and effects that name agents and operations, or hold what does."""

UNSAID = frozenset(("position", "because"))
"""The fields that follow from ranks by what they are, or are words for the reader."""

Steps = Sequence[tuple[Event, tuple]]


def held_to_symmetry(protocol: object, steps: Steps) -> None:
    """Raise BadInput when a protocol that says that it is symmetric answers these steps otherwise for other agents."""
    names = [what.agent for what, _ in steps if isinstance(what, Launched)]
    if not claims(protocol) or len(names) < 2:
        return
    for order in dict.fromkeys((tuple(names[::-1]), (*names[1:], names[0]))):
        _held(protocol, steps, dict(zip(names, order, strict=True)))


def _held(protocol: object, steps: Steps, renamed: dict[str, str]) -> None:
    run = protocol.start()
    for what, (_, effects) in steps:
        launch = isinstance(what, Launched)
        asked = what if launch else exchanged(what, renamed)
        try:
            run, found = protocol.step(run, asked)
        except IllegalEvent as error:
            raise _refused(protocol, what, renamed, f"it refuses that: {error}") from error
        if not launch and (other := next(_otherwise(effects, found, renamed), None)):
            raise _refused(protocol, what, renamed, other)


def exchanged(part: object, renamed: dict[str, str]) -> object:
    """An event or effect about other agents and their operations; calls, values and paths stay what they are."""
    match part:
        case str():
            agent, dot, count = part.rpartition(".")
            return f"{renamed.get(agent, agent)}.{count}" if dot and count.isdigit() else renamed.get(part, part)
        case tuple():
            return tuple(exchanged(one, renamed) for one in part)
        case _ if is_dataclass(part):
            named = [one.name for one in fields(part) if one.name in NAMING]
            return replace(part, **{name: exchanged(getattr(part, name), renamed) for name in named})
    return part


def _otherwise(effects: tuple, found: tuple, renamed: dict[str, str]) -> Iterator[str]:
    """In what the answers differ, whatever their order."""
    wanted = [_compared(exchanged(one, renamed)) for one in effects]
    got = [_compared(one) for one in found]
    for how, here, there in (("emits", got, wanted), ("leaves out", wanted, got)):
        yield from (f"it {how} {brief(one)}" for one in here if here.count(one) > there.count(one))


def _compared(effect: object) -> object:
    unsaid = [one.name for one in fields(effect) if one.name in UNSAID]
    return replace(effect, **dict.fromkeys(unsaid, ""))


def _refused(protocol: object, what: Event, renamed: dict[str, str], how: str) -> BadInput:
    who = ", ".join(f"{new} in {old}'s place" for old, new in renamed.items() if old != new)
    return BadInput(
        f"protocol {protocol.name!r}: it says that it is symmetric, and the step at {told(what)} comes to something "
        f"else with {who}: {how}; decide by what agents did, not by name or rank, or leave .symmetric out"
    )
