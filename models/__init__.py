"""Blocks and the networks of the findings, as plain torch modules that also hold S seeds side by side.

A network is described by a frozen dataclass (`DepthCNN(depth=8, activation="relu")`); `build(seeds)` makes the module.
With seeds=1 that module is the plain network. With S seeds every layer is S times as wide and works in S groups, so
that one forward pass computes S independent networks: inputs [B, S*3, 32, 32], logits [S, B, classes].
"""

from models.block import ACTIVATIONS, BATCH, LAYER, NO_NORM, ORDER, Norm, block, group
from models.dropout import StackedDropout
from models.initialise import initialise
from models.networks import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from models.stacked import StackedClassifier, StackedLinear, plain_state

__all__ = [
    "ACTIVATIONS",
    "BATCH",
    "LAYER",
    "MLP",
    "NO_NORM",
    "ORDER",
    "DepthCNN",
    "Norm",
    "NormCNN",
    "OrderCNN",
    "SkipCNN",
    "StackedClassifier",
    "StackedDropout",
    "StackedLinear",
    "block",
    "group",
    "initialise",
    "plain_state",
]
