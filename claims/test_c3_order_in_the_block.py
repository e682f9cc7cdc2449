"""C3. Order of convolution or linear layer, norm and activation (Assignment 1, caffenet-benchmark as an anchor).

It contradicts A3, which keeps its own claims. The anchor is of CaffeNet on ImageNet at 128 pixels; its claim asks
whether that holds in a small CNN on CIFAR-10, too. No figures are given; margins, fixed before any run: 1 point for an
order that beats another, and for "matters"; 2 points for "almost no difference"; half a doubling for the lowest spread.
"""

import pytest

from claims.orders import LEAKY_FIRST, NETWORKS, RELU_FIRST, STANDARD
from claims.sources.ai_experiments import ORDER_RECIPE
from claims.sources.assignment_1 import ORDER_IN_CNN_AND_MLP
from claims.sources.outside import CAFFENET
from models import MLP
from pytest_claims import Arm, claim

LEAD = 1.0
ALMOST_NONE = 2.0
HALF_A_DOUBLING = 0.5


def in_cnn():
    return {name: Arm(network, ORDER_RECIPE) for name, network in NETWORKS.items()}


def in_mlp():
    return {name: Arm(MLP(cnn.order, cnn.activation), ORDER_RECIPE) for name, cnn in NETWORKS.items()}


def against_standard(order):
    return {name: arm for name, arm in in_cnn().items() if name in (order, STANDARD)}


@claim("Cg", "conv-LeakyReLU-norm is the best order in the CNN", source=ORDER_IN_CNN_AND_MLP, arms=in_cnn)
def test_leaky_relu_first_is_best(lab):
    lab.assert_best(LEAKY_FIRST, [RELU_FIRST, STANDARD], margin=LEAD)


@claim("Cg'", "conv-LeakyReLU-norm varies least over seeds in the CNN", source=ORDER_IN_CNN_AND_MLP, arms=in_cnn)
def test_leaky_relu_first_varies_least(lab):
    lab.assert_steadier(LEAKY_FIRST, [RELU_FIRST, STANDARD], margin=HALF_A_DOUBLING)


@pytest.mark.parametrize("order", [LEAKY_FIRST, RELU_FIRST])
@claim("Ch", "{order} beats conv-norm-ReLU in the CNN", source=ORDER_IN_CNN_AND_MLP, arms=against_standard)
def test_activation_first_beats_norm_first(lab, order):
    lab.assert_greater(order, STANDARD, margin=LEAD)


@claim("Ci", "the order matters in the CNN", source=ORDER_IN_CNN_AND_MLP, arms=in_cnn)
def test_order_matters_in_the_cnn(lab):
    lab.assert_some_difference(list(NETWORKS), beyond=LEAD)


@claim("Cj", "the order makes almost no difference in the MLP", source=ORDER_IN_CNN_AND_MLP, arms=in_mlp)
def test_order_hardly_matters_in_the_mlp(lab):
    lab.assert_no_difference(list(NETWORKS), within=ALMOST_NONE)


@claim(
    "Ma",
    "in a small CNN, too, batch norm after the ReLU beats batch norm before it",
    source=CAFFENET,
    arms=lambda: against_standard(RELU_FIRST),
)
def test_norm_after_the_activation_is_better(lab):
    lab.assert_greater(RELU_FIRST, STANDARD, margin=LEAD)
