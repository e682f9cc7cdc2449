"""The networks of the findings written down again with torch.nn alone, from the sources' descriptions.

Layers have the names that they have in models/, so that a state dict of one is a state dict of the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from torch import Tensor, nn

from models import MLP, DepthCNN, NormCNN, OrderCNN, SkipCNN
from pytest_claims.stacked import BATCH, ORDER, Norm

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
}


class PlainNetwork(nn.Module):
    """Features, flatten, linear: images [B, 3, 32, 32] -> logits [B, classes]."""

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x).flatten(1))
        return logits


class PlainSkip(nn.Module):
    """Two layers and a connection around them; parameter names as in nn.Sequential."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.add_module("0", first)
        self.add_module("1", second)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.children()
        changed: Tensor = second(first(x))
        return changed + x


def plain_norm(norm: Norm, channels: int) -> nn.Module | None:
    """The torch.nn layer that a Norm stands for, None for no layer."""
    groups = {"group": norm.groups, "layer": 1}.get(norm.kind)
    if groups is not None:
        return nn.GroupNorm(groups, channels)
    return nn.BatchNorm2d(channels) if norm.kind == "batch" else None


def plain_block(
    inputs: int, outputs: int, norm: Norm = BATCH, activation: str = "relu", order: tuple[str, ...] = ORDER
) -> nn.Sequential:
    """A 3x3 convolution, a norm and an activation in this order; [B, inputs, H, W] -> [B, outputs, H, W]."""
    normed = outputs if order.index("conv") < order.index("norm") else inputs
    return _in_order(order, nn.Conv2d(inputs, outputs, 3, padding=1), plain_norm(norm, normed), activation)


def plain_linear_block(inputs: int, outputs: int, norm: Norm, activation: str, order: tuple[str, ...]) -> nn.Sequential:
    """A linear layer, a norm and an activation in this order; [B, inputs] -> [B, outputs]."""
    normed = outputs if order.index("conv") < order.index("norm") else inputs
    layer = nn.BatchNorm1d(normed) if norm.kind == "batch" else plain_norm(norm, normed)
    return _in_order(order, nn.Linear(inputs, outputs), layer, activation)


def plain_network(network: DepthCNN | NormCNN | OrderCNN | SkipCNN | MLP) -> PlainNetwork:
    """The network with torch's own initial weights."""
    match network:
        case DepthCNN():
            return _depth_cnn(network)
        case NormCNN():
            return _norm_cnn(network)
        case OrderCNN():
            return _order_cnn(network)
        case SkipCNN():
            return _skip_cnn(network)
        case MLP():
            return _mlp(network)


def load(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Load a state whose linear layers may be 1x1 convolutions; returns the module."""
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    module.load_state_dict({name: value.reshape(shapes[name]) for name, value in state.items()})
    return module


def _in_order(order: tuple[str, ...], layer: nn.Module, norm: nn.Module | None, activation: str) -> nn.Sequential:
    parts = {"conv": layer, "norm": norm, "activation": _ACTIVATIONS[activation]()}
    return nn.Sequential(OrderedDict((name, part) for name in order if (part := parts[name]) is not None))


def _depth_cnn(network: DepthCNN) -> PlainNetwork:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for n in range(1, network.depth + 1):
        layers[f"block{n}"] = plain_block(channels, network.width, network.norm, network.activation, network.order)
        if n in network.pools:
            layers[f"pool{n}"] = nn.MaxPool2d(2)
        channels = network.width
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    return PlainNetwork(nn.Sequential(layers), nn.Linear(network.width, network.classes))


def _norm_cnn(network: NormCNN) -> PlainNetwork:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = (3, *network.widths[:2])
    for n, (norm, before, after) in enumerate(zip(network.norms, inputs, network.widths, strict=True), 1):
        layers[f"block{n}"] = plain_block(before, after, norm)
        layers[f"pool{n}"] = nn.MaxPool2d(2)
    return PlainNetwork(nn.Sequential(layers), nn.Linear(16 * network.widths[2], network.classes))


def _order_cnn(network: OrderCNN) -> PlainNetwork:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    widths = (3, 16, 32, 64, 128, 64, 32, 16, 10)
    for n in range(1, 9):
        layers[f"block{n}"] = plain_block(widths[n - 1], widths[n], network.norm, network.activation, network.order)
        if n in (2, 4, 6, 8):
            layers[f"pool{n}"] = nn.MaxPool2d(2)
    return PlainNetwork(nn.Sequential(layers), nn.Linear(40, network.classes))


def _skip_cnn(network: SkipCNN) -> PlainNetwork:
    """Without its dropout, whose masks no torch.nn layer gives."""
    norm = network.norm
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["block1"], layers["block2"] = plain_block(3, 16, norm), plain_block(16, 16, norm)
    layers["reduce1"], layers["pool1"] = nn.Conv2d(16, 8, 1), nn.MaxPool2d(2)
    layers["block3"] = plain_block(8, 32, norm)
    layers["skip1"] = PlainSkip(plain_block(32, 32, norm), plain_block(32, 32, norm))
    layers["reduce2"], layers["pool2"] = nn.Conv2d(32, 16, 1), nn.MaxPool2d(2)
    layers["block4"] = plain_block(16, 32, norm)
    layers["skip2"] = PlainSkip(plain_block(32, 32, norm), plain_block(32, 32, norm))
    layers["pool3"] = nn.AdaptiveAvgPool2d(1)
    return PlainNetwork(nn.Sequential(layers), nn.Linear(32, network.classes))


def _mlp(network: MLP) -> PlainNetwork:
    layers: OrderedDict[str, nn.Module] = OrderedDict(pixels=nn.Flatten())
    for n in range(1, network.depth + 1):
        inputs = 3072 if n == 1 else network.width
        layers[f"block{n}"] = plain_linear_block(inputs, network.width, network.norm, network.activation, network.order)
    return PlainNetwork(nn.Sequential(layers), nn.Linear(network.width, network.classes))
