"""Verdicts under emulated TF32 are those of float32."""

from tests_fast.images import tiny
from tests_fast.train.test_tf32 import RECIPE, RoundedProducts, accuracies, same_verdicts


def test_verdicts_under_emulated_tf32_are_those_of_float32():
    data = tiny(train=40, test=20)
    plain = accuracies(data)
    with RoundedProducts() as rounding:
        in_tf32 = accuracies(data)
    # Forward and backward of three blocks and the head in each of the steps of two arms.
    assert rounding.products >= 2 * 8 * RECIPE.epochs * 400 // RECIPE.batch
    assert any((one != other).any() for one, other in zip(plain, in_tf32, strict=True))
    same_verdicts(plain, in_tf32)
