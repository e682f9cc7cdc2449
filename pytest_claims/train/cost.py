"""What a run costs before it is trained: steps, floating-point operations, and seconds on this device."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from pytest_claims.data.dataset import Dataset, dataset
from pytest_claims.stacked import Network, StackedClassifier, StackedLinear, assemble, block, check, check_form
from pytest_claims.train.engine import train
from pytest_claims.types import Recipe, Run


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one seed of a run. steps: optimiser steps. flops: of all training and testing, multiply-adds as two."""

    steps: int
    flops: float


def cost(run: Run, train_images: int, test_images: int) -> Cost:
    """The cost of one seed when the whole data set has this many training and test images.

    Raises NetworkError for a network that cannot be trained.
    """
    check_form(run.network)
    recipe = run.recipe
    images = train_images if recipe.images_per_class is None else recipe.images_per_class * run.network.classes
    if recipe.test_images_per_class is not None:
        test_images = recipe.test_images_per_class * run.network.classes
    forward, both = _flops_per_image(run.network)
    steps = math.ceil(images / recipe.batch) * recipe.epochs
    tests = recipe.epochs if recipe.test_every_epoch else 1
    return Cost(steps, both * images * recipe.epochs + forward * test_images * tests)


def flops_per_step(run: Run) -> float:
    """Of one seed's optimiser step on a whole batch. Raises NetworkError for a network that cannot be trained."""
    check_form(run.network)
    return _flops_per_image(run.network)[1] * run.recipe.batch


@functools.cache
def _flops_per_image(network: Network) -> tuple[float, float]:
    """Forward, and forward plus backward, of one 3x32x32 image; counted by PyTorch."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):  # on shapes alone
            return _counted(network.build(1))
    except (Exception, SystemExit):
        # Some networks need values, and others are at fault, which the check finds out.
        check(network)
        return _counted(assemble(network, (0,)))


def _counted(module: nn.Module) -> tuple[float, float]:
    module.eval()  # in which dropout needs no chance, and convolutions cost the same
    # Two images, for some networks know no batch of one.
    images, target = torch.zeros(2, 3, 32, 32), torch.zeros(2, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        logits = module(images)
        forward = counter.get_total_flops()
        F.cross_entropy(logits.squeeze(0), target).backward()
    return forward / 2, counter.get_total_flops() / 2


@dataclasses.dataclass(frozen=True)
class Speed:
    """A device's measured speed: seconds an optimiser step takes at least, and FLOPs a second beyond that.

    seconds_per_start: of every set of seeds that is trained side by side: its networks are built, its steps captured.
    """

    seconds_per_step: float
    flops_per_second: float
    seconds_per_start: float = 0.0

    def seconds(self, cost: Cost, width: int) -> float:
        """Estimated seconds of one seed trained side by side with width - 1 others."""
        return cost.steps * self.seconds_per_step / width + cost.flops / self.flops_per_second


# As measured on one H100 80 GB, torch 2.11, CUDA 13, replayed steps of seven runs with 1 to 64 seeds side by side
# (docs/costs.md), fitted in logarithms. Most of them take half to twice as long as this says. OrderCNN, whose
# convolutions are large and in bfloat16, does 39 TFLOP/s and is overrated up to four times.
DATA_CENTRE_GPU = Speed(0.63e-3, 10.7e12, 0.3)
# Of the order that `probe` finds on one core of a server (a 2-core Xeon, torch 2.13), to weigh runs against each other.
CPU_CORE = Speed(3e-3, 60e9)


@dataclasses.dataclass(frozen=True)
class Blocks:
    """What the probe trains: convolution, batch norm and ReLU of these widths, halved in size after every so many."""

    widths: tuple[int, ...]
    halved_after: int
    classes: int

    def build(self, seeds: int = 1) -> StackedClassifier:
        layers: list[nn.Module] = []
        for place, (before, after) in enumerate(itertools.pairwise((3, *self.widths)), start=1):
            layers.append(block(before, after, seeds=seeds))
            if place % self.halved_after == 0:
                layers.append(nn.MaxPool2d(2))
        side = 32 // 2 ** (len(self.widths) // self.halved_after)
        head = StackedLinear(self.widths[-1] * side**2, self.classes, seeds)
        return StackedClassifier(nn.Sequential(*layers), head)


def probe(device: torch.device) -> Speed:
    """Measure a device for about a second with two small training runs, on images of noise.

    An estimate: real networks reach different shares of the device's peak, within a factor of about two.
    """
    data = _noise().to(device)

    def timed(network: Network, batch: int, steps: int) -> tuple[Cost, float]:
        per_class = math.ceil(batch * steps / data.classes)
        recipe = Recipe(
            images_per_class=per_class, batch=batch, epochs=1, optimizer="sgd", lr=0.01, test_images_per_class=1
        )
        run = Run(network, recipe)
        train(run, [0], data)  # warm up: allocator, kernels
        started = time.perf_counter()
        train(run, [0], data)
        return cost(run, 0, 0), time.perf_counter() - started

    small, small_seconds = timed(Blocks((16, 32, 64), 1, data.classes), 2, 50)
    large, large_seconds = timed(Blocks((16, 32, 64, 128, 64, 32, 16, 10), 2, data.classes), 100, 1)
    per_step = small_seconds / small.steps
    return Speed(per_step, large.flops / max(large_seconds - large.steps * per_step, large_seconds / 10))


def _noise() -> Dataset:
    """Ten classes of ten training images and one test image each: how long a step takes does not depend on pixels."""
    generator = np.random.default_rng(0)

    def split(per_class: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(np.arange(10), per_class)
        return generator.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8), labels

    return dataset("noise", "made to measure speed", tuple("0123456789"), split(10), split(1), kind="")
