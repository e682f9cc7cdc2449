"""Train one network over several seeds at once, and say per seed what came out.

One code path for CPU and CUDA. The data set lives on the device as uint8; every step gathers, normalises, and runs
all seeds in one forward and backward pass. Nothing in a step waits for the device, and nothing couples the seeds.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from harness.claim import Recipe, Run, Trained
from harness.data.augment import augment, augmentation_table
from harness.data.dataset import DataError, Dataset
from harness.data.subset import rows_of_test_set, training_table
from harness.streams import stream
from harness.train.schedule import learning_rates
from models import StackedClassifier, StackedDropout, initialise

# Part of every stored run's key: raise it when a change here, in models/ or in harness/data/ changes any result.
ENGINE_VERSION = 1

# Test images a step times seeds; bounds the memory that evaluation takes, results do not depend on it.
_EVALUATED_AT_ONCE = 1000
# Training images a step when batch norm's statistics are estimated again.
_REESTIMATED_AT_ONCE = 500


def train(run: Run, seeds: Sequence[int], data: Dataset) -> list[Trained]:
    """Train run.network by run.recipe once for each seed, on the device where data lives.

    Returns one result a seed, in the order of seeds. A run whose loss stops being finite is trained to its end like
    any other (it cannot touch its neighbours) and recorded as diverged. Raises DataError if the batch is larger than
    the training set, a class has too few images, or the network's classes are not the data's.
    """
    recipe, device = run.recipe, data.train_images.device
    if run.network.classes != data.classes:
        raise DataError(f"{data.name} has {data.classes} classes and the network {run.network.classes}: {run.network}")
    started = time.perf_counter()
    # [images, epochs, S], so that one epoch's slice is in the order in which steps read it
    table = torch.stack([training_table(data, recipe, seed) for seed in seeds]).permute(2, 1, 0).to(device)
    if recipe.batch > len(table):
        raise DataError(
            f"batch {recipe.batch} is larger than the training set of {len(table)} images ({data.name}); "
            f"use a batch of at most {len(table)} or more images per class"
        )
    module = build(run, seeds).to(device, _dtype(recipe), memory_format=torch.channels_last)
    optimizer = _optimizer(module, recipe)
    history, gradients = [], []
    for epoch, lr in enumerate(learning_rates(recipe)):
        for group in optimizer.param_groups:
            group["lr"] = lr
        changes = _changes(recipe, len(table), epoch, seeds, device)
        curve, gradient = _epoch(module, optimizer, recipe, data, table[:, epoch].contiguous(), changes)
        history.append(curve)
        gradients.append(gradient)
    if recipe.statistics == "precise":
        reestimate_statistics(module, recipe, data, table[:, -1])
    predicted, targets = predict(module, recipe, data)
    # In float64: equal counts must give equal differences, and float32 has too few digits for that.
    accuracy = (predicted == targets).sum(1).double() * 100 / len(targets)
    # The only point at which the host waits for the device.
    curves, flow = torch.stack(history).cpu(), torch.stack(gradients).cpu()
    accuracy, predicted = accuracy.cpu(), predicted.cpu()
    seconds = (time.perf_counter() - started) / len(seeds)
    results = []
    for position, seed in enumerate(seeds):
        loss, correct = (tuple(curves[:, row, position].tolist()) for row in (0, 1))
        results.append(
            Trained(
                seed=seed,
                test_accuracy=accuracy[position].item(),
                train_accuracy=correct,
                train_loss=loss,
                diverged=not all(math.isfinite(value) for value in loss),
                seconds=seconds,
                test_images=len(targets),
                gradients=tuple(tuple(row) for row in flow[:, :, position].tolist()),
                predictions=tuple(predicted[position].tolist()),
            )
        )
    return results


def build(run: Run, seeds: Sequence[int]) -> StackedClassifier:
    """The network of a run for these seeds, on the CPU, with each seed's own initial weights."""
    # torch.nn's constructors draw weights from the global generator; these are replaced and must leave no trace.
    with torch.random.fork_rng(devices=[]):
        module = run.network.build(len(seeds))
    streams = [functools.partial(stream, "weights", seed) for seed in seeds]
    initialise(module, streams, run.recipe.initialisation)
    for name, layer in module.named_modules():
        if isinstance(layer, StackedDropout):
            layer.generators = [stream("dropout", seed, name) for seed in seeds]
    return module


def _changes(recipe: Recipe, images: int, epoch: int, seeds: Sequence[int], device: torch.device) -> Tensor | None:
    """What augmentation does to each image of an epoch, [images, S, 6]; None without augmentation."""
    if recipe.augmentation is None:
        return None
    tables = [augmentation_table(recipe.augmentation, images, epoch, seed) for seed in seeds]
    return torch.stack(tables, dim=1).to(device)


