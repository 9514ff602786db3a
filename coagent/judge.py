"""How well a simulated agent judges its notices: perfect by default, or wrong at given rates (assumption A3)."""

from collections.abc import Hashable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """`miss` is the share of notices overlooked, `over` the share that makes the agent redo its next write needlessly.

    Draws are keyed by (workload, seed, agent, operation, cause), never taken from a shared stream, so that
    every protocol meets the same errors. Both rates lie in [0, 1].
    """

    miss: float = 0.0
    over: float = 0.0

    def misses(self, key: Hashable) -> bool:
        """Whether the notice with this key is overlooked."""
        return self.miss > 0 and drawn("miss", key) < self.miss

    def overdoes(self, key: Hashable) -> bool:
        """Whether the notice with this key leads to a needless repair."""
        return self.over > 0 and drawn("over", key) < self.over


def drawn(what: str, key: Hashable) -> float:
    """A number in [0, 1) that depends on nothing but its key."""
    return Random(f"{what}/{key!r}").random()


def spread(sigma: float, key: Hashable) -> float:
    """A factor with median 1, log-normally spread, that depends on nothing but its key."""
    return Random(f"think/{key!r}").lognormvariate(0.0, sigma) if sigma else 1.0


PERFECT = Judge()
