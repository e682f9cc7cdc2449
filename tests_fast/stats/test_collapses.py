"""Which runs collapsed, and the exact tests for them."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pytest_claims.stats import (
    at_chance,
    collapse,
    equivalence,
    never_falls,
    no_difference,
    not_comparable,
    superiority,
)
from pytest_claims.stats.collapses import (
    by_sign_flips,
    counted,
    flagged,
    flagged_by_name,
    more_collapses,
    p_more_collapses,
    p_sign_flip,
)
from pytest_claims.types import Collapses, Doubt, HypothesisTest, Method, MoreCollapses, Outcome, Shows

# A test by t that is to be confirmed.
BY_T = HypothesisTest(Method.PAIRED_T, Shows.EFFECT, 0.0, 0.01, 0.05, ("a", "b"))
# Hundredths of a point, few enough of them that sums tie.
DIFFERENCES = st.integers(3, 12).flatmap(
    lambda n: hnp.arrays(np.int64, n, elements=st.integers(-30, 60), fill=st.nothing())
)


def test_below_five_deviations_above_chance_or_diverged():
    accuracy, diverged = [10.0, 11.49, 11.51, 60.0, 60.0], [False, False, False, False, True]
    found = collapse(accuracy, chance=10, test_images=10_000, diverged=diverged)
    assert found.dtype == bool
    assert found.tolist() == [True, True, False, False, True]


def test_the_limit_widens_with_fewer_images():
    assert collapse([20.0], chance=10, test_images=100, diverged=[False]).tolist() == [True]
    assert collapse([2.0], chance=1, test_images=10_000, diverged=[False]).tolist() == [False]


def test_what_is_just_at_the_limit_learned_something():
    """50 %, and five deviations of 25 images of two classes, 10 % each, are 100 %."""
    assert collapse([100.0, 99.9], chance=50, test_images=25, diverged=[0, 0]).tolist() == [False, True]
    assert collapse([100.0], chance=50, test_images=1, diverged=[0]).tolist() == [True]


def test_flags_are_of_one_type_whatever_they_were():
    """Ones and zeros are inverted otherwise."""
    given = (collapse([50.0, 50.0], chance=10, test_images=100, diverged=[0, 1]), *flagged(([0, 1],), ("a",), 2))
    assert [(flags.dtype, flags.tolist()) for flags in given] == [(bool, [False, True])] * 2
    none = (*flagged(None, ("a",), 2), *flagged_by_name(None, "bc", 2).values())
    assert [(flags.dtype, flags.tolist()) for flags in none] == [(bool, [False, False])] * 3


@pytest.mark.parametrize(
    ("accuracy", "diverged", "expected"),
    [
        # Of ten classes and 100 images one run needs 25 % to be seen above chance, and five together 16.7 %.
        ([12.0] * 5, [0] * 5, True),
        ([20.0] * 5, [0] * 5, False),
        ([12.0, 12.0, 12.0, 80.0, 80.0], [0] * 5, True),
        ([16.0, 16.0, 16.7, 80.0, 80.0], [0] * 5, True),
        ([16.0, 16.0, 16.8, 80.0, 80.0], [0] * 5, False),
        # A run that diverged counts as chance, whatever it predicts.
        ([80.0] * 5, [1, 1, 1, 0, 0], True),
        ([np.nan] * 3, [1, 1, 1], True),
        ([None] * 3, [1, 1, 1], True),
        # Half is not most, though the median of four is 13.
        ([0.0, 0.0, 26.0, 26.0], [0] * 4, False),
        ([0.0, 0.0, 24.0, 26.0], [0] * 4, True),
    ],
)
def test_an_arm_is_at_chance_where_most_runs_collapsed_and_the_median_is_no_better(accuracy, diverged, expected):
    assert at_chance(accuracy, chance=10, test_images=100, diverged=diverged) is expected


def test_a_median_just_at_the_limit_is_above_chance():
    """Of five runs with five images each, two classes: 50 % and 5 times 10 %."""
    for median, expected in ((100.0, False), (99.9, True)):
        accuracy = [60.0, 60.0, median, 100.0, 100.0]
        assert at_chance(accuracy, chance=50, test_images=5, diverged=[0] * 5) is expected


def test_what_is_not_comparable_is_open_whatever_the_rule_says_and_no_seeds_settle_it():
    worse, gain = np.array([50.0, 51.0, 49.0, 52.0]), np.array([1.0, 1.2, 0.9, 1.1])
    found = superiority(worse - gain, worse, margin=9)
    assert found.p == found.p_fails != found.p_holds
    expected = {"outcome": Outcome.INCONCLUSIVE, "doubt": Doubt.NOT_COMPARABLE, "p": found.p_holds}
    assert not_comparable(found) == dataclasses.replace(found, **expected)
    open_ = superiority(worse + 9 * (gain - 1), worse, margin=1)
    assert (open_.seeds_to_settle is None, not_comparable(open_).seeds_to_settle) == (False, None)


def test_a_diverged_run_may_have_no_accuracy_and_no_other_may():
    for none in (np.nan, None):
        assert collapse([none, 50.0], chance=10, test_images=100, diverged=[True, False]).tolist() == [True, False]
    with pytest.raises(ValueError, match="accuracy: nan at position 1"):
        collapse([50.0, np.nan], chance=10, test_images=100, diverged=[True, False])


def test_refusals():
    with pytest.raises(ValueError, match="chance is 0"):
        collapse([50.0], chance=0, test_images=100, diverged=[False])
    with pytest.raises(ValueError, match="test_images is 0"):
        collapse([50.0], chance=10, test_images=0, diverged=[False])
    with pytest.raises(ValueError, match="chance is 100"):
        collapse([50.0], chance=100, test_images=100, diverged=[False])
    for accuracy, diverged in (([50.0, 40.0], [False]), ([[50.0]], [[False]]), ([50.0], [[False]])):
        with pytest.raises(ValueError, match=r"accuracy has shape .*; needed: \[n\] each"):
            collapse(accuracy, chance=10, test_images=100, diverged=diverged)
    with pytest.raises(ValueError, match="collapsed has 1 arrays; needed: one for each of a, b"):
        flagged((NONE,), ("a", "b"), 5)


def test_mcnemar_counts_only_discordant_seeds():
    one, other = np.array([1, 1, 1, 1, 0, 1], bool), np.array([0, 0, 0, 0, 0, 1], bool)
    assert p_more_collapses(one, other) == 0.0625
    assert p_more_collapses(other, one) == 1.0
    assert p_more_collapses(one, one) == 1.0
    # As many of either: 1 of 2 or more has three patterns of four.
    assert p_more_collapses(np.array([True, False]), np.array([False, True])) == 0.75


def test_which_of_two_arms_collapses_more_often_is_counted_and_tested():
    one, other = np.array([1, 1, 0, 0, 0, 0], bool), np.array([1, 0, 1, 1, 1, 0], bool)
    # Of the four seeds at which just one collapsed three are the other's: 5 patterns of 16.
    assert counted(["a"], [one]) == Collapses((("a", 2),), 6)
    assert more_collapses(one, other, ("a", "b")) == MoreCollapses(("a", "b"), (2, 4), (1, 3), 6, 5 / 16)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_sign_flip_p_is_the_share_of_patterns_as_extreme(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    flipped = [np.dot(signs, differences - 0.2) for signs in itertools.product((1, -1), repeat=n)]
    expected = np.mean(np.array(flipped) >= (differences - 0.2).sum() - 1e-12)
    assert p_sign_flip(differences, 0.2) == expected


@given(DIFFERENCES, st.sampled_from([0.0, 0.3, -1.0]))
def test_the_sign_flip_p_is_scipys_permutation_test(hundredths, threshold):
    # SciPy counts in whole numbers here, so that its ties are ties; ours has to find them among floats.
    counts = hundredths - round(100 * threshold)
    expected = stats.permutation_test(
        (counts.astype(np.float64),),
        lambda signed, axis: signed.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    base = np.full(len(hundredths), 10.1)
    assert p_sign_flip(base + hundredths / 100 - base, threshold) == pytest.approx(float(expected.pvalue), rel=1e-12)


@given(DIFFERENCES)
def test_the_sign_flip_p_is_at_least_two_to_the_minus_n(hundredths):
    n = len(hundredths)
    assert 2.0**-n <= p_sign_flip(hundredths / 100, 0.0) <= 1
    assert p_sign_flip(np.abs(hundredths) / 100 + 0.01, 0.0) == 2.0**-n


def share_as_extreme(counts):
    """The exact p for whole numbers, by the distribution of their signed sum, one number after the other."""
    ways = np.ones(1)
    for count in np.abs(counts):
        longer = np.zeros(len(ways) + count)
        longer[: len(ways)] += ways
        longer[count:] += ways
        ways = longer
    # ways[k] patterns have k on their positive side, and so the sum 2 k - (the sum of all, made positive).
    reached = (counts.sum() + np.abs(counts).sum()) // 2
    return ways[reached:].sum() / 2.0 ** len(counts)


@pytest.mark.parametrize("n", [14, 15, 20, 29, 30])
def test_up_to_30_seeds_all_patterns_are_counted(n):
    counts = np.random.default_rng(n).integers(-150, 250, n)
    p = p_sign_flip(counts / 100, 0.0)
    assert p == share_as_extreme(counts)
    assert by_sign_flips(BY_T, p, n) == dataclasses.replace(BY_T, method=Method.SIGN_FLIP, p=p, least=2.0**-n)


def test_above_30_seeds_a_fixed_sample_of_patterns_is_drawn():
    counts = np.random.default_rng(1).integers(-150, 250, 31)
    p, exact = p_sign_flip(counts / 100, 0.0), share_as_extreme(counts)
    assert p == p_sign_flip(counts / 100, 0.0)
    # A share of 9,999 patterns and the one at hand, within four standard errors of the exact one.
    assert p * 10_000 == pytest.approx(round(p * 10_000), abs=1e-6)
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9_999))
    assert p_sign_flip(np.ones(31), 0.0) == 1e-4
    drawn = dataclasses.replace(BY_T, method=Method.SIGN_FLIP, p=p, least=1e-4, patterns=9_999)
    assert by_sign_flips(BY_T, p, 31) == drawn


@pytest.mark.parametrize(("n", "two_sided", "fewest"), [(4, False, 5), (5, False, None), (5, True, 6), (6, True, None)])
def test_too_few_seeds_for_sign_flips_are_told_with_the_number_that_is_enough(n, two_sided, fewest):
    found = by_sign_flips(dataclasses.replace(BY_T, two_sided=two_sided), 1.0, n)
    assert found.fewest == fewest
    assert found.least == (1 + two_sided) * 2.0**-n
    assert (found.least > found.level) == (fewest is not None)


NONE, ALL = np.zeros(5, dtype=bool), np.ones(5, dtype=bool)


def test_equality_of_networks_that_learned_nothing_is_not_reproduced():
    same = [10.0] * 5
    assert equivalence(same, same, within=3.0, collapsed=(NONE, NONE)).outcome == Outcome.REPRODUCED
    found = equivalence(same, same, within=3.0, collapsed=(ALL, NONE), names=("batch norm", "group norm"))
    assert (found.outcome, found.p_holds, found.seeds_to_settle) == (Outcome.INCONCLUSIVE, 1.0, None)
    assert (found.by_bounds, found.doubt) == (Outcome.REPRODUCED, Doubt.AT_CHANCE)
    assert found.notes[-1] == Collapses((("batch norm", 5), ("group norm", 0)), 5)
    several = no_difference(dict.fromkeys("abc", same), within=3.0, collapsed={"a": NONE, "b": ALL, "c": NONE})
    assert (several.outcome, several.seeds_to_settle) == (Outcome.INCONCLUSIVE, None)
    flags = np.stack([NONE, ALL, NONE], axis=1)
    level = never_falls([1, 2, 4], np.full((5, 3), 10.0), margin=2.0, collapsed=flags)
    assert (level.outcome, level.seeds_to_settle) == (Outcome.INCONCLUSIVE, None)
    assert level.notes[-1] == Collapses((("1", 0), ("2", 5), ("4", 0)), 5)


# Collapsed runs far below healthy ones: by t alone, each of these is CONTRADICTED.
HEALTHY, FALLEN = np.array([50.0, 51, 52, 50, 51]), np.array([10.0, 10.1, 9.9, 10, 10])


@pytest.mark.parametrize("n", [3, 5, 8])
def test_a_difference_beside_collapses_must_be_confirmed_by_sign_flips(n):
    one, other = np.resize(HEALTHY, n), np.resize(FALLEN, n)
    flags = (np.zeros(n, dtype=bool), np.ones(n, dtype=bool))
    pair = equivalence(one, other, within=3.0, collapsed=flags)
    # The least two-sided p of the sign-flip test is 2 / 2^n, times the pairs or changes that are judged.
    assert (pair.outcome == Outcome.CONTRADICTED) == (2 / 2**n <= 0.05)
    assert pair.p_fails >= 2 / 2**n
    named = {"a": one, "b": other, "c": one + 0.1}
    several = no_difference(named, within=3.0, collapsed={"a": flags[0], "b": flags[1], "c": flags[0]})
    assert (several.outcome == Outcome.CONTRADICTED) == (3 * 2 / 2**n <= 0.05)
    rows = np.stack([one, other, one], axis=1)
    falls = never_falls([1, 2, 4], rows, margin=3.0, collapsed=np.stack([flags[0], flags[1], flags[0]], axis=1))
    assert (falls.outcome == Outcome.CONTRADICTED) == (3 / 2**n <= 0.05)
    for found in (pair, several, falls):
        # The larger p of both tests is the verdict's.
        deciding = [test for test in found.tests if test.shows in (Shows.BEYOND, Shows.FALL)]
        assert [test.method for test in deciding] == [Method.PAIRED_T, Method.SIGN_FLIP]
        assert found.p_fails == max(test.corrected for test in deciding)
        assert (found.p_fails <= 0.05) == (found.outcome == Outcome.CONTRADICTED)
        if found.outcome == Outcome.INCONCLUSIVE:
            assert (found.by_bounds, found.doubt) == (Outcome.CONTRADICTED, Doubt.UNCONFIRMED)
            assert found.seeds_to_settle > n


def test_runs_that_collapsed_elsewhere_do_not_matter_to_a_pair_that_shows_a_difference():
    named = {"a": HEALTHY, "b": HEALTHY - np.array([9, 10, 11, 9, 10]), "c": FALLEN}
    found = no_difference(named, within=3.0, collapsed={"a": NONE, "b": NONE, "c": ALL})
    assert found.outcome == Outcome.CONTRADICTED
    with pytest.raises(ValueError, match="needed: flags for every arm: a, b, c"):
        no_difference(named, within=3.0, collapsed={"a": NONE})
