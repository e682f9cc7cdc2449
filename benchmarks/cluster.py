"""python -m benchmarks.cluster blocks|sessions|paper: what Ray costs a block and a session, and how far claims scale.

blocks: a small block, here and on a cluster. sessions: a rehearsal by `-n`, and by `--ray local` on as many CPUs.
paper: how long all claims of a scale take on 1 to 512 GPUs, by a simulation of the session on recorded times.
"""

from __future__ import annotations

import argparse
import dataclasses
import heapq
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.images import images
from models import DepthCNN
from pytest_claims.judge.decorator import arms_at, claim_of
from pytest_claims.runs.evidence import FOLDER
from pytest_claims.runs.executor import Executor, InProcess
from pytest_claims.runs.pool import seeds_per_block
from pytest_claims.train.cost import DATA_CENTRE_GPU, cost
from pytest_claims.types import LOOKS, Recipe, Run

ROOT = Path(__file__).resolve().parents[1]
# A block that takes some hundredths of a second, so that what is added to it shows.
SMALL = Run(DepthCNN(1, "relu", width=4), Recipe(20, 20, 1, "sgd", 0.1, test_images_per_class=10))
# Claims whose rehearsal takes a minute or so on two cores, in blocks of a second to some seconds.
REHEARSED = "A1a or A2a or D"
GPUS = (1, 8, 64, 512)


def blocks(count: int) -> None:
    """Print seconds a block: here, on a cluster one by one, and on a cluster that has them all."""
    from pytest_claims.cluster.executor import OnCluster

    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112, its name
    data = images()
    settings: Any = SimpleNamespace(device=torch.device("cpu"), tf32=False, kernels="cudnn")

    def seconds(executor: Executor, *, ahead: bool) -> float:
        executor.submit(SMALL, [0], data).result()
        began = time.perf_counter()
        if ahead:
            for future in [executor.submit(SMALL, [seed], data) for seed in range(count)]:
                future.result()
        else:
            for seed in range(count):
                executor.submit(SMALL, [seed], data).result()
        return (time.perf_counter() - began) / count

    here = InProcess(torch.device("cpu"))
    began = time.perf_counter()
    cluster = OnCluster("local", settings, ROOT, [SMALL])
    connected = time.perf_counter() - began
    try:
        print(f"to start a cluster on this machine and connect: {connected:.1f} s")
        for name, executor, ahead in (
            ("here", here, False),
            ("Ray, one by one", cluster, False),
            (f"Ray, {count} ahead, on {cluster.devices} CPUs", cluster, True),
        ):
            print(f"{name}: {min(seconds(executor, ahead=ahead) for _ in range(3)) * 1000:.1f} ms a block")
    finally:
        cluster.close()


