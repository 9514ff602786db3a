"""Counts the notices that change nothing of what their reader does, while somebody else chooses.

Asks the reader's program, not the judgement that it recorded: under `hold` a notice may change a call that was held
back, or one that comes later, and the judgement of all that was done before is `keep`.
"""

from collections.abc import Iterator
from dataclasses import replace

from coagent.actor import Action, Actor, next_action
from coagent.operation import Result
from coagent.simulate import Chooser
from coagent.world import Choice, World


class Relevance:
    """A chooser that chooses as another one does, and looks at every notice when it is read.

    A notice is irrelevant when its reader, not told, would do the same next, and would have done all it did until the
    end of the run. Those that an erring judge overlooks are among them.
    """

    def __init__(self, inner: Chooser) -> None:
        self._inner, self._actors = inner, None
        self._open: list[tuple[str, str, Result | None]] = []

    def __call__(self, world: World, choices: tuple[Choice, ...]) -> tuple[int, float]:
        if self._actors is not None and world.actors is not self._actors:
            self._open += self._without_effect_yet(world)
        self._actors = world.actors
        return self._inner(world, choices)

    def irrelevant(self, world: World) -> int:
        """How many notices were irrelevant, given the world at the end of the run."""
        return sum(not _matters(world, world.actors[name], op, told) for name, op, told in self._open)

    def _without_effect_yet(self, world: World) -> Iterator[tuple[str, str, Result | None]]:
        """The notices just read that leave the next action as it was: reader, operation, and what it knew before."""
        for name, one in world.actors.items():
            was = self._actors[name]
            if one is was or not one.fresh or one.inferences == was.inferences:
                continue
            known = {entry.op: entry.result for entry in was.log}
            for op in one.fresh:
                if op in known and not _matters(world, one, op, known[op]):
                    yield name, op, known[op]


def _matters(world: World, one: Actor, op: str, known: Result | None) -> bool:
    """Whether an agent that knew something else of this operation would do something else than go on from its log."""
    untold = tuple(replace(entry, result=known) if entry.op == op else entry for entry in one.log)
    return untold != one.log and _next(world, one, untold) != _next(world, one, one.log)


def _next(world: World, one: Actor, log: tuple) -> Action:
    workload = world.setting.workload
    return next_action(workload.agents[one.index].program, log, workload.tools)
