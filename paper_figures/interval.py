"""95 % intervals: Wilson's for shares, Student's for means, and for the mean of several groups' means."""

from collections.abc import Sequence
from math import sqrt

from scipy.stats import norm, t

LEVEL = 0.95
_TAIL = (1 + LEVEL) / 2


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share, within [0, 1]; no trials tell nothing."""
    if not trials:
        return 0.0, 1.0
    z = norm.ppf(_TAIL)
    share, weight = hits / trials, 1 / (1 + z * z / trials)
    middle = weight * (share + z * z / (2 * trials))
    half = weight * z * sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def of_means(groups: Sequence[tuple[float, float, int]]) -> tuple[float, float, float]:
    """Mean, low and high of the unweighted mean over groups, each a mean, a standard deviation and a number of trials.

    The groups stand for themselves and are not a sample of others: only the trials within them vary. One group gives
    Student's interval. With one trial in a group nothing is known of its spread, and the interval is the mean alone.
    """
    middle = sum(mean for mean, _, _ in groups) / len(groups)
    fewest = min(trials for _, _, trials in groups)
    if fewest < 2:
        return middle, middle, middle
    error = sqrt(sum(spread**2 / trials for _, spread, trials in groups)) / len(groups)
    half = float(t.ppf(_TAIL, fewest - 1)) * error
    return middle, middle - half, middle + half
