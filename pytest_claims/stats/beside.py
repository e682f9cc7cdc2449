"""What is shown beside a verdict and never decides it: shares of seeds, a posterior, a robust mean, a correlation.

Differences are per seed, the first arm less the second, float [n], in the unit of the claim (points or doublings).
All need 3 seeds, as the decisions do.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_claims.stats.interval import positive, sample
from pytest_claims.stats.looks import FEWEST_SEEDS

# Points. What differs by less is equal: float subtraction makes of 60.3 - 60.0 something that is not 0.3.
_DECIMALS = 9
_ROUNDING = 10.0**-_DECIMALS


@dataclasses.dataclass(frozen=True)
class Share:
    """In how many of n seeds the first arm is ahead, and in how many both are equal.

    share: estimate of P(A > B) + P(A = B) / 2. low, high: its two-sided 95 % interval.
    """

    ahead: int
    ties: int
    n: int
    share: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Posterior:
    """Probabilities that the mean difference is below -margin, within the margin either way, above the margin."""

    below: float
    inside: float
    above: float


def superiority_share(differences: ArrayLike) -> Share:
    """P(A > B): in how many seeds the first arm is ahead of the second, with its exact 95 % interval.

    differences: [n]. A tie counts as half a seed, as in the Mann-Whitney statistic, of which P(A > B) is made in
    rliable's probability of improvement (Agarwal et al., NeurIPS 2021). Here arms are paired by seed (Bouthillier et
    al., "Accounting for Variance in Machine Learning Benchmarks", MLSys 2021). The interval is Clopper and Pearson's.
    It needs whole counts: its lower end takes every tie as a seed behind, its upper end as a seed ahead, so that it
    holds whatever the ties stand for. Raises ValueError as stats.interval.sample.
    """
    rounded = np.round(sample("differences", differences), _DECIMALS)
    ahead, ties, n = int((rounded > 0).sum()), int((rounded == 0).sum()), len(rounded)
    low = stats.binomtest(ahead, n).proportion_ci(0.95, method="exact").low
    high = stats.binomtest(ahead + ties, n).proportion_ci(0.95, method="exact").high
    return Share(ahead, ties, n, (ahead + ties / 2) / n, float(low), float(high))


def posterior(differences: ArrayLike, margin: float, rounding: float = 0.0) -> Posterior:
    """How probable it is that the mean difference lies below, inside and above the margin: the Bayesian t test.

    differences: [n]. margin: half-width of the region of practical equivalence, in their unit, > 0. The posterior of
    the mean is Student's t with n - 1 degrees of freedom about the measured mean, with scale sd / sqrt(n) (Benavoli,
    Corani, Demsar & Zaffalon, "Time for a Change", JMLR 18, 2017; a flat prior on the mean and on log sd). baycomp, the
    authors' library, has the same t but no test for independent runs. Its test is for folds of cross-validation: the
    variance of the mean is taken to be (1/n + 1/(folds - 1)) sd^2, too large by more than twice if runs pass for folds,
    and a division by 0 if each run is a validation of its own. rounding: as stats.interval.bounds.
    Where all differences are equal, and nothing is rounded, the mean is certain. Raises ValueError as
    stats.interval.sample, and for a margin that is not above 0.
    """
    values, margin = sample("differences", differences), positive("margin", margin)
    mean, sd = float(values.mean()), float(np.hypot(values.std(ddof=1), rounding))
    if sd < _ROUNDING:
        mean = round(mean, _DECIMALS)
        below, above = float(mean < -margin), float(mean > margin)
    else:
        of_mean = stats.t(len(values) - 1, loc=mean, scale=sd / np.sqrt(len(values)))
        below, above = float(of_mean.cdf(-margin)), float(of_mean.sf(margin))
    return Posterior(below, max(0.0, 1 - below - above), above)


def interquartile_mean(values: ArrayLike) -> float:
    """The mean of the middle half of the seeds, [n]: what a few collapsed runs do not move.

    A quarter of the seeds is left out at either end, rounded down: none of 3, one of 5, five of 20. It is what rliable
    computes (Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021).
    Raises ValueError as stats.interval.sample.
    """
    return float(stats.trim_mean(sample("values", values), 0.25))


def correlation(one: ArrayLike, two: ArrayLike) -> float | None:
    """Pearson's r of two arms over their seeds, [n] each: what pairing by seed gives.

    None where an arm does not vary, and below 3 seeds. Raises ValueError for unequal lengths.
    """
    first, second = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} seeds; arms are paired by seed")
    if len(first) < FEWEST_SEEDS or min(first.std(), second.std()) < _ROUNDING:
        return None
    return float(stats.pearsonr(first, second).statistic)
