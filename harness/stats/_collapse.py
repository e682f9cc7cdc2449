"""Runs that collapse to chance or diverge: found, counted, and tested exactly."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# Up to here all 2^n sign patterns are enumerated; above, a fixed random sample of them is drawn.
_MOST_PATTERNS = 2**14


def collapse(accuracy: ArrayLike, *, chance: float, test_images: int, diverged: ArrayLike) -> np.ndarray:
    """Which runs learned nothing that a test can see, bool [n].

    A run collapsed if it diverged, or if its test accuracy (percent, [n]) is below chance + 5 binomial standard
    deviations of a guess on that many test images (11.5 % for ten classes and 10,000 images).
    """
    rate = chance / 100
    limit = chance + 5 * 100 * math.sqrt(rate * (1 - rate) / test_images)
    return np.asarray(diverged, dtype=bool) | (np.asarray(accuracy, dtype=np.float64) < limit)


def p_collapse_rates(one: np.ndarray, other: np.ndarray) -> float:
    """Exact one-sided p of "one collapses no more often than other", bool [n] paired by seed.

    McNemar's test in its exact form: among the seeds where just one of the two collapsed, a binomial with rate 1/2.
    1.0 where there is no such seed.
    """
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    if only_one + only_other == 0:
        return 1.0
    return float(stats.binomtest(only_one, only_one + only_other, 0.5, alternative="greater").pvalue)


def p_sign_flip(differences: np.ndarray, threshold: float) -> float:
    """One-sided sign-flip p of "the differences lie about a centre of at most threshold", float [n].

    Exact over all 2^n sign patterns up to n = 14 (the least p is 2^-n), else over 9,999 patterns of a fixed generator.
    Needs no normality, only symmetry about the centre (Fisher, The Design of Experiments, 1935, section 21).
    """
    result = stats.permutation_test(
        (differences - threshold,),
        lambda sample, axis: sample.mean(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=_MOST_PATTERNS if 2 ** len(differences) <= _MOST_PATTERNS else 9_999,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)
