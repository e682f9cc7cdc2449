"""PyTorch's default initialisation, drawn per seed and per parameter from generators of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from models.stacked import StackedLinear


@torch.no_grad()
def initialise(module: nn.Module, streams: Sequence[Callable[[str], torch.Generator]]) -> None:
    """Fill a network built for len(streams) seeds, in place; it must be on the CPU.

    Convolutions and linear layers: weights and biases uniform in ±1/sqrt(fan_in), which is what nn.Conv2d and
    nn.Linear do by default (kaiming_uniform_ with a = sqrt(5)). Norms keep scale 1, shift 0, running mean 0 and
    running variance 1. streams[s](name) gives the CPU generator of one parameter of seed s; the name holds the
    parameter's place and shape, so where two networks have a parameter of the same place and shape they share its
    initial values, and what else they hold does not matter.
    """
    for prefix, layer in module.named_modules():
        if not isinstance(layer, nn.Conv2d | StackedLinear):
            continue
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for name, parameter in (("weight", layer.weight), ("bias", layer.bias)):
            if parameter is None:
                continue
            for stream, part in zip(streams, parameter.chunk(len(streams)), strict=True):
                shape = "x".join(str(size) for size in part.shape)
                generator = stream(f"{prefix}.{name}[{shape}]")
                part.copy_(torch.empty(part.shape).uniform_(-bound, bound, generator=generator))
