"""Assignment 1: a custom CNN and an MLP, 140 experiments of at least 5 repetitions each.

It gives findings, but no figures by arm (its best network is above 80 %) and neither data set nor recipe. The suite
runs it on CIFAR-10 by the recipes of AI-Experiments for the same three questions, the closest documented ones; its MLP
has three blocks of 256 units. 28 settings of 5 repetitions are 140: 4 depths by 2 activations, 7 batch sizes by 2 norms
and 3 orders by 2 architectures, as we read it.
"""

from __future__ import annotations

from pytest_claims import Source

DEPTH_AND_GRADIENTS = Source("Assignment 1", "Activation and block depth", repetitions=5)
BATCH_SIZE_AND_NORM = Source("Assignment 1", "Normalisation and batch size", repetitions=5)
ORDER_IN_CNN_AND_MLP = Source("Assignment 1", "Order of layers in the CNN and in the MLP", repetitions=5)
