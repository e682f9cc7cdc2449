"""The interaction of two pairs of arms, and what it says of a cause."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_claims.stats import interaction, superiority
from pytest_claims.types import Cause, Confounded, Outcome

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
