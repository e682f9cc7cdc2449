"""Accuracies of few test images: differences are often equal, which is no certainty.

Of 50 or 100 images of one's own, one counts for 2 points or 1. Runs that differ by less than an image look alike, and a
t test takes equal differences for certainty: p = 0 at any level. So the rules take the resolution of the accuracies.
"""

import numpy as np
import pytest
from scipy import special, stats

from pytest_claims.stats import LOOKS, equivalence, never_falls, superiority, trend
from pytest_claims.stats.interval import bounds, rounding_of
from pytest_claims.stats.levels import slope_per_doubling
from pytest_claims.stats.looks import Level
from pytest_claims.types import Outcome, Quantity

HOLDS, FAILS = (Outcome.REPRODUCED, Outcome.TOO_SMALL), (Outcome.CONTRADICTED, Outcome.TOO_SMALL)
EXPERIMENTS = 5000
LIMIT = 0.07 + 3 * np.sqrt(0.07 * 0.93 / EXPERIMENTS)


def counted(rng, place, spread, n):
    """Images that are right, [EXPERIMENTS, n]: what a run would have on endless test images, in whole images; and the
    mean of this."""
    counts, at = np.round(place + spread * rng.normal(size=(EXPERIMENTS, n))), np.arange(-10, 20)
    share = special.ndtr((at + 0.5 - place) / spread) - special.ndtr((at - 0.5 - place) / spread)
    return counts, float(share @ at)


def crossed(differences, truth, n, rounding):
    """How often a lower bound lies above the truth and an upper one below it; n = 0: at any look."""
    looks = [(n, 0.05)] if n else [(size, Level.of(LOOKS, size)) for size in LOOKS]
    low, high = np.zeros((2, len(differences)), dtype=bool)
    for size, level in looks:
        _, lower, upper, *_ = bounds(differences[:, :size], level, rounding)
        low, high = low | (lower > truth + 1e-9), high | (upper < truth - 1e-9)
    return low.mean(), high.mean()


# Where two arms lie, in images: between two whole ones, of which a run shows one.
PLACES = [(4 + tenths / 10, 2 + below) for tenths in range(0, 10, 2) for below in (0.0, 0.25, 0.5)]


@pytest.mark.parametrize("n", [3, 5, 10, 0])
@pytest.mark.parametrize("images", [50, 100])
@pytest.mark.parametrize("spread", [0.05, 0.3, 1.0])
def test_equal_differences_do_not_err_more_often_than_others(images, spread, n):
    """With the spread of a run in images. At the margin: a claim whose effect is just its margin is excluded where the
    upper bound is below it, and one that it does not fall by so much is shown where the lower one is above it.
    """
    rng, resolution = np.random.default_rng([images, n, int(100 * spread)]), 100 / images
    plain, smoothed = [], []
    for first, second in PLACES:
        (one, mean), (other, less) = (counted(rng, place, spread, n or LOOKS[-1]) for place in (first, second))
        differences, truth = resolution * (one - other), resolution * (mean - less)
        plain.append(max(crossed(differences, truth, n, 0.0)))
        smoothed.append(max(crossed(differences, truth, n, rounding_of(resolution, 2))))
        if n == 5:
            for row in range(3):
                as_the_rules_have_it(one[row], other[row], resolution, truth)
    assert max(smoothed) <= LIMIT
    # Without it: almost certain to err, where a run seldom differs by an image from another.
    if spread < 1:
        assert max(plain) > (0.9 if spread == 0.05 else 0.1)


def as_the_rules_have_it(one, other, resolution, truth):
    """The public rules decide by these bounds: an effect of the margin, one of none, one of the limit, a fall."""
    one, other = resolution * one, resolution * other
    _, lower, upper, *_ = bounds(one - other, 0.05, rounding_of(resolution, 2))
    found = superiority(one, other, margin=truth, resolution=resolution)
    assert (found.lower, found.upper) == pytest.approx((lower, upper))
    assert (found.outcome in HOLDS, found.outcome in FAILS) == (lower > 0, upper < truth)
    inside = equivalence(one, other, within=truth, resolution=resolution)
    assert (inside.outcome == Outcome.REPRODUCED) == (-truth < lower and upper < truth)
    falls = never_falls([1, 2], np.stack([one, other], axis=1), margin=truth, resolution=resolution)
    assert (falls.lower, falls.upper) == pytest.approx((-upper, -lower))
    assert (falls.outcome == Outcome.REPRODUCED) == (-upper > -truth)


