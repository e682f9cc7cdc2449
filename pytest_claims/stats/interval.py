"""The mean of per-seed differences with its one-sided bounds: what every decision starts from.

Each bound is the more cautious of two. Student's t is wrong in 9 % of experiments instead of 5 % where the differences
are as skewed as a gamma distribution of shape 4 (skewness 1). Hall's transformation of t corrects for the sample's
skewness (Hall, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54, 1992, 221-228; its monotone
cubic form) and is in turn too generous with few symmetric differences. The wider of both keeps its level in either case
(docs/calibration.md), at the price of power where seeds are few.

The cubic is flat at u = -3/g and means nothing beyond, which strict levels with few seeds reach. So Hall's bound is
never taken to be wider than some times Student's, and it is that wide from the flat point on. Without this a look at 5
seeds could decide nothing, and near-symmetric differences were punished most.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.stats.looks import ALPHA, FEWEST_SEEDS, Level, split
from pytest_claims.types import Agreement, EqualDifferences

# How many times Student's half-width the correction for skewness may reach: at a number of seeds that was fixed before,
# and where looks share alpha, whose early levels are so strict that the correction would rule alone. By simulation, see
# docs/calibration.md: round values that keep 7 % at a skewness of 1.
WIDEST, WIDEST_AT_A_LOOK = 2.0, 1.5

# Points. Accuracies are counts over a test set, so true differences are 0 or at least 100 / (test images); a spread
# below this is the rounding of float subtraction (60.3 - 60.0 is not 0.3), which must not pass for certainty or doubt.
_ROUNDING_DECIMALS = 9
_ROUNDING = 10.0**-_ROUNDING_DECIMALS


@dataclasses.dataclass(frozen=True)
class Interval:
    """effect: mean difference. lower, upper: its one-sided bounds at level 1 - alpha each. sd, skewness: of the
    differences (skewness: G1, unbiased for normal differences; 0 where sd is). widest: how many times Student's
    half-width the correction for skewness may reach.
    """

    effect: float
    lower: float
    upper: float
    sd: float
    skewness: float
    n: int
    widest: float

    @property
    def certain(self) -> bool:
        """All differences are equal: the interval is a point, by the data alone and not by the model."""
        return self.sd == 0

    def distance(self, threshold: float) -> float:
        """How far the mean lies above the threshold, in standard deviations; infinite where nothing varies."""
        away = self.effect - threshold
        return away / self.sd if self.sd else math.copysign(math.inf, away)

    def p_above(self, threshold: float) -> float:
        """One-sided p of "the mean is at most threshold": by Student's t, or by Hall's transformation where that is
        larger, as far as the cap on its widening lets it be.

        Below alpha exactly when the lower bound at alpha is above the threshold. 0 or 1 where all differences are
        equal.
        """
        if self.certain:
            return 0.0 if self.effect > threshold else 1.0
        return self._p((self.effect - threshold) / self.sd, self.skewness)

    def p_below(self, threshold: float) -> float:
        """One-sided p of "the mean is at least threshold"."""
        if self.certain:
            return 0.0 if self.effect < threshold else 1.0
        return self._p((threshold - self.effect) / self.sd, -self.skewness)

    def _p(self, u: float, g: float) -> float:
        """Of a mean that lies u standard deviations above a threshold, the skewness being g."""
        if g * u < -3:
            hall = -math.inf  # beyond the flat point nothing is excluded
        else:
            hall = u + g * u**2 / 3 + g**2 * u**3 / 27 + g / (6 * self.n)
        # Below the threshold, where u is negative, this is u: nothing brings a bound nearer than Student's.
        deciding = min(u, max(hall, u / self.widest))
        return float(special.stdtr(self.n - 1, -math.sqrt(self.n) * deciding))


def bounds(
    differences: np.ndarray, alpha: float = ALPHA, rounding: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """mean, lower, upper, sd, skewness over the last axis of differences [..., n], n >= 3.

    Each bound alone has error rate alpha; together they are a two-sided interval of level 1 - 2 alpha. rounding: the
    standard deviation that rounding alone gives the differences, whose variance is added to theirs (see
    rounding_of). Differences that are equal to within float rounding have sd 0 without it, and bounds equal to their
    mean, rounded to 9 decimals.
    """
    n = differences.shape[-1]
    mean = differences.mean(axis=-1)
    centred = differences - mean[..., None]
    squares = centred * centred
    sd = np.sqrt(squares.sum(axis=-1) / (n - 1) + rounding**2)
    certain = sd < _ROUNDING
    cubes = (squares * centred).sum(axis=-1) * (n / ((n - 1) * (n - 2)))
    skewness = np.where(certain, 0.0, cubes / np.where(certain, 1.0, sd) ** 3)
    sd = np.where(certain, 0.0, sd)
    # + 0.0 turns the -0.0 that rounding may leave into 0.0.
    mean = np.where(certain, np.round(mean, _ROUNDING_DECIMALS) + 0.0, mean)
    student = float(special.stdtrit(n - 1, 1 - alpha)) / math.sqrt(n)
    below = half_width(student, skewness, n, widest(alpha))
    above = half_width(student, -skewness, n, widest(alpha))
    return mean, mean - below * sd, mean + above * sd, sd, skewness


def widest(alpha: float) -> float:
    """How many times Student's half-width the correction for skewness may reach at this level."""
    return WIDEST_AT_A_LOOK if isinstance(alpha, Level) and len(alpha.looks) > 1 else WIDEST


