"""Dropout whose chance is each seed's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StackedDropout(nn.Module):
    """Dropout over [B, S*C, H, W], each seed's masks a function of its own key and of the number of steps taken.

    `nn.Dropout` draws from the global generator, so that a run would depend on its neighbours and on what ran before.
    Here a value's chance is a hash of (key, step, position), computed where the values are: the same on every device,
    and without a generator's state, which a captured step could not advance. The hash is Chris Wellons' lowbias32.

    p: the share of values set to 0; the rest is scaled by 1 / (1 - p), and in eval mode nothing happens. Before the
    first step in training mode `set_keys` must be called; without it a step raises RuntimeError. Raises ValueError for
    p outside [0, 1).
    """

    keys: Tensor
    steps: Tensor

    def __init__(self, p: float, seeds: int = 1) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout is {p}; needed: from 0 up to below 1")
        self.p, self.seeds = p, seeds
        self.register_buffer("keys", torch.empty(0, dtype=torch.int32), persistent=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int32), persistent=False)

    def set_keys(self, keys: Tensor) -> None:
        """keys: int32 [S], one a seed. Raises ValueError for another number of them."""
        if keys.shape != (self.seeds,):
            raise ValueError(f"dropout of {self.seeds} seeds got keys of shape {list(keys.shape)}; needed: one a seed")
        self.keys = keys.to(torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if not len(self.keys):
            raise RuntimeError("dropout has no keys; call set_keys with one a seed")
        self.steps += 1
        batch, channels, height, width = x.shape
        each = channels // self.seeds
        of_step = _hash(self.keys ^ _hash(self.steps))
        positions = torch.arange(batch * each * height * width, dtype=torch.int32, device=x.device)
        chance = _hash(positions.view(batch, 1, each, height, width) ^ of_step.view(-1, 1, 1, 1))
        kept = (chance & 0x7FFFFFFF) >= int(self.p * 2**31)
        return x * kept.view(x.shape) / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}, seeds={self.seeds}"


def _hash(x: Tensor) -> Tensor:
    """int32 -> int32, every bit of the result depending on every bit of x."""
    # Products wrap round; shifts of int32 keep the sign, which the masks take away.
    x = (x ^ ((x >> 16) & 0xFFFF)) * 0x7FEB352D
    x = (x ^ ((x >> 15) & 0x1FFFF)) * (0x846CA68B - 2**32)
    return x ^ ((x >> 16) & 0xFFFF)
