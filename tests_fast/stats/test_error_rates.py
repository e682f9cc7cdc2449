"""Simulated error rates of every decision, at the edge of what it must not claim.

10,000 experiments each, so that a true rate of 5 % is measured to ±0.4 % (two standard errors). Bound: 5.7 %, three
standard errors above alpha; 7 % where runs collapse. t(4) stands for heavy tails, and is scaled to unit variance. The
simulations use the vectorised bounds that the public functions use, and each is shown to equal them row by row.
"""

import itertools

import numpy as np
import pytest

from pytest_claims.stats import best_of, equivalence, never_falls, no_difference, superiority, trend
from pytest_claims.stats.collapses import p_sign_flip
from pytest_claims.stats.interval import bounds, lowest
from pytest_claims.stats.levels import contrasts_along, slope_per_doubling
from pytest_claims.types import Outcome

EXPERIMENTS = 10_000
BOUND = 0.057
ROWS = range(0, EXPERIMENTS, EXPERIMENTS // 10)

noise_and_n = pytest.mark.parametrize(("noise", "n"), list(itertools.product(["normal", "t4"], [5, 10])))


def draw(noise, *shape, seed=0):
    rng = np.random.default_rng([seed, shape[-1]])
    return rng.normal(size=shape) if noise == "normal" else rng.standard_t(4, size=shape) / np.sqrt(2)


@noise_and_n
def test_superiority(noise, n):
    margin = 1.0
    better, worse = draw(noise, 2, EXPERIMENTS, n)
    _, lower, *_ = bounds(better - worse)
    assert (lower > 0).mean() <= BOUND  # no effect: REPRODUCED or TOO SMALL is false
    _, lower_m, upper_m, *_ = bounds(better + margin - worse)
    assert (upper_m < margin).mean() <= BOUND  # exactly the claimed size: CONTRADICTED or TOO SMALL is false
    for row in ROWS:
        found = superiority(better[row] + margin, worse[row], margin=margin)
        assert (found.lower, found.upper) == pytest.approx((lower_m[row], upper_m[row]))
        excluded = found.outcome in (Outcome.CONTRADICTED, Outcome.TOO_SMALL)
        assert excluded == (upper_m[row] < margin)
        assert (found.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)) == (lower_m[row] > 0)


@noise_and_n
@pytest.mark.parametrize("within", [0.1, 1.0])
def test_equivalence(noise, n, within):
    """At a true difference of just d: it is not equivalent, and not wholly outside. Small d is the hard case.

    With bounds at alpha instead of alpha / 2, CONTRADICTED would be false in 9 % at d = 0.1.
    """
    differences = draw(noise, EXPERIMENTS, n, seed=1) + within
    _, lower, upper, *_ = bounds(differences)
    inside = (-within < lower) & (upper < within)
    assert inside.mean() <= BOUND
    _, low, high, *_ = bounds(differences, 0.025)
    outside = (low >= within) | (high <= -within)
    assert outside.mean() <= BOUND
    for row in ROWS:
        found = equivalence(differences[row], np.zeros(n), within=within).outcome
        assert found == [Outcome.INCONCLUSIVE, Outcome.REPRODUCED, Outcome.CONTRADICTED][inside[row] + 2 * outside[row]]


@noise_and_n
@pytest.mark.parametrize("third", [0.0, 0.5])
def test_no_difference(noise, n, third):
    """Arms at 0, d and third·d."""
    within = 1.0
    arms = draw(noise, 3, EXPERIMENTS, n, seed=2) + within * np.array([0.0, 1.0, third])[:, None, None]
    pairs = np.stack([arms[one] - arms[other] for one, other in itertools.combinations(range(3), 2)])
    _, lower, upper, *_ = bounds(pairs)
    reproduced = ((-within < lower) & (upper < within)).all(axis=0)
    assert reproduced.mean() <= BOUND
    _, low, high, *_ = bounds(pairs, 0.05 / 3 / 2)
    contradicted = ((low >= within) | (high <= -within)).any(axis=0)
    assert contradicted.mean() <= BOUND
    for row in ROWS:
        found = no_difference(dict(zip("abc", arms[:, row], strict=True)), within=within).outcome
        assert (found == Outcome.REPRODUCED) == reproduced[row]
        assert (found == Outcome.CONTRADICTED) == contradicted[row]


@noise_and_n
@pytest.mark.parametrize("lead", [(0.0, 0.0, 0.0), (0.0, 20.0, 20.0)])
def test_best_of(noise, n, lead):
    """The claimed best leads its three rivals by `lead`: not over one, or over none of them."""
    margin = 2.0
    best, *rivals = draw(noise, 4, EXPERIMENTS, n, seed=3)
    contrasts = np.stack([best + ahead - rival for ahead, rival in zip(lead, rivals, strict=True)], axis=1)
    _, lower, _ = lowest(contrasts)
    assert (lower > 0).mean() <= BOUND
    effect, lower, upper = lowest(contrasts + margin)
    # Now it does lead each by the margin or more, so that an excluded size is false.
    assert (upper < margin).mean() <= BOUND
    for row in ROWS:
        arms = {"best": np.zeros(n), **{str(i): -contrasts[row, i] - margin for i in range(3)}}
        found = best_of(arms, best="best", margin=margin)
        assert (found.effect, found.lower, found.upper) == pytest.approx((effect[row], lower[row], upper[row]))


