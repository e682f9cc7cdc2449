"""A3. Order of normalisation and activation inside a convolutional block (AI-Experiments).

Margins, fixed from the source's means (62.64, 58.50, 60.09) before any run: half the documented difference where the
claim is one, for "best" half of the lead over the closer rival. "Modest (at most about 4 points)" is judged at 5: the
source's own largest difference is 4.14.
"""

from claims.orders import LEAKY_FIRST, NETWORKS, RELU_FIRST, STANDARD
from claims.sources.ai_experiments import ORDER, ORDER_MEANS, ORDER_RECIPE
from pytest_claims import Arm, Story, claim

MODEST = 5.0

STORY = Story(figure="slopes")


def orders():
    return {name: Arm(NETWORKS[name], ORDER_RECIPE, documented=ORDER_MEANS[name]) for name in NETWORKS}


def activation_first():
    return {name: arm for name, arm in orders().items() if name != STANDARD}


@claim("A3a", "conv-norm-ReLU is the best of the three orders", source=ORDER, arms=orders)
def test_standard_order_is_best(lab):
    lead = ORDER_MEANS[STANDARD] - ORDER_MEANS[LEAKY_FIRST]
    lab.assert_best(STANDARD, [RELU_FIRST, LEAKY_FIRST], margin=lead / 2)


@claim("A3b", "the orders differ modestly, by about 4 points at most", source=ORDER, arms=orders)
def test_orders_differ_modestly(lab):
    lab.assert_no_difference(list(NETWORKS), within=MODEST)


@claim("A3c", "before the norm, LeakyReLU beats ReLU", source=ORDER, arms=activation_first)
def test_leaky_relu_beats_relu_before_the_norm(lab):
    documented = ORDER_MEANS[LEAKY_FIRST] - ORDER_MEANS[RELU_FIRST]
    lab.assert_greater(LEAKY_FIRST, RELU_FIRST, margin=documented / 2)
