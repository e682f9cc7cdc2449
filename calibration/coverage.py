"""How often the intervals that are printed miss the truth."""

from __future__ import annotations

import numpy as np

from calibration.noise import NOISE
from pytest_claims.stats import LOOKS, agreement, nominal_levels, spread
from pytest_claims.stats.interval import bounds, lowest

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


def smallest_lead_misses(noise: str, n: int) -> float:
    """How often a bound of the smallest of three leads, of which one is 0, misses it, the worse of both sides."""
    rng = np.random.default_rng([n, 3, *noise.encode()])
    _, lower, upper = lowest(NOISE[noise](rng, (EXPERIMENTS, 3, n)) + np.array([0, 0.5, 1])[:, None])
    return float(max((lower > 0).mean(), (upper < 0).mean()))


def spread_misses(noise: str, n: int) -> float:
    """How often a bound of the ratio of two spreads, of which one is twice the other, misses it, the worse side."""
    rng = np.random.default_rng([n, 2, *noise.encode()])
    arms = NOISE[noise](rng, (EXPERIMENTS, 2, n)) * np.array([1, 2])[:, None]
    found = [spread({"a": one, "b": other}, steady="a", margin=1) for one, other in arms]
    return max(sum(verdict.lower > 1 for verdict in found), sum(verdict.upper < 1 for verdict in found)) / EXPERIMENTS


def prediction_misses(noise: str, n: int, repetitions: int) -> float:
    """How often our mean lies outside the prediction interval of a documented figure from the same distribution."""
    rng = np.random.default_rng([n, repetitions, *noise.encode()])
    documented = NOISE[noise](rng, (EXPERIMENTS, repetitions)).mean(axis=1)
    ours = NOISE[noise](rng, (EXPERIMENTS, n))
    return sum(not agreement(at, row, repetitions).inside for at, row in zip(documented, ours, strict=True)) / len(ours)
