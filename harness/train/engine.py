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

from harness.claim import Recipe, Run, Trained
from harness.data.dataset import DataError, Dataset
from harness.data.subset import rows_of_test_set, training_table
from harness.streams import stream
from harness.train.schedule import learning_rates
from models import StackedClassifier, initialise

# Part of every stored run's key: raise it when a change here, in models/ or in harness/data/ changes any result.
ENGINE_VERSION = 1

# Test images a step times seeds; bounds the memory that evaluation takes, results do not depend on it.
_EVALUATED_AT_ONCE = 1000


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
    history = []
    for epoch, lr in enumerate(learning_rates(recipe)):
        for group in optimizer.param_groups:
            group["lr"] = lr
        history.append(_epoch(module, optimizer, recipe, data, table[:, epoch].contiguous()))
    accuracy, tested = evaluate(module, recipe, data)
    # The only point at which the host waits for the device.
    curves = torch.stack(history).cpu()
    accuracy = accuracy.cpu()
    seconds = (time.perf_counter() - started) / len(seeds)
    results = []
    for position, seed in enumerate(seeds):
        loss, correct = (tuple(curves[:, row, position].tolist()) for row in (0, 1))
        diverged = not all(math.isfinite(value) for value in loss)
        results.append(Trained(seed, accuracy[position].item(), correct, loss, diverged, seconds, tested))
    return results


def build(run: Run, seeds: Sequence[int]) -> StackedClassifier:
    """The network of a run for these seeds, on the CPU, with each seed's own initial weights."""
    # torch.nn's constructors draw weights from the global generator; these are replaced and must leave no trace.
    with torch.random.fork_rng(devices=[]):
        module = run.network.build(len(seeds))
    initialise(module, [functools.partial(stream, "weights", seed) for seed in seeds])
    return module


def _epoch(
    module: StackedClassifier, optimizer: torch.optim.Optimizer, recipe: Recipe, data: Dataset, rows: Tensor
) -> Tensor:
    """One pass over rows, int64 [images, S]; returns [2, S]: mean loss, and accuracy in percent, as they passed."""
    module.train()
    total = torch.zeros(2, module.seeds, device=rows.device, dtype=_dtype(recipe))
    normalise = _Normalise(recipe, rows.device)
    for batch in rows.split(recipe.batch):  # the last one may be smaller
        images = normalise(data.train_images[batch])
        targets = data.train_labels[batch].T  # [S, B]
        with _autocast(recipe, rows.device):
            logits = module(images)
        # The mean over each seed's own batch, summed over seeds: every seed gets the gradient it gets alone.
        loss = F.cross_entropy(logits.to(_dtype(recipe)).flatten(0, 1), targets.flatten(), reduction="none")
        loss = loss.view(module.seeds, -1).mean(1)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        with torch.no_grad():
            total[0] += loss * len(batch)
            total[1] += (logits.argmax(2) == targets).sum(1) * 100.0
    return total / len(rows)


@torch.inference_mode()
def evaluate(module: StackedClassifier, recipe: Recipe, data: Dataset) -> tuple[Tensor, int]:
    """Test accuracy in percent, float64 [S], in eval mode and the recipe's precision, and the number of test images."""
    module.eval()
    rows = rows_of_test_set(data, recipe).to(data.test_images.device)
    correct = torch.zeros(module.seeds, device=rows.device, dtype=torch.long)
    normalise = _Normalise(recipe, rows.device)
    for batch in rows.split(max(1, _EVALUATED_AT_ONCE // module.seeds)):
        images = normalise(data.test_images[batch].unsqueeze(1).expand(-1, module.seeds, -1, -1, -1))
        with _autocast(recipe, rows.device):
            logits = module(images)
        correct += (logits.argmax(2) == data.test_labels[batch]).sum(1)
    # In float64: equal counts must give equal differences, and float32 has too few digits for that.
    return correct.double() * 100 / len(rows), len(rows)


class _Normalise:
    """uint8 [B, S, 3, H, W] -> float [B, S*3, H, W]: scaled to [0, 1], then (x - mean) / std per channel."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        # Made once: a tensor made inside a step would have the host wait for the device.
        self.dtype = _dtype(recipe)
        self.mean = torch.tensor(recipe.mean, device=device, dtype=self.dtype).view(3, 1, 1) * 255
        self.std = torch.tensor(recipe.std, device=device, dtype=self.dtype).view(3, 1, 1) * 255

    def __call__(self, images: Tensor) -> Tensor:
        pixels = images.to(self.dtype).sub_(self.mean).div_(self.std)
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