@noise_and_n
@pytest.mark.parametrize("shape", ["flat", "hump", "ends only"])
def test_trend(noise, n, shape):
    margin, levels = 2.0, np.array([1.0, 2.0, 4.0, 8.0])
    # hump: the slope rises, the ends are level. ends only: the ends rise, the slope is flat.
    curve = {"flat": [0, 0, 0, 0], "hump": [0, -9, 9, 0], "ends only": [0, 9, -9, 6]}[shape]
    values = draw(noise, EXPERIMENTS, n, 4, seed=4) + np.array(curve)
    ends, slopes = values[..., -1] - values[..., 0], slope_per_doubling(levels, values)
    holds = (bounds(ends)[1] > 0) & (bounds(slopes)[1] > 0)
    assert holds.mean() <= BOUND
    lift = margin - (curve[-1] - curve[0])
    assert (bounds(ends + lift)[2] < margin).mean() <= BOUND
    _, lower, upper, *_ = bounds(ends)
    for row in ROWS:
        found = trend(levels, values[row], direction=1, margin=margin)
        assert (found.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)) == holds[row]
        assert (found.lower, found.upper) == pytest.approx((lower[row], upper[row]))


@noise_and_n
@pytest.mark.parametrize("curve", [(0, -1, 5, 9), (0, -1, 0, -1), (0, -0.5, -1, -1)])
def test_never_falls(noise, n, curve):
    """Curves whose deepest fall is just the margin: it is not excluded, and nothing larger is established."""
    values = draw(noise, EXPERIMENTS, n, 4, seed=5) + np.array(curve)
    effect, lower, upper = lowest(contrasts_along(values))
    assert (lower > -1).mean() <= BOUND
    assert (upper < -1).mean() <= BOUND
    for row in ROWS:
        found = never_falls([1, 2, 4, 8], values[row], margin=1)
        assert (found.effect, found.lower, found.upper) == pytest.approx((effect[row], lower[row], upper[row]))
        assert (found.outcome == Outcome.REPRODUCED) == (lower[row] > -1)


class TestCollapse:
    """Runs that fall to chance, `gap` points below the others, with a rate of its own for each arm."""

    GAP = 40.0

    @staticmethod
    def flip_p(differences):
        """p_sign_flip for every row of [experiments, n] at once."""
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=differences.shape[1])))
        shares = [
            (rows @ signs.T >= rows.sum(axis=1)[:, None] - 1e-9).mean(axis=1) for rows in np.split(differences, 5)
        ]
        return np.concatenate(shares)

    def arms(self, n, rates, seed=6):
        rng = np.random.default_rng([seed, n])
        collapsed = rng.random((2, EXPERIMENTS, n)) < np.array(rates)[:, None, None]
        return rng.normal(size=(2, EXPERIMENTS, n)) - self.GAP * collapsed, collapsed

    def claimed(self, differences, collapsed):
        """Where the guarded rule finds L > 0, bool [experiments]."""
        by_t = bounds(differences)[1] > 0
        guarded = collapsed.any(axis=(0, 2))
        return by_t & (~guarded | (self.flip_p(differences) <= 0.05))

    @pytest.mark.parametrize("n", [5, 10])
    @pytest.mark.parametrize("rates", [(0.05, 0.05), (0.2, 0.2), (0.5, 0.5), (0.4, 0.2), (0.9, 0.5)])
    def test_an_arm_that_is_no_better_and_collapses_as_often_is_not_called_better(self, n, rates):
        arms, collapsed = self.arms(n, rates)
        differences = arms[0] - arms[1]
        found = self.claimed(differences, collapsed)
        assert found.mean() <= 0.07
        for row in ROWS:
            flags = tuple(collapsed[:, row])
            public = superiority(*arms[:, row], margin=50, collapsed=flags).outcome
            assert (public in (Outcome.REPRODUCED, Outcome.TOO_SMALL)) <= found[row]
            # The other arm lifted by the margin is ahead by no less than that, and the same numbers say it is not.
            other = superiority(arms[1, row] + 2, arms[0, row], margin=2, collapsed=flags[::-1]).outcome
            assert (other == Outcome.CONTRADICTED) <= found[row]

    def test_flips_in_one_go_equal_those_of_scipy(self):
        arms, _ = self.arms(5, (0.2, 0.2))
        differences = arms[0] - arms[1]
        every = self.flip_p(differences)
        assert all(p_sign_flip(differences[row], 0.0) == pytest.approx(every[row]) for row in ROWS)
