"""python -m benchmarks: time a seed of the suite's own works, peer by peer, in turns."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from benchmarks.group import OutOfMemoryError, cores, seconds_a_seed
from benchmarks.images import images
from benchmarks.limits import Limits, limits
from benchmarks.limits import machine as peak_of
from benchmarks.page import page
from benchmarks.peers import PEERS
from benchmarks.work import WORKS
from pytest_claims.train.device import DeviceError, choose, describe


def main() -> None:
    """Measure, print a line a measurement, and write the page if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS), help="default: all")
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], help="default: all")
    parser.add_argument("--repeats", type=int, default=3, help="turns of every peer (default: 3)")
    parser.add_argument("--gpu", action="store_true", help="on the first CUDA device instead of the CPU")
    parser.add_argument("--out", type=Path, help="a folder for speed.md and speed.json")
    options = parser.parse_args()
    if options.repeats < 1:
        sys.exit(f"--repeats {options.repeats}: at least 1 is needed")
    try:
        device = choose(options.gpu)
    except DeviceError as error:
        sys.exit(str(error))
    kind = device.type
    machine = f"{describe(device)}, torch {torch.__version__}"
    print(machine, flush=True)
    peak, data = peak_of(device), images()
    print(f"float32 products at {peak.flops / 1e12:.3g} TFLOP/s, copies at {peak.bandwidth / 1e9:.3g} GB/s", flush=True)
    bounds: dict[str, Limits] = {}
    results: dict[str, dict[str, list[float] | str]] = {}
    side_by_side: dict[tuple[str, str], int] = {}
    for name in options.works:
        work, taken = WORKS[name], results.setdefault(name, {})
        print(f"{name}: {work.words}; one step is counted", flush=True)
        bounds[name] = limits(work, data, device, peak)
        if kind == "cuda":
            torch.cuda.empty_cache()  # for the processes that train
        for turn in range(options.repeats):
            for peer in PEERS:
                if (options.peers and peer.name not in options.peers) or isinstance(taken.get(peer.name), str):
                    continue
                processes = cores() if peer.process_a_core and kind == "cpu" else 1
                seeds = side_by_side.get((name, peer.name), peer.seeds(work, kind))
                try:
                    found, seeds = _narrowing(peer.name, name, str(device), seeds, processes)
                    side_by_side[name, peer.name] = seeds
                except RuntimeError as error:
                    taken[peer.name] = str(error).splitlines()[0]
                    print(f"{name} {peer.name}: cannot: {taken[peer.name]}", flush=True)
                else:
                    taken.setdefault(peer.name, []).append(found)
                    many = f"; {seeds} side by side" if seeds > 1 else ""
                    print(f"{name} {peer.name}: {found:.3f} s a seed (turn {turn + 1}{many})", flush=True)
                if options.out:  # after each, so that an interrupted session leaves what it measured
                    text = page(results, machine, kind, bounds, side_by_side)
                    _write(options.out, results, machine, text)
    print(page(results, machine, kind, bounds, side_by_side))


def _narrowing(peer: str, work: str, device: str, seeds: int, processes: int) -> tuple[float, int]:
    """Seconds a seed, and how many seeds were trained side by side: half as many as long as they do not fit.

    Raises RuntimeError as seconds_a_seed.
    """
    while True:
        try:
            return seconds_a_seed(peer, work, device, seeds, processes), seeds
        except OutOfMemoryError:
            if seeds == 1:
                raise
            print(f"{work} {peer}: {seeds} seeds side by side do not fit into memory", flush=True)
            seeds //= 2


def _write(folder: Path, results: dict[str, dict[str, list[float] | str]], machine: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text(text, encoding="utf-8")
    numbers = json.dumps({"machine": machine, "seconds": results}, indent=1)
    (folder / "speed.json").write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