def rounding_of(resolution: float, weights: float) -> float:
    """The standard deviation that the rounding of accuracies gives a sum of them.

    resolution: what one test image counts for, points; an accuracy is uniform over that, for all that is seen. weights:
    the sum of the squares of what the accuracies are multiplied by: 2 for a difference of two. Raises ValueError for a
    resolution that is negative or not finite.
    """
    if not (math.isfinite(resolution) and resolution >= 0):
        raise ValueError(f"resolution is {resolution}; needed: points, 0 or more")
    return resolution * math.sqrt(weights / 12)


def half_width(student: float, skewness: np.ndarray, n: int, most: float) -> np.ndarray:
    """How far the lower bound lies below the mean, in standard deviations."""
    flat = 1 + skewness * (student - skewness / (6 * n)) <= 0
    hall = np.where(flat, np.inf, hall_inverse(student, skewness, n))
    return np.maximum(student, np.minimum(hall, most * student))


def hall_inverse(y: float | np.ndarray, skewness: np.ndarray, n: int) -> np.ndarray:
    """u with u + g u^2/3 + g^2 u^3/27 + g/(6n) = y, for the skewness g: Hall's transformation undone.

    From (1 + g u/3)^3 = 1 + g (y - g/(6n)); the difference of cubes is divided out, which is exact at g = 0.
    """
    shifted = y - skewness / (6 * n)
    root = np.cbrt(1 + skewness * shifted)
    inverse: np.ndarray = 3 * shifted / (root * root + root + 1)
    return inverse


def interval(differences: np.ndarray, alpha: float = ALPHA, rounding: float = 0.0) -> Interval:
    """The bounds of one sample of differences, float [n]."""
    effect, lower, upper, sd, skewness = map(float, bounds(differences, alpha, rounding))
    return Interval(effect, lower, upper, sd, skewness, len(differences), widest(alpha))


