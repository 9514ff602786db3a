"""Reads and seeds targets outside of a run's operations, and says in one sentence which target could not be reached.

Knows neither agents nor order: what an operation meets is the actuator's business.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from coagent.bad_input import BadInput
from coagent.live.joined import JoinedTarget
from coagent.live.limits import PATIENCE, Limits
from coagent.live.target import Refused, Target
from coagent.operation import Value

_FAULTS = (BadInput, TypeError, AttributeError, NameError, AssertionError)
"""What goes through as it is: it is said well already, or is a fault of the program."""


async def cells_of(joined: JoinedTarget, paths: Sequence[str], limits: Limits = PATIENCE) -> dict[str, Value]:
    """Every cell at or below these paths, tried a few times. Raises BadInput, naming the target that did not answer."""
    by_target: dict[int, tuple[Target, list[str]]] = {}
    for path in dict.fromkeys(paths):
        target = joined.of(path)
        by_target.setdefault(id(target), (target, []))[1].append(path)
    read = await asyncio.gather(*(_read(target, some, limits) for target, some in by_target.values()))
    return {path: value for cells in read for path, value in cells.items()}


async def _read(target: Target, paths: list[str], limits: Limits) -> Mapping[str, Value]:
    for attempt in range(limits.tries):
        try:
            return (await asyncio.wait_for(target.read(paths), limits.read_s)).cells
        except _FAULTS:
            raise
        except Exception as error:
            if isinstance(error, Refused) or attempt + 1 >= limits.tries:
                raise _unreached(target, "read", error) from error
        await asyncio.sleep(limits.pause_s * 2**attempt)
    raise BadInput("a target is to be tried at least once")


async def seed(target: Target, state: Iterable[tuple[str, Value]]) -> None:
    """Put a start state there. Raises BadInput, naming the target that did not take it."""
    parts: dict[int, tuple[Target, dict]] = {}
    for path, value in state:
        one = target.of(path) if isinstance(target, JoinedTarget) else target
        parts.setdefault(id(one), (one, {}))[1][path] = (value,)
    for one, cells in parts.values():
        try:
            await one.write(cells, seen={}, restore={})
        except _FAULTS:
            raise
        except Exception as error:
            raise _unreached(one, "given its start state", error) from error


def words(spec: Mapping[str, object]) -> str:
    """A target in a sentence: its kind, and where it is."""
    where = next((spec[name] for name in ("url", "folder", "file", "namespace", "host") if spec.get(name)), "")
    return f"the target {spec.get('kind', 'of your own')} {where}".strip()


def _unreached(target: Target, what: str, error: Exception) -> BadInput:
    cause = getattr(error, "orig", None) or getattr(error, "reason", None) or error
    said = " ".join(str(cause).split())[:300] or ("no answer came" if isinstance(error, TimeoutError) else "")
    because = said if isinstance(error, Refused) and said else f"{type(cause).__name__} {said}".strip()
    return BadInput(f"{words(target.spec)} cannot be {what} ({because}); see whether it is there and lets you in")
