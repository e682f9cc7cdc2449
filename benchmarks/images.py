"""What is trained on: the sample of CIFAR-10 that ships with the project, so that no download decides a benchmark."""

from __future__ import annotations

from pathlib import Path

from pytest_claims.data import Dataset, spec_of
from pytest_claims.data.load import from_sample
from pytest_claims.data.sample import FOLDER

_ROOT = Path(__file__).resolve().parent.parent


def images() -> Dataset:
    """500 training and 200 test images a class, on the CPU. Raises DataError if a file of the sample is damaged."""
    return from_sample(spec_of("cifar10"), _ROOT / FOLDER)
