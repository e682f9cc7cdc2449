"""The learning rate of each epoch."""

from __future__ import annotations

import math

import numpy as np

from pytest_claims.types import Recipe


def learning_rates(recipe: Recipe) -> list[float]:
    """The learning rate of epochs 0 .. epochs-1, as torch.optim's schedulers stepped once an epoch give it.

    ("cosine", final) is CosineAnnealingLR(T_max=epochs, eta_min=final); ("step", every, factor) is StepLR; ("linear",
    epoch, factor, ...) is LambdaLR with the interpolated factor, which stays the last one after the last point.
    """
    epochs, peak = recipe.epochs, recipe.lr
    kind, *arguments = recipe.schedule
    match kind, [float(argument) for argument in arguments]:
        case "constant", []:
            return [peak] * epochs
        case "cosine", [final]:
            return [final + (peak - final) * (1 + math.cos(math.pi * epoch / epochs)) / 2 for epoch in range(epochs)]
        case "step", [every, factor]:
            return [peak * factor ** (epoch // every) for epoch in range(epochs)]
        case "linear", points:
            return [float(peak * each) for each in np.interp(range(epochs), points[::2], points[1::2])]
    raise ValueError(f"unknown schedule {recipe.schedule!r}")  # Recipe refuses it at construction
