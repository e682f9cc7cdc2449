"""C1. Activation, depth and gradient flow (Assignment 1): networks of one to eight blocks.

The source gives no figures, so margins are what would be worth a sentence, fixed before any run: 2 points of accuracy
end to end, as in A1, and one doubling of the gradient's magnitude end to end.
"""

import pytest

from claims.sources.ai_experiments import DEPTH_RECIPE, DEPTHS
from claims.sources.assignment_1 import DEPTH_AND_GRADIENTS
from models import DepthCNN
from pytest_claims import Arm, claim, gradient

CHANGE = 2.0
ONE_DOUBLING = 1.0
ACTIVATIONS = {"ReLU": "relu", "sigmoid": "sigmoid"}
WHEN = ("at initialisation", "in training")


def by_depth(activation):
    return {(activation, depth): Arm(DepthCNN(depth, ACTIVATIONS[activation]), DEPTH_RECIPE) for depth in DEPTHS}


def both():
    return by_depth("ReLU") | by_depth("sigmoid")


@claim("Ca", "ReLU improves with depth", source=DEPTH_AND_GRADIENTS, arms=lambda: by_depth("ReLU"))
def test_relu_improves_with_depth(lab):
    lab.assert_rises({depth: ("ReLU", depth) for depth in DEPTHS}, margin=CHANGE)


@claim("Ca'", "sigmoid declines with depth", source=DEPTH_AND_GRADIENTS, arms=lambda: by_depth("sigmoid"))
def test_sigmoid_declines_with_depth(lab):
    lab.assert_falls({depth: ("sigmoid", depth) for depth in DEPTHS}, margin=CHANGE)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@claim(
    "Cb",
    "with {activation}, the first block's gradient {when} shrinks with depth",
    source=DEPTH_AND_GRADIENTS,
    arms=by_depth,
    metric=gradient,
)
def test_gradients_shrink_with_depth(lab, activation, when):
    lab.assert_falls({depth: (activation, depth) for depth in DEPTHS}, margin=ONE_DOUBLING)


@pytest.mark.parametrize("when", WHEN)
@claim(
    "Cc",
    "the first block's gradient {when} shrinks less with depth under ReLU than under sigmoid",
    source=DEPTH_AND_GRADIENTS,
    arms=both,
    metric=gradient,
)
def test_relu_keeps_the_better_gradient_flow(lab, when):
    lab.assert_gap_widens({depth: (("ReLU", depth), ("sigmoid", depth)) for depth in DEPTHS}, margin=ONE_DOUBLING)
