"""A1. Activation and depth: sigmoid against ReLU in networks of one to eight blocks (AI-Experiments).

Margins are fixed here from the source's own figures, before any run: half the documented difference where the claim is
a difference, since less than half of it is another finding; 2 points for "markedly" and for "falls", which is about
half of the one fall that the source's table shows (sigmoid, 4.36 points from 4 to 8 blocks).
"""

import pytest

from claims.sources.ai_experiments import DEPTH, DEPTH_RECIPE, DEPTHS, RELU_BY_DEPTH, SIGMOID_BY_DEPTH
from models import DepthCNN
from pytest_claims import Arm, Story, claim

FALL = 2.0

STORY = Story(figure="levels", gap=("ReLU", "sigmoid"), level="depth {}", levels="depths")


def relu(depth):
    return Arm(DepthCNN(depth, "relu"), DEPTH_RECIPE, documented=RELU_BY_DEPTH[depth])


def sigmoid(depth):
    return Arm(DepthCNN(depth, "sigmoid"), DEPTH_RECIPE, documented=SIGMOID_BY_DEPTH[depth])


def both(depth):
    return {"ReLU": relu(depth), "sigmoid": sigmoid(depth)}


def both_at_every_depth():
    return {("ReLU", depth): relu(depth) for depth in DEPTHS} | {("sigmoid", d): sigmoid(d) for d in DEPTHS}


@pytest.mark.parametrize("depth", DEPTHS)
@claim("A1a", "at depth {depth}, ReLU beats sigmoid", source=DEPTH, arms=both, quick=lambda depth: depth == 1)
def test_relu_beats_sigmoid(lab, depth):
    documented = RELU_BY_DEPTH[depth] - SIGMOID_BY_DEPTH[depth]
    lab.assert_greater("ReLU", "sigmoid", margin=documented / 2)


@claim(
    "A1b",
    "sigmoid deteriorates markedly from 1 to 8 blocks",
    source=DEPTH,
    arms=lambda: {("sigmoid", depth): sigmoid(depth) for depth in DEPTHS},
)
def test_sigmoid_deteriorates_with_depth(lab):
    lab.assert_falls({depth: ("sigmoid", depth) for depth in DEPTHS}, margin=FALL)


@claim(
    "A1b'",
    "sigmoid falls from its peak at 4 blocks to 8 blocks",
    source=DEPTH,
    arms=lambda: {("sigmoid", depth): sigmoid(depth) for depth in (4, 8)},
)
def test_sigmoid_falls_from_its_peak(lab):
    # The peak is the source's. The highest of our own depths would be a maximum picked after the fact.
    lab.assert_greater(("sigmoid", 4), ("sigmoid", 8), margin=FALL)


@claim(
    "A1c",
    "ReLU does not fall as depth grows from 1 to 8 blocks",
    source=DEPTH,
    arms=lambda: {("ReLU", depth): relu(depth) for depth in DEPTHS},
)
def test_relu_never_falls_with_depth(lab):
    lab.assert_never_falls({depth: ("ReLU", depth) for depth in DEPTHS}, margin=FALL)


@claim("A1d", "the gap between ReLU and sigmoid widens with depth", source=DEPTH, arms=both_at_every_depth)
def test_gap_widens_with_depth(lab):
    widening = (RELU_BY_DEPTH[8] - SIGMOID_BY_DEPTH[8]) - (RELU_BY_DEPTH[1] - SIGMOID_BY_DEPTH[1])
    lab.assert_gap_widens({depth: (("ReLU", depth), ("sigmoid", depth)) for depth in DEPTHS}, margin=widening / 2)
