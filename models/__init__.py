"""The networks of the findings.

A network is described by a frozen dataclass (`DepthCNN(depth=8, activation="relu")`); `build(seeds)` makes the module,
out of the layers in pytest_claims.stacked.
"""

from models.networks import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN

__all__ = ["MLP", "DepthCNN", "NormCNN", "OrderCNN", "SkipCNN"]
