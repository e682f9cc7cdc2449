"""How many seeds to train side by side on a GPU: the fewest with which they take at most 10 % longer than all at once.

Where a step is launches, more seeds side by side cost next to nothing; where it is arithmetic, they take memory and
gain little. Which of both it is was measured (docs/costs.md): a run is taken to go as the measured one of its precision
whose step has the most similar number of operations.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from pytest_claims.train.cost import DATA_CENTRE_GPU, Cost, flops_per_step
from pytest_claims.types import Run

# What all of them at once would take may be exceeded by this share.
_LONGER = 0.1


@dataclasses.dataclass(frozen=True)
class Replayed:
    """A run's training steps as measured. flops: of a seed's step. milliseconds: a seed and step, by the number of
    seeds side by side."""

    precision: str
    flops: float
    milliseconds: Mapping[int, float]

    def seconds(self, width: int) -> float:
        """A seed and step with so many side by side: between measured numbers linear in the inverse, as launches that
        seeds share are; beyond them as at the last one."""
        widths = sorted(self.milliseconds, reverse=True)
        inverse, took = [1 / each for each in widths], [self.milliseconds[each] for each in widths]
        return float(np.interp(1 / width, inverse, took)) / 1000


# One H100 80 GB, torch 2.11, CUDA 13: captured steps, replayed.
MEASURED = (
    Replayed("float32", 2.05e11, {1: 21.3, 5: 20.5, 20: 19.9}),  # A1, 8 blocks, batch 512
    Replayed("float32", 1.86e9, {1: 1.19, 5: 0.473, 20: 0.425, 64: 0.382}),  # D, batch norm, batch 32
    Replayed("bfloat16", 3.20e7, {1: 0.288, 5: 0.094, 20: 0.030, 64: 0.013}),  # A2, batch norm, batch 2
    Replayed("bfloat16", 2.05e9, {1: 0.635, 5: 0.291, 20: 0.210, 64: 0.194}),  # A2, batch norm, batch 128
    Replayed("bfloat16", 5.32e10, {1: 1.78, 5: 1.58, 20: 1.45, 64: 1.26}),  # A3, batch 256
)


def fewest_side_by_side(run: Run, cost: Cost, seeds: int) -> int:
    """How many of these seeds to train at once, 1 to seeds. cost: of one seed.

    Starts count: every set of seeds that is trained at once builds its networks and captures its steps. Raises
    NetworkError for a network that cannot be trained.
    """
    like = measured_like(run)

    def seconds(width: int) -> float:
        parts = math.ceil(seeds / width)
        steps = seeds * cost.steps * like.seconds(math.ceil(seeds / parts))
        return parts * DATA_CENTRE_GPU.seconds_per_start + steps

    return next(width for width in range(1, seeds + 1) if seconds(width) <= (1 + _LONGER) * seconds(seeds))


def measured_like(run: Run) -> Replayed:
    """The measured run that this one is taken to go like. In float64, of which none was measured, as in float32."""
    precision = "bfloat16" if run.recipe.precision == "bfloat16" else "float32"
    flops = math.log(max(1.0, flops_per_step(run)))
    alike = [each for each in MEASURED if each.precision == precision]
    return min(alike, key=lambda each: abs(math.log(each.flops) - flops))
