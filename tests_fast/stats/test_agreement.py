"""The documented number against our seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from pytest_claims.stats import agreement


def test_the_formula():
    values = np.array([12.0, 14.0, 13.0, 11.0, 15.5])
    found = agreement(10.0, values, 3)
    half = stats.t.ppf(0.975, 4) * values.std(ddof=1) * math.sqrt(1 / 3 + 1 / 5)
    assert (found.low, found.high) == pytest.approx((10 - half, 10 + half))
    assert found.measured == pytest.approx(13.1)
    assert found.inside == (abs(13.1 - 10) <= half)


def test_more_repetitions_of_the_source_narrow_it():
    values = [12.0, 14.0, 13.0]
    one, five = agreement(10.0, values, 1), agreement(10.0, values, 5)
    assert five.high - five.low < one.high - one.low


def test_without_spread_only_the_figure_itself_agrees():
    values = np.array([60.3, 61.3, 62.3]) - [60.0, 61.0, 62.0]
    assert agreement(0.3, values, 1).inside
    assert not agreement(0.31, values, 1).inside


def test_refusals():
    with pytest.raises(ValueError, match="n0 is 0"):
        agreement(1.0, [1.0, 2.0, 3.0], 0)
    with pytest.raises(ValueError, match="documented is nan"):
        agreement(math.nan, [1.0, 2.0, 3.0], 1)
    with pytest.raises(ValueError, match="values: nan at position 1"):
        agreement(1.0, [1.0, math.nan, 3.0], 1)


def test_numbers_are_builtins(builtin_numbers):
    builtin_numbers(agreement(np.float64(1), np.array([1.0, 2.0, 3.0]), np.int64(2)))


@pytest.mark.parametrize(("n", "n0"), [(5, 1), (5, 5), (10, 3)])
def test_it_covers_a_repetition_of_the_same_experiment_95_times_in_100(n, n0):
    rng = np.random.default_rng(5)
    ours, theirs = rng.normal(size=(10_000, n)), rng.normal(size=(10_000, n0)).mean(axis=1)
    half = stats.t.ppf(0.975, n - 1) * ours.std(axis=1, ddof=1) * math.sqrt(1 / n0 + 1 / n)
    inside = np.abs(ours.mean(axis=1) - theirs) <= half
    assert 0.943 <= inside.mean() <= 0.957
    for row in range(30):
        assert agreement(theirs[row], ours[row], n0).inside == inside[row]
