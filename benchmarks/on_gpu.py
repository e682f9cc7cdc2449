"""python -m benchmarks.on_gpu FOLDER: tests, benchmark and the documented claims on a GPU, within minutes.

Each part gets a share of the time and is interrupted when that is over; what was trained is kept. The folder holds a
log a part, the speed, the verdicts with their page, and every run, which `python -m pytest_claims.runs import` takes
into another store.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

# How long an interrupted part may take to write its summary and its page.
_GRACE_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Part:
    """One command, and the share of the remaining time that it may take."""

    name: str
    command: list[str]
    share: float


def parts(folder: Path, gpu: bool, data: str) -> list[Part]:
    """What is run, in order. Without gpu, a rehearsal of it on a CPU, cut short."""
    python = [sys.executable, "-m"]
    store = ["--store", str(folder / "runs.sqlite")]
    claims = [*python, "pytest", "claims", "--data", data, "--results", str(folder / "claims.md"), *store]
    claims += ["--claims-json", str(folder / "claims.json"), "--claims-html", str(folder / "report")]
    speed = [*python, "benchmarks", "--out", str(folder)]
    tests = [*python, "pytest", "tests_fast/train", "tests_fast/stacked", "-n", "0"]
    if gpu:
        return [
            Part("tests", [*tests, "-k", "cuda or replayed"], 0.2),
            Part("speed", [*speed, "--gpu", "--repeats", "2", "--peers", "notebook", "resident eager", "engine"], 0.3),
            Part("claims", [*claims, "--gpu", "-n", "4", "--seeds", "5", "--scale", "documented"], 1.0),
        ]
    return [
        Part("tests", [*tests, "-k", "trace"], 0.3),
        Part("speed", [*speed, "--repeats", "1", "--works", "b", "--peers", "engine"], 0.5),
        Part("claims", [*claims, "-k", "a3", "--scale", "rehearsal"], 1.0),
    ]


def run(part: Part, seconds: float, log: Path) -> str:
    """Run a part for at most so many seconds; returns how it ended, in words."""
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(part.command, stdout=file, stderr=subprocess.STDOUT)
        ended = ""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            ended = ", interrupted: its time was over"
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return f"{part.name}: exit {process.returncode} after {time.monotonic() - started:.0f} s{ended}; {log.name}"


def main() -> int:
    """Run all parts; 0 if tests and benchmark went well (claims may say that a finding does not hold)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.on_gpu", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where everything is written; made if need be")
    parser.add_argument(
        "--kernels", type=Path, metavar="JSON", help="instead: errors and speed of the Triton kernels, into this file"
    )
    parser.add_argument("--seconds", type=float, default=95, help="for --kernels (default: 95)")
    parser.add_argument("--minutes", type=float, default=10, help="for all parts together (default: 10)")
    parser.add_argument("--data", default="auto", help="as pytest's --data (default: auto)")
    parser.add_argument("--cpu", action="store_true", help="rehearse this script on a CPU, every part cut short")
    options = parser.parse_args()
    if not options.cpu and not torch.cuda.is_available():
        sys.exit("this needs a CUDA device, and torch finds none; --cpu rehearses the script without")
    if options.minutes <= 0:
        sys.exit(f"--minutes {options.minutes:g}: more than 0 are needed")
    if options.kernels:
        from benchmarks.kernels import measure

        options.kernels.parent.mkdir(parents=True, exist_ok=True)
        measure(options.kernels, options.seconds)
        return 0
    if options.folder is None:
        parser.error("name a folder for what is written, or --kernels JSON")
    options.folder.mkdir(parents=True, exist_ok=True)
    end, said = time.monotonic() + 60 * options.minutes, []
    for part in parts(options.folder, not options.cpu, options.data):
        left = max(1.0, (end - time.monotonic()) * part.share)
        said.append(run(part, left, options.folder / f"{part.name}.log"))
        print(said[-1], flush=True)
    export = [sys.executable, "-m", "pytest_claims.runs.transfer", "export"]
    files = [str(options.folder / name) for name in ("runs.sqlite", "runs.jsonl")]
    exported = Part("runs", [*export, *files], 1.0)
    said.append(run(exported, 60, options.folder / "runs.log"))
    print(said[-1])
    (options.folder / "README.txt").write_text("\n".join(said) + "\n", encoding="utf-8")
    return int(any(": exit 0" not in line for line in said if not line.startswith("claims")))


if __name__ == "__main__":
    sys.exit(main())
