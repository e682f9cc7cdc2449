"""The mean of per-seed differences with its one-sided bounds: what every decision starts from.

Each bound is the more cautious of two. Student's t is wrong in 9 % of experiments instead of 5 % where the differences
are as skewed as a gamma distribution of shape 4 (skewness 1). Hall's transformation of t corrects for the sample's
skewness (Hall, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54, 1992, 221-228; its monotone
cubic form) and is in turn too generous with few symmetric differences. The wider of both keeps its level in either case
(docs/calibration.md), at the price of power where seeds are few.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_claims.types import Agreement, EqualDifferences

ALPHA = 0.05
FEWEST_SEEDS = 3

# Points. Accuracies are counts over a test set, so true differences are 0 or at least 100 / (test images); a spread
# below this is the rounding of float subtraction (60.3 - 60.0 is not 0.3), which must not pass for certainty or doubt.
_ROUNDING_DECIMALS = 9
_ROUNDING = 10.0**-_ROUNDING_DECIMALS


@dataclasses.dataclass(frozen=True)
class Interval:
    """effect: mean difference. lower, upper: its one-sided bounds at level 1 - alpha each. sd, skewness: of the
    differences (skewness: G1, unbiased for normal differences; 0 where sd is).
    """

    effect: float
    lower: float
    upper: float
    sd: float
    skewness: float
    n: int

    @property
    def certain(self) -> bool:
        """All differences are equal: the interval is a point, by the data alone and not by the model."""
        return self.sd == 0

    def distance(self, threshold: float) -> float:
        """How far the mean lies above the threshold, in standard deviations; infinite where nothing varies."""
        away = self.effect - threshold
        return away / self.sd if self.sd else math.copysign(math.inf, away)

    def p_above(self, threshold: float) -> float:
        """One-sided p of "the mean is at most threshold": the larger of Student's and that of Hall's transformation.

        Below alpha exactly when the lower bound at alpha is above the threshold. 0 or 1 where all differences are
        equal.
        """
        if self.certain:
            return 0.0 if self.effect > threshold else 1.0
        return float(max(special.stdtr(self.n - 1, -statistic) for statistic in self._statistics(threshold)))

    def p_below(self, threshold: float) -> float:
        """One-sided p of "the mean is at least threshold"."""
        if self.certain:
            return 0.0 if self.effect < threshold else 1.0
        return float(max(special.stdtr(self.n - 1, statistic) for statistic in self._statistics(threshold)))

    def _statistics(self, threshold: float) -> tuple[float, float]:
        """Student's t and its transformation."""
        u, g = (self.effect - threshold) / self.sd, self.skewness
        hall = u + g * u**2 / 3 + g**2 * u**3 / 27 + g / (6 * self.n)
        return math.sqrt(self.n) * u, math.sqrt(self.n) * hall


def bounds(
    differences: np.ndarray, alpha: float = ALPHA
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """mean, lower, upper, sd, skewness over the last axis of differences [..., n], n >= 3.

    Each bound alone has error rate alpha; together they are a two-sided interval of level 1 - 2 alpha. Differences
    that are equal to within float rounding have sd 0 and bounds equal to their mean, rounded to 9 decimals.
    """
    n = differences.shape[-1]
    mean = differences.mean(axis=-1)
    centred = differences - mean[..., None]
    squares = centred * centred
    sd = np.sqrt(squares.sum(axis=-1) / (n - 1))
    certain = sd < _ROUNDING
    cubes = (squares * centred).sum(axis=-1) * (n / ((n - 1) * (n - 2)))
    skewness = np.where(certain, 0.0, cubes / np.where(certain, 1.0, sd) ** 3)
    sd = np.where(certain, 0.0, sd)
    # + 0.0 turns the -0.0 that rounding may leave into 0.0.
    mean = np.where(certain, np.round(mean, _ROUNDING_DECIMALS) + 0.0, mean)
    student = special.stdtrit(n - 1, 1 - alpha) / math.sqrt(n)
    below = np.maximum(student, hall_inverse(student, skewness, n))
    above = np.maximum(student, -hall_inverse(-student, skewness, n))
    return mean, mean - below * sd, mean + above * sd, sd, skewness


def hall_inverse(y: float | np.ndarray, skewness: np.ndarray, n: int) -> np.ndarray:
    """u with u + g u^2/3 + g^2 u^3/27 + g/(6n) = y, for the skewness g: Hall's transformation undone.

    From (1 + g u/3)^3 = 1 + g (y - g/(6n)); the difference of cubes is divided out, which is exact at g = 0.
    """
    shifted = y - skewness / (6 * n)
    root = np.cbrt(1 + skewness * shifted)
    inverse: np.ndarray = 3 * shifted / (root * root + root + 1)
    return inverse


def interval(differences: np.ndarray, alpha: float = ALPHA) -> Interval:
    """The bounds of one sample of differences, float [n]."""
    effect, lower, upper, sd, skewness = map(float, bounds(differences, alpha))
    return Interval(effect, lower, upper, sd, skewness, len(differences))


def lowest(contrasts: np.ndarray, alpha: float = ALPHA) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """effect, lower, upper of the smallest of c mean contrasts, over contrasts [..., c, n].

    The least lower bound is a bound at level alpha by itself: it lies above the truth only if that of the truly
    smallest contrast does (intersection-union; Berger, Technometrics, 1982). The least upper bound is a minimum over
    c chances to be wrong, so each takes alpha / c (Bonferroni).
    """
    mean, lower, *_ = bounds(contrasts, alpha)
    _, _, upper, *_ = bounds(contrasts, alpha / contrasts.shape[-2])
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


def agreement(documented: float, values: ArrayLike, n0: int) -> Agreement:
    """Does the mean of values ([n], percent or points) lie in the 95 % prediction interval around the documented one?

    documented ± t·s·sqrt(1/n0 + 1/n), two-sided, n - 1 degrees of freedom. s is the SD of our seeds and is taken to be
    the source's too; n0 is the number of repetitions behind the source's figure. Where all values are equal (s = 0)
    the interval is a point. Spence & Stanley, "Prediction interval: what to expect when you're expecting a
    replication" (PLOS ONE, 2016). Raises ValueError for n0 < 1, a documented figure that is not finite, NaN in values
    or fewer than 3 of them.
    """
    if not math.isfinite(documented):
        raise ValueError(f"documented is {documented}; needed: a finite figure")
    if n0 < 1:
        raise ValueError(f"n0 is {n0}; the source has at least 1 repetition")
    ours = interval(sample("values", values))
    half = float(special.stdtrit(ours.n - 1, 0.975)) * ours.sd * math.sqrt(1 / n0 + 1 / ours.n)
    # Rounded so that a point interval contains the figure that it is.
    figures = (documented, ours.effect, documented - half, documented + half)
    named, measured, low, high = (round(float(figure), 9) for figure in figures)
    return Agreement(named, measured, low, high, n0=int(n0))
