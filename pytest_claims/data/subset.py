"""What a run trains and tests on: index tables from its own generators, the same on any device and in any company."""

from __future__ import annotations

import torch
from torch import Tensor

from pytest_claims.data.dataset import DataError, Dataset
from pytest_claims.streams import stream
from pytest_claims.types import Recipe


def training_table(data: Dataset, recipe: Recipe, seed: int) -> Tensor:
    """Which training image every step sees: int64 [epochs, images], positions in data.train_images, on the CPU.

    The class-balanced subset comes from stream("subset", seed), the order of each epoch from stream("order", seed):
    every arm with this seed and subset size sees the same images in the same order, whatever its batch size. A
    smaller subset is contained in a larger one of the same seed. Raises DataError if a class has too few images.
    """
    rows = torch.arange(len(data.train_labels))
    if recipe.images_per_class is not None:
        rows = balanced(data.train_labels.cpu(), recipe.images_per_class, data, seed)
    generator = stream("order", seed)
    return torch.stack([rows[torch.randperm(len(rows), generator=generator)] for _ in range(recipe.epochs)])


def balanced(labels: Tensor, per_class: int, data: Dataset, seed: int) -> Tensor:
    """Positions of per_class random images of each class, int64 [classes * per_class]; raises DataError if too few."""
    generator = stream("subset", seed)
    chosen = []
    for label in range(data.classes):
        members = (labels == label).nonzero().squeeze(1)
        if len(members) < per_class:
            raise DataError(
                f"{data.name} ({data.origin}) has {len(members)} training images of class "
                f"{data.class_names[label]!r}, and the recipe needs {per_class} a class. Add images, or select claims "
                "with smaller recipes (-k; --scale rehearsal); --data real takes the whole data sets"
            )
        chosen.append(members[torch.randperm(len(members), generator=generator)[:per_class]])
    return torch.cat(chosen)


def rows_of_test_set(data: Dataset, per_class: int | None) -> Tensor:
    """Positions of the test images that a run is tested on, int64: all, or the first per_class of each class."""
    labels = data.test_labels.cpu()
    if per_class is None:
        return torch.arange(len(labels))
    parts = [(labels == label).nonzero().squeeze(1)[:per_class] for label in range(data.classes)]
    return torch.cat(parts)
