"""S seeds of one network side by side in one module: the head, the whole classifier, and one seed's share of it.

Every parameter and every running statistic holds its S seeds as S equal slices along dimension 0. Nothing mixes the
slices, so a seed's outputs, gradients and statistics are those of the plain network, whatever its neighbours do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytest_claims.stacked.network import StackedModule


class StackedLinear(nn.Module):
    """S linear layers: [B, S, in] -> [S, B, out]. weight [S*out, in], bias [S*out].

    It is the head: a second one cannot follow. A hidden layer is `block(..., kernel=1)` on images of 1x1, as in
    models.MLP. Raises ValueError for inputs of another shape.
    """

    def __init__(self, in_features: int, out_features: int, seeds: int = 1) -> None:
        super().__init__()
        self.in_features, self.out_features, self.seeds = in_features, out_features, seeds
        self.weight = nn.Parameter(torch.empty(seeds * out_features, in_features))
        self.bias = nn.Parameter(torch.empty(seeds * out_features))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[1] != self.seeds:
            raise ValueError(
                f"StackedLinear was given {list(x.shape)}; needed: [images, {self.seeds} seeds, features]. It is the "
                "head; a hidden layer is block(..., kernel=1) on images of 1x1"
            )
        if self.seeds == 1:
            return F.linear(x.squeeze(1), self.weight, self.bias).unsqueeze(0)
        weight = self.weight.view(self.seeds, self.out_features, self.in_features)
        bias = self.bias.view(self.seeds, 1, self.out_features)
        return torch.baddbmm(bias, x.transpose(0, 1), weight.transpose(1, 2))


class StackedClassifier(StackedModule):
    """Features, flattened per seed, then the head: images [B, S*3, H, W] -> logits [S, B, classes]."""

    def __init__(self, features: nn.Module, head: StackedLinear) -> None:
        super().__init__()
        self.features, self.head, self.seeds = features, head, head.seeds

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.features(images)
        logits: Tensor = self.head(features.unflatten(1, (self.seeds, -1)).flatten(2))
        return logits


def plain_state(module: StackedModule, position: int) -> dict[str, Tensor]:
    """The state of the seed at this position, as the state dict of the same network built for one seed."""
    state = module.state_dict()
    return {name: value if value.ndim == 0 else value.chunk(module.seeds)[position] for name, value in state.items()}
