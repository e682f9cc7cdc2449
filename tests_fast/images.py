"""Small labelled image sets that a small network can learn something from, for tests of everything but images."""

from __future__ import annotations

import numpy as np

from pytest_claims.data.dataset import Dataset, dataset


def tiny(name: str = "cifar10", classes: int = 10, train: int = 12, test: int = 6, seed: int = 0) -> Dataset:
    """train and test images a class, called CIFAR's: noise with a band whose brightness tells the class."""
    generator = np.random.default_rng(seed)

    def split(per_class: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(np.arange(classes), per_class)
        images = generator.integers(0, 128, (len(labels), 32, 32, 3))
        images[:, 8:24] += (labels * 127 // max(1, classes - 1))[:, None, None, None]
        return images.astype(np.uint8), labels

    names = tuple(f"c{label}" for label in range(classes))
    return dataset(name, "made for a test", names, split(train), split(test), kind="cifar")
