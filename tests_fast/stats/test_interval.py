"""The bounds of a mean: Student's where differences are symmetric, corrected for their skewness where not."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pytest_claims.stats.interval import bounds, hall_inverse, interval, lowest, rounding_of, sample, widest
from pytest_claims.stats.looks import Level

DIFFERENCES = st.integers(3, 12).flatmap(
    lambda n: hnp.arrays(np.float64, n, elements=st.integers(-2000, 2000).map(lambda count: count / 100))
)
LEVELS = st.sampled_from([0.2, 0.05, 0.025, 0.005, 9e-5])


@st.composite
def mirrored(draw):
    """Differences that lie symmetrically about their mean, so that their skewness is 0."""
    half = draw(st.lists(st.integers(1, 500), min_size=2, max_size=5))
    centre = draw(st.integers(-500, 500))
    middle = [0] * draw(st.integers(0, 1))
    return np.array([centre + step for step in (*half, *middle, *(-step for step in half))]) / 100


def varied(differences):
    """Hypothesis likes equal values; here they must differ."""
    assume(np.std(differences) > 1e-3)
    return differences


def halls_cubic(u, skewness, n):
    """Hall (1992) as printed: of the studentised mean u = (mean - threshold) / sd."""
    return u + skewness * u**2 / 3 + skewness**2 * u**3 / 27 + skewness / (6 * n)


@given(mirrored(), LEVELS)
def test_of_symmetric_differences_the_bounds_are_scipys(differences, alpha):
    found, expected = interval(differences, alpha), stats.ttest_1samp(differences, 0.0)
    # A two-sided interval of level 1 - 2 alpha has one-sided bounds of alpha each.
    low, high = expected.confidence_interval(1 - 2 * alpha)
    assert (found.lower, found.upper) == pytest.approx((low, high), abs=1e-8)


@given(mirrored(), st.integers(-500, 500))
def test_of_symmetric_differences_p_is_scipys(differences, hundredths):
    threshold = hundredths / 100
    found = interval(differences)
    above = stats.ttest_1samp(differences, threshold, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, threshold, alternative="less").pvalue
    assert (found.p_above(threshold), found.p_below(threshold)) == pytest.approx((above, below), abs=1e-8)


@given(DIFFERENCES)
def test_the_skewness_is_scipys(differences):
    found = interval(varied(differences))
    assert found.skewness == pytest.approx(float(stats.skew(differences, bias=False)), abs=1e-8)
    assert found.sd == pytest.approx(differences.std(ddof=1))


@given(st.floats(-50, 50), st.floats(-8, 8), st.integers(3, 1000))
def test_halls_inverse_inverts_the_cubic(y, skewness, n):
    u = float(hall_inverse(y, np.float64(skewness), n))
    assert halls_cubic(u, skewness, n) == pytest.approx(y, rel=1e-6, abs=1e-6)


# A look's level and a fixed one, which differ in how far the correction may go.
LOOKED = st.sampled_from([0.05, 0.001, Level.of((5, 7, 10, 14, 20), 5), Level.of((5, 7, 10, 14, 20), 20)])


@given(DIFFERENCES, st.integers(-1000, 1000), LOOKED)
def test_p_is_the_larger_of_students_and_halls_where_the_cap_lets_it_be(differences, hundredths, level):
    threshold, n = hundredths / 100, len(varied(differences))
    found = interval(differences, level)
    cap = 1.5 if isinstance(level, Level) else 2.0
    u, skewness = (differences.mean() - threshold) / differences.std(ddof=1), stats.skew(differences, bias=False)

    def p(u, g):
        student, capped = (stats.t.sf(math.sqrt(n) * at, n - 1) for at in (u, u / cap if u > 0 else u))
        # The cubic says nothing beyond its flat point.
        hall = stats.t.sf(math.sqrt(n) * halls_cubic(u, g, n), n - 1) if g * u > -3 else 1.0
        return max(student, min(hall, capped))

    assert found.p_above(threshold) == pytest.approx(p(u, skewness), abs=1e-8)
    assert found.p_below(threshold) == pytest.approx(p(-u, -skewness), abs=1e-8)


def test_a_distance_is_in_standard_deviations_and_endless_where_nothing_varies():
    at = interval(np.array([1.0, 3.0, 5.0]))
    assert (at.distance(1.0), at.distance(7.0)) == (1.0, -2.0)
    point = interval(np.full(3, 2.0))
    assert (point.distance(1.0), point.distance(3.0)) == (math.inf, -math.inf)


def test_the_correction_goes_less_far_where_several_looks_share_alpha():
    fixed, one, two = 0.05, Level.of((5,), 5), Level.of((5, 10), 5)
    assert [widest(level) for level in (fixed, one, two)] == [2.0, 2.0, 1.5]
    # So skewed that either bound is as wide as it may be on its long side.
    tail = np.array([0.0, 0.1, 0.2, 0.3, 9.0])
    for level, most in ((fixed, 2.0), (two, 1.5)):
        half = most * stats.t.ppf(1 - level, 4) * tail.std(ddof=1) / math.sqrt(5)
        assert interval(tail, level).upper == pytest.approx(tail.mean() + half)
        assert interval(-tail, level).lower == pytest.approx(-tail.mean() - half)


@pytest.mark.parametrize("resolution", [-1.0, -0.001, math.inf, math.nan])
def test_a_resolution_below_0_or_without_end_is_refused(resolution):
    with pytest.raises(ValueError, match=f"resolution is {resolution}; needed: points, 0 or more"):
        rounding_of(resolution, 2)


def test_without_rounding_there_is_none_and_half_a_point_is_uniform():
    assert (rounding_of(0.0, 2), rounding_of(0.5, 3)) == (0.0, 0.25)


def test_a_point_divides_by_no_spread_and_is_no_negative_0():
    with np.errstate(all="raise"):
        at = interval(np.full(3, -1e-12))
    assert (at.effect, math.copysign(1.0, at.effect), at.sd, at.skewness) == (0.0, 1.0, 0.0, 0.0)


def test_near_symmetric_differences_are_not_punished_for_a_strict_level():
    """Once the cubic of a first look was flat just here: 6.8 gave a lower bound of -7.25, 7.0 one of +1.42."""
    level = Level.of((5, 10, 20), 5, 0.002)
    found = [interval(np.array([5, 5.6, 6, 6.4, best]), level) for best in (6.6, 6.8, 7.0)]
    for at in found:
        student = stats.t.ppf(1 - level, 4) * at.sd / math.sqrt(5)
        assert at.effect - 1.5 * student - 1e-9 <= at.lower <= at.effect - student + 1e-9


@settings(max_examples=200)
@given(DIFFERENCES, st.floats(0.01, 1.0), LOOKED)
def test_a_higher_worst_seed_never_lowers_the_lower_bound(differences, share, level):
    ordered = np.sort(varied(differences))
    assume(ordered[1] - ordered[0] > 1e-3)
    raised = ordered.copy()
    raised[0] += share * (ordered[1] - ordered[0])
    assume(np.std(raised) > 1e-3)
    assert interval(raised, level).lower >= interval(ordered, level).lower - 1e-9


@given(DIFFERENCES, st.floats(0.01, 5), LEVELS)
def test_rounding_adds_its_variance(differences, rounding, level):
    plain, rounded = interval(varied(differences), level), interval(differences, level, rounding)
    assert rounded.effect == plain.effect
    assert rounded.sd**2 == pytest.approx(plain.sd**2 + rounding**2)
    # G1 of what is the sum of these differences and of symmetric noise.
    assert rounded.skewness * rounded.sd**3 == pytest.approx(plain.skewness * plain.sd**3, abs=1e-6)


def test_equal_differences_of_rounded_accuracies_are_no_certainty():
    at = interval(np.full(5, 2.0), 0.05, rounding_of(2.0, 2))
    # Uniform over an image of 50, twice.
    assert at.sd == pytest.approx(2 / math.sqrt(6))
    assert not at.certain
    assert 0 < at.p_above(0.0) < 0.05


@settings(max_examples=100)
@given(DIFFERENCES, LEVELS, st.integers(-2000, 2000))
def test_p_is_below_alpha_exactly_when_the_bound_is_past_the_threshold(differences, alpha, hundredths):
    found, threshold = interval(varied(differences), alpha), hundredths / 100
    assume(min(abs(found.lower - threshold), abs(found.upper - threshold)) > 1e-6)
    assert (found.p_above(threshold) < alpha) == (found.lower > threshold)
    assert (found.p_below(threshold) < alpha) == (found.upper < threshold)


@given(DIFFERENCES, LEVELS)
def test_just_inside_a_bound_p_is_below_alpha_and_just_outside_above(differences, alpha):
    found = interval(varied(differences), alpha)
    step = 1e-6 * found.sd
    assert found.p_above(found.lower - step) < alpha < found.p_above(found.lower + step)
    assert found.p_below(found.upper + step) < alpha < found.p_below(found.upper - step)


@given(DIFFERENCES, LEVELS)
def test_the_bounds_are_never_narrower_than_students(differences, alpha):
    found = interval(varied(differences), alpha)
    low, high = stats.ttest_1samp(differences, 0.0).confidence_interval(1 - 2 * alpha)
    assert found.lower <= low + 1e-9
    assert found.upper >= high - 1e-9


def test_a_long_tail_moves_the_bound_on_its_side_and_leaves_the_other():
    long_above = np.array([1.0, 1.1, 0.9, 1.2, 5.0])
    found = interval(long_above)
    low, high = stats.ttest_1samp(long_above, 0.0).confidence_interval(0.90)
    assert found.skewness > 2
    assert found.lower == pytest.approx(low)
    assert found.upper > high + 1


@given(DIFFERENCES, LEVELS)
def test_the_opposite_sign_mirrors_everything(differences, alpha):
    one, other = interval(differences, alpha), interval(-differences, alpha)
    assert (-other.effect, -other.upper, -other.lower) == pytest.approx((one.effect, one.lower, one.upper), abs=1e-9)
    assert (other.sd, -other.skewness) == pytest.approx((one.sd, one.skewness))
    assume(not one.certain)  # for a point, "at most" and "at least" the threshold do not mirror on the point itself
    assert other.p_below(-0.5) == pytest.approx(one.p_above(0.5))


@given(DIFFERENCES, st.integers(-5000, 5000), st.sampled_from([0.01, 0.5, 3.0]))
def test_the_bounds_move_with_the_differences_and_scale_with_them(differences, hundredths, scale):
    shift = hundredths / 100
    one, other = interval(differences), interval(scale * differences + shift)
    for name in ("effect", "lower", "upper"):
        assert getattr(other, name) == pytest.approx(scale * getattr(one, name) + shift, abs=1e-8)
    assert other.sd == pytest.approx(scale * one.sd)


@given(DIFFERENCES)
def test_smaller_levels_give_wider_bounds(differences):
    found = [interval(varied(differences), alpha) for alpha in (0.2, 0.05, 0.005, 9e-5)]
    assert (np.diff([at.lower for at in found]) < 0).all()
    assert (np.diff([at.upper for at in found]) > 0).all()


@pytest.mark.parametrize("n", [3, 5, 20])
def test_many_samples_at_once_are_each_one_by_itself(n):
    differences = np.random.default_rng(n).gamma(1.0, size=(2, 4, n))
    differences[1, 2] = 0.3  # one point among them
    together = bounds(differences, 0.025)
    for at in np.ndindex(2, 4):
        alone = dataclasses.astuple(interval(differences[at], 0.025))[:5]
        assert tuple(float(values[at]) for values in together) == pytest.approx(alone, rel=1e-12)
    assert interval(differences[1, 2]).certain


def test_differences_that_are_equal_but_for_rounding_are_a_point():
    base = np.array([60.0, 61.7, 10.1])
    found = interval(base + 0.3 - base)
    assert dataclasses.astuple(found) == (0.3, 0.3, 0.3, 0.0, 0.0, 3, 2.0)
    assert (found.p_above(0.2), found.p_above(0.3), found.p_above(0.4)) == (0.0, 1.0, 1.0)
    assert (found.p_below(0.2), found.p_below(0.3), found.p_below(0.4)) == (1.0, 1.0, 0.0)


def test_a_spread_of_one_image_in_a_hundred_thousand_is_no_rounding():
    assert not interval(np.array([50.0, 50.0, 50.001]) - 50.0).certain


@given(st.integers(3, 8).flatmap(lambda n: hnp.arrays(np.float64, (3, n), elements=st.floats(-9, 9).map(np.round))))
def test_the_lowest_of_several_splits_alpha_for_its_upper_bound_only(contrasts):
    effect, lower, upper = lowest(contrasts, 0.06)
    assert effect == min(row.mean() for row in contrasts)
    assert lower == pytest.approx(min(interval(row, 0.06).lower for row in contrasts))
    assert upper == pytest.approx(min(interval(row, 0.02).upper for row in contrasts))


def test_the_lowest_of_many_experiments_at_once_are_those_of_each():
    contrasts = np.random.default_rng(3).normal(size=(2, 4, 3, 6))
    together = lowest(contrasts, 0.06)
    for at in np.ndindex(2, 4):
        alone = lowest(contrasts[at], 0.06)
        assert [float(values[at]) for values in together] == pytest.approx([float(value) for value in alone])


def test_a_sample_is_of_floats_in_one_row():
    small = sample("a", np.array([1, 2, 3], dtype=np.uint8))
    assert (small.dtype, small.tolist()) == (np.float64, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"a: shape \[3, 1\]; needed: one accuracy a seed, \[n\]"):
        sample("a", np.ones((3, 1)))
