"""python -m benchmarks.blocks: what blocks cost a GPU: seconds to start, milliseconds a seed and step, and memory.

These are the numbers behind pytest_claims/train/widths.py and `DATA_CENTRE_GPU`, and how many seeds fit side by side.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence

import torch

from benchmarks.images import images
from benchmarks.work import WORKS
from pytest_claims.data.dataset import Dataset
from pytest_claims.train.cost import cost
from pytest_claims.train.device import DeviceError, choose, describe, prepare
from pytest_claims.train.engine import train
from pytest_claims.train.memory import CudaMemory, DeviceMemory, is_out_of_memory
from pytest_claims.train.widths import fewest_side_by_side
from pytest_claims.types import Run

# Steps of the two runs whose times are subtracted. With 10 classes and even batches both are whole numbers of images a
# class: a smaller batch that is left over would be captured, too.
_FEW, _MANY = 5, 15


@dataclasses.dataclass(frozen=True)
class BlockCost:
    """start: seconds before the first step and after the last. step: seconds of a step of one seed. peak: bytes."""

    start: float
    step: float
    peak: int


def measure(run: Run, seeds: int, data: Dataset, memory: DeviceMemory) -> BlockCost | None:
    """Train so many seeds side by side for a few steps, and for more; None where they do not fit.

    data: on the device."""
    memory.start()
    try:
        seconds = [_seconds(run, seeds, data, steps) for steps in (_FEW, _FEW, _MANY)]  # the first one warms up
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        seconds = []
    peak = memory.peak()
    memory.release(thorough=not seconds)
    if not seconds:
        return None
    step = (seconds[2] - seconds[1]) / (_MANY - _FEW)
    return BlockCost(seconds[1] - _FEW * step, step / seeds, peak)


def _seconds(run: Run, seeds: int, data: Dataset, steps: int) -> float:
    images = run.recipe.batch * steps // data.classes
    cut = dataclasses.replace(run.recipe, images_per_class=images, epochs=1, test_images_per_class=1)
    began = time.perf_counter()
    train(dataclasses.replace(run, recipe=cut), range(seeds), data)
    return time.perf_counter() - began


def line(name: str, seeds: int, found: BlockCost | None) -> str:
    """A measurement in words."""
    if found is None:
        return f"{name}  {seeds:3} side by side: out of memory"
    return (
        f"{name}  {seeds:3} side by side: start {found.start:.2f} s, {1000 * found.step:.3f} ms a seed and step, "
        f"{found.peak / 2**20:,.0f} MiB"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line a measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.blocks", description=__doc__.splitlines()[0])
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS), help="default: all")
    parser.add_argument(
        "--widths", nargs="+", type=int, default=[1, 5, 20], help="seeds side by side (default: 1 5 20)"
    )
    options = parser.parse_args(arguments)
    try:
        device = choose(True)
    except DeviceError as error:
        sys.exit(str(error))
    prepare(device)
    print(f"{describe(device)}, torch {torch.__version__}", flush=True)
    data, memory = images().to(device), CudaMemory(device)
    for name in options.works:
        run = WORKS[name].run
        for seeds in options.widths:
            print(line(name, seeds, measure(run, seeds, data, memory)), flush=True)
        whole = cost(run, len(data.train_labels), len(data.test_labels))
        print(f"{name}  of a block of 5, {fewest_side_by_side(run, whole, 5)} would be trained at once")


if __name__ == "__main__":
    main()
