"""How often the intervals that are printed miss the truth."""

from __future__ import annotations

import math

import numpy as np

from calibration.cells import looked_at
from calibration.noise import NOISE
from pytest_claims.stats import ALPHA, LOOKS, Level, agreement, spread, superiority
from pytest_claims.stats.interval import bounds, lowest
from pytest_claims.types import Outcome, Verdict

EXPERIMENTS = 10_000


def misses(noise: str, n: int) -> float:
    """How often a one-sided bound of the effect misses it, the worse of both sides; n = 0: any look's bound does."""
    rng = np.random.default_rng([n, *noise.encode()])
    differences = NOISE[noise](rng, (EXPERIMENTS, n or LOOKS[-1]))
    looks = [(n, 0.05)] if n else [(look, Level.of(LOOKS, look)) for look in LOOKS]
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


def chosen_prediction_misses(arms: int, n: int, repetitions: int = 1) -> float:
    """The same where all of several arms are equal and the contrast is that of the source's own two extremes; our arms
    are paired by seed with a correlation of .5, the source's are not."""
    rng = np.random.default_rng([n, arms, repetitions])
    shared = rng.normal(size=(EXPERIMENTS, 1, n)) * np.sqrt(0.5)
    ours = shared + rng.normal(size=(EXPERIMENTS, arms, n)) * np.sqrt(0.5)
    theirs = rng.normal(size=(EXPERIMENTS, arms, repetitions)).mean(axis=-1)
    missed = 0
    for figures, mine in zip(theirs, ours, strict=True):
        high, low = figures.argmax(), figures.argmin()
        found = agreement(
            figures[high] - figures[low],
            mine[high] - mine[low],
            repetitions,
            unpaired=float(np.sqrt(mine[high].var(ddof=1) + mine[low].var(ddof=1))),
            chosen_from=math.comb(arms, 2),
        )
        missed += not found.inside
    return missed / EXPERIMENTS


def looked_prediction_misses(effect: float, repetitions: int) -> float:
    """The same of a claim that is looked at until a verdict stands, with an effect in margins of 1; sd 1."""
    rng = np.random.default_rng([int(10 * effect), repetitions, 7])
    ours = rng.normal(effect, 1, size=(EXPERIMENTS, LOOKS[-1]))
    documented = rng.normal(effect, 1, size=(EXPERIMENTS, repetitions)).mean(axis=1)
    missed = 0
    for figure, mine in zip(documented, ours, strict=True):
        n = looked_at(lambda n, level, mine=mine: superiority(mine[:n], np.zeros(n), margin=1, alpha=level)).n
        missed += not agreement(figure, mine[:n], repetitions, alpha=Level.of(LOOKS, n)).inside
    return missed / EXPERIMENTS


def chained(samples: int) -> float:
    """How often an effect that is not there is called one, where a claim that its looks left open is judged on 20 fresh
    seeds, again and again, up to so many samples in all. The margin is .6 standard deviations."""
    rng = np.random.default_rng([samples, 20])
    false = 0
    for _ in range(EXPERIMENTS):
        differences = rng.normal(size=(samples, LOOKS[-1]))
        found = looked_at(lambda n, level, mine=differences[0]: _beats(mine[:n], level))
        for fresh in differences[1:]:
            if found.outcome == Outcome.INCONCLUSIVE:
                found = _beats(fresh, ALPHA)
        false += found.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    return false / EXPERIMENTS


def _beats(differences: np.ndarray, alpha: float) -> Verdict:
    return superiority(differences, np.zeros_like(differences), margin=0.6, alpha=alpha)


def prediction_misses(noise: str, n: int, repetitions: int) -> float:
    """How often our mean lies outside the prediction interval of a documented figure from the same distribution."""
    rng = np.random.default_rng([n, repetitions, *noise.encode()])
    documented = NOISE[noise](rng, (EXPERIMENTS, repetitions)).mean(axis=1)
    ours = NOISE[noise](rng, (EXPERIMENTS, n))
    return sum(not agreement(at, row, repetitions).inside for at, row in zip(documented, ours, strict=True)) / len(ours)