def lowest(
    contrasts: np.ndarray, alpha: float = ALPHA, rounding: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """effect, lower, upper of the smallest of c mean contrasts, over contrasts [..., c, n].

    The least lower bound is a bound at level alpha by itself: it lies above the truth only if that of the truly
    smallest contrast does (intersection-union; Berger, Technometrics, 1982). The least upper bound is a minimum over
    c chances to be wrong, so each takes alpha / c (Bonferroni).
    """
    mean, lower, *_ = bounds(contrasts, alpha, rounding)
    _, _, upper, *_ = bounds(contrasts, split(alpha, contrasts.shape[-2]), rounding)
    return mean.min(axis=-1), lower.min(axis=-1), upper.min(axis=-1)


def sample(name: str, values: ArrayLike) -> np.ndarray:
    """values as float64 [n]. Raises ValueError, naming the arm and the position, if they cannot be decided on."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: shape {list(array.shape)}; needed: one accuracy a seed, [n]")
    if len(array) < FEWEST_SEEDS:
        raise ValueError(f"{name}: {len(array)} seeds; at least {FEWEST_SEEDS} are needed to have a spread")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name}: {array[bad[0]]} at position {bad[0]}; needed: finite values. A run that diverged still has the "
            "accuracy of what it predicts: pass that, and mark the run as collapsed"
        )
    return array


def paired(first: ArrayLike, second: ArrayLike, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Two samples over the same seeds, float64 [n] each. Raises ValueError as sample() and for unequal lengths."""
    one, two = sample(names[0], first), sample(names[1], second)
    if len(one) != len(two):
        raise ValueError(f"{names[0]} has {len(one)} seeds and {names[1]} {len(two)}; arms are paired by seed")
    return one, two


def positive(name: str, value: float) -> float:
    """value as float. Raises ValueError unless it is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; needed: points, above 0 (the direction is the claim's own)")
    return float(value)


def certainty(at: Interval) -> tuple[EqualDifferences, ...]:
    """The note on an interval that is a point; none on others."""
    return (EqualDifferences(at.n),) if at.certain else ()


def in_order_of_seeds(arms: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, np.ndarray]:
    """Accuracies in percent, float64 [n] for each arm, in ascending order of seeds.

    arms: (seed, accuracy) of every run, by the arm's name. Raises ValueError, naming the arm and the seeds, if an arm
    has a seed twice or not the same seeds as the first one.
    """
    expected: set[int] | None = None
    samples = {}
    for name, runs in arms.items():
        counts = Counter(seed for seed, _ in runs)
        twice = sorted(seed for seed, count in counts.items() if count > 1)
        if twice:
            raise ValueError(
                f"{name}: duplicate seeds {twice}; needed: one run a seed, or runs count twice as evidence"
            )
        if expected is None:
            first, expected = name, set(counts)
        if set(counts) != expected:
            unpaired = sorted(set(counts) ^ expected)
            raise ValueError(f"{name} and {first} differ in the seeds {unpaired}; arms are paired by seed")
        samples[name] = np.array([accuracy for _, accuracy in sorted(runs)], dtype=np.float64)
    return samples


def agreement(
    documented: float,
    values: ArrayLike,
    n0: int,
    *,
    unpaired: float = 0.0,
    chosen_from: int = 1,
    alpha: float = ALPHA,
    rounding: float = 0.0,
) -> Agreement:
    """Does the mean of values ([n], percent or points) lie in the 95 % prediction interval around the documented one?

    documented ± t·sqrt(s0²/n0 + s²/n), two-sided, n - 1 degrees of freedom. s is the SD of our seeds; n0 is the number
    of repetitions behind the source's figure. unpaired: the SD that the contrast would have if its arms were not paired
    by seed; s0 is the larger of both, since a source seldom pairs. chosen_from: the number of contrasts among which the
    source's own figures chose this one, as its two extremes are chosen from all pairs: the largest of several is ahead
    by its luck, so each of them gets a part of the 5 % (Bonferroni). alpha: a look's Level where seeds were added until
    a verdict stood: means at an early stop are inflated, and levels of looks hold whenever one stops. rounding: as
    bounds(). Where all values are equal (s = 0) and nothing is rounded, the interval may be a point.

    Spence & Stanley, "Prediction interval: what to expect when you're expecting a replication" (PLOS ONE, 2016). Raises
    ValueError for n0 < 1, a documented figure that is not finite, NaN in values or fewer than 3 of them.
    """
    if not math.isfinite(documented):
        raise ValueError(f"documented is {documented}; needed: a finite figure")
    if n0 < 1:
        raise ValueError(f"n0 is {n0}; the source has at least 1 repetition")
    ours = interval(sample("values", values), rounding=rounding)
    critical = float(special.stdtrit(ours.n - 1, 1 - split(alpha, 2 * chosen_from)))
    half = critical * math.sqrt(max(ours.sd, unpaired) ** 2 / n0 + ours.sd**2 / ours.n)
    # Rounded so that a point interval contains the figure that it is.
    figures = (documented, ours.effect, documented - half, documented + half)
    named, measured, low, high = (round(float(figure), 9) for figure in figures)
    return Agreement(named, measured, low, high, n0=int(n0))
