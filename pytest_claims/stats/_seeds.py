"""Arms are paired by seed: results in any order become samples in the same order, or are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np


def in_order_of_seeds(arms: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, np.ndarray]:
    """Accuracies in percent, float64 [n] for each arm, in ascending order of seeds.

    arms: (seed, accuracy) of every run, by the arm's name. Raises ValueError, naming the arm and the seeds, if an arm
    has a seed twice or not the same seeds as the first one.
    """
    expected: set[int] | None = None
    samples = {}
    for name, runs in arms.items():
        counts = Counter(seed for seed, _ in runs)
        twice = sorted(seed for seed, count in counts.items() if count > 1)
        if twice:
            raise ValueError(
                f"{name}: duplicate seeds {twice}; needed: one run a seed, or runs count twice as evidence"
            )
        if expected is None:
            first, expected = name, set(counts)
        if set(counts) != expected:
            unpaired = sorted(set(counts) ^ expected)
            raise ValueError(f"{name} and {first} differ in the seeds {unpaired}; arms are paired by seed")
        samples[name] = np.array([accuracy for _, accuracy in sorted(runs)], dtype=np.float64)
    return samples
