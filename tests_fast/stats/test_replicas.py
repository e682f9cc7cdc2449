"""The same arm in two places: differences are found where they are, and seldom where none is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_claims.stats import holm
from pytest_claims.stats.replicas import mean_difference, mean_of_arms, p_values, replica

accuracies = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=30)


def test_against_scipy():
    random = np.random.default_rng(3)
    first, second = random.normal(50, 3, (2, 12))
    found, known = replica(first, second), stats.ttest_rel(second, first)
    assert found.difference.p == pytest.approx(known.pvalue)
    assert found.difference.mean == pytest.approx(np.mean(second - first))
    interval = known.confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high))
    assert found.r == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert found.p_collapses is None


@given(accuracies, st.sampled_from([0.0, 0.01, 1.0]))
def test_swapping_the_places_turns_the_difference_around(pairs, resolution):
    first, second = np.array(pairs).T
    one, other = replica(first, second, resolution=resolution), replica(second, first, resolution=resolution)
    assert one.difference.mean == -other.difference.mean
    assert one.difference.low == -other.difference.high
    assert one.difference.p == other.difference.p
    assert one.r == pytest.approx(other.r)


@given(accuracies)
def test_the_interval_leaves_0_out_exactly_where_p_is_below_5_percent(pairs):
    first, second = np.array(pairs).T
    found = replica(first, second, resolution=0.01).difference
    assert found.low <= found.mean <= found.high
    assert 0 <= found.p <= 1
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_equal_accuracies_are_no_difference_and_rounding_is_no_certainty():
    same = [50.0, 51.0, 52.5]
    assert replica(same, same).difference.p == 1.0
    shifted = np.array(same) + 0.3
    assert replica(same, shifted).difference.p == 0.0  # certain, for nothing is said of rounding
    # A shift of one image in three seeds is what rounding does.
    assert replica(same, np.array(same) + 0.01, resolution=0.01).difference.p > 0.05


def test_collapses_are_compared_by_mcnemars_test():
    first, second = np.full(8, 50.0), np.full(8, 50.0)
    flags = np.zeros(8, bool), np.arange(8) < 6
    found = replica(first, second, collapsed=flags)
    assert found.collapsed == (0, 6)
    assert found.p_collapses == pytest.approx(2 / 2**6)
    assert replica(first, second, collapsed=(flags[1], flags[1])).p_collapses == 1.0
    assert replica(first, second, collapsed=(flags[0], flags[0])).p_collapses is None


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="paired by seed"):
        replica([1, 2, 3], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="at least 3"):
        replica([1, 2], [1, 2])
    with pytest.raises(ValueError, match="one flag a seed"):
        replica([1, 2, 3], [1, 2, 3], collapsed=([True], [False, False, False]))


def table(random, shift=0.0, every=0.0, fewest=5):
    """12 arms that share their seeds, of other noise in each place; shift is of one arm alone."""
    seed = random.normal(0, 2, 20)
    arms = []
    for arm in range(12):
        noise = random.normal(0, 1, (2, 20 if arm % 2 else fewest))
        first, second = 50 + seed[: noise.shape[1]] + noise
        arms.append(replica(first, second + every + (shift if arm == 1 else 0), resolution=0.01))
    return arms


def test_error_rate_and_power_of_a_whole_table():
    random = np.random.default_rng(20261126)

    def found(tables, **difference):
        any_arm, overall = 0, 0
        for _ in range(tables):
            arms = table(random, **difference)
            ps = [*p_values(arms), mean_of_arms([arm.difference.mean for arm in arms]).p]
            any_arm += min(ps[:-1]) <= 0.05 / len(ps)  # Holm's first step, which decides whether there is any
            overall += ps[-1] <= 0.05 / len(ps)
        return any_arm, overall

    # A promise of 5 % is broken by 14 or more of 150 in 1 of 100 such tests.
    assert sum(found(150)) < stats.binom.ppf(0.99, 150, 0.05)
    assert found(40, shift=3.0)[0] >= 38
    # Half a point in all arms, a third of a difference's standard deviation, is seen in all of them together.
    alone, together = found(40, every=0.5, fewest=20)
    assert together >= 35
    assert together > alone


def test_holm_is_what_corrects_the_table():
    arms = table(np.random.default_rng(1), shift=3.0)
    adjusted = holm(p_values(arms))
    assert adjusted[1] <= 0.05
    assert min(adjusted[:1] + adjusted[2:]) > 0.05


def test_below_three_arms_there_is_no_mean_of_arms():
    assert mean_of_arms([0.1, 0.2]) is None
    assert mean_of_arms([0.1, 0.2, 0.3]).mean == pytest.approx(0.2)
    assert mean_difference([0.0, 0.0, 0.0]).p == 1.0
