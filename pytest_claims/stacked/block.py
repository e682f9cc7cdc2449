"""One block: a convolution, a normalisation and an activation, in any order, for S seeds side by side."""

from __future__ import annotations

import dataclasses
import itertools
from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor, nn

from pytest_claims.stacked.batch_norm import BatchNorm2d
from pytest_claims.stacked.kernels import fuses, normalised, slope_of
from pytest_claims.stacked.precision import Conv2d, GroupNorm

# In place where the block allows it: in DepthCNN the activation's own buffer costs more than its arithmetic.
ACTIVATIONS: dict[str, Callable[[bool], nn.Module]] = {
    "relu": lambda inplace: nn.ReLU(inplace),
    "leaky_relu": lambda inplace: nn.LeakyReLU(0.01, inplace),
    "sigmoid": lambda _: nn.Sigmoid(),
    "tanh": lambda _: nn.Tanh(),
}

ORDER = ("conv", "norm", "activation")
_ORDERS = tuple(itertools.permutations(ORDER))


@dataclasses.dataclass(frozen=True)
class Norm:
    """A normalisation by kind: "batch", "group" (with the number of groups), "layer" or "none".

    "layer" is group norm with one group, as the sources build it (statistics over C, H, W of each image; one scale
    and shift a channel). Raises ValueError for an unknown kind or a number of groups that does not fit the kind.
    """

    kind: str
    groups: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("batch", "group", "layer", "none"):
            raise ValueError(f"Norm.kind is {self.kind!r}; allowed: 'batch', 'group', 'layer', 'none'")
        if self.kind == "group" and (self.groups is None or self.groups < 1):
            raise ValueError(f"Norm.groups is {self.groups!r}; 'group' needs a number of groups >= 1")
        if self.kind != "group" and self.groups is not None:
            raise ValueError(f"Norm.groups is {self.groups!r}; only 'group' takes groups, not {self.kind!r}")

    def build(self, channels: int, seeds: int = 1) -> nn.Module | None:
        """The layer over seeds*channels channels, or None for "none". Raises ValueError if groups do not divide."""
        if self.kind == "none":
            return None
        if self.kind == "batch":
            return BatchNorm2d(seeds * channels)
        groups = self.groups or 1
        if channels % groups:
            raise ValueError(f"{groups} groups do not divide {channels} channels; choose a divisor of {channels}")
        return GroupNorm(seeds * groups, seeds * channels)


BATCH = Norm("batch")
LAYER = Norm("layer")
NO_NORM = Norm("none")


def group(groups: int) -> Norm:
    """Group normalisation (Wu & He, 2018) with this number of groups."""
    return Norm("group", groups)


class Block(nn.Sequential):
    """Parts in their order; where Triton kernels are used, batch norm and the activation after it in one.

    fused: whether they may be in one.
    """

    fused = True

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self)
        place = 0
        while place < len(parts):
            part = parts[place]
            place += 1
            if self.fused and isinstance(part, nn.BatchNorm2d) and fuses(part, x):
                after = parts[place] if place < len(parts) else None
                slope = slope_of(after)
                x = normalised(part, x, 1.0 if slope is None else slope)
                place += after is not None and slope is not None
            else:
                x = part(x)
        return x


def block(
    in_channels: int,
    out_channels: int,
    *,
    norm: Norm = BATCH,
    activation: str = "relu",
    order: tuple[str, ...] = ORDER,
    kernel: int = 3,
    seeds: int = 1,
) -> nn.Sequential:
    """A convolution with bias, norm and activation in the given order; [B, S*in, H, W] -> [B, S*out, H, W].

    kernel: odd, padded to keep the size. 1 on images of 1x1 is a fully connected layer, nn.Linear's function.
    The parts are named "conv", "norm" and "activation" whatever their order, so that two orders of the same block
    get the same initial weights. Raises ValueError for an unknown activation, an order that is not a permutation of
    the three names, an even kernel, or a channel count below 1.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; allowed: {', '.join(ACTIVATIONS)}")
    if tuple(order) not in _ORDERS:
        raise ValueError(f"order is {order!r}; allowed: a permutation of {ORDER}")
    if min(in_channels, out_channels, seeds) < 1:
        raise ValueError(f"channels ({in_channels} -> {out_channels}) and seeds ({seeds}) must be at least 1")
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel is {kernel}; it must be odd, so that padding keeps the size")
    parts: dict[str, nn.Module | None] = {
        "conv": Conv2d(seeds * in_channels, seeds * out_channels, kernel, padding=kernel // 2, groups=seeds),
        # A norm before the convolution sees the block's input.
        "norm": norm.build(out_channels if order.index("conv") < order.index("norm") else in_channels, seeds),
        # First in the block, the activation would overwrite an input that is not the block's own.
        "activation": ACTIVATIONS[activation](order[0] != "activation"),
    }
    return Block(OrderedDict((name, part) for name in order if (part := parts[name]) is not None))
