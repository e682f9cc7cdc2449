"""What a number of seeds can find: against the noncentral t, and against the decision itself."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_claims.stats import best_of, detectable, no_difference, ranking, seeds_to_settle, superiority
from pytest_claims.stats.interval import bounds
from pytest_claims.stats.power import _needed, fewest_for_flips, more_than, power, seeds_for, seeds_for_all, soonest
from pytest_claims.types import Outcome

SHIFTS = st.floats(0.01, 5)
# Few numbers of seeds: each is simulated once.
SIZES = st.sampled_from([3, 5, 10, 20, 60, 61, 200, 1000])
LEVELS = st.sampled_from([0.05, 0.025])


def noncentral_t(shift, n, alpha):
    """Power of the one-sided t test."""
    return stats.nct.sf(stats.t.ppf(1 - alpha, n - 1), n - 1, shift * math.sqrt(n))


@given(st.floats(0.01, 0.4), st.integers(61, 1000), LEVELS)
def test_beyond_60_seeds_power_is_the_noncentral_ts(shift, n, alpha):
    assert power(shift, n, alpha) == pytest.approx(noncentral_t(shift, n, alpha), abs=1e-6)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0])
def test_at_10_seeds_power_is_how_often_superiority_finds_it(shift):
    experiments = 1_000
    better = np.random.default_rng(99).normal(loc=shift, size=(experiments, 10))
    # Every experiment excludes this margin, so that a direction that is found reads TOO SMALL.
    outcomes = [superiority(row, np.zeros(10), margin=1e6).outcome for row in better]
    assert set(outcomes) == {Outcome.TOO_SMALL, Outcome.CONTRADICTED}
    found = outcomes.count(Outcome.TOO_SMALL) / experiments
    expected = power(shift, 10)
    # Four standard errors, and the one of power's own 20,000 experiments.
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / experiments) + 0.003)


@pytest.mark.parametrize("alpha", [0.05, 0.0055])
@pytest.mark.parametrize("n", [3, 5, 20, 60])
def test_power_is_that_of_the_corrected_bound_and_below_students(n, alpha):
    target = 0.8
    shift = detectable(1.0, n, alpha=alpha)
    fresh = np.random.default_rng(1234).normal(loc=shift, size=(40_000, n))
    found = float((bounds(fresh, alpha)[1] > 0).mean())
    # Four standard errors of the difference of 20,000 experiments and 40,000.
    assert found == pytest.approx(target, abs=4 * math.sqrt(target * (1 - target) * (1 / 20_000 + 1 / 40_000)))
    # The more cautious of two tests finds less than Student's alone.
    assert noncentral_t(shift, n, alpha) > target


@settings(max_examples=50)
@given(SIZES, st.integers(1, 20), st.floats(0.1, 30))
def test_detectable_undoes_power_and_parts_share_the_misses(n, parts, sd):
    assert power(detectable(sd, n, parts=parts) / sd, n) == pytest.approx(1 - 0.2 / parts, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("n", [61, 62, 200])
def test_beyond_60_seeds_the_detectable_effect_is_the_noncentral_ts(n, alpha):
    assert noncentral_t(detectable(1.0, n, alpha=alpha), n, alpha) == pytest.approx(0.80, abs=1e-7)
    assert noncentral_t(detectable(1.0, n, parts=4, alpha=alpha), n, alpha) == pytest.approx(0.95, abs=1e-7)


def test_up_to_1000_seeds_are_counted():
    assert seeds_for(detectable(1.0, 1000) * (1 + 1e-9), sd=1.0) == 1000
    assert seeds_for(detectable(1.0, 1001) * (1 + 1e-9), sd=1.0) is None


def test_the_simulated_experiments_are_the_same_in_every_process():
    fresh = _needed.__wrapped__
    assert fresh(4, 0.05).tolist() == fresh(4, 0.05).tolist()


@given(SHIFTS, SHIFTS, SIZES)
def test_power_rises_with_the_effect(one, other, n):
    low, high = sorted((one, other))
    assert power(low, n) <= power(high, n) <= 1


@pytest.mark.parametrize("shift", [0.25, 0.6, 1.2])
def test_power_rises_with_seeds(shift):
    found = [power(shift, n) for n in (3, 5, 10, 20, 40, 60, 80, 160)]
    assert (np.diff(found) >= 0).all()
    assert found[0] < found[3]


@pytest.mark.parametrize("shift", np.linspace(0, 0.8, 17))
def test_where_simulation_ends_power_goes_on_within_a_point_and_a_half(shift):
    # One seed more, which would be worth up to 0.8 points by itself.
    assert power(float(shift), 60) == pytest.approx(power(float(shift), 61), abs=0.015)


def test_the_effect_that_seeds_detect_shrinks_with_their_number_and_the_level():
    found = [detectable(2.0, n) for n in (3, 5, 10, 20, 40, 61, 100, 1000)]
    assert (np.diff(found) < 0).all()
    assert detectable(2.0, 10, alpha=0.005) > detectable(2.0, 10, alpha=0.05)
    assert detectable(0.0, 10) == 0.0


@settings(max_examples=50)
@given(st.floats(0.05, 10), st.floats(1, 5), st.floats(0.1, 5))
def test_a_longer_way_to_go_needs_no_more_seeds_and_more_spread_no_fewer(distance, factor, sd):
    found = seeds_for(distance, sd=sd) or math.inf
    assert (seeds_for(distance * factor, sd=sd) or math.inf) <= found
    assert (seeds_for(distance, sd=sd * factor) or math.inf) >= found
    assert (seeds_for(distance, sd=sd, alpha=0.025) or math.inf) >= found
    assert (seeds_for(distance, distance, sd=sd) or math.inf) >= found


@pytest.mark.parametrize("distance", [0.1, 0.2, 0.3])
def test_beyond_60_it_is_the_least_number_with_that_power(distance):
    n = seeds_for(distance, sd=1.0)
    assert n > 61
    assert noncentral_t(distance, n, 0.05) >= 0.80 > noncentral_t(distance, n - 1, 0.05)


def test_two_thresholds_share_the_misses():
    n = seeds_for(0.3, 0.3, sd=1.0)
    assert noncentral_t(0.3, n, 0.05) >= 0.90 > noncentral_t(0.3, n - 1, 0.05)


def test_no_way_to_go_no_seeds_and_no_spread_the_fewest():
    assert seeds_for(0.0, sd=1.0) is None
    assert seeds_for(1.0, -1.0, sd=1.0) is None
    assert seeds_for(0.01, sd=1.0) is None  # 61,000 or so
    assert seeds_for(0.01, sd=0.0) == 3
    assert {seeds_for(0.0, sd=0.0), seeds_for(1.0, -1.0, sd=0.0)} == {None}


@settings(max_examples=50)
@given(st.lists(st.integers(-300, 300).map(lambda count: count / 100), min_size=3, max_size=8), st.floats(0.05, 0.9))
def test_seeds_to_settle_rise_until_half_the_margin(differences, closer):
    differences, margin = np.array(differences), 4.0
    assume(np.std(differences) > 1e-3)
    # Moved so that their mean lies below half the margin; there the way to 0 is the longer one.
    low = seeds_to_settle(differences - differences.mean() + closer * margin / 2, margin)
    half = seeds_to_settle(differences - differences.mean() + margin / 2, margin)
    assert (half or math.inf) >= (low or math.inf)
    wider = seeds_to_settle(differences - differences.mean() + margin / 2, 2 * margin)
    assert (wider or math.inf) <= (half or math.inf)


@pytest.mark.parametrize(("mean", "margin"), [(0.5, 3.0), (2.0, 2.6)])
def test_a_claim_is_settled_by_the_shorter_of_two_ways_at_its_level(mean, margin):
    differences = mean + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    sd = float(np.std(differences, ddof=1))
    found = seeds_to_settle(differences, margin, alpha=0.01)
    assert found == seeds_for(max(mean, margin - mean), sd=sd, alpha=0.01) != seeds_to_settle(differences, margin)


def test_of_several_conditions_the_soonest():
    assert (soonest([7, None, 5]), soonest([None]), soonest([])) == (5, None, None)


def test_parts_that_must_all_hold_share_the_misses_and_certain_ones_take_none():
    n = seeds_for_all([0.3, 0.3])
    assert n == seeds_for(0.6, 0.6, sd=2.0)
    assert seeds_for_all([0.3, math.inf]) == seeds_for(0.3, sd=1.0)
    assert seeds_for_all([0.3, -0.1]) is None
    assert seeds_for_all([math.inf]) == 3
    assert seeds_for_all([0.3], alpha=0.01) == seeds_for(0.3, sd=1.0, alpha=0.01) > seeds_for(0.3, sd=1.0)


COMPOUND = {
    "best_of": (4, 3, lambda arms, margin: best_of(arms, best="a", margin=margin), [0, -1, -1, -1]),
    "ranking": (3, 2, lambda arms, margin: ranking(arms, order="abc", margin=margin), [0, -1, -2]),
    "no_difference": (5, 20, lambda arms, margin: no_difference(arms, within=margin), [0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("claim", COMPOUND)
def test_a_compound_claim_is_found_with_power_80_percent_at_the_effect_it_names(claim):
    count, parts, judge, shape = COMPOUND[claim]
    rng, n, experiments = np.random.default_rng(7), 10, 200
    # Arms of standard deviation sqrt(1/2), whose differences have 1.
    named = detectable(1.0, n, parts=parts)
    hits = 0
    for _ in range(experiments):
        arms = rng.normal(size=(count, n)) * math.sqrt(0.5) + named * np.array(shape)[:, None]
        outcome = judge(dict(zip("abcde", arms, strict=False)), named).outcome
        hits += outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    # Four standard errors.
    assert hits / experiments >= 0.80 - 4 * math.sqrt(0.8 * 0.2 / experiments)


@pytest.mark.parametrize("claim", COMPOUND)
def test_a_compound_verdict_names_that_effect(claim):
    count, parts, judge, shape = COMPOUND[claim]
    arms = np.random.default_rng(3).normal(size=(count, 10)) + np.array(shape)[:, None]
    found = judge(dict(zip("abcde", arms, strict=False)), 0.1)
    pairs = [(0, i) for i in range(1, count)] if claim == "best_of" else list(itertools.pairwise(range(count)))
    if claim == "no_difference":
        pairs = list(itertools.combinations(range(count), 2))
    widest = max(float((arms[i] - arms[j]).std(ddof=1)) for i, j in pairs)
    assert found.detectable == pytest.approx(detectable(widest, 10, parts=parts))


def test_a_number_is_raised_above_the_seeds_at_hand_and_to_what_flips_need():
    assert more_than(5, 3) == 6
    assert more_than(5, 30) == 30
    assert more_than(3, 4) == 4
    assert more_than(3, 4, flips=True) == 5
    assert more_than(3, 4, flips=True, alpha=0.025) == 6
    assert (more_than(999, 3), more_than(1000, 3)) == (1000, None)
    assert more_than(5, None) is None


@pytest.mark.parametrize(("alpha", "n"), [(0.05, 5), (0.03125, 5), (0.03, 6), (0.001, 10)])
def test_the_fewest_seeds_of_which_all_signs_agreeing_is_enough(alpha, n):
    assert fewest_for_flips(alpha) == n
    assert 2.0**-n <= alpha < 2.0 ** (1 - n)


def test_refusals():
    with pytest.raises(ValueError, match="differences: nan at position 1"):
        seeds_to_settle([1.0, np.nan, 3.0], 1.0)
    with pytest.raises(ValueError, match="2 seeds; at least 3"):
        seeds_to_settle([1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="margin is 0"):
        seeds_to_settle([1.0, 2.0, 3.0], 0)
