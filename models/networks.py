"""The networks of the findings, each a frozen dataclass that builds its module for S seeds.

Equal dataclasses are equal networks: they are the key under which finished runs are stored, so a changed meaning
needs a changed name or a new field.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from torch import nn

from models.block import BATCH, ORDER, Norm, block
from models.stacked import StackedClassifier, StackedLinear


@dataclasses.dataclass(frozen=True)
class DepthCNN:
    """`depth` blocks of 32 channels without pooling, global average pool, linear head (AI-Experiments, depth).

    3x32x32 images. Parameters at depth n with 10 classes: 1,290 + 9,312 (n - 1).
    """

    depth: int
    activation: str
    norm: Norm = BATCH
    order: tuple[str, ...] = ORDER
    width: int = 32
    classes: int = 10

    def build(self, seeds: int = 1) -> StackedClassifier:
        if self.depth < 1:
            raise ValueError(f"DepthCNN.depth is {self.depth}; it must be at least 1")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for index in range(self.depth):
            channels = 3 if index == 0 else self.width
            layers[f"block{index + 1}"] = block(
                channels, self.width, norm=self.norm, activation=self.activation, order=self.order, seeds=seeds
            )
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
        return StackedClassifier(nn.Sequential(layers), StackedLinear(self.width, self.classes, seeds))


@dataclasses.dataclass(frozen=True)
class NormCNN:
    """Three conv-norm-ReLU-maxpool2 blocks of 16, 32, 64 channels and a linear head (AI-Experiments, batch size).

    3x32x32 images. norms: one a block (group norm has 4, 8 and 8 groups in the source). 34,058 parameters at 10
    classes.
    """

    norms: tuple[Norm, Norm, Norm]
    classes: int = 10

    def build(self, seeds: int = 1) -> StackedClassifier:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for index, (norm, width) in enumerate(zip(self.norms, (16, 32, 64), strict=True), start=1):
            layers[f"block{index}"] = block(channels, width, norm=norm, seeds=seeds)
            layers[f"pool{index}"] = nn.MaxPool2d(2)
            channels = width
        return StackedClassifier(nn.Sequential(layers), StackedLinear(64 * 4 * 4, self.classes, seeds))


@dataclasses.dataclass(frozen=True)
class OrderCNN:
    """Eight blocks of 16-32-64-128-64-32-16-10 channels, maxpool2 after every second, and a linear head.

    AI-Experiments, order of normalisation and activation. 3x32x32 images, 196,904 parameters. order: of the
    convolution, the norm and the activation inside each block.
    """

    order: tuple[str, ...]
    activation: str = "relu"
    norm: Norm = BATCH
    classes: int = 10

    def build(self, seeds: int = 1) -> StackedClassifier:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for index, width in enumerate((16, 32, 64, 128, 64, 32, 16, 10), start=1):
            layers[f"block{index}"] = block(
                channels, width, norm=self.norm, activation=self.activation, order=self.order, seeds=seeds
            )
            if index % 2 == 0:
                layers[f"pool{index}"] = nn.MaxPool2d(2)
            channels = width
        return StackedClassifier(nn.Sequential(layers), StackedLinear(10 * 2 * 2, self.classes, seeds))
