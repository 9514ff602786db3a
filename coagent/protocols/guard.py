"""Watches a protocol at its work: each step is made twice, and what no protocol may do is refused with the reason.

Knows the contract (C1) and the table of effects that a protocol names in `emits`; nothing of what any rule is for.
"""

from dataclasses import dataclass
from typing import get_args

from coagent import effect
from coagent.bad_input import BadInput
from coagent.event import Event

EFFECTS = {one.__name__: one for one in get_args(effect.Effect)}
"""Every effect that a world understands, by name."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A protocol that answers as `inner` does, or raises BadInput (which names `where`) for a broken contract.

    Refused are: an answer that is no pair of a run and effects, a run that cannot be hashed or has no equal, a step
    that changes the run it was given or answers differently when it is made again, something that is no effect, an
    effect that is not in the protocol's `emits` (every effect, when it names none), and a class that sets one of its
    fields in vain.
    """

    inner: object
    where: str = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def start(self) -> object:
        """The protocol's empty run."""
        if name := overruled(self.inner):
            kept, kind = getattr(self.inner, name), type(self.inner).__name__
            raise self._refused(
                f"{kind} sets .{name}, and the dataclass that it extends sets it back to {brief(kept)}; "
                f"write @dataclass(frozen=True, slots=True, kw_only=True) above {kind}, and the type after {name}"
            )
        run = self.inner.start()
        self._hash(run, "start()")
        return run

    def step(self, run: object, event: Event) -> tuple[object, tuple[effect.Effect, ...]]:
        """One step, made twice. Raises BadInput as said above, and whatever the protocol raises."""
        at = f"the step at {told(event)}"
        before = self._hash(run, "the run")
        answer = self.inner.step(run, event)
        if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], tuple):
            raise self._refused(f"{at} answered {brief(answer)}; return (run, effects), the effects as a tuple")
        after, effects = answer
        for one in effects:
            self._allowed(one, at)
        hashed = self._hash(after, f"the run after {at}")
        if hash(run) != before:
            raise self._refused(f"{at} changed the run that it was given; make a new one, as Turn and replace() do")
        again = self.inner.step(run, event)
        if again != answer or hash(after) != hashed:
            raise self._refused(
                f"{at} is not pure: made again for the same run it {differs(answer, again)}; "
                "keep what it has to remember in the run, and take nothing from clocks, chance or the object itself"
            )
        return after, effects

    def _allowed(self, one: object, at: str) -> None:
        kind = type(one).__name__
        if EFFECTS.get(kind) is not type(one):
            raise self._refused(f"{at} emits {brief(one)}, which is no effect; there are {', '.join(EFFECTS)}")
        table = getattr(self.inner, "emits", None)
        if table is not None and kind not in table:
            raise self._refused(
                f"{at} emits {kind}, which its table forbids (emits: {', '.join(sorted(table))}); "
                f"add {kind} to .emits, or do without"
            )

    def _hash(self, run: object, what: str) -> int:
        if (type(run).__eq__, type(run).__hash__) == (object.__eq__, object.__hash__) and run is not None:
            raise self._refused(
                f"{what} is a {type(run).__name__}, which equals nothing but itself; make it of frozen dataclasses, "
                "tuples and immutables.Map, so that states can be told apart"
            )
        try:
            return hash(run)
        except TypeError as error:
            raise self._refused(
                f"{what} cannot be hashed ({error}); make it of frozen dataclasses, tuples and immutables.Map, "
                "so that states can be told apart"
            ) from None

    def _refused(self, why: str) -> BadInput:
        return BadInput(f"protocol {self.inner.name!r}: {why}", self.where)


def overruled(protocol: object) -> str:
    """What a class below a dataclass sets in vain, because a field's default is set last; "" for nothing."""
    for name, field in getattr(type(protocol), "__dataclass_fields__", {}).items():
        said = next((vars(kind)[name] for kind in type(protocol).__mro__ if name in vars(kind)), field.default)
        if not hasattr(said, "__get__") and said != field.default and said != getattr(protocol, name):
            return name
    return ""


def told(event: Event) -> str:
    """An event in a few words."""
    who = getattr(event, "agent", None) or event.op
    what = getattr(event, "call", None) or getattr(event, "act", None) or ""
    return f"{type(event).__name__}({who}{', ' if what else ''}{what})"


def differs(first: tuple, second: object) -> str:
    """In what two answers differ, in words."""
    if not isinstance(second, tuple) or len(second) != 2:
        return f"answered {brief(second)}"
    if first[1] == second[1]:
        return "came to another run"
    left, right = (", ".join(type(one).__name__ for one in effects) or "nothing" for effects in (first[1], second[1]))
    return f"emitted {right} instead of {left}" if left != right else f"emitted another {left}"


def brief(value: object, most: int = 80) -> str:
    """A value on one line, cut when it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else text[: most - 3] + "..."
