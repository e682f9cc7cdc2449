"""How often the intervals that are printed miss the truth."""

from __future__ import annotations

import numpy as np

from calibration.noise import NOISE
from harness.stats import LOOKS, agreement, nominal_levels
from harness.stats._interval import bounds

EXPERIMENTS = 10_000


def misses(noise: str, n: int) -> float:
    """How often a one-sided bound of the effect misses it, the worse of both sides; n = 0: any look's bound does."""
    rng = np.random.default_rng([n, *noise.encode()])
    differences = NOISE[noise](rng, (EXPERIMENTS, n or LOOKS[-1]))
    looks = [(n, 0.05)] if n else list(zip(LOOKS, nominal_levels(LOOKS), strict=True))
    low, high = np.zeros((2, EXPERIMENTS), dtype=bool)
    for size, level in looks:
        _, lower, upper, *_ = bounds(differences[:, :size], level)
        low, high = low | (lower > 0), high | (upper < 0)
    return float(max(low.mean(), high.mean()))


def prediction_misses(noise: str, n: int, repetitions: int) -> float:
    """How often our mean lies outside the prediction interval of a documented figure from the same distribution."""
    rng = np.random.default_rng([n, repetitions, *noise.encode()])
    documented = NOISE[noise](rng, (EXPERIMENTS, repetitions)).mean(axis=1)
    ours = NOISE[noise](rng, (EXPERIMENTS, n))
    return sum(not agreement(at, row, repetitions).inside for at, row in zip(documented, ours, strict=True)) / len(ours)
