"""One thing's values over the steps of a run: a value holds from its step on, until the next one.

Looking one up is a bisection, so that any step costs the same, forward or back.
"""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VersionLine:
    """Values by the step from which they hold; two at one step: the later."""

    steps: list[int] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def put(self, step: int, value: object) -> None:
        """Note a value that holds from this step on; steps never fall."""
        if self.values and self.values[-1] == value:
            return
        if self.steps and self.steps[-1] == step:
            self.values[-1] = value
        else:
            self.steps.append(step)
            self.values.append(value)

    def at(self, step: int) -> object:
        """The value that holds at a step; None before the first."""
        place = bisect_right(self.steps, step)
        return self.values[place - 1] if place else None

    def changed(self, step: int) -> bool:
        """Whether a value begins at this very step."""
        place = bisect_right(self.steps, step)
        return place > 0 and self.steps[place - 1] == step

    @property
    def last(self) -> object:
        """The newest value, or None."""
        return self.values[-1] if self.values else None
