"""python -m benchmarks.growth FOLDER: how time and memory a seed grow with seeds side by side, batch and width."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from benchmarks.images import images
from models import DepthCNN, NormCNN
from pytest_claims.stacked import BATCH
from pytest_claims.train.device import DeviceError, choose, describe, prepare
from pytest_claims.train.engine import train
from pytest_claims.types import Recipe, Run

# Of a measurement: steps of training, after a run that warms up.
_STEPS = 12
SEEDS = (1, 2, 4, 5, 8, 16, 32, 64, 128, 256)
BATCHES = (2, 8, 32, 128)
WIDTHS = (8, 16, 32, 64, 128)


def measure(run: Run, seeds: int, device: torch.device) -> tuple[float, float]:
    """Seconds a step and seed, and the peak memory in MiB: on CUDA of its tensors, on a CPU of a process of its own."""
    if device.type == "cuda":
        return _measure(run, seeds, device)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measure, run, seeds, device).result()


def _measure(run: Run, seeds: int, device: torch.device) -> tuple[float, float]:
    prepare(device)
    data = images().to(device)
    train(run, range(seeds), data)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    train(run, range(seeds), data)
    seconds = time.perf_counter() - began
    peak = torch.cuda.max_memory_allocated() if device.type == "cuda" else 0
    if device.type != "cuda":
        # Linux counts in KiB, macOS in bytes.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)
    return seconds / (_STEPS * seeds), peak / 2**20


def _recipe(batch: int) -> Recipe:
    return Recipe(max(1, batch * _STEPS // 10), batch, 1, "sgd", 0.01, momentum=0.9, test_images_per_class=1)


def curves(device: torch.device, most_seconds: float) -> dict[str, list[tuple[int, float, float]]]:
    """Points (size, seconds a step and seed, MiB) by curve; a curve ends before a point that would take too long."""
    networks = {f"batch norm's small CNN, batch {batch}": (NormCNN((BATCH,) * 3), batch) for batch in BATCHES}
    found: dict[str, list[tuple[int, float, float]]] = {}
    for name, (network, batch) in networks.items():
        points = found.setdefault(f"seeds; {name}", [])
        for seeds in SEEDS:
            seconds, memory = measure(Run(network, _recipe(batch)), seeds, device)
            points.append((seeds, seconds, memory))
            # The next point has twice the seeds or fewer, and is trained twice.
            if 4 * seconds * seeds * _STEPS > most_seconds:
                break
    for width in WIDTHS:
        run = Run(DepthCNN(4, "relu", width=width), _recipe(32))
        found.setdefault("width; 4 blocks, batch 32", []).append((width, *measure(run, 1, device)))
    return found


def draw(found: dict[str, list[tuple[int, float, float]]], machine: str, path: Path) -> None:
    """Time a step and seed over seeds side by side and over width, and memory over seeds, as one PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (time_by_seeds, memory_by_seeds, time_by_width) = plt.subplots(
        1, 3, figsize=(15, 4.2), layout="constrained"
    )
    for name, points in found.items():
        kind, _, words = name.partition("; ")
        sizes, seconds, memory = zip(*points, strict=True)
        by_seeds = kind == "seeds"
        axis = time_by_seeds if by_seeds else time_by_width
        axis.plot(sizes, [1000 * value for value in seconds], marker="o", label=words)
        if by_seeds:
            memory_by_seeds.plot(sizes, memory, marker="o", label=words)
    for axis, label, unit, ticks in (
        (time_by_seeds, "seeds side by side", "milliseconds a step and seed", SEEDS),
        (memory_by_seeds, "seeds side by side", "peak memory, MiB", SEEDS),
        (time_by_width, "channels a block", "milliseconds a step and seed", WIDTHS),
    ):
        axis.set(xscale="log", yscale="log", xlabel=label, ylabel=unit)
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.tick_params(axis="x", which="minor", bottom=False)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
        axis.grid(alpha=0.3)
    memory_by_seeds.set_yscale("linear")  # it spans less than a decade
    time_by_width.legend(frameon=False)
    # One legend for both, below them, where it covers no line.
    figure.legend(*time_by_seeds.get_legend_handles_labels(), loc="outside lower left", ncols=4, frameon=False)
    figure.suptitle(f"One process on {machine}", fontsize=10)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure and write growth.json and growth.png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gpu", action="store_true", help="on the first CUDA device instead of one core of the CPU")
    parser.add_argument("--most-seconds", type=float, default=20, help="for one point, about (default: 20)")
    options = parser.parse_args()
    try:
        device = choose(options.gpu)
    except DeviceError as error:
        sys.exit(str(error))
    found = curves(device, options.most_seconds)
    options.folder.mkdir(parents=True, exist_ok=True)
    machine = f"{describe(device)}, torch {torch.__version__}"
    text = json.dumps({"machine": machine, "unit": ["size", "s", "MiB"], "curves": found}, indent=1)
    (options.folder / "growth.json").write_text(text + "\n", encoding="utf-8")
    draw(found, machine, options.folder / "growth.png")


if __name__ == "__main__":
    main()
