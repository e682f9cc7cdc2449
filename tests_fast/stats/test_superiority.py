"""One arm beats another: the four-way rule and its edges."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pytest_claims.stats import seeds_to_settle, superiority
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import bounds, interval
from pytest_claims.types import (
    Bound,
    Doubt,
    EqualDifferences,
    Method,
    MoreCollapses,
    Outcome,
    Procedure,
    Shows,
    Verdict,
)

# Accuracies as a test set of 10,000 images gives them: multiples of 0.01.
ACCURACY = st.integers(0, 10_000).map(lambda count: count / 100)
PAIRS = st.integers(3, 9).flatmap(lambda n: hnp.arrays(np.float64, (2, n), elements=ACCURACY))
MARGINS = st.sampled_from([0.5, 1.0, 3.0, 20.0])


@st.composite
def mirrored(draw):
    """Two arms whose differences lie symmetrically about their mean: there no correction for skewness is due."""
    half = draw(st.lists(st.integers(1, 500), min_size=2, max_size=4))
    middle, centre = [0] * draw(st.integers(0, 1)), draw(st.integers(-1000, 1000))
    differences = np.array([centre + step for step in (*half, *middle, *(-step for step in half))]) / 100
    worse = draw(hnp.arrays(np.float64, len(differences), elements=ACCURACY))
    return np.stack([worse + differences, worse])


def same(one: Verdict, other: Verdict) -> None:
    assert one.outcome == other.outcome
    for name in ("effect", "lower", "upper", "p"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-8)


@given(PAIRS, MARGINS)
def test_the_outcome_is_the_one_cell_of_the_four_way_rule(pair, margin):
    found = superiority(*pair, margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-9 or found.lower == found.upper)
    cells = {
        (True, True): Outcome.REPRODUCED,
        (True, False): Outcome.TOO_SMALL,
        (False, False): Outcome.CONTRADICTED,
        (False, True): Outcome.INCONCLUSIVE,
    }
    assert found.outcome == cells[found.lower > 0, found.upper >= margin]


@given(PAIRS, MARGINS, st.randoms(use_true_random=False), st.floats(-20, 20))
def test_the_order_of_seeds_and_a_shift_of_both_arms_change_nothing(pair, margin, random, shift):
    found = superiority(*pair, margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-6)
    order = list(range(pair.shape[1]))
    random.shuffle(order)
    same(found, superiority(*pair[:, order], margin=margin))
    same(found, superiority(*(pair + shift), margin=margin))


@given(mirrored(), MARGINS)
def test_of_symmetric_differences_p_and_bounds_are_scipys_paired_test(pair, margin):
    found = superiority(*pair, margin=margin)
    no_effect = stats.ttest_rel(*pair, alternative="greater")
    size = stats.ttest_rel(pair[0] - margin, pair[1], alternative="less")
    assert (found.p_holds, found.p_fails) == pytest.approx((no_effect.pvalue, size.pvalue), abs=1e-8)
    low, high = stats.ttest_rel(*pair).confidence_interval(0.90)
    assert (found.lower, found.upper) == pytest.approx((low, high), abs=1e-8)


@given(PAIRS, MARGINS)
def test_p_is_never_below_scipys_paired_test_and_agrees_with_the_bounds(pair, margin):
    assume(np.std(pair[0] - pair[1]) > 1e-3)
    found = superiority(*pair, margin=margin)
    assume(min(abs(found.lower), abs(found.upper - margin)) > 1e-6)
    assert found.p_holds >= float(stats.ttest_rel(*pair, alternative="greater").pvalue) - 1e-9
    assert found.p_fails >= float(stats.ttest_rel(pair[0] - margin, pair[1], alternative="less").pvalue) - 1e-9
    assert (found.lower > 0) == (found.p_holds < 0.05)
    assert (found.upper < margin) == (found.p_fails < 0.05)
    expected_p = {
        Outcome.TOO_SMALL: max(found.p_holds, found.p_fails),
        Outcome.CONTRADICTED: found.p_fails,
    }.get(found.outcome, found.p_holds)
    assert found.p == expected_p


def test_an_effect_of_which_one_seed_saw_next_to_nothing_is_not_taken_for_shown():
    better, worse = np.array([42.0, 41.0, 43.0, 42.5, 41.5]), np.array([10.0, 10.0, 10.0, 10.0, 40.0])
    # Student's t takes these differences (32, 31, 33, 32.5, 1.5) for normal ones.
    assert stats.ttest_rel(better, worse, alternative="greater").pvalue < 0.02
    found = superiority(better, worse, margin=1)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.lower < 0


@given(PAIRS, st.sampled_from([0.5, 1.0, 3.0]))
def test_a_smaller_margin_is_harder_to_exclude(pair, margin):
    ranks = {Outcome.CONTRADICTED: 0, Outcome.INCONCLUSIVE: 1, Outcome.TOO_SMALL: 0, Outcome.REPRODUCED: 1}
    wider, narrower = superiority(*pair, margin=2 * margin), superiority(*pair, margin=margin)
    assert ranks[narrower.outcome] >= ranks[wider.outcome]


def test_the_four_outcomes_on_plain_figures():
    worse = np.array([50.0, 51.0, 49.0, 52.0, 50.0])
    gain = np.array([2.0, 2.4, 1.8, 2.2, 2.1])
    assert superiority(worse + gain, worse, margin=2).outcome == Outcome.REPRODUCED
    assert superiority(worse + gain, worse, margin=5).outcome == Outcome.TOO_SMALL
    assert superiority(worse - gain, worse, margin=1).outcome == Outcome.CONTRADICTED
    noisy = superiority(worse + np.array([9.0, -8.0, 5.0, -2.0, 1.0]), worse, margin=2)
    assert noisy.outcome == Outcome.INCONCLUSIVE
    assert noisy.seeds_to_settle > 5


@given(PAIRS, MARGINS)
def test_the_tests_and_bounds_of_a_verdict_are_those_that_it_rests_on(pair, margin):
    found = superiority(*pair, margin=margin, names=("one", "other"))
    assert found.by_bounds == found.outcome
    assert [(bound.side, bound.value, bound.threshold) for bound in found.bounds] == [
        ("lower", found.lower, 0.0),
        ("upper", found.upper, margin),
    ]
    told = [*found.tests, *found.bounds, found]
    assert {each.comparison for each in told} == {("one", "other")}
    effect, size = found.tests[:2], found.tests[2:]
    assert [test.shows for test in found.tests] == [Shows.EFFECT] * 2 + [Shows.BELOW_MARGIN] * len(size)
    assert [test.method for test in found.tests] == [Method.PAIRED_T, Method.SIGN_FLIP] * (len(found.tests) // 2)
    assert effect[0].p == found.p_holds
    assert bool(size) == (found.outcome in (Outcome.TOO_SMALL, Outcome.CONTRADICTED))
    assert all(test.p == found.p_fails for test in size[:1])


def test_the_source_figures_of_activation_at_depth_four():
    sigmoid = [22.77, 24.91, 20.65, 23.75, 22.69]
    relu = [32.75, 36.78, 33.65, 36.28, 36.46]
    found = superiority(relu, sigmoid, margin=3)
    assert found.outcome == Outcome.REPRODUCED
    assert found.effect == pytest.approx(12.23, abs=0.01)


class TestCollapse:
    relu = np.array([42.0, 41.0, 43.0, 42.5, 41.5])
    sigmoid = np.array([10.0, 10.0, 10.0, 10.0, 25.0])
    none, four = np.zeros(5, bool), np.array([1, 1, 1, 1, 0], bool)

    def test_a_clear_effect_is_confirmed_and_the_counts_are_noted(self):
        found = superiority(
            self.relu, self.sigmoid, margin=1, collapsed=(self.none, self.four), names=("relu", "sigmoid")
        )
        assert found.outcome == Outcome.REPRODUCED
        assert found.p == 0.03125
        assert found.notes == (MoreCollapses(("relu", "sigmoid"), (0, 4), (0, 4), 5, 0.0625),)

    @pytest.mark.parametrize("n", [3, 4])
    def test_fewer_than_five_seeds_cannot_be_confirmed(self, n):
        arms = self.relu[:n], self.sigmoid[:n]
        assert superiority(*arms, margin=1).outcome == Outcome.REPRODUCED
        found = superiority(*arms, margin=1, collapsed=(self.none[:n], self.four[:n]))
        assert found.outcome == Outcome.INCONCLUSIVE
        assert (found.by_bounds, found.doubt) == (Outcome.REPRODUCED, Doubt.UNCONFIRMED)
        _, by_flips = found.tests
        assert (by_flips.least, by_flips.fewest) == (2**-n, 5)
        assert found.seeds_to_settle == 5

    def test_a_size_excluded_by_t_alone_is_not_excluded(self):
        found = superiority(self.sigmoid[:4], self.relu[:4], margin=1, collapsed=(self.four[:4], self.none[:4]))
        assert found.outcome == Outcome.INCONCLUSIVE
        assert (found.by_bounds, found.doubt) == (Outcome.CONTRADICTED, Doubt.UNCONFIRMED)

    def test_flags_that_are_all_false_change_nothing(self):
        plain = superiority(self.relu, self.sigmoid, margin=1)
        assert superiority(self.relu, self.sigmoid, margin=1, collapsed=(self.none, self.none)) == plain

    @given(PAIRS, MARGINS)
    def test_collapse_never_turns_a_verdict_into_anything_but_inconclusive(self, pair, margin):
        flags = np.zeros(pair.shape, dtype=bool)
        flags[0, 0] = True
        plain, guarded = superiority(*pair, margin=margin), superiority(*pair, margin=margin, collapsed=tuple(flags))
        assert guarded.outcome in (plain.outcome, Outcome.INCONCLUSIVE)
        if guarded.outcome == plain.outcome:
            assert guarded.p >= plain.p

    def test_flags_of_another_length_are_refused(self):
        with pytest.raises(ValueError, match=r"collapsed of worse has shape \[3\]"):
            superiority(self.relu, self.sigmoid, margin=1, collapsed=(self.none, self.none[:3]))


class TestAllDifferencesEqual:
    @pytest.mark.parametrize(
        ("gain", "outcome", "p"),
        [
            (0.3, Outcome.REPRODUCED, 0.0),
            (0.2, Outcome.TOO_SMALL, 0.0),
            (0.0, Outcome.CONTRADICTED, 0.0),
            (-0.3, Outcome.CONTRADICTED, 0.0),
        ],
    )
    def test_the_point_decides(self, gain, outcome, p):
        # 60.3 - 60.0 and its like differ in their last bits: that must count as no spread, and 0.3 as the margin.
        worse = np.array([60.0, 61.7, 10.1])
        found = superiority(worse + gain, worse, margin=0.3)
        assert (found.outcome, found.p) == (outcome, p)
        assert found.lower == found.effect == found.upper == gain
        assert found.notes == (EqualDifferences(3),)


class TestRefusals:
    def test_nan_is_named_by_arm_and_position(self):
        with pytest.raises(ValueError, match="worse: nan at position 2"):
            superiority([1.0, 2.0, 3.0], [1.0, 2.0, np.nan], margin=1)
        with pytest.raises(ValueError, match="relu: inf at position 0"):
            superiority([np.inf, 2.0, 3.0], [1.0, 2.0, 3.0], margin=1, names=("relu", "sigmoid"))

    def test_too_few_seeds(self):
        with pytest.raises(ValueError, match="better: 2 seeds; at least 3 are needed"):
            superiority([1.0, 2.0], [1.0, 2.0], margin=1)

    def test_unequal_lengths(self):
        with pytest.raises(ValueError, match="better has 4 seeds and worse 3"):
            superiority([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0], margin=1)

    @pytest.mark.parametrize("margin", [0, -1, np.nan, np.inf])
    def test_margin(self, margin):
        with pytest.raises(ValueError, match="margin is"):
            superiority([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], margin=margin)


class TestSeedsToSettle:
    def test_beyond_60_the_power_at_that_number_is_80_percent_and_below_it_less(self):
        differences = np.array([2.0, -1.0, 3.0, 0.5, -0.5]) - 0.4
        # The lower bound has 0.4 to go, the upper 0.1.
        n = seeds_to_settle(differences, 0.5)
        ratio = differences.mean() / differences.std(ddof=1)

        def power(size):
            return stats.nct.sf(stats.t.ppf(0.95, size - 1), size - 1, ratio * np.sqrt(size))

        assert n > 61
        assert power(n) >= 0.80 > power(n - 1)

    def test_up_to_60_it_is_that_of_the_rule_itself(self):
        differences = np.array([2.0, -1.0, 3.0, 0.5, -0.5])
        # The lower bound has 0.8 to go, the upper 0.2.
        n = seeds_to_settle(differences, 1.0)
        ratio = differences.mean() / differences.std(ddof=1)

        def power(size):
            fresh = np.random.default_rng(2).normal(ratio, size=(40_000, size))
            return float((bounds(fresh)[1] > 0).mean())

        assert n <= 60
        # To within four standard errors, of this simulation and of the one behind n.
        assert power(n) >= 0.80 - 0.014
        assert power(n - 2) < 0.80

    def test_the_nearer_limit_counts(self):
        differences = np.array([2.0, -1.0, 3.0, 0.5, -0.5])
        # Mirrored about half the margin, the effect is as far from the one limit as it was from the other.
        assert seeds_to_settle(differences, 3.0) == seeds_to_settle(3.0 - differences, 3.0)

    def test_none_where_more_than_a_thousand(self):
        assert seeds_to_settle(np.array([100.0, -100.0, 0.1, 0.0]), 0.2) is None

    def test_a_huge_effect_needs_the_least(self):
        assert seeds_to_settle(np.array([50.0, 50.0001, 49.9999]), 1.0) == 3

    @given(PAIRS, MARGINS)
    def test_only_an_inconclusive_verdict_has_one_and_it_is_above_n(self, pair, margin):
        found = superiority(*pair, margin=margin)
        if found.outcome != Outcome.INCONCLUSIVE:
            assert found.seeds_to_settle is None
        elif found.seeds_to_settle is not None:
            assert found.n < found.seeds_to_settle <= 1000


def test_numbers_are_builtins(builtin_numbers):
    builtin_numbers(superiority(np.array([3.0, 4.0, 9.0]), np.array([1, 2, 3]), margin=np.float64(1)))
    builtin_numbers(superiority(np.ones(4), np.zeros(4), margin=np.int64(1)))


@pytest.mark.parametrize("resolution", [0.0, 0.5])
@pytest.mark.parametrize("gone", [None, 0, 1])
@pytest.mark.parametrize(("mean", "margin"), [(3.0, 1.0), (1.0, 6.0), (-1.0, 1.0), (0.2, 1.0)])
def test_every_number_is_that_of_the_differences_with_what_rounding_adds_to_them(alike, resolution, gone, mean, margin):
    differences = mean + np.array([-0.5, -0.3, -0.1, 0.1, 0.2, 0.6])
    worse, names, alpha = np.array([50.0, 51.0, 49.0, 52.0, 50.0, 48.0]), ("one", "other"), 0.03
    flags, guarded = tuple(np.arange(6) < (gone == at) for at in (0, 1)), gone is not None
    found = superiority(
        worse + differences,
        worse,
        margin=margin,
        collapsed=flags,
        alpha=alpha,
        resolution=resolution,
        names=names,
    )
    # Either accuracy is uniform over an image.
    rounding = resolution * np.sqrt(2 / 12)
    contrast, at = Contrast(differences, guarded, names, rounding=rounding), interval(differences, alpha, rounding)
    counts = (int(gone == 0), int(gone == 1))
    expected = Verdict(
        **decide([contrast], [contrast], margin, alpha),
        procedure=Procedure.SUPERIORITY,
        comparison=names,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=margin,
        n=6,
        bounds=(
            Bound("lower", at.lower, 0.0, alpha, at.effect, names),
            Bound("upper", at.upper, margin, alpha, at.effect, names),
        ),
        notes=(MoreCollapses(names, counts, counts, 6, (1.0, 0.5)[counts[1]]),) * guarded,
    )
    alike(found, expected)
