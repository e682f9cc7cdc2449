"""python -m benchmarks: time a seed of the suite's own works, peer by peer, in turns."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from benchmarks.group import cores, seconds_a_seed
from benchmarks.images import images
from benchmarks.limits import limits
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
    peak, data = peak_of(device), images()
    bounds = {name: limits(WORKS[name], data, kind, peak) for name in options.works}
    results: dict[str, dict[str, list[float] | str]] = {}
    for name in options.works:
        work, taken = WORKS[name], results.setdefault(name, {})
        for turn in range(options.repeats):
            for peer in PEERS:
                if (options.peers and peer.name not in options.peers) or isinstance(taken.get(peer.name), str):
                    continue
                processes = cores() if peer.process_a_core and kind == "cpu" else 1
                try:
                    found = seconds_a_seed(peer.name, name, str(device), peer.seeds(work, kind), processes)
                except RuntimeError as error:
                    taken[peer.name] = str(error).splitlines()[0]
                    print(f"{name} {peer.name}: cannot: {taken[peer.name]}", flush=True)
                else:
                    taken.setdefault(peer.name, []).append(found)
                    print(f"{name} {peer.name}: {found:.3f} s a seed (turn {turn + 1})", flush=True)
                if options.out:  # after each, so that an interrupted session leaves what it measured
                    _write(options.out, results, machine, page(results, machine, kind, bounds))
    print(page(results, machine, kind, bounds))


def _write(folder: Path, results: dict[str, dict[str, list[float] | str]], machine: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text(text, encoding="utf-8")
    numbers = json.dumps({"machine": machine, "seconds": results}, indent=1)
    (folder / "speed.json").write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