def _epoch(
    module: StackedClassifier,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    data: Dataset,
    rows: Tensor,
    changes: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """One pass over rows, int64 [images, S], changed as [images, S, 6] say.

    Returns [2, S]: mean loss, and accuracy in percent, as they passed; and the first step's gradients, [blocks, S].
    """
    module.train()
    total = torch.zeros(2, module.seeds, device=rows.device, dtype=_dtype(recipe))
    normalise = _Normalise(recipe, rows.device)
    gradients: Tensor | None = None
    batches = rows.split(recipe.batch)  # the last one may be smaller
    changed = [None] * len(batches) if changes is None else changes.split(recipe.batch)
    for batch, change in zip(batches, changed, strict=True):
        images = normalise(data.train_images[batch], change)
        targets = data.train_labels[batch].T  # [S, B]
        with _autocast(recipe, rows.device):
            logits = module(images)
        # The mean over each seed's own batch, summed over seeds: every seed gets the gradient it gets alone.
        loss = F.cross_entropy(logits.to(_dtype(recipe)).flatten(0, 1), targets.flatten(), reduction="none")
        loss = loss.view(module.seeds, -1).mean(1)
        optimizer.zero_grad(set_to_none=True)
        _penalised(loss.sum(), module, recipe).backward()
        if gradients is None:
            gradients = gradient_by_block(module)
        optimizer.step()
        with torch.no_grad():
            total[0] += loss * len(batch)
            total[1] += (logits.argmax(2) == targets).sum(1) * 100.0
    return total / len(rows), gradients


def _penalised(loss: Tensor, module: nn.Module, recipe: Recipe) -> Tensor:
    """The loss, summed over seeds, with every seed's own L1 penalty."""
    if not recipe.l1:
        return loss
    return loss + recipe.l1 * sum(parameter.abs().sum() for parameter in module.parameters())


def gradient_by_block(module: StackedClassifier) -> Tensor:
    """Root mean square of the gradient of each block's weights, float32 [blocks, S], first block first."""
    weights = [layer.weight.grad for name, layer in module.named_modules() if name.endswith(".conv")]
    each = [weight.float().unflatten(0, (module.seeds, -1)) for weight in weights]
    return torch.stack([weight.square().mean((1, 2, 3, 4)).sqrt() for weight in each])


def reestimate_statistics(module: StackedClassifier, recipe: Recipe, data: Dataset, rows: Tensor) -> None:
    """Set batch norm's running statistics to averages over rows, int64 [images, S], under the weights as they are.

    The mean and variance in batches of up to 500 images, whose sizes differ by one at most, averaged.
    """
    normalise = _Normalise(recipe, rows.device)
    batches = rows.tensor_split(math.ceil(len(rows) / _REESTIMATED_AT_ONCE))
    with _autocast(recipe, rows.device):
        update_bn((normalise(data.train_images[batch]) for batch in batches), module)


@torch.inference_mode()
def predict(module: StackedClassifier, recipe: Recipe, data: Dataset) -> tuple[Tensor, Tensor]:
    """The class that each test image is taken for, int64 [S, images], in eval mode and the recipe's precision, and the
    class that it has, int64 [images]."""
    module.eval()
    rows = rows_of_test_set(data, recipe).to(data.test_images.device)
    normalise = _Normalise(recipe, rows.device)
    found = []
    for batch in rows.split(max(1, _EVALUATED_AT_ONCE // module.seeds)):
        images = normalise(data.test_images[batch].unsqueeze(1).expand(-1, module.seeds, -1, -1, -1))
        with _autocast(recipe, rows.device):
            found.append(module(images).argmax(2))
    return torch.cat(found, dim=1), data.test_labels[rows]


class _Normalise:
    """uint8 [B, S, 3, H, W] -> float [B, S*3, H, W]: scaled to [0, 1], then (x - mean) / std per channel."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        # Made once: a tensor made inside a step would have the host wait for the device.
        self.dtype = _dtype(recipe)
        self.mean = torch.tensor(recipe.mean, device=device, dtype=self.dtype).view(3, 1, 1) * 255
        self.std = torch.tensor(recipe.std, device=device, dtype=self.dtype).view(3, 1, 1) * 255

    def __call__(self, images: Tensor, changes: Tensor | None = None) -> Tensor:
        pixels = images.to(self.dtype)
        if changes is not None:
            pixels = augment(pixels.flatten(0, 1) / 255, changes.flatten(0, 1)).view(pixels.shape) * 255
        pixels = pixels.sub_(self.mean).div_(self.std)
        return pixels.flatten(1, 2).contiguous(memory_format=torch.channels_last)


def _dtype(recipe: Recipe) -> torch.dtype:
    """Of weights, optimiser state, loss and whatever autocast does not lower."""
    return torch.float64 if recipe.precision == "float64" else torch.float32


def _autocast(recipe: Recipe, device: torch.device) -> contextlib.AbstractContextManager:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=recipe.precision == "bfloat16")


def _optimizer(module: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    # Elementwise, so S seeds in one parameter are S optimisers. "fused" is one kernel instead of one an operation.
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(module.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(
        module.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True
    )
