"""Train one network over several seeds at once, and say per seed what came out.

One code path for CPU and CUDA. The data set lives on the device as uint8; every step gathers, normalises, and runs
all seeds in one forward and backward pass (step.py), on CUDA as a replay of a captured one (graph.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from pytest_claims import optimisers
from pytest_claims.data.augment import augmentation_table
from pytest_claims.data.dataset import DataError, Dataset
from pytest_claims.data.subset import rows_of_test_set, training_table
from pytest_claims.stacked import StackedModule, assemble, check, check_form
from pytest_claims.train.arithmetic import Normalise, autocast, dtype
from pytest_claims.train.graph import GraphedStep
from pytest_claims.train.schedule import learning_rates
from pytest_claims.train.step import Step, optimizer_of, set_learning_rate
from pytest_claims.types import Recipe, Run, Trained

# Of the results that this code gives: raised when a change here, in models/ or in pytest_claims/data/ changes any.
ENGINE_VERSION = 2

# Test images a step times seeds; bounds the memory that evaluation takes, results do not depend on it.
_EVALUATED_AT_ONCE = 1000
# Training images a step when batch norm's statistics are estimated again.
_REESTIMATED_AT_ONCE = 500


def version_of(run: Run) -> int:
    """The first engine version that gives this run's results: part of its key in the store."""
    # 2: dropout's masks are hashed, not drawn; brightness is weighed in another order of sums.
    return 2 if run.recipe.augmentation is not None or bool(getattr(run.network, "dropout", 0)) else 1


def train(run: Run, seeds: Sequence[int], data: Dataset, *, graphs: bool = True) -> list[Trained]:
    """Train run.network by run.recipe once for each seed, on the device where data lives.

    Returns one result a seed, in the order of seeds. A run whose loss stops being finite is trained to its end like
    any other (it cannot touch its neighbours) and recorded as diverged. graphs: on CUDA, replay captured steps. Raises
    DataError if the batch is larger than the training set, a class has too few images, or the network's classes are not
    the data's; NetworkError if the network does not keep its contract; OptimiserError for several seeds where the
    optimiser would couple them.
    """
    check_form(run.network)
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
    module = build(run, seeds).to(device, dtype(recipe))
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    optimizer = optimizer_of(module, recipe, device)
    step = Step(module, optimizer, recipe, data)
    graphed = graphs and device.type == "cuda" and optimisers.registered(recipe.optimizer).capturable
    take = GraphedStep(step) if graphed else step
    history, gradients, tested = [], [], []
    module.train()
    for epoch, lr in enumerate(learning_rates(recipe)):
        set_learning_rate(optimizer, lr)
        batches = table[:, epoch].contiguous().split(recipe.batch)  # the last one may be smaller
        changes = _changes(recipe, len(table), epoch, seeds, device)
        changed = [None] * len(batches) if changes is None else changes.split(recipe.batch)
        step.sums.zero_()
        for index, (rows, change) in enumerate(zip(batches, changed, strict=True)):
            take(rows, change, record=index == 0)
        history.append(step.sums / len(table))
        gradients.append(step.gradients.clone())
        if recipe.test_every_epoch and epoch + 1 < recipe.epochs:
            tested.append(_tested_in_between(module, recipe, data, table[:, epoch]))
    if isinstance(take, GraphedStep):
        take.close()
    predicted, targets = _tested(module, recipe, data, table[:, -1])
    tested.append(_accuracy(predicted, targets))
    # The only point at which the host waits for the device.
    curves, flow = torch.stack(history).cpu(), torch.stack(gradients).cpu()
    by_epoch, predicted = torch.stack(tested).cpu(), predicted.cpu()
    seconds = (time.perf_counter() - started) / len(seeds)
    results = []
    for position, seed in enumerate(seeds):
        loss, correct = (tuple(curves[:, row, position].tolist()) for row in (0, 1))
        results.append(
            Trained(
                seed=seed,
                test_accuracy=by_epoch[-1, position].item(),
                train_accuracy=correct,
                train_loss=loss,
                diverged=not all(math.isfinite(value) for value in loss),
                seconds=seconds,
                test_images=len(targets),
                gradients=tuple(tuple(row) for row in flow[:, :, position].tolist() if row),
                predictions=tuple(predicted[position].tolist()),
                test_accuracy_by_epoch=tuple(by_epoch[:, position].tolist()) if recipe.test_every_epoch else (),
            )
        )
    return results


