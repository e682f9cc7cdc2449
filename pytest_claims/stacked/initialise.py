"""Initial weights, drawn per seed and per parameter from generators of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from pytest_claims.stacked.classifier import StackedLinear

SCHEMES = ("default", "xavier")


@torch.no_grad()
def initialise(module: nn.Module, streams: Sequence[Callable[[str], torch.Generator]], scheme: str = "default") -> None:
    """Fill a network built for len(streams) seeds, in place; it must be on the CPU.

    scheme of convolutions and linear layers: "default" draws weights and biases uniform in ±1/sqrt(fan_in), which is
    what nn.Conv2d and nn.Linear do (kaiming_uniform_ with a = sqrt(5)); "xavier" draws weights uniform in
    ±sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010) and sets biases to 0. Norms keep scale 1, shift 0, running
    mean 0 and running variance 1. Raises ValueError for another scheme.

    streams[s](name) gives the CPU generator of one parameter of seed s; the name holds the parameter's place and shape,
    so where two networks have a parameter of the same place and shape they share its initial values, and what else they
    hold does not matter.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"initialisation is {scheme!r}; allowed: {', '.join(SCHEMES)}")
    for prefix, layer in module.named_modules():
        if not isinstance(layer, nn.Conv2d | StackedLinear):
            continue
        fan_in = layer.weight[0].numel()
        fan_out = len(layer.weight) // len(streams) * layer.weight[0, 0].numel()
        bound = 1 / math.sqrt(fan_in) if scheme == "default" else math.sqrt(6 / (fan_in + fan_out))
        for name, parameter in (("weight", layer.weight), ("bias", layer.bias)):
            if parameter is None:
                continue
            if scheme == "xavier" and name == "bias":
                parameter.zero_()
                continue
            for stream, part in zip(streams, parameter.chunk(len(streams)), strict=True):
                shape = "x".join(str(size) for size in part.shape)
                generator = stream(f"{prefix}.{name}[{shape}]")
                part.copy_(torch.empty(part.shape).uniform_(-bound, bound, generator=generator))
