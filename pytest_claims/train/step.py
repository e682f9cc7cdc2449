"""One training step of all seeds side by side. Nothing in it waits for the device, and nothing couples the seeds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytest_claims import optimisers
from pytest_claims.data.dataset import Dataset
from pytest_claims.stacked import StackedModule
from pytest_claims.train.arithmetic import Normalise, autocast, dtype
from pytest_claims.types import Recipe


class Step:
    """Gather images, run forward and backward, change the weights, and add up what passed.

    sums: [2, S], of losses and of 100 for every right answer, over the images since they were last set to 0.
    gradients: [layers, S], float32, root mean square of the gradient of each recorded layer's weights at the last
    recorded step.
    """

    def __init__(self, module: StackedModule, optimizer: torch.optim.Optimizer, recipe: Recipe, data: Dataset) -> None:
        self.module, self.optimizer, self.recipe, self.data = module, optimizer, recipe, data
        self.device = data.train_images.device
        self._normalise = Normalise(recipe, self.device)
        self._recorded = recorded_weights(module)
        self.sums = torch.zeros(2, module.seeds, device=self.device, dtype=dtype(recipe))
        self.gradients = torch.zeros(len(self._recorded), module.seeds, device=self.device)

    def __call__(self, rows: Tensor, changes: Tensor | None, record: bool) -> None:
        """Train on rows, int64 [B, S], changed as [B, S, 6] say. record: this step's gradients."""
        module = self.module
        images = self._normalise(self.data.train_images[rows], changes)
        targets = self.data.train_labels[rows].T  # [S, B]
        with autocast(self.recipe, self.device):
            logits = module(images)
        # The mean over each seed's own batch, summed over seeds: every seed gets the gradient it gets alone.
        loss = F.cross_entropy(logits.to(dtype(self.recipe)).flatten(0, 1), targets.flatten(), reduction="none")
        loss = loss.view(module.seeds, -1).mean(1)
        self.optimizer.zero_grad(set_to_none=True)
        self._penalised(loss.sum()).backward()
        if record and self._recorded:
            self.gradients.copy_(self._gradient_by_layer())
        self.optimizer.step()
        with torch.no_grad():
            self.sums[0] += loss * len(rows)
            self.sums[1] += (logits.argmax(2) == targets).sum(1) * 100.0

    def _penalised(self, loss: Tensor) -> Tensor:
        """The loss, summed over seeds, with every seed's own L1 penalty."""
        if not self.recipe.l1:
            return loss
        return loss + self.recipe.l1 * sum(parameter.abs().sum() for parameter in self.module.parameters())

    def _gradient_by_layer(self) -> Tensor:
        # A weight that the forward pass does not use has no gradient.
        each = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self._recorded]
        slices = [gradient.float().unflatten(0, (self.module.seeds, -1)) for gradient in each]
        return torch.stack([each.square().mean(tuple(range(1, each.ndim))).sqrt() for each in slices])


def recorded_weights(module: nn.Module) -> list[nn.Parameter]:
    """The weights whose gradients are recorded: those of the layers named `*.conv`, as blocks name their convolutions.

    In a network without any: those of every layer with a weight of two dimensions or more. There may be none.
    """
    weights = {
        name: layer.weight
        for name, layer in module.named_modules()
        if isinstance(getattr(layer, "weight", None), nn.Parameter)
        and layer.weight.requires_grad
        and layer.weight.ndim >= 2
    }
    blocks = [weight for name, weight in weights.items() if name.endswith(".conv")]
    return blocks or list(weights.values())


def optimizer_of(module: StackedModule, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """The recipe's optimiser over all seeds' parameters.

    Raises OptimiserError for one that would couple seeds side by side, or that draws from global random state.
    """
    if module.seeds > 1 and not optimisers.registered(recipe.optimizer).elementwise:
        raise optimisers.OptimiserError(
            f"optimiser {recipe.optimizer!r} is not elementwise; it trains one seed at a time, not {module.seeds}"
        )
    optimisers.check_steps(recipe)
    return optimisers.make(module.parameters(), recipe, device)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set it in place where it is a tensor, for captured steps know the tensor and not the optimiser."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
