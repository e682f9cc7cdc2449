"""The estimate of a claim that stopped at one of several looks: right in the median, where the mean is too large."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from pytest_claims.stats.estimate import after_looks, median_unbiased
from pytest_claims.stats.interval import bounds

# Kim and DeMets' spending with rho = 2 of .045, as of the claims.
LOOKS = (5, 7, 10, 14, 20)
LEVELS = (0.00281, 0.00397, 0.00818, 0.01633, 0.0352)


def estimated(effect, sd=1.0, n=14, margin=1.0, looks=LOOKS, levels=LEVELS, **more):
    return median_unbiased(effect, sd, n, margin=margin, looks=looks, levels=levels, **more)


def stopped(differences, margin):
    """Seeds at which each claim stops, float [experiments, 20] in, and whether it has L > 0 there."""
    seeds, up = np.zeros(len(differences), dtype=int), np.zeros(len(differences), dtype=bool)
    for n, level in zip(LOOKS, LEVELS, strict=True):
        _, lower, upper, *_ = bounds(differences[:, :n], level)
        now = (seeds == 0) & ((lower > 0) | (upper < margin) | (n == LOOKS[-1]))
        seeds[now], up[now] = n, (lower > 0)[now]
    return seeds, up


@given(st.floats(-5, 5), st.floats(0, 3), st.sampled_from([5, 20]))
def test_at_the_first_look_it_is_the_mean(effect, sd, n):
    assert estimated(effect, sd, n, looks=(n,), levels=(0.05,)) == effect
    assert estimated(effect, sd, 5) == effect


@pytest.mark.parametrize("margin", [0.6, 1.0, 2.6])
def test_its_median_is_the_truth_where_the_mean_is_inflated(margin):
    """Claims with the effect that they claim, 1,500 with a standard deviation of 1."""
    differences = np.random.default_rng(0).normal(margin, size=(1500, LOOKS[-1]))
    seeds, up = stopped(differences, margin)
    looks = list(zip(LOOKS, LEVELS, strict=True))
    found = np.array(
        [
            after_looks(each[:n], margin=margin, looks=looks[: LOOKS.index(n) + 1])
            for each, n in zip(differences, seeds, strict=True)
        ]
    )
    means = np.array([each[:n].mean() for each, n in zip(differences, seeds, strict=True)])
    # Three standard errors of a share of one half.
    assert abs((found > margin).mean() - 0.5) < 0.039
    assert np.median(found) == pytest.approx(margin, rel=0.04)
    inflated = {0.6: 0.07, 1.0: 0.04, 2.6: 0.005}[margin]
    assert means.mean() > (1 + inflated) * margin
    # Of claims alone that stopped for L > 0, every estimate is too large; this one is less so.
    assert margin * 0.99 < np.median(found[up]) < np.median(means[up])
    assert abs(found[up].mean() - margin) < abs(means[up].mean() - margin)


def test_with_a_known_spread_it_is_right_in_exactly_half_of_all_cases():
    """The model itself: fixed limits at every look."""
    limits = [(0.2, 1.5), (0.3, 1.2), (0.4, 0.9), (0.5, 0.8)]
    differences = np.random.default_rng(1).normal(0.9, size=(2000, LOOKS[-1]))
    above = []
    for each in differences:
        for place, n in enumerate(LOOKS):
            mean = each[:n].mean()
            if place == len(limits) or not limits[place][0] <= mean <= limits[place][1]:
                break
        above.append(estimated(mean, n=n, limits=limits[:place]) > 0.9)
    assert abs(np.mean(above) - 0.5) < 0.034


@pytest.mark.parametrize("effect", [-0.3, 0.4, 0.9])
@pytest.mark.parametrize("n", [7, 10])
def test_it_solves_what_the_normal_distribution_says(n, effect):
    """Jennison & Turnbull's probability by SciPy's own multivariate normal distribution."""
    margin, before = 1.0, LOOKS[: LOOKS.index(n)]
    high = [special.stdtrit(k - 1, 1 - a) / math.sqrt(k) for k, a in zip(before, LEVELS, strict=False)]
    low = [margin - each for each in high]
    sizes = np.array([*before, n])
    # Means at k <= m seeds have the covariance 1/m.
    covariance = 1 / np.maximum.outer(sizes, sizes)

    def larger(theta):
        total = 0.0
        for place, edge in enumerate([*high, effect]):
            box = stats.multivariate_normal(np.full(place + 1, theta), covariance[: place + 1, : place + 1])
            lower = np.array([*low[:place], edge])
            # Above its edge: all that is above the earlier lower limits less what is below the edge.
            upper = np.array([*high[:place], theta + 12])
            total += box.cdf(upper, lower_limit=lower)
        return total - 0.5

    assert estimated(effect, n=n) == pytest.approx(optimize.brentq(larger, -3, 3, xtol=1e-6), abs=1e-3)


@given(st.floats(-1, 2), st.floats(0.01, 1), st.floats(0.1, 10), st.sampled_from(LOOKS[1:]))
def test_it_rises_with_the_mean_and_has_its_unit(effect, more, unit, n):
    here = estimated(effect, n=n)
    assert estimated(effect + more, n=n) > here
    assert estimated(effect * unit, unit, n, margin=unit) == pytest.approx(here * unit, abs=1e-6 * unit)
    # 0 and the margin are alike to a claim: L is held against the one as U is against the other.
    assert estimated(1 - effect, n=n) == pytest.approx(1 - here, abs=1e-6)


def test_claims_that_stopped_up_are_shrunk_and_those_that_stopped_down_raised():
    assert estimated(1.4, n=7) < 1.4
    assert estimated(-0.4, n=7) > -0.4
    # In the middle no luck is likelier than the other.
    assert estimated(0.5, n=20) == pytest.approx(0.5)


@given(st.lists(st.integers(-9000, 9000), min_size=14, max_size=14), st.floats(0.5, 50))
def test_of_any_seeds_it_is_a_number_or_none(hundredths, margin):
    differences = np.array(hundredths) / 100
    for count in (2, 3, 4):
        looks = list(zip(LOOKS[:count], LEVELS[:count], strict=True))
        found = after_looks(differences[: looks[-1][0]], margin=margin, looks=looks)
        assert found is None or abs(found - differences[: looks[-1][0]].mean()) < 10 * differences.std()


def test_where_no_path_goes_on_there_is_none():
    assert estimated(10.0, margin=20.0, n=7) is None
    assert estimated(1.0, sd=0.0) is None
    # Equal differences would have stopped it.
    assert after_looks([2.0] * 7, margin=1.0, looks=[(5, 0.003), (7, 0.004)]) is None


def test_what_is_no_look_is_an_error():
    with pytest.raises(ValueError, match="6 seeds, looks"):
        estimated(1.0, n=6)
    with pytest.raises(ValueError, match="as many"):
        estimated(1.0, levels=(0.05,))
    with pytest.raises(ValueError, match="1 limits for the 3 looks"):
        estimated(1.0, limits=[(0, 1)])
