"""Lets a reader turn the crank: take a choice, look, go back, and judge what came of it.

No pictures and no clock: each choice takes a second of simulated time.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.program import report_out
from coagent.simulate import STEPS_PER_AGENT, Chooser, Listed, Outcome, finished, simulate
from coagent.world import Choice, Setting, World, opened

if TYPE_CHECKING:
    from checker.rerun import Rerun
    from checker.verdict import Verdict
    from coagent.workload import Workload


class Stepper:
    """A run in the reader's hands: every world so far, and the choices that led from one to the next."""

    def __init__(self, setting: Setting) -> None:
        self._worlds, self._taken = [opened(setting)], []
        self._now = [0.0]

    @property
    def world(self) -> World:
        """The present world."""
        return self._worlds[-1]

    @property
    def schedule(self) -> tuple[int, ...]:
        """The choice indexes taken so far; `follow` with them comes to the same world."""
        return tuple(self._taken)

    @property
    def records(self) -> tuple[Record, ...]:
        """What the last choice added to the history; at the start, what launching did."""
        if len(self._worlds) == 1:
            return self.world.recorder.records()
        return self.world.recorder.since(self._worlds[-2].recorder)

    def choices(self) -> tuple[Choice, ...]:
        """What may happen next; empty at the end."""
        return self.world.choices()

    def take(self, index: int = 0) -> tuple[Record, ...]:
        """Take a choice by its index; returns what it added. Raises BadInput when there is no such choice."""
        return self._take(index, float(len(self._taken) + 1))

    def back(self) -> None:
        """Go back by one choice; at the start, stay there."""
        self.rewind(len(self._taken) - 1)

    def rewind(self, steps: int) -> None:
        """Go back to where `steps` choices had been taken; 0 is the start. Later choices are forgotten."""
        steps = max(steps, 0)
        del self._worlds[steps + 1 :], self._taken[steps:], self._now[steps + 1 :]

    def finish(self, chooser: Chooser | None = None, *, max_steps: int | None = None) -> Outcome:
        """Let a chooser (by default the first choice, always) run to the end or the bound on choices."""
        chooser, start = chooser or Listed(()), self._now[-1]
        max_steps = STEPS_PER_AGENT * len(self.world.order) if max_steps is None else max_steps
        while len(self._taken) < max_steps and (choices := self.choices()):
            index, now = chooser(self.world, choices)
            self._take(index, start + now)
        return self.outcome()

    def outcome(self) -> Outcome:
        """The run so far as an outcome with its history."""
        return finished(self.world, self.schedule, self._now[-1], self.schedule)

    def verdict(self) -> "Verdict":
        """The checker's judgement of the run so far."""
        return verdict(self.outcome())

    def _take(self, index: int, at: float) -> tuple[Record, ...]:
        choices = self.choices()
        if not 0 <= index < len(choices):
            shown = ", ".join(f"{place}: {choice.act} {choice.name}" for place, choice in enumerate(choices))
            raise BadInput(f"there is no choice {index} here; open are {shown or 'none, for the run is over'}")
        self._worlds.append(self.world.take(choices[index], at=at))
        self._taken.append(index)
        self._now.append(at)
        return self.records


def follow(setting: Setting, schedule: Iterable[int]) -> Outcome:
    """Run along a schedule of choice indexes, then always take the first. Raises BadInput for one out of range."""
    schedule = tuple(schedule)
    return simulate(setting, Listed(schedule), schedule=schedule)


def verdict(outcome: Outcome, *, order: str | None = None) -> "Verdict":
    """The checker's judgement of a run, in the `declared` order or `any`; by default what its protocol promises."""
    from checker.notified import check_history

    setting = outcome.world.setting
    return check_history(outcome.history, order=order or setting.protocol.promises, rerun=rerun(setting.workload))


def rerun(workload: "Workload", *, driven: bool = False) -> "Rerun":
    """What the checker needs to run the workload's agents again, to tell whose fault a bad run is.

    Agents that models drove (`driven`) have no programs; what their tools do is known all the same.
    """
    from checker.rerun import Rerun

    if driven:
        return Rerun(programs={}, tools=workload.tools)
    return Rerun(
        programs={one.name: one.program for one in workload.agents},
        tools=workload.tools,
        reported=report_out,
        holds=workload.invariant,
    )
