"""Initial weights, drawn per seed and per parameter from generators of their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from pytest_claims.stacked.classifier import StackedLinear
from pytest_claims.stacked.network import NetworkError

SCHEMES = ("default", "xavier")

# Gives the CPU generator of one parameter of one seed, by the parameter's name.
Streams = Sequence[Callable[[str], torch.Generator]]


@runtime_checkable
class SelfSeeding(Protocol):
    """A layer that sets its own initial values; any other is left as its constructor made it, but for convolutions and
    linear layers. Constants need no such method.

    Example, scales around 1::

        def initialise_seeds(self, streams, scheme):
            for stream, part in zip(streams, self.scale.chunk(len(streams)), strict=True):
                part.normal_(1, 0.1, generator=stream("scale"))
    """

    def initialise_seeds(self, streams: Streams, scheme: str) -> None:
        """Set parameters and buffers, in place, each seed's slice from that seed's streams alone.

        streams: one a seed; each gives a generator for a name of the layer's choice, which the layer's own place in the
        network is put before. scheme: as `initialise` takes it. Called without gradients, after the layers inside are
        set.
        """
        ...


@torch.no_grad()
def initialise(module: nn.Module, streams: Streams, scheme: str = "default") -> None:
    """Fill a network built for len(streams) seeds, in place; it must be on the CPU.

    scheme of convolutions and linear layers: "default" draws weights and biases uniform in ±1/sqrt(fan_in), which is
    what nn.Conv2d and nn.Linear do (kaiming_uniform_ with a = sqrt(5)); "xavier" draws weights uniform in
    ±sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010) and sets biases to 0. Norms keep scale 1, shift 0, running
    mean 0 and running variance 1. A SelfSeeding layer sets itself. Raises ValueError for another scheme,
    NetworkError if a SelfSeeding layer fails.

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
                drawn = torch.empty(part.shape, dtype=part.dtype).uniform_(-bound, bound, generator=generator)
                part.copy_(drawn)
    # The innermost first, so that a layer may change what the layers inside it were given.
    for prefix, layer in reversed(list(module.named_modules())):
        if isinstance(layer, SelfSeeding):
            try:
                layer.initialise_seeds([_within(prefix, stream) for stream in streams], scheme)
            except Exception as error:
                raise NetworkError(
                    f"{prefix or 'the module'} (a {type(layer).__name__}) cannot set its initial values: "
                    f"{type(error).__name__}: {error}. In initialise_seeds each of `streams` is called with a name and "
                    'gives a generator: generator=stream("scale")'
                ) from error


def _within(prefix: str, stream: Callable[[str], torch.Generator]) -> Callable[[str], torch.Generator]:
    return lambda name: stream(f"{prefix}.{name}" if prefix else name)
