"""The precision of a recipe, and pixels made ready for a network in it."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

from pytest_claims.data.augment import augment
from pytest_claims.types import Recipe


def dtype(recipe: Recipe) -> torch.dtype:
    """Of weights, optimiser state, loss and whatever autocast does not lower."""
    return torch.float64 if recipe.precision == "float64" else torch.float32


def autocast(recipe: Recipe, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """The context in which the network runs forward."""
    # Without a cache: a weight's cast made while a graph is captured must not serve outside of it.
    enabled = recipe.precision == "bfloat16"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled, cache_enabled=device.type == "cpu")


class Normalise:
    """uint8 [B, S, 3, H, W] -> float [B, S*3, H, W]: scaled to [0, 1], changed if asked to, then (x - mean) / std."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        # Made once: a tensor made inside a step would have the host wait for the device.
        self.dtype = dtype(recipe)
        self.mean = torch.tensor(recipe.mean, device=device, dtype=self.dtype).view(3, 1, 1) * 255
        self.std = torch.tensor(recipe.std, device=device, dtype=self.dtype).view(3, 1, 1) * 255

    def __call__(self, images: Tensor, changes: Tensor | None = None) -> Tensor:
        pixels = images.to(self.dtype)
        if changes is not None:
            pixels = augment(pixels.flatten(0, 1) / 255, changes.flatten(0, 1)).view(pixels.shape) * 255
        pixels = pixels.sub_(self.mean).div_(self.std)
        return pixels.flatten(1, 2).contiguous(memory_format=torch.channels_last)
