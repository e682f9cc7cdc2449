"""An assertion's contrast as weights of its arms, and a confounder judged with the collapses of its own arms."""

import numpy as np
import pytest

from pytest_claims.judge.assertion import Assertion, confounded, difference
from pytest_claims.stats import superiority
from pytest_claims.stats.leads import interaction
from pytest_claims.types import Confounder

RATE = Confounder("the rate", "at a lower rate", "c", "d")


def test_weights_are_what_the_contrast_multiplies_each_arm_by():
    def decide(arms, /, *, collapsed, alpha):
        return None

    found = Assertion("effect", ("a", "b", "c"), decide, "a − b", difference("a", "b")).weights()
    assert found == {"a": 1.0, "b": -1.0, "c": 0.0}
    assert {type(weight) for weight in found.values()} == {float}
    assert Assertion("effect", ("a", "b"), decide, "a − b").weights() == {}


@pytest.mark.parametrize("fallen", ["a", "c", "d", None])
def test_a_confounder_is_judged_with_the_collapses_of_all_four_arms(fallen):
    noise = np.random.default_rng(0).normal(0, 1.0, (4, 10))
    samples = dict(zip("abcd", noise + np.array([[60], [50], [52], [50]]), strict=True))
    collapsed = {name: np.arange(10) < 4 if name == fallen else np.zeros(10, dtype=bool) for name in samples}
    if fallen:
        samples[fallen][:4] = 10
    found = confounded(RATE, ("a", "b"), 5.0, samples, collapsed)
    both = [tuple(values[name] for name in "cd") for values in (samples, collapsed)]
    assert found.under == superiority(*both[0], margin=5.0, collapsed=both[1], names=("c", "d"))
    pairs = [
        (tuple(values[name] for name in "ab"), tuple(values[name] for name in "cd")) for values in (samples, collapsed)
    ]
    assert found.removed == interaction(*pairs[0], margin=5.0, collapsed=pairs[1], names=tuple("abcd"))
    assert confounded(RATE, ("a", "b"), 5.0, {name: samples[name] for name in "abc"}, collapsed) is None
