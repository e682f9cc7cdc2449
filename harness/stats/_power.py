"""How many seeds an undecided claim would need."""

from __future__ import annotations

import numpy as np
from scipy import stats

from harness.stats._interval import ALPHA

MOST_SEEDS = 1000
_POWER = 0.80


def seeds_for(distance: float, sd: float, alpha: float = ALPHA) -> int | None:
    """Seeds at which a one-sided t test finds a mean `distance` away from its threshold with power .80.

    From the noncentral t distribution (Cohen, Statistical Power Analysis, 1988, ch. 2). None above 1000 seeds.
    """
    if distance <= 0:
        return None
    sizes = np.arange(2, MOST_SEEDS + 1)
    if sd == 0:
        return 3
    power = stats.nct.sf(stats.t.ppf(1 - alpha, sizes - 1), sizes - 1, distance / sd * np.sqrt(sizes))
    enough = np.flatnonzero(power >= _POWER)
    return max(3, int(sizes[enough[0]])) if len(enough) else None


def seeds_to_settle(differences: np.ndarray, margin: float) -> int | None:
    """Seeds at which an inconclusive superiority claim would stand, if mean and spread stay as measured.

    It stands as soon as its lower bound passes 0 or its upper bound falls below the margin, whichever needs fewer.
    differences: float [n], points. None above 1000 seeds.
    """
    effect, sd = float(differences.mean()), float(differences.std(ddof=1))
    found = [seeds_for(distance, sd) for distance in (effect, margin - effect)]
    return min((n for n in found if n is not None), default=None)
