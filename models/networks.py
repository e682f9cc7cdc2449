"""The networks of the findings, each a frozen dataclass that builds its module for S seeds.

Equal dataclasses are equal networks: they are the key under which finished runs are stored, so a changed meaning
needs a changed name or a new field.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from torch import Tensor, nn

from pytest_claims.stacked.block import BATCH, ORDER, Norm, block
from pytest_claims.stacked.classifier import StackedClassifier, StackedLinear
from pytest_claims.stacked.dropout import StackedDropout
from pytest_claims.stacked.precision import Conv2d


@dataclasses.dataclass(frozen=True)
class DepthCNN:
    """`depth` blocks of 32 channels without pooling, global average pool, linear head (AI-Experiments, depth).

    3x32x32 images. Parameters at depth n with 10 classes: 1,290 + 9,312 (n - 1). pools: the blocks, counted from 1,
    after which there is a maxpool2 if the network gets so deep; at most five.
    """

    depth: int
    activation: str
    norm: Norm = BATCH
    order: tuple[str, ...] = ORDER
    width: int = 32
    classes: int = 10
    pools: tuple[int, ...] = ()

    def build(self, seeds: int = 1) -> StackedClassifier:
        if self.depth < 1:
            raise ValueError(f"DepthCNN.depth is {self.depth}; it must be at least 1")
        if len(set(self.pools)) != len(self.pools) or len(self.pools) > 5 or any(after < 1 for after in self.pools):
            raise ValueError(f"DepthCNN.pools is {self.pools}; allowed: at most five different numbers from 1 on")
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for index in range(self.depth):
            channels = 3 if index == 0 else self.width
            layers[f"block{index + 1}"] = block(
                channels, self.width, norm=self.norm, activation=self.activation, order=self.order, seeds=seeds
            )
            if index + 1 in self.pools:
                layers[f"pool{index + 1}"] = nn.MaxPool2d(2)
        layers["pool"] = nn.AdaptiveAvgPool2d(1)
        return StackedClassifier(nn.Sequential(layers), StackedLinear(self.width, self.classes, seeds))


@dataclasses.dataclass(frozen=True)
class NormCNN:
    """Three conv-norm-ReLU-maxpool2 blocks of 16, 32, 64 channels and a linear head (AI-Experiments, batch size).

    3x32x32 images. norms: one a block (group norm has 4, 8 and 8 groups in the source). 34,058 parameters at 10
    classes. widths: channels of the blocks.
    """

    norms: tuple[Norm, Norm, Norm]
    classes: int = 10
    widths: tuple[int, int, int] = (16, 32, 64)

    def build(self, seeds: int = 1) -> StackedClassifier:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 3
        for index, (norm, width) in enumerate(zip(self.norms, self.widths, strict=True), start=1):
            layers[f"block{index}"] = block(channels, width, norm=norm, seeds=seeds)
            layers[f"pool{index}"] = nn.MaxPool2d(2)
            channels = width
        return StackedClassifier(nn.Sequential(layers), StackedLinear(channels * 4 * 4, self.classes, seeds))


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


@dataclasses.dataclass(frozen=True)
class SkipCNN:
    """The 48,178-parameter network with two skip connections (S8-Assignment-Solution).

    3x32x32 images. Three stages: 3x3 blocks of 16 and 16 channels, a 1x1 convolution to 8, maxpool2, dropout; of 32, 32
    and 32 with a skip over the last two, a 1x1 convolution to 16, maxpool2, dropout; of 32, 32 and 32 with the same
    skip; global average pool; linear head. The source's module also registers one 3x3 convolution with its norm that
    its forward pass never uses and its summary does not count; it is left out here. 48,178 parameters at 10 classes.
    """

    norm: Norm
    dropout: float = 0.01
    classes: int = 10

    def build(self, seeds: int = 1) -> StackedClassifier:
        def conv(inputs: int, outputs: int) -> nn.Module:
            return block(inputs, outputs, norm=self.norm, seeds=seeds)

        def reduce(inputs: int, outputs: int) -> nn.Module:
            return Conv2d(seeds * inputs, seeds * outputs, 1, groups=seeds)

        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["block1"], layers["block2"] = conv(3, 16), conv(16, 16)
        layers["reduce1"], layers["pool1"], layers["drop1"] = (
            reduce(16, 8),
            nn.MaxPool2d(2),
            StackedDropout(self.dropout, seeds),
        )
        layers["block3"], layers["skip1"] = conv(8, 32), Skip(conv(32, 32), conv(32, 32))
        layers["reduce2"], layers["pool2"], layers["drop2"] = (
            reduce(32, 16),
            nn.MaxPool2d(2),
            StackedDropout(self.dropout, seeds),
        )
        layers["block4"], layers["skip2"] = conv(16, 32), Skip(conv(32, 32), conv(32, 32))
        layers["pool3"] = nn.AdaptiveAvgPool2d(1)
        return StackedClassifier(nn.Sequential(layers), StackedLinear(32, self.classes, seeds))


class Skip(nn.Sequential):
    """Layers around which their input is carried and added: x -> x + layers(x)."""

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = super().forward(x)  # type: ignore[no-untyped-call]  # of torch
        return x + changed


@dataclasses.dataclass(frozen=True)
class MLP:
    """`depth` fully connected blocks of `width` units (linear, norm, activation in any order) and a linear head.

    3x32x32 images, flattened. The source (Assignment 1) gives no sizes: 3 blocks of 256 units are ours, and as common
    as any. A linear layer is built as a 1x1 convolution, its norm as one over channels, which are the same functions.
    An optimiser that is not elementwise sees weights [out, in, 1, 1], not [out, in]: Adafactor factors other moments.
    """

    order: tuple[str, ...] = ORDER
    activation: str = "relu"
    norm: Norm = BATCH
    depth: int = 3
    width: int = 256
    classes: int = 10

    def build(self, seeds: int = 1) -> StackedClassifier:
        if self.depth < 1:
            raise ValueError(f"MLP.depth is {self.depth}; it must be at least 1")
        layers: OrderedDict[str, nn.Module] = OrderedDict(pixels=Pixels())
        for index in range(self.depth):
            inputs = 3 * 32 * 32 if index == 0 else self.width
            layers[f"block{index + 1}"] = block(
                inputs, self.width, norm=self.norm, activation=self.activation, order=self.order, kernel=1, seeds=seeds
            )
        return StackedClassifier(nn.Sequential(layers), StackedLinear(self.width, self.classes, seeds))


class Pixels(nn.Module):
    """Images as channels of one pixel: [B, S*C, H, W] -> [B, S*C*H*W, 1, 1], each seed's together."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :, None, None]
