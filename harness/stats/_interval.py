"""The mean of per-seed differences with its one-sided bounds: what every decision starts from."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

ALPHA = 0.05
FEWEST_SEEDS = 3


@dataclasses.dataclass(frozen=True)
class Interval:
    """effect: mean difference. lower, upper: its one-sided bounds at level 1 - alpha each. sd: of the differences."""

    effect: float
    lower: float
    upper: float
    sd: float
    n: int

    @property
    def certain(self) -> bool:
        """All differences are equal: the interval is a point, by the data alone and not by the model."""
        return self.sd == 0


def bounds(differences: np.ndarray, alpha: float = ALPHA) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """mean, lower, upper, sd over the last axis of differences [..., n]: Student's one-sided bounds, df n - 1.

    Differences equal to within float rounding count as equal (sd 0): accuracies are counts over a test set, and their
    true differences are either 0 or at least 100 / (number of test images).
    """
    n = differences.shape[-1]
    mean = differences.mean(axis=-1)
    sd = differences.std(axis=-1, ddof=1)
    sd = np.where(sd < 1e-9, 0.0, sd)
    half = stats.t.ppf(1 - alpha, n - 1) * sd / np.sqrt(n)
    return mean, mean - half, mean + half, sd


def interval(differences: np.ndarray, alpha: float = ALPHA) -> Interval:
    """The bounds of one sample of differences, float [n]."""
    mean, lower, upper, sd = (float(value) for value in bounds(differences, alpha))
    return Interval(mean, lower, upper, sd, len(differences))


def p_above(differences: np.ndarray, threshold: float) -> float:
    """One-sided p of "the mean is at most threshold", by Student's t; 0 or 1 where all differences are equal."""
    at = interval(differences)
    if at.certain:
        return 0.0 if at.effect > threshold else 1.0
    return float(stats.ttest_1samp(differences, threshold, alternative="greater").pvalue)


def p_below(differences: np.ndarray, threshold: float) -> float:
    """One-sided p of "the mean is at least threshold"."""
    return p_above(-differences, -threshold)


def sample(name: str, values: ArrayLike) -> np.ndarray:
    """values as float64 [n]. Raises ValueError, naming the arm and the position, if they cannot be decided on."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: shape {list(array.shape)}; needed: one accuracy a seed, [n]")
    if len(array) < FEWEST_SEEDS:
        raise ValueError(f"{name}: {len(array)} seeds; at least {FEWEST_SEEDS} are needed for a spread to test against")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name}: {array[bad[0]]} at position {bad[0]}. A diverged run still has a finite accuracy (of what it "
            "predicts); pass that, and mark the run as collapsed"
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
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; it must be above 0, in points, in the direction of the claim")
    return float(value)
