"""Which runs collapsed, and the exact tests for them."""

import itertools

import numpy as np
import pytest

from harness.claim import Outcome
from harness.stats import collapse, equivalence, not_on_collapses
from harness.stats._collapse import p_more_collapses, p_sign_flip


def test_below_five_deviations_above_chance_or_diverged():
    accuracy, diverged = [10.0, 11.49, 11.51, 60.0, 60.0], [False, False, False, False, True]
    found = collapse(accuracy, chance=10, test_images=10_000, diverged=diverged)
    assert found.dtype == bool
    assert found.tolist() == [True, True, False, False, True]


def test_the_limit_widens_with_fewer_images():
    assert collapse([20.0], chance=10, test_images=100, diverged=[False]).tolist() == [True]
    assert collapse([2.0], chance=1, test_images=10_000, diverged=[False]).tolist() == [False]


def test_a_diverged_run_may_have_no_accuracy_and_no_other_may():
    assert collapse([np.nan, 50.0], chance=10, test_images=100, diverged=[True, False]).tolist() == [True, False]
    with pytest.raises(ValueError, match="accuracy: nan at position 1"):
        collapse([50.0, np.nan], chance=10, test_images=100, diverged=[True, False])


def test_refusals():
    with pytest.raises(ValueError, match="chance is 0"):
        collapse([50.0], chance=0, test_images=100, diverged=[False])
    with pytest.raises(ValueError, match="test_images is 0"):
        collapse([50.0], chance=10, test_images=0, diverged=[False])
    with pytest.raises(ValueError, match="needed"):
        collapse([50.0, 40.0], chance=10, test_images=100, diverged=[False])


def test_mcnemar_counts_only_discordant_seeds():
    one, other = np.array([1, 1, 1, 1, 0, 1], bool), np.array([0, 0, 0, 0, 0, 1], bool)
    assert p_more_collapses(one, other) == 0.0625
    assert p_more_collapses(other, one) == 1.0
    assert p_more_collapses(one, one) == 1.0


@pytest.mark.parametrize("n", [3, 5, 8])
def test_the_sign_flip_p_is_the_share_of_patterns_as_extreme(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    flipped = [np.dot(signs, differences - 0.2) for signs in itertools.product((1, -1), repeat=n)]
    expected = np.mean(np.array(flipped) >= (differences - 0.2).sum() - 1e-12)
    assert p_sign_flip(differences, 0.2) == expected


def test_above_14_seeds_a_fixed_sample_of_patterns_is_drawn():
    differences = np.random.default_rng(1).normal(0.3, 1, 20)
    assert p_sign_flip(differences, 0.0) == p_sign_flip(differences, 0.0)


def test_equality_of_networks_that_learned_nothing_is_not_reproduced():
    verdict = equivalence([10.0] * 5, [10.0] * 5, within=3.0)
    assert verdict.outcome == Outcome.REPRODUCED
    assert not_on_collapses(verdict, {}) == verdict
    guarded = not_on_collapses(verdict, {"batch norm": 5, "group norm": 5})
    assert guarded.outcome == Outcome.INCONCLUSIVE
    assert "batch norm 5 of 5" in guarded.notes[-1]
    contradicted = equivalence([50.0, 51, 52, 50, 51], [10.0] * 5, within=3.0)
    assert not_on_collapses(contradicted, {"group norm": 5}).outcome == Outcome.CONTRADICTED
