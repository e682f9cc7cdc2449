"""The statistics on accuracies of networks that were really trained, on the sample of CIFAR-10."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import torch

from models import NormCNN
from pytest_claims.data import Dataset, spec_of
from pytest_claims.data.load import from_sample
from pytest_claims.data.sample import FOLDER
from pytest_claims.stacked import BATCH
from pytest_claims.stats import seeds_for, superiority
from pytest_claims.streams import stream
from pytest_claims.train import train
from pytest_claims.types import Outcome, Recipe, Run

_ROOT = Path(__file__).resolve().parent.parent
RUN = Run(NormCNN((BATCH,) * 3), Recipe(30, 16, 4, "sgd", 0.02, momentum=0.9, test_images_per_class=50))


@functools.lru_cache(maxsize=1)
def _images() -> Dataset:
    return from_sample(spec_of("cifar10"), _ROOT / FOLDER)


@functools.lru_cache(maxsize=2)
def accuracies(seeds: int) -> np.ndarray:
    """Test accuracies in percent of that many seeds of one network, float64 [seeds]."""
    return np.array([result.test_accuracy for result in train(RUN, range(seeds), _images())])


def seeds_named(pool: np.ndarray, margin: float) -> int:
    """The number of seeds that the suite names for an effect of the margin between two arms that vary as the pool."""
    return seeds_for(margin, sd=float(pool.std(ddof=1) * np.sqrt(2))) or len(pool)


def found(pool: np.ndarray, n: int, effect: float, margin: float, draws: int) -> float:
    """How often an effect is found between two arms of n seeds drawn from the pool, one raised by effect."""
    rng = np.random.default_rng([n, draws])
    hits = 0
    for _ in range(draws):
        drawn = rng.permutation(pool)[: 2 * n]
        verdict = superiority(drawn[:n] + effect, drawn[n:], margin=margin)
        hits += verdict.outcome in (Outcome.REPRODUCED, Outcome.TOO_SMALL)
    return hits / draws


def labels_shuffled(seeds: int) -> float:
    """The mean test accuracy, as a share, of networks trained on labels in random order: chance, if nothing leaks."""
    images = _images()
    order = torch.randperm(len(images.train_labels), generator=stream("shuffled labels"))
    shuffled = dataclasses.replace(images, train_labels=images.train_labels[order])
    return float(np.mean([result.test_accuracy for result in train(RUN, range(seeds), shuffled)])) / 100