def build(run: Run, seeds: Sequence[int]) -> StackedModule:
    """The network of a run for these seeds, on the CPU, with each seed's own initial weights.

    Raises NetworkError if the network does not keep its contract, which is checked once in a process.
    """
    check(run.network, run.recipe.initialisation)
    return assemble(run.network, seeds, run.recipe.initialisation)


def _changes(recipe: Recipe, images: int, epoch: int, seeds: Sequence[int], device: torch.device) -> Tensor | None:
    """What augmentation does to each image of an epoch, [images, S, 6]; None without augmentation."""
    if recipe.augmentation is None:
        return None
    tables = [augmentation_table(recipe.augmentation, images, epoch, seed) for seed in seeds]
    return torch.stack(tables, dim=1).to(device)


def _tested(module: StackedModule, recipe: Recipe, data: Dataset, rows: Tensor) -> tuple[Tensor, Tensor]:
    """predict(), with batch norm's statistics as the recipe wants them; rows: the epoch's images, int64 [images, S]."""
    if recipe.statistics == "precise":
        reestimate_statistics(module, recipe, data, rows)
    return predict(module, recipe, data)


def _accuracy(predicted: Tensor, targets: Tensor) -> Tensor:
    """Percent, float64 [S]."""
    # In float64: equal counts must give equal differences, and float32 has too few digits for that.
    return (predicted == targets).sum(1).double() * 100 / len(targets)


def _tested_in_between(module: StackedModule, recipe: Recipe, data: Dataset, rows: Tensor) -> Tensor:
    """Test accuracy before training is over, percent, float64 [S]; training goes on as if there had been no test.

    Buffers (batch norm's statistics, dropout's count of steps) are put back in place, for captured steps know where
    they are.
    """
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    accuracy = _accuracy(*_tested(module, recipe, data, rows))
    with torch.no_grad():
        for buffer, value in before:
            buffer.copy_(value)
    module.train()
    return accuracy


def reestimate_statistics(module: StackedModule, recipe: Recipe, data: Dataset, rows: Tensor) -> None:
    """Set batch norm's running statistics to averages over rows, int64 [images, S], under the weights as they are.

    The mean and variance in batches of up to 500 images, whose sizes differ by one at most, averaged.
    """
    normalise = Normalise(recipe, rows.device)
    batches = rows.tensor_split(math.ceil(len(rows) / _REESTIMATED_AT_ONCE))
    with autocast(recipe, rows.device):
        update_bn((normalise(data.train_images[batch]) for batch in batches), module)


@torch.inference_mode()
def predict(module: StackedModule, recipe: Recipe, data: Dataset) -> tuple[Tensor, Tensor]:
    """The class that each test image is taken for, int64 [S, images], in eval mode and the recipe's precision, and the
    class that it has, int64 [images]."""
    module.eval()
    rows = rows_of_test_set(data, recipe.test_images_per_class).to(data.test_images.device)
    normalise = Normalise(recipe, rows.device)
    found = []
    for batch in rows.split(max(1, _EVALUATED_AT_ONCE // module.seeds)):
        images = normalise(data.test_images[batch].unsqueeze(1).expand(-1, module.seeds, -1, -1, -1))
        with autocast(recipe, rows.device):
            found.append(module(images).argmax(2))
    return torch.cat(found, dim=1), data.test_labels[rows]
