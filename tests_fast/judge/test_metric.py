"""What claims compare beside accuracy."""

import math

import pytest

from pytest_claims.judge.metric import ACCURACY, NotRecordedError, gradient
from pytest_claims.types import Trained


def run(*gradients):
    return Trained(7, 60.0, (), (), False, 0.1, 100, tuple((value, 1.0) for value in gradients))


def test_a_gradient_is_log2_of_the_first_blocks():
    assert gradient("at initialisation").of(run(0.25, 8.0, 2.0)) == -2
    assert gradient("in training").of(run(0.25, 8.0, 2.0)) == 2  # the mean of 3 and 1
    assert ACCURACY.of(run()) == 60.0


@pytest.mark.parametrize("broken", [0.0, math.nan, math.inf])
def test_gradients_without_a_logarithm_count_as_the_least_number(broken):
    assert gradient("at initialisation").of(run(broken)) == -126


def test_a_run_without_gradients_is_to_be_trained_again():
    with pytest.raises(NotRecordedError, match=r"seed 7 .* before gradients were recorded.* --fresh"):
        gradient("in training").of(run())


def test_another_time_is_refused():
    with pytest.raises(ValueError, match="allowed: 'at initialisation', 'in training'"):
        gradient("later")
