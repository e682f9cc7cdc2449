"""B1. Activation and depth in well-trained networks of one, four and eight blocks (second Korean README).

The source gives no network; these are the first README's, wider and with pooling. One such block, which sees 3x3
pixels, came to 43 % with ReLU in a trial of 5 epochs, far below the source's 78.9, as a note of the verdict will say:
claims that compare with depth 1 speak of these networks more than of the source's.

Margins, fixed from the source's figures before any run: half the documented difference.
"""

import pytest

from claims.sources.second_readme import DEPTH, DEPTH_RECIPE, RELU_BY_DEPTH, SIGMOID_BY_DEPTH
from models import DepthCNN
from pytest_claims import Arm, claim

DEPTHS = tuple(RELU_BY_DEPTH)
WIDTH, POOLS = 64, (2, 4)
FALL = SIGMOID_BY_DEPTH[1] - SIGMOID_BY_DEPTH[8]
RISE = RELU_BY_DEPTH[8] - RELU_BY_DEPTH[1]


def of(activation, depth, documented):
    return Arm(DepthCNN(depth, activation, width=WIDTH, pools=POOLS), DEPTH_RECIPE, documented[depth])


def both(depth):
    return {"ReLU": of("relu", depth, RELU_BY_DEPTH), "sigmoid": of("sigmoid", depth, SIGMOID_BY_DEPTH)}


def by_depth(*names):
    return {(name, depth): both(depth)[name] for name in names for depth in DEPTHS}


@pytest.mark.parametrize("depth", DEPTHS)
@claim("B1a", "well trained, at depth {depth}, ReLU beats sigmoid", source=DEPTH, arms=both)
def test_relu_beats_sigmoid(lab, depth):
    lab.assert_greater("ReLU", "sigmoid", margin=(RELU_BY_DEPTH[depth] - SIGMOID_BY_DEPTH[depth]) / 2)


@claim("B1b", "well trained, sigmoid deteriorates from 1 to 8 blocks", source=DEPTH, arms=lambda: by_depth("sigmoid"))
def test_sigmoid_deteriorates_with_depth(lab):
    lab.assert_falls({depth: ("sigmoid", depth) for depth in DEPTHS}, margin=FALL / 2)


@claim("B1c", "well trained, ReLU improves from 1 to 8 blocks", source=DEPTH, arms=lambda: by_depth("ReLU"))
def test_relu_improves_with_depth(lab):
    lab.assert_rises({depth: ("ReLU", depth) for depth in DEPTHS}, margin=RISE / 2)


@claim(
    "B1d",
    "well trained, the gap between ReLU and sigmoid widens with depth",
    source=DEPTH,
    arms=lambda: by_depth("ReLU", "sigmoid"),
)
def test_gap_widens_with_depth(lab):
    by_level = {depth: (("ReLU", depth), ("sigmoid", depth)) for depth in DEPTHS}
    lab.assert_gap_widens(by_level, margin=(FALL + RISE) / 2)
