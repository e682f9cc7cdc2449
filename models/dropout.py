"""Dropout whose chance is each seed's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class StackedDropout(nn.Module):
    """Dropout over [B, S*C, H, W], the masks of each seed drawn from a CPU generator of its own.

    `nn.Dropout` draws from the global generator, so that a run would depend on its neighbours and on what ran before.
    p: the share of values set to 0; the rest is scaled by 1 / (1 - p), and in eval mode nothing happens. Before the
    first step in training mode `generators` must be set, one a seed; without them it raises RuntimeError. Raises
    ValueError for p outside [0, 1).
    """

    def __init__(self, p: float, seeds: int = 1) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout is {p}; needed: from 0 up to below 1")
        self.p, self.seeds = p, seeds
        self.generators: Sequence[torch.Generator] = ()

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if len(self.generators) != self.seeds:
            raise RuntimeError(f"dropout of {self.seeds} seeds has {len(self.generators)} generators; set one a seed")
        batch, channels, height, width = x.shape
        shape = batch, channels // self.seeds, height, width
        masks = [torch.rand(shape, generator=generator) >= self.p for generator in self.generators]
        kept = torch.cat(masks, dim=1).to(x.device, non_blocking=True)
        return x * kept / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}, seeds={self.seeds}"
