"""The interaction of two pairs of arms, and what it says of a cause."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.stats import interaction, superiority
from pytest_claims.stats.four_way import Contrast, decide
from pytest_claims.stats.interval import interval
from pytest_claims.types import Bound, Cause, Confounded, EqualDifferences, Outcome, Procedure, Verdict

MARGIN = 2.0
accuracies = hnp.arrays(np.float64, (4, 6), elements=st.integers(100, 600).map(lambda tenths: tenths / 10))


@given(accuracies)
def test_it_is_superiority_of_the_first_difference_over_the_second(arms):
    one, two, three, four = arms
    found = interaction((one, two), (three, four), margin=MARGIN)
    # Sums of tenths differ in their last bits with their order.
    same = superiority(np.round(one - two, 6), np.round(three - four, 6), margin=MARGIN)
    assert found.effect == pytest.approx(same.effect)
    assert (found.lower, found.upper) == pytest.approx((same.lower, same.upper), abs=1e-6)
    assert found.comparison == ("better", "worse", "better, changed", "worse, changed")
    assert {test.comparison for test in found.tests} == {found.comparison}


@given(accuracies, st.floats(-20, 20))
def test_what_moves_all_arms_of_a_seed_alike_changes_nothing(arms, shift):
    by_seed = shift * np.arange(6)
    plain = interaction((arms[0], arms[1]), (arms[2], arms[3]), margin=MARGIN)
    moved = interaction((arms[0] + by_seed, arms[1] + by_seed), (arms[2] + shift, arms[3] + shift), margin=MARGIN)
    assert moved.effect == pytest.approx(plain.effect, abs=1e-6)
    assert moved.lower == pytest.approx(plain.lower, abs=1e-6)


def test_a_collapsed_run_of_any_arm_asks_for_sign_flips():
    rng = np.random.default_rng(0)
    arms = rng.normal(50, 1, (4, 6)) + np.array([[10], [0], [0], [0]])
    none, gone = np.zeros(6, dtype=bool), np.array([True] + [False] * 5)
    for place in range(4):
        flags = [gone if place == at else none for at in range(4)]
        pairs = (tuple(flags[:2]), tuple(flags[2:]))
        found = interaction(tuple(arms[:2]), tuple(arms[2:]), margin=MARGIN, collapsed=pairs)
        assert {str(test.method) for test in found.tests} == {"paired t", "sign-flip"}
        # Six seeds can confirm it; four cannot.
        assert found.outcome == Outcome.REPRODUCED
        few = interaction(
            tuple(arms[:2, :4]), tuple(arms[2:, :4]), margin=MARGIN, collapsed=tuple((a[:4], b[:4]) for a, b in pairs)
        )
        assert few.outcome == Outcome.INCONCLUSIVE


@pytest.mark.parametrize("resolution", [0.0, 0.5])
@pytest.mark.parametrize("mean", [4.0, 0.5, -1.0])
def test_every_number_is_that_of_the_two_differences_with_the_rounding_of_four_accuracies(alike, resolution, mean):
    names, alpha, changed = ("a", "b", "c", "d"), 0.03, np.array([60.0, 62.0, 61.0, 58.0, 60.0, 57.0])
    effect, left = np.array([1.0, 4.0, 2.0, 0.0, 1.5, 3.0]), np.array([0.4, 0.1, 0.8, 0.2, 0.6, 1.1])
    pairs = (changed + effect, changed - 7.0), (changed + left, changed)
    contrast = (pairs[0][0] - pairs[0][1]) - (pairs[1][0] - pairs[1][1])
    shift = mean - contrast.mean()
    pairs, contrast = ((pairs[0][0] + shift, pairs[0][1]), pairs[1]), contrast + shift
    found = interaction(*pairs, margin=MARGIN, alpha=alpha, resolution=resolution, names=names)
    rounding = resolution * np.sqrt(4 / 12)
    of, at = Contrast(contrast, False, names, rounding=rounding), interval(contrast, alpha, rounding)
    expected = Verdict(
        **decide([of], [of], MARGIN, alpha),
        procedure=Procedure.SUPERIORITY,
        comparison=names,
        effect=at.effect,
        lower=at.lower,
        upper=at.upper,
        margin=MARGIN,
        n=6,
        bounds=(
            Bound("lower", at.lower, 0.0, alpha, at.effect, names),
            Bound("upper", at.upper, MARGIN, alpha, at.effect, names),
        ),
    )
    alike(found, expected)


def test_a_contrast_that_is_the_same_in_every_seed_is_noted():
    base = np.array([60.0, 61.0, 62.0])
    assert interaction((base + 3, base), (base + 1, base), margin=MARGIN).notes == (EqualDifferences(3),)


def test_values_and_flags_that_cannot_be_decided_on_are_refused_by_the_name_of_their_arm():
    base, none = np.array([60.0, 61.0, 62.0]), np.zeros(3, dtype=bool)
    for place, name in enumerate(("better", "worse", "better, changed", "worse, changed")):
        arms, flags = [base] * 4, [none] * 4
        arms[place], flags[place] = np.array([60.0, np.nan, 62.0]), none[:2]
        with pytest.raises(ValueError, match=f"^{name}: nan at position 1"):
            interaction(tuple(arms[:2]), tuple(arms[2:]), margin=MARGIN)
        with pytest.raises(ValueError, match=rf"collapsed of {name} has shape \[2\]"):
            interaction((base, base), (base, base), margin=MARGIN, collapsed=(tuple(flags[:2]), tuple(flags[2:])))
    with pytest.raises(ValueError, match="margin is 0"):
        interaction((base, base), (base, base), margin=0)


def test_arms_are_paired_by_seed():
    with pytest.raises(ValueError, match=r"better has 5 seeds, better, changed 4; arms are paired by seed"):
        interaction((range(5), range(5)), (range(4), range(4)), margin=MARGIN)


def causes(effect, left, *, experiments=400, n=10, sd=2.0):
    """How often each cause is found where the effect is `effect` points, and `left` points under the change."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(experiments):
        noise = rng.normal(50, sd, (4, n))
        pair, changed = (noise[0] + effect, noise[1]), (noise[2] + left, noise[3])
        under, removed = superiority(*changed, margin=MARGIN), interaction(pair, changed, margin=MARGIN)
        found.append(Confounded("x", "without x", under, removed).cause)
    return {cause: found.count(cause) / experiments for cause in Cause}


def test_an_effect_that_the_change_leaves_alone_is_rarely_put_down_to_it():
    shares = causes(4.0, 4.0, n=20)
    # The promise is 5 % for the interaction alone; 5 standard errors of 400 experiments more are 5.4.
    assert shares[Cause.EXPLAINS] + shares[Cause.EXPLAINS_PART] <= 0.104
    assert shares[Cause.EXPLAINS] <= 0.02
    # Of four noisy arms, twenty seeds show in seven experiments of ten that no margin was lost.
    assert shares[Cause.DOES_NOT] > 0.6


def test_an_effect_that_the_change_takes_away_is_put_down_to_it():
    shares = causes(8.0, 0.0, n=20)
    assert shares[Cause.EXPLAINS] > 0.8
    assert shares[Cause.DOES_NOT] <= 0.05


def test_without_an_effect_nothing_explains_it():
    shares = causes(0.0, 0.0)
    assert shares[Cause.EXPLAINS] + shares[Cause.EXPLAINS_PART] <= 0.104
