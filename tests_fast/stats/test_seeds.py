"""Runs in any order become samples paired by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_claims.stats import in_order_of_seeds


def test_each_arm_comes_in_ascending_order_of_its_seeds():
    found = in_order_of_seeds({"a": [(2, 60.5), (0, 58.0), (10, 59.25)], "b": [(0, 1), (10, 3), (2, 2)]})
    assert {name: values.tolist() for name, values in found.items()} == {"a": [58, 60.5, 59.25], "b": [1, 2, 3]}
    assert {values.dtype for values in found.values()} == {np.dtype("float64")}


@given(st.lists(st.integers(), min_size=1, max_size=8, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_runs_changes_nothing_and_pairs_stay_pairs(seeds, random):
    def shuffled():
        return random.sample(seeds, len(seeds))

    found = in_order_of_seeds(
        {name: [(seed, factor * seed) for seed in shuffled()] for name, factor in (("a", 1.0), ("b", 2.0))}
    )
    assert found["a"].tolist() == [float(seed) for seed in sorted(seeds)]
    assert (found["b"] == 2 * found["a"]).all()


def test_the_arms_keep_their_order_and_may_be_none():
    assert list(in_order_of_seeds({"z": [(0, 1.0)], "a": [(0, 2.0)]})) == ["z", "a"]
    assert in_order_of_seeds({}) == {}


def test_a_seed_that_an_arm_has_twice_is_refused_even_with_equal_accuracies():
    with pytest.raises(ValueError, match=r"b: duplicate seeds \[1, 4\]"):
        in_order_of_seeds({"a": [(1, 5.0), (4, 6.0)], "b": [(4, 5.0), (1, 6.0), (1, 6.0), (4, 7.0)]})


@pytest.mark.parametrize("seeds", [[0, 1], [0, 1, 2, 3], [0, 1, 3]])
def test_arms_with_other_seeds_are_refused_and_the_seeds_are_named(seeds):
    unpaired = sorted({0, 1, 2} ^ set(seeds))
    with pytest.raises(ValueError, match=rf"b and a differ in the seeds \[{', '.join(map(str, unpaired))}\]"):
        in_order_of_seeds({"a": [(seed, 1.0) for seed in range(3)], "b": [(seed, 1.0) for seed in seeds]})