def sessions(times: int) -> None:
    """Print seconds of rehearsals, of which each is run several times, in turns."""
    cores = len(os.sched_getaffinity(0))
    for _ in range(times):
        for arguments in ([], ["-n", str(cores)], ["--ray", "local"]):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "pytest", "claims", "--scale", "rehearsal", "--data", "sample", "-q"]
                command += ["-k", REHEARSED, "--store", f"{folder}/runs.sqlite", *arguments]
                began = time.perf_counter()
                # Ray's workers give way to whatever else a machine does, unless told not to; others do not.
                environment = {**os.environ, "RAY_worker_niceness": "0"}
                found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
                took = time.perf_counter() - began
                last = found.stdout.strip().splitlines()[-1:] or [found.stderr[-200:]]
                print(f"{' '.join(arguments) or 'one process'}: {took:.1f} s; {last[0]}", flush=True)


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a claim needs: by arm, the name of its configuration, seconds of a seed on a GPU and seeds a block."""

    arms: tuple[tuple[str, float, int], ...]


class _Claims:
    """A pytest plugin that keeps what the claims of a scale need."""

    def __init__(self, scale: str, recorded: Mapping[str, float]) -> None:
        self._scale, self._recorded = scale, recorded
        self.found: list[Needs] = []
        self.from_records = self.all = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if claim_of(item):  # those that the sample has too few images for, too
                runs = [arm.run(self._scale) for arm in arms_at(item, self._scale).values()]
                self.found.append(Needs(tuple(self._needs(run) for run in runs)))

    def _needs(self, run: Run) -> tuple[str, float, int]:
        width = seeds_per_block(run, "cuda")
        known = self._recorded.get(run.canonical)
        self.all, self.from_records = self.all + 1, self.from_records + (known is not None)
        return run.canonical, known or DATA_CENTRE_GPU.seconds(cost(run, 50_000, 10_000), width), width


def paper(scale: str) -> None:
    """Print how long all claims of a scale take on so many GPUs, by looks to the last one and with 20 seeds at once."""
    claims = _Claims(scale, recorded_seconds(ROOT / FOLDER))
    pytest.main(["claims", "--collect-only", "-qq", "--scale", scale, "--data", "sample"], plugins=[claims])
    runs = {name: (seconds, width) for each in claims.found for name, seconds, width in each.arms}
    longest = max(seconds * width for seconds, width in runs.values())
    total = sum(seconds * 20 for seconds, _ in runs.values())
    print(
        f"{len(claims.found)} claims, {len(runs)} configurations, {20 * len(runs)} runs: {total / 3600:.2f} GPU hours"
    )
    print(
        f"times: of {claims.from_records} of {claims.all} arms recorded on an H100, else by the model in docs/costs.md"
    )
    print(f"the longest block: {longest / 60:.1f} min")
    print("| GPUs | looks to 20 | 20 seeds at once | in parts of 5 seeds | in parts of 1 seed |")
    print("| --- | --- | --- | --- | --- |")
    for gpus in GPUS:
        times = [simulated(claims.found, gpus, LOOKS)]
        times += [simulated(claims.found, gpus, LOOKS[-1:], part) for part in (20, 5, 1)]
        print(f"| {gpus} | " + " | ".join(f"{time / 60:.1f} min" for time in times) + " |")


def simulated(claims: Sequence[Needs], gpus: int, looks: Sequence[int], part: int = 20) -> float:
    """Seconds until all claims have had all these looks, long blocks first, each block once.

    part: the most seeds that one GPU trains of a block; the rest of it is trained by others. A part takes its share of
    the block's time, as where a step is arithmetic.
    """
    done: dict[tuple[str, int, int], float] = {}
    at = [0] * len(claims)
    free = [0.0] * gpus
    waiting: list[tuple[float, int, tuple[str, int, int], float]] = []
    running: list[tuple[float, int, tuple[str, int, int]]] = []
    order = itertools.count()
    given: set[tuple[str, int, int]] = set()

    def wanted(claim: Needs, n: int) -> Iterable[tuple[tuple[str, int, int], float]]:
        for name, seconds, width in claim.arms:
            for start in range(0, n, width):
                for first in range(start, start + width, part):
                    many = min(part, start + width - first)
                    yield (name, first, many), seconds * many

    def ask() -> None:
        for place, claim in enumerate(claims):
            while at[place] < len(looks):
                missing = [each for each in wanted(claim, looks[at[place]]) if each[0] not in done]
                for name, seconds in missing:
                    if name not in given:
                        given.add(name)
                        # Next looks first, as the pool has it; then long blocks.
                        heapq.heappush(waiting, (-seconds - 1e9 * (at[place] > 0), next(order), name, seconds))
                if missing:
                    break
                at[place] += 1

    now, idle = 0.0, len(free)
    ask()
    while waiting or running:
        while waiting and idle:
            _, _, name, seconds = heapq.heappop(waiting)
            heapq.heappush(running, (now + seconds, next(order), name))
            idle -= 1
        now, _, name = heapq.heappop(running)
        idle += 1
        done[name] = now
        ask()
    return now


def recorded_seconds(folder: Path) -> dict[str, float]:
    """Mean seconds of a seed on an H100 by configuration (canonical text), of the recorded runs."""
    seconds: dict[str, list[float]] = {}
    for file in sorted(folder.glob("*h100.jsonl")):
        configuration = ""
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            if "configuration" in entry:
                configuration = json.dumps(entry["configuration"], sort_keys=True, separators=(",", ":"))
            elif "seconds" in entry:
                seconds.setdefault(configuration, []).append(entry["seconds"])
    return {name: sum(each) / len(each) for name, each in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("what", choices=("blocks", "sessions", "paper"))
    parser.add_argument("--count", type=int, default=100, help="blocks")
    parser.add_argument("--times", type=int, default=2, help="of each session")
    parser.add_argument("--scale", default="full", help="of the claims on paper")
    arguments = parser.parse_args()
    if arguments.what == "blocks":
        blocks(arguments.count)
    elif arguments.what == "sessions":
        sessions(arguments.times)
    else:
        paper(arguments.scale)


if __name__ == "__main__":
    main()
