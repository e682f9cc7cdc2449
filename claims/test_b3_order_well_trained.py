"""B3. Order of normalisation and activation in well-trained networks (second Korean README).

Margins, fixed from the source's figures (83.1, 82.4, 82.8) before any run: half the smallest documented lead for the
order's place; 1.5 points for "slight", about twice its own largest difference of 0.7.
"""

from claims.orders import LEAKY_FIRST, NETWORKS, RELU_FIRST, STANDARD
from claims.sources.second_readme import FULL_ORDER_RECIPE, ORDER, ORDER_ACCURACY
from pytest_claims import Arm, claim

LEAD = ORDER_ACCURACY[STANDARD] - ORDER_ACCURACY[LEAKY_FIRST]
SLIGHT = 1.5


def orders():
    return {name: Arm(NETWORKS[name], FULL_ORDER_RECIPE, ORDER_ACCURACY[name]) for name in NETWORKS}


@claim("B3a", "well trained, conv-norm-ReLU is the best of the three orders", source=ORDER, arms=orders)
def test_standard_order_is_best(lab):
    lab.assert_best(STANDARD, [RELU_FIRST, LEAKY_FIRST], margin=LEAD / 2)


@claim("B3b", "well trained, the orders differ slightly", source=ORDER, arms=orders)
def test_orders_differ_slightly(lab):
    lab.assert_no_difference(list(NETWORKS), within=SLIGHT)


@claim(
    "B3c",
    "well trained, conv-norm-ReLU comes first, conv-LeakyReLU-norm second, conv-ReLU-norm last",
    source=ORDER,
    arms=orders,
)
def test_leaky_relu_first_is_second(lab):
    lab.assert_ranks([STANDARD, LEAKY_FIRST, RELU_FIRST], margin=LEAD / 2)
