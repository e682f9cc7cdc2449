"""Verdicts do not hinge on TF32: rounding the operands of every float32 product leaves effects as they were.

On a CPU the rounding is emulated; products are summed in float32 there as on a GPU.
"""

import dataclasses

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from models import NormCNN
from pytest_claims.stacked import LAYER
from pytest_claims.stats import superiority
from pytest_claims.train.device import prepare
from pytest_claims.train.engine import train
from pytest_claims.types import Outcome, Recipe, Run
from tests_fast.images import tiny

RECIPE = Recipe(40, 16, 3, "adamw", 1e-3, weight_decay=0.01)  # A1's, at a smaller batch
ARMS = [Run(NormCNN((LAYER,) * 3, widths=(4, 8, 8)), dataclasses.replace(RECIPE, lr=lr)) for lr in (1e-3, 1e-4)]
MARGIN = 2.0
PRODUCTS = {
    torch.ops.aten.convolution.default,
    torch.ops.aten.convolution_backward.default,
    torch.ops.aten.mm.default,
    torch.ops.aten.addmm.default,
    torch.ops.aten.baddbmm.default,
    torch.ops.aten.bmm.default,
}


class RoundedProducts(TorchDispatchMode):
    """Every product's operands to 10 bits of mantissa, to nearest, forward and backward; counts the products."""

    products = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function in PRODUCTS:
            self.products += 1
            args = tuple(rounded(value) if isinstance(value, torch.Tensor) else value for value in args)
        return function(*args, **kwargs or {})


def rounded(x: torch.Tensor) -> torch.Tensor:
    return ((x.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32) if x.dtype == torch.float32 else x


def test_the_emulation_rounds_to_ten_bits_of_mantissa():
    assert rounded(torch.tensor([1 + 2**-10, 1 + 2**-12, 1 + 2**-11, -3.0])).tolist() == [
        1 + 2**-10,
        1.0,
        1 + 2**-10,
        -3.0,
    ]


def accuracies(data) -> list[np.ndarray]:
    return [np.array([trained.test_accuracy for trained in train(run, range(5), data)]) for run in ARMS]


def same_verdicts(plain: list[np.ndarray], in_tf32: list[np.ndarray]) -> None:
    """The effect and its reverse: the same outcome, decided, and an effect that the interval holds."""
    for high, low in ((0, 1), (1, 0)):
        exact, coarse = (superiority(each[high], each[low], margin=MARGIN) for each in (plain, in_tf32))
        assert coarse.outcome == exact.outcome != Outcome.INCONCLUSIVE, (exact, coarse)
        assert exact.lower <= coarse.effect <= exact.upper, (exact, coarse)


@pytest.mark.cuda
def test_verdicts_in_tf32_are_those_of_float32_on_cuda():
    data, found = tiny(train=40, test=20).to(torch.device("cuda")), []
    for tf32 in (False, True):
        prepare(torch.device("cuda"), tf32=tf32)
        found.append(accuracies(data))
    prepare(torch.device("cuda"))
    same_verdicts(*found)
