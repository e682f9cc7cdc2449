"""What a number of seeds can find, and how many an undecided claim would need.

Power is that of the rule that decides, both bounds with their correction for skewness, for normal differences: up to 60
seeds from a fixed sample of 20,000 simulated experiments a number of seeds (right to ±0.6 %), beyond, where the
correction is negligible, from the noncentral t distribution (Cohen, Statistical Power Analysis, 1988, ch. 2).
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.stats.interval import bounds, interval, positive, sample
from pytest_claims.stats.looks import ALPHA, FEWEST_SEEDS, once

MOST_SEEDS = 1000
POWER = 0.80
_SIMULATED = 60
_EXPERIMENTS = 20_000
# The noncentral t is evaluated no farther out: there the power is 1 for every purpose, and the series grows fragile.
_FARTHEST = 30.0


# Typed: a look's level is another thing than an equal number.
@functools.lru_cache(maxsize=512, typed=True)
def _needed(n: int, alpha: float) -> np.ndarray:
    """By how many standard deviations a mean must lie above 0 for the lower bound to do so, in each simulated
    experiment of n seeds: float [experiments], ascending."""
    noise = np.random.default_rng([n]).normal(size=(_EXPERIMENTS, n))
    return np.sort(-bounds(noise, alpha)[1])


@functools.lru_cache(maxsize=4096, typed=True)
def power(shift: float, n: int, alpha: float = ALPHA) -> float:
    """The probability that the lower bound at alpha of n seeds is above 0, for a mean of shift standard deviations."""
    if n <= _SIMULATED:
        return float(np.searchsorted(_needed(n, alpha), shift)) / _EXPERIMENTS
    critical = float(special.stdtrit(n - 1, 1 - alpha))
    return float(1 - special.nctdtr(n - 1, min(shift * math.sqrt(n), _FARTHEST), critical))


def detectable(sd: float, n: int, *, parts: int = 1, alpha: float = ALPHA) -> float:
    """The smallest mean, in the unit of sd, that n seeds find with power .80: the minimal detectable effect.

    parts: of a claim of which all must be found; they share its 20 % of misses, whatever their dependence.
    """
    return sd * _detectable(n, 1 - (1 - POWER) / parts, alpha)


@functools.lru_cache(maxsize=4096, typed=True)
def _detectable(n: int, share: float, alpha: float) -> float:
    if n <= _SIMULATED:
        return float(np.quantile(_needed(n, alpha), share))
    critical = float(special.stdtrit(n - 1, 1 - alpha))
    return float(special.nctdtrinc(n - 1, 1 - share, critical)) / math.sqrt(n)


def seeds_for(*distances: float, sd: float, alpha: float = ALPHA) -> int | None:
    """Seeds at which one-sided bounds find a mean this far on the right side of each threshold, with power .80.

    distances: from each threshold that must be passed, points; several share the 20 % of misses (a lower bound of the
    joint power). alpha: of a look it is what all looks hold, since so many seeds are fixed before. None where a
    distance is not above 0 or it takes more than 1000 seeds.
    """
    if min(distances) <= 0:
        return None
    alpha = once(alpha)
    if sd == 0:
        return FEWEST_SEEDS

    def enough(n: int) -> bool:
        return sum(1 - power(distance / sd, n, alpha) for distance in distances) <= 1 - POWER

    sizes = range(FEWEST_SEEDS, MOST_SEEDS + 1)
    index = bisect.bisect_left(sizes, True, key=enough)
    return sizes[index] if index < len(sizes) else None


def seeds_for_all(distances: Sequence[float], *, alpha: float = ALPHA) -> int | None:
    """seeds_for with each distance in standard deviations of its own contrast (infinite where that does not vary)."""
    return seeds_for(*distances, sd=1.0, alpha=alpha)


def soonest(candidates: Iterable[int | None]) -> int | None:
    """The least of the numbers of seeds, for conditions of which one is enough; None where there is none."""
    return min((n for n in candidates if n is not None), default=None)


def more_than(n: int, seeds: int | None, *, flips: bool = False, alpha: float = ALPHA) -> int | None:
    """seeds, raised to what is more than the n at hand and, where sign flips must confirm, to what they need."""
    if seeds is None:
        return None
    alpha = once(alpha)
    raised = max(seeds, n + 1, fewest_for_flips(alpha) if flips else 0)
    return raised if raised <= MOST_SEEDS else None


def fewest_for_flips(alpha: float) -> int:
    """Seeds from which the sign-flip test can reach alpha at all: its least p is 2^-n."""
    return math.ceil(-math.log2(alpha))


def seeds_to_settle(differences: ArrayLike, margin: float, *, alpha: float = ALPHA) -> int | None:
    """Seeds at which an inconclusive superiority claim would stand with power .80, if mean and spread stay as measured.

    differences: paired, in the claimed direction, float [n], points. It stands as soon as its lower bound passes 0 or
    its upper bound falls below the margin, whichever needs fewer seeds; counted from nothing, not on top of the n at
    hand. None above 1000 seeds. Raises ValueError for NaN, fewer than 3 differences or a margin that is not above 0.
    """
    at = interval(np.asarray(sample("differences", differences)), alpha)
    distances = (at.effect, positive("margin", margin) - at.effect)
    return soonest(seeds_for(distance, sd=at.sd, alpha=alpha) for distance in distances)
