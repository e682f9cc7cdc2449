"""A network of one's own, built of layers that hold several seeds side by side."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from torch import nn

from pytest_claims.stacked import BATCH, StackedClassifier, StackedLinear, block


@dataclasses.dataclass(frozen=True)
class TwoBlocks:
    """Two blocks of `width` channels, each halved by a maxpool2 or not, a global average pool and a linear head."""

    width: int
    pooled: bool = True
    classes: int = 3

    def build(self, seeds: int = 1) -> StackedClassifier:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for index in (1, 2):
            layers[f"block{index}"] = block(channels, self.width, norm=BATCH, seeds=seeds)
            if self.pooled:
                layers[f"pool{index}"] = nn.MaxPool2d(2)
            channels = self.width
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
        return StackedClassifier(nn.Sequential(layers), StackedLinear(self.width, self.classes, seeds))