@pytest.mark.parametrize("n", [3, 5, 10, 0])
@pytest.mark.parametrize("images", [50, 100])
def test_no_effect_is_not_called_one(images, n):
    """Two arms that are alike, wherever between two images; sometimes all seeds happen to be an image apart."""
    rng, resolution = np.random.default_rng([images, n]), 100 / images
    for spread in (0.2, 0.5, 1.0):
        for place in (3.0, 3.3, 3.5):
            (one, _), (other, _) = (counted(rng, place, spread, n or LOOKS[-1]) for _ in range(2))
            shown, _ = crossed(resolution * (one - other), 0.0, n, rounding_of(resolution, 2))
            assert shown <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / EXPERIMENTS)


def test_one_image_more_with_every_seed_is_no_certainty():
    """It once had p = 0 at any level."""
    ahead, behind = np.full(5, 62.0), np.full(5, 60.0)
    assert superiority(ahead, behind, margin=3).p == 0
    found = superiority(ahead, behind, margin=3, resolution=2.0)
    # Each accuracy lies anywhere within its image, and Student's t: nothing is skewed.
    sd = 2 / np.sqrt(6)
    for p, away in ((found.p_holds, 2.0), (found.p_fails, 1.0)):
        assert p == pytest.approx(stats.t.sf(away / sd * np.sqrt(5), 4))
    assert superiority(ahead, behind, margin=3, alpha=Level.of(LOOKS, 5)).outcome == Outcome.TOO_SMALL
    looked = superiority(ahead, behind, margin=3, alpha=Level.of(LOOKS, 5), resolution=2.0)
    assert looked.outcome == Outcome.REPRODUCED


def test_equivalence_and_no_fall_of_equal_values_are_shown_by_enough_seeds():
    equal = np.full((20, 2), 60.0)
    for n, outcome in ((3, Outcome.INCONCLUSIVE), (20, Outcome.REPRODUCED)):
        for found in (
            equivalence(*equal[:n].T, within=1.0, resolution=2.0),
            never_falls([1, 2], equal[:n], margin=1.0, resolution=2.0),
        ):
            assert found.outcome == outcome
            assert 0 < found.p < 1


def test_a_slope_has_the_rounding_of_its_own_weights():
    """As simulated: accuracies anywhere within an image."""
    levels, resolution = np.array([1.0, 2.0, 8.0]), 2.0
    rows = np.tile([50.0, 52.0, 54.0], (5, 1))
    anywhere = np.random.default_rng(0).uniform(-resolution / 2, resolution / 2, (200_000, 3))
    *_, slope = trend(levels, rows, direction=1, margin=2.0, resolution=resolution).bounds
    assert slope.quantity == Quantity.SLOPE
    half = stats.t.ppf(0.95, 4) * slope_per_doubling(levels, anywhere).std() / np.sqrt(5)
    assert slope.estimate - slope.value == pytest.approx(half, rel=0.01)
    assert trend(levels, rows, direction=1, margin=2.0).bounds[-1].value == pytest.approx(slope.estimate)


def test_a_claimed_direction_is_judged_by_the_rounded_slope_and_the_rounded_ends():
    # Of the ends alone the direction is plain; the slope is of all levels, and its rounding weighs less.
    rows = np.tile([50.0, 52.0, 54.0], (3, 1))
    found = trend([1, 2, 8], rows, direction=1, margin=2.0, resolution=2.0)
    ends, *_ = found.bounds
    assert ends.value == pytest.approx(4 - stats.t.ppf(0.95, 2) * 2 / np.sqrt(6) / np.sqrt(3))
    assert found.outcome == Outcome.REPRODUCED
    strict = trend([1, 2, 8], rows, direction=1, margin=2.0, resolution=2.0, alpha=0.001)
    assert (strict.outcome, strict.bounds[2].value < 0) == (Outcome.INCONCLUSIVE, True)
