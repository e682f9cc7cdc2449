"""Layers that hold S seeds side by side: what a network is built of.

With seeds=1 a module is the plain network. With S seeds every layer is S times as wide and works in S groups, so that
one forward pass computes S independent networks: inputs [B, S*3, 32, 32], logits [S, B, classes].

A network is a frozen dataclass that builds such a module: Network says how. `check` finds out whether it does.
"""

from pytest_claims.stacked.assemble import assemble
from pytest_claims.stacked.block import ACTIVATIONS, BATCH, LAYER, NO_NORM, ORDER, Norm, block, group
from pytest_claims.stacked.check import check
from pytest_claims.stacked.classifier import StackedClassifier, StackedLinear, plain_state
from pytest_claims.stacked.dropout import StackedDropout
from pytest_claims.stacked.initialise import SelfSeeding, Streams, initialise
from pytest_claims.stacked.network import Network, NetworkError, StackedModule, check_form
from pytest_claims.stacked.precision import Conv2d, GroupNorm

__all__ = [
    "ACTIVATIONS",
    "BATCH",
    "LAYER",
    "NO_NORM",
    "ORDER",
    "Conv2d",
    "GroupNorm",
    "Network",
    "NetworkError",
    "Norm",
    "SelfSeeding",
    "StackedClassifier",
    "StackedDropout",
    "StackedLinear",
    "StackedModule",
    "Streams",
    "assemble",
    "block",
    "check",
    "check_form",
    "group",
    "initialise",
    "plain_state",
]
